"""The history of a workflow task, page by page, also when the task ends while its worker reads."""

import pytest
from temporalio.api.common.v1 import WorkflowExecution

from harness.history import attributes, event_types, expected
from harness.raw import AS_CLI, Raw, start_timer
from harness.waiting import wait_for_sync

MANY = 300
"""More batches than a page holds."""


def fail(raw: Raw, task) -> None:
    raw.call("RespondWorkflowTaskFailed", task_token=task.task_token, identity="raw")


def rest(raw: Raw, task) -> list[int]:
    """The ids of the events after the first page of a task."""
    ids, token = [], task.next_page_token
    assert token
    while token:
        page = raw.call(
            "GetWorkflowExecutionHistory",
            execution=task.workflow_execution,
            next_page_token=token,
        )
        ids += [event.event_id for event in page.history.events]
        token = page.next_page_token
    return ids


def long_run(raw: Raw, queue: str) -> WorkflowExecution:
    """A run whose first page ends with event 257; its task waits with the scheduled event 2."""
    run = raw.start(queue)
    for _ in range(MANY):
        raw.signal(run)
    return run


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_the_pages_of_a_task_end_with_its_start(raw: Raw, queue: str, attempt: int):
    run = long_run(raw, queue)
    task = raw.poll(queue)
    for _ in range(attempt - 1):
        fail(raw, task)
        task = raw.poll(queue)
    assert task.attempt == attempt
    assert [event.event_id for event in task.history.events] == list(range(1, 258))
    assert rest(raw, task) == list(range(258, task.started_event_id + 1))
    raw.terminate(run)


def test_the_pages_of_a_task_that_has_failed_go_on_to_the_next_one(raw: Raw, queue: str):
    run = long_run(raw, queue)
    task = raw.poll(queue)
    fail(raw, task)
    failed = task.started_event_id + 1
    assert rest(raw, task) == list(range(258, failed + 2)), "and what was scheduled after it"
    following = raw.poll(queue)
    assert following.started_event_id == failed + 2
    assert rest(raw, task) == list(range(258, following.started_event_id + 1))
    raw.terminate(run)


def test_the_pages_of_a_later_attempt_go_on_to_its_completion(raw: Raw, queue: str):
    run = long_run(raw, queue)
    fail(raw, raw.poll(queue))
    task = raw.poll(queue)
    raw.signal(run, "while it is held")
    raw.complete(task)
    completed = task.started_event_id + 1
    assert rest(raw, task) == list(range(258, completed + 3)), "the signal, and its task"
    raw.terminate(run)


def test_an_attempt_that_nobody_has_taken_shows_workers_its_scheduling(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    written = "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed"
    raw.assert_history(run, written)

    def seen() -> list[str]:
        answer = raw.call("GetWorkflowExecutionHistory", execution=run)
        return event_types(answer.history.events)

    assert seen() == expected(f"{written} WorkflowTaskScheduled")
    raw.poll(queue)
    assert seen() == expected(f"{written} WorkflowTaskScheduled WorkflowTaskStarted")
    raw.terminate(run)


@pytest.mark.parametrize("size", [0, 1])
def test_who_follows_a_history_sees_an_attempt_that_is_not_written(raw: Raw, queue: str, size: int):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    task = raw.poll(queue)
    written = expected("Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed")
    of_the_attempt = expected("WorkflowTaskScheduled WorkflowTaskStarted")

    def follow(count: int, token: bytes = b"", **fields) -> tuple[list[str], bytes]:
        """That many events, and where it goes on."""
        seen: list[str] = []
        while len(seen) < count:
            answer = raw.call(
                "GetWorkflowExecutionHistory",
                execution=run,
                wait_new_event=True,
                maximum_page_size=size,
                next_page_token=token,
                **fields,
            )
            seen += event_types(answer.history.events)
            token = answer.next_page_token
            assert token
        return seen, token

    assert follow(4, metadata=AS_CLI)[0] == written
    seen, token = follow(6)
    assert seen == written + of_the_attempt
    raw.complete(task)
    # What is written now is news, though its numbers were there.
    assert follow(3, token)[0] == [*of_the_attempt, "WorkflowTaskCompleted"]
    raw.terminate(run)


def test_timers_whose_time_has_come_fire_together(raw: Raw, queue: str):
    run = raw.start(queue)
    names = [f"t{number}" for number in range(200)]
    raw.complete(raw.poll(queue), *(start_timer(name, 100) for name in names))
    task = raw.poll(queue)
    started = " ".join(["TimerStarted"] * 200)
    fired = " ".join(["TimerFired"] * 200)
    events = raw.assert_history(
        run, f"Started WorkflowTask {started} {fired} WorkflowTaskScheduled WorkflowTaskStarted"
    )
    order = [attributes(event).timer_id for event in events[204:404]]
    assert order == names
    raw.complete(task)
    raw.terminate(run)


def test_timers_that_fire_together_end_a_held_task_once(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), *(start_timer(str(number), 2_000) for number in range(200)))
    raw.signal(run)
    held = raw.poll(queue)
    started = " ".join(["TimerStarted"] * 200)
    fired = " ".join(["TimerFired"] * 200)
    before = f"Started WorkflowTask {started} Signaled WorkflowTaskScheduled WorkflowTaskStarted"
    wait_for_sync(lambda: len(raw.history(run)) > 207, "the timers")
    raw.assert_history(run, f"{before} WorkflowTaskFailed {fired}")
    refused = raw.refused("RespondWorkflowTaskCompleted", task_token=held.task_token)
    assert refused.text == "Workflow task not found."
    following = raw.poll(queue)
    assert following.attempt == 2
    assert following.started_event_id == held.started_event_id + 203
    raw.terminate(run)
