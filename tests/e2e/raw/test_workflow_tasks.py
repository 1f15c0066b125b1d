"""Workflow tasks: stale completions, failures, attempts, buffering, heartbeats, stickiness."""

import grpc
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import (
    WorkflowTaskFailedCause,
)

from harness.history import attributes, event_types, expected, only
from harness.raw import (
    AS_CLI,
    Raw,
    complete_workflow,
    payloads,
    record_marker,
    refusal_of,
    schedule_activity,
    start_timer,
)

NO_TASK = "Workflow task not found."
WORKER_FAILURE = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
)


def cause_named(name: str) -> int:
    return WorkflowTaskFailedCause.Value(f"WORKFLOW_TASK_FAILED_CAUSE_{name}")


def fail(raw: Raw, task, cause: int = WORKER_FAILURE) -> None:
    raw.call(
        "RespondWorkflowTaskFailed",
        task_token=task.task_token,
        cause=cause,
        failure={"message": "as told", "application_failure_info": {}},
        identity="raw",
    )


def test_a_task_completes_once(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    raw.complete(task, start_timer("t", 600_000))
    for method in ("RespondWorkflowTaskCompleted", "RespondWorkflowTaskFailed"):
        refused = raw.refused(method, task_token=task.task_token)
        assert (refused.code, refused.text) == ("NOT_FOUND", NO_TASK)
    raw.assert_history(run, "Started WorkflowTask TimerStarted")
    raw.terminate(run)


def test_a_token_of_an_earlier_task_does_not_complete_a_later_one(raw: Raw, queue: str):
    run = raw.start(queue)
    first = raw.poll(queue)
    raw.complete(first)
    raw.signal(run)
    second = raw.poll(queue)
    refused = raw.refused("RespondWorkflowTaskCompleted", task_token=first.task_token)
    assert (refused.code, refused.text) == ("NOT_FOUND", NO_TASK)
    raw.complete(second, complete_workflow())
    raw.assert_history(run, "Started WorkflowTask Signaled WorkflowTask Completed")


def test_a_token_of_an_earlier_attempt_does_not_complete_a_later_one(raw: Raw, queue: str):
    run = raw.start(queue)
    first = raw.poll(queue)
    fail(raw, first)
    second = raw.poll(queue)
    assert second.attempt == 2
    refused = raw.refused("RespondWorkflowTaskCompleted", task_token=first.task_token)
    assert (refused.code, refused.text) == ("NOT_FOUND", NO_TASK)
    raw.complete(second, complete_workflow())
    raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed WorkflowTask "
        "Completed",
    )


def test_a_completion_after_the_run_closed_is_not_found(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    raw.terminate(run)
    refused = raw.refused("RespondWorkflowTaskCompleted", task_token=task.task_token)
    assert (refused.code, refused.detail) == ("NOT_FOUND", "NotFoundFailure")
    raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed Terminated",
    )


def test_failures_after_the_first_are_transient_and_leave_no_event(raw: Raw, queue: str):
    run = raw.start(queue)
    for attempt in (1, 2, 3):
        task = raw.poll(queue)
        assert task.attempt == attempt
        assert task.started_event_id == (3 if attempt == 1 else 6)
        synthesised = "" if attempt == 1 else "WorkflowTaskStarted WorkflowTaskFailed"
        assert event_types(task.history.events) == expected(
            f"Started WorkflowTaskScheduled {synthesised} "
            + ("WorkflowTaskScheduled " if attempt > 1 else "")
            + "WorkflowTaskStarted"
        )
        fail(raw, task)
    raw.assert_history(run, "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed")
    task = raw.poll(queue)
    assert task.attempt == 4
    raw.complete(task, complete_workflow())
    events = raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed WorkflowTask "
        "Completed",
    )
    assert attributes(events[4]).attempt == 4


def test_a_client_that_is_no_cli_reads_the_transient_task_too(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    transient = raw.poll(queue)
    written = raw.call("GetWorkflowExecutionHistory", metadata=AS_CLI, execution=run)
    assert event_types(written.history.events)[-1] == "WorkflowTaskFailed"
    read = raw.call("GetWorkflowExecutionHistory", execution=run)
    assert event_types(read.history.events) == expected(
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed "
        "WorkflowTaskScheduled WorkflowTaskStarted"
    )
    assert list(read.history.events)[-1].event_id == transient.started_event_id
    raw.complete(transient, complete_workflow())


FAILED_ONCE = "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed"


def test_a_signal_during_a_transient_task_that_fails_makes_the_next_one_normal(
    raw: Raw, queue: str
):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    transient = raw.poll(queue)
    raw.signal(run)
    raw.assert_history(run, FAILED_ONCE)
    fail(raw, transient)
    raw.assert_history(run, f"{FAILED_ONCE} Signaled WorkflowTaskScheduled")
    task = raw.poll(queue)
    assert (task.attempt, task.started_event_id) == (1, 7)
    raw.complete(task, complete_workflow())
    raw.assert_history(run, f"{FAILED_ONCE} Signaled WorkflowTask Completed")


def test_a_signal_during_a_transient_task_that_completes_comes_after_it(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    transient = raw.poll(queue)
    raw.signal(run)
    raw.complete(transient)
    raw.assert_history(run, f"{FAILED_ONCE} WorkflowTask Signaled WorkflowTaskScheduled")
    raw.terminate(run)


def test_a_signal_before_a_transient_task_starts_makes_it_normal(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    raw.signal(run)
    task = raw.poll(queue)
    assert (task.attempt, task.started_event_id) == (1, 7)
    fail(raw, task)
    raw.assert_history(
        run,
        f"{FAILED_ONCE} Signaled WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed",
    )
    raw.terminate(run)


def test_terminating_during_a_transient_task_leaves_no_trace_of_it(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    raw.poll(queue)
    raw.terminate(run)
    raw.assert_history(run, f"{FAILED_ONCE} Terminated")


def test_a_bad_command_in_a_transient_task_is_refused_and_the_task_stays(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    transient = raw.poll(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=transient.task_token,
        commands=[start_timer("", 1000)],
    )
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.text == ("BadStartTimerAttributes: TimerId is not set on StartTimerCommand.")
    raw.complete(transient, complete_workflow())
    raw.assert_history(run, f"{FAILED_ONCE} WorkflowTask Completed")


def test_an_unhandled_command_in_a_transient_task_makes_the_next_one_normal(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue))
    transient = raw.poll(queue)
    raw.signal(run)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=transient.task_token,
        commands=[complete_workflow()],
    )
    assert (refused.code, refused.text) == ("INVALID_ARGUMENT", "UnhandledCommand")
    raw.assert_history(run, f"{FAILED_ONCE} Signaled WorkflowTaskScheduled")
    task = raw.poll(queue)
    assert task.attempt == 1
    raw.complete(task, complete_workflow())
    raw.assert_history(run, f"{FAILED_ONCE} Signaled WorkflowTask Completed")


def test_a_task_that_fails_tells_cause_and_failure(raw: Raw, queue: str):
    run = raw.start(queue)
    fail(raw, raw.poll(queue), cause_named("NON_DETERMINISTIC_ERROR"))
    failed = attributes(only(raw.history(run), "WorkflowTaskFailed"))
    assert failed.cause == cause_named("NON_DETERMINISTIC_ERROR")
    assert failed.failure.message == "as told"
    assert (failed.scheduled_event_id, failed.started_event_id) == (2, 3)
    assert failed.identity == "raw"
    raw.terminate(run)


def test_a_new_workflow_task_comes_with_the_completion_when_asked_for(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    raw.signal(run)
    answer = raw.complete(task, return_new_workflow_task=True)
    following = answer.workflow_task
    assert following.task_token
    assert (following.previous_started_event_id, following.started_event_id) == (3, 7)
    assert event_types(following.history.events) == expected(
        "WorkflowTaskCompleted Signaled WorkflowTaskScheduled WorkflowTaskStarted"
    )
    raw.complete(following, complete_workflow())
    raw.assert_history(run, "Started WorkflowTask Signaled WorkflowTask Completed")


def test_a_heartbeat_completes_a_task_and_makes_another(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    for started in (6, 9, 12):
        answer = raw.complete(
            task, return_new_workflow_task=True, force_create_new_workflow_task=True
        )
        task = answer.workflow_task
        assert (task.started_event_id, task.attempt) == (started, 1)
    raw.complete(task, complete_workflow())
    raw.assert_history(run, "Started WorkflowTask WorkflowTask WorkflowTask WorkflowTask Completed")


def test_an_eager_activity_starts_with_the_completion_that_schedules_it(raw: Raw, queue: str):
    run = raw.start(queue)
    answer = raw.complete(
        raw.poll(queue),
        schedule_activity("eager", queue, eager=True),
        schedule_activity("normal", queue),
    )
    assert [task.activity_id for task in answer.activity_tasks] == ["eager"]
    eager = answer.activity_tasks[0]
    assert eager.task_token and eager.attempt == 1
    raw.call("RespondActivityTaskCompleted", task_token=eager.task_token, result=payloads(b"1"))
    raw.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskScheduled ActivityTaskStarted "
        "ActivityTaskCompleted WorkflowTaskScheduled",
    )
    raw.terminate(run)


def test_a_started_task_times_out_and_comes_again(raw: Raw, queue: str):
    run = raw.start(queue, workflow_task_timeout=Duration(seconds=1))
    first = raw.poll(queue)
    second = raw.poll(queue)
    assert (second.attempt, second.started_event_id) == (2, 6)
    refused = raw.refused("RespondWorkflowTaskCompleted", task_token=first.task_token)
    assert (refused.code, refused.text) == ("NOT_FOUND", NO_TASK)
    raw.complete(second, complete_workflow())
    raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskTimedOut WorkflowTask "
        "Completed",
    )


def test_an_oversize_marker_fails_the_task_and_terminates_the_run(raw: Raw, queue: str):
    run = raw.start(queue)
    try:
        raw.complete(raw.poll(queue), record_marker("large", b"x" * (2 * 1024 * 1024 + 1)))
    except grpc.RpcError as error:
        assert refusal_of(error).code in ("INVALID_ARGUMENT", "NOT_FOUND")
    events = raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed Terminated",
    )
    assert attributes(events[3]).cause == cause_named("BAD_RECORD_MARKER_ATTRIBUTES")


def test_a_history_is_bounded_by_pages_in_a_poll(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    for _ in range(300):
        task = raw.complete(
            task, return_new_workflow_task=True, force_create_new_workflow_task=True
        ).workflow_task
    fail(raw, task)
    task = raw.poll(queue)
    carried = list(task.history.events)
    assert task.next_page_token
    token = task.next_page_token
    while token:
        page = raw.call("GetWorkflowExecutionHistory", execution=run, next_page_token=token)
        carried += page.history.events
        token = page.next_page_token
    assert [event.event_id for event in carried] == list(range(1, len(carried) + 1))
    assert carried[-1].event_id == task.started_event_id
    raw.complete(task, complete_workflow())
