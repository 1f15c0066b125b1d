"""Updates on the wire: messages of workflow tasks, and tasks that leave no trace."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    CommandType,
    EventType,
    WorkflowTaskFailedCause,
)
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import (
    Acceptance,
    Meta,
    Outcome,
    Request,
    UpdateRef,
)
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from harness.history import attributes, event_types, expected, only
from harness.raw import Raw, Refusal, complete_workflow, refusal_of, start_timer, sticky
from harness.sdk import unique
from harness.updates import (
    ACCEPTED,
    ADMITTED,
    COMPLETED,
    DONE,
    accept,
    answer,
    fields,
    message,
    poll_fields,
    reject,
    respond,
)
from harness.waiting import wait_for_sync

IDLE = "Started WorkflowTask"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


def ask(pool: ThreadPoolExecutor, raw: Raw, run: WorkflowExecution, *which, **more) -> Future:
    return pool.submit(raw.call, "UpdateWorkflowExecution", **fields(run, *which, **more))


@pytest.fixture
def idle(raw: Raw, queue: str) -> WorkflowExecution:
    """A run whose first workflow task is done."""
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    return run


def test_an_update_is_a_message_of_a_task_that_is_written_once_it_is_accepted(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    updating = ask(pool, raw, idle, "one")
    task = raw.poll(queue)
    assert (task.previous_started_event_id, task.started_event_id, task.attempt) == (3, 6, 1)
    assert event_types(task.history.events) == expected(
        f"{IDLE} WorkflowTaskScheduled WorkflowTaskStarted"
    )
    raw.assert_history(idle, IDLE)
    [request] = task.messages
    assert (request.id, request.protocol_instance_id) == ("one/request", "one")
    assert request.event_id == 5
    asked = Request()
    assert request.body.Unpack(asked)
    assert asked == fields(idle, "one")["request"]
    completed = answer(raw, task, accept(request), respond("one"))
    assert completed.reset_history_event_id == 0
    updated = updating.result()
    assert updated.stage == COMPLETED
    assert updated.outcome == Outcome(success=DONE)
    assert updated.update_ref == UpdateRef(workflow_execution=idle, update_id="one")
    link = updated.link.workflow_event
    assert (link.workflow_id, link.run_id) == (idle.workflow_id, idle.run_id)
    assert link.request_id_ref.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    events = raw.assert_history(
        idle,
        f"{IDLE} WorkflowTask WorkflowExecutionUpdateAccepted WorkflowExecutionUpdateCompleted",
    )
    accepted = attributes(only(events, "WorkflowExecutionUpdateAccepted"))
    assert accepted.protocol_instance_id == "one"
    assert accepted.accepted_request_message_id == "one/request"
    assert accepted.accepted_request_sequencing_event_id == 5
    assert accepted.accepted_request == asked
    done = attributes(only(events, "WorkflowExecutionUpdateCompleted"))
    assert (done.meta.update_id, done.accepted_event_id) == ("one", 8)
    assert done.outcome == Outcome(success=DONE)
    again = raw.call("UpdateWorkflowExecution", **fields(idle, "one"))
    assert again.outcome == Outcome(success=DONE)
    polled = raw.call("PollWorkflowExecutionUpdate", **poll_fields(idle, "one"))
    assert (polled.stage, polled.outcome) == (COMPLETED, Outcome(success=DONE))
    raw.terminate(idle)
    polled = raw.call("PollWorkflowExecutionUpdate", **poll_fields(idle, "one", COMPLETED))
    assert (polled.stage, polled.outcome) == (COMPLETED, Outcome(success=DONE))
    again = raw.call("UpdateWorkflowExecution", **fields(idle, "one"))
    assert again.outcome == Outcome(success=DONE)


def test_a_rejection_leaves_no_trace_and_its_id_may_be_used_again(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    for _ in range(2):
        updating = ask(pool, raw, idle, "one")
        task = raw.poll(queue)
        assert task.started_event_id == 6
        completed = answer(raw, task, reject(task.messages[0]))
        assert completed.reset_history_event_id == 3
        updated = updating.result()
        assert updated.stage == COMPLETED
        assert updated.outcome.failure.message == "no"
        assert updated.link.workflow.reason == "Update rejected"
        raw.assert_history(idle, IDLE)
    assert raw.refused("PollWorkflowExecutionUpdate", **poll_fields(idle, "one")) == Refusal(
        "NOT_FOUND", 'update "one" not found', "NotFoundFailure"
    )
    stale = raw.refused("RespondWorkflowTaskCompleted", task_token=task.task_token)
    assert stale == Refusal("NOT_FOUND", "Workflow task not found.", "NotFoundFailure")
    raw.terminate(idle)


def test_what_a_worker_ignores_is_rejected_by_the_server(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    updating = ask(pool, raw, idle, "one")
    task = raw.poll(queue)
    assert answer(raw, task).reset_history_event_id == 3
    failure = updating.result().outcome.failure
    assert failure.message == (
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow "
        "Update is not supported by the worker."
    )
    assert failure.source == "Server"
    assert failure.application_failure_info.type == "UnprocessedUpdate"
    assert failure.application_failure_info.non_retryable
    raw.assert_history(idle, IDLE)
    raw.terminate(idle)


def test_a_rejection_after_new_events_is_written_unless_the_worker_can_take_them_back(
    raw: Raw, queue: str, pool: ThreadPoolExecutor
):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), start_timer("a", 60_000))
    started = f"{IDLE} TimerStarted"
    updating = ask(pool, raw, run, "one")
    task = raw.poll(queue)
    capable = RespondWorkflowTaskCompletedRequest.Capabilities(
        discard_speculative_workflow_task_with_events=True
    )
    completed = answer(raw, task, reject(task.messages[0]), capabilities=capable)
    assert completed.reset_history_event_id == 3
    updating.result()
    raw.assert_history(run, started)
    updating = ask(pool, raw, run, "one")
    task = raw.poll(queue)
    completed = answer(raw, task, reject(task.messages[0]))
    assert completed.reset_history_event_id == 0
    updating.result()
    raw.assert_history(run, f"{started} WorkflowTask")
    raw.terminate(run)


def test_a_signal_makes_the_task_of_an_update_a_normal_one(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    updating = ask(pool, raw, idle, "one")
    task = raw.poll(queue)
    raw.assert_history(idle, IDLE)
    raw.signal(idle)
    raw.assert_history(idle, f"{IDLE} WorkflowTaskScheduled WorkflowTaskStarted")
    following = answer(raw, task, reject(task.messages[0])).workflow_task
    assert updating.result().outcome.failure.message == "no"
    assert following.started_event_id == 10
    assert not following.messages
    raw.assert_history(
        idle, f"{IDLE} WorkflowTask Signaled WorkflowTaskScheduled WorkflowTaskStarted"
    )
    raw.terminate(idle)


def test_an_update_during_a_task_comes_with_the_answer_to_it(
    raw: Raw, queue: str, pool: ThreadPoolExecutor
):
    run = raw.start(queue)
    task = raw.poll(queue)
    updating = ask(pool, raw, run, "one", ACCEPTED)
    wait_for_sync(lambda: known(raw, run, "one"), "the update")
    own = sticky(unique("sticky"), queue)
    following = answer(raw, task, sticky_attributes=own).workflow_task
    assert following.started_event_id == 6
    assert event_types(following.history.events) == expected(
        "WorkflowTaskCompleted WorkflowTaskScheduled WorkflowTaskStarted"
    )
    raw.assert_history(run, IDLE)
    [request] = following.messages
    answer(raw, following, accept(request), sticky_attributes=own)
    accepted = updating.result()
    assert accepted.stage == ACCEPTED
    assert not accepted.HasField("outcome")
    raw.signal(run)
    raw.terminate(run)


def known(raw: Raw, run: WorkflowExecution, update_id: str) -> bool:
    try:
        raw.call("PollWorkflowExecutionUpdate", **poll_fields(run, update_id))
    except Exception:  # not found yet
        return False
    return True


def test_an_update_of_a_new_run_comes_with_its_first_task(
    raw: Raw, queue: str, pool: ThreadPoolExecutor
):
    run = raw.start(queue)
    updating = [ask(pool, raw, run, update_id) for update_id in ("one", "two")]
    for update_id in ("one", "two"):
        wait_for_sync(lambda it=update_id: known(raw, run, it), "the update")
    polled = raw.call("PollWorkflowExecutionUpdate", **poll_fields(run, "one"))
    assert polled.stage == ADMITTED
    task = raw.poll(queue)
    assert {it.protocol_instance_id for it in task.messages} == {"one", "two"}
    assert {it.event_id for it in task.messages} == {2}
    first, second = task.messages
    answer(raw, task, reject(first), accept(second), respond(second.protocol_instance_id))
    outcomes = sorted(it.result().outcome.WhichOneof("value") for it in updating)
    assert outcomes == ["failure", "success"]
    raw.assert_history(
        run, f"{IDLE} WorkflowExecutionUpdateAccepted WorkflowExecutionUpdateCompleted"
    )
    raw.terminate(run)


def test_messages_without_commands_take_effect_after_them(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    updating = ask(pool, raw, idle, "one")
    task = raw.poll(queue)
    messages = [accept(task.messages[0]), respond("one")]
    raw.complete(task, start_timer("a", 60_000), messages=messages)
    assert updating.result().outcome == Outcome(success=DONE)
    raw.assert_history(
        idle,
        f"{IDLE} WorkflowTask TimerStarted WorkflowExecutionUpdateAccepted "
        "WorkflowExecutionUpdateCompleted",
    )
    raw.terminate(idle)


def test_a_task_that_fails_is_written_and_the_next_brings_the_update_again(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    updating = ask(pool, raw, idle, "one")
    task = raw.poll(queue)
    raw.call("RespondWorkflowTaskFailed", task_token=task.task_token, identity="raw")
    task = raw.poll(queue)
    [request] = task.messages
    assert request.event_id == task.started_event_id - 1
    answer(raw, task, accept(request), respond("one"))
    assert updating.result().outcome == Outcome(success=DONE)
    names = event_types(raw.history(idle))
    assert names[4:7] == ["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskFailed"]
    raw.terminate(idle)


def bad_messages(request: Message) -> dict[str, list[Message]]:
    return {
        "update unknown wasn't found on the server. This is most likely a transient error which "
        "will be resolved automatically by retries": [respond("unknown")],
        "invalid state transition attempted for Update one: received *update.Response message "
        "while in state Sent": [respond("one")],
        "invalid state transition attempted for Update one: received *update.Acceptance message "
        "while in state ProvisionallyAccepted": [accept(request), accept(request)],
        "invalid *update.Acceptance: accepted_request_sequencing_event_id is not set": [
            message("one", Acceptance(accepted_request_message_id="x"))
        ],
        "invalid *update.Acceptance: accepted_request_message_id is not set": [
            message("one", Acceptance(accepted_request_sequencing_event_id=1))
        ],
        "unsupported protocol type temporal.api.common.v1": [message("one", idle_body())],
        "Message type *update.Request not supported": [message("one", Request())],
    }


def idle_body() -> WorkflowExecution:
    return WorkflowExecution(workflow_id="x")


@pytest.mark.parametrize("number", range(7))
def test_bad_messages_fail_the_task_and_the_update(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor, number: int
):
    updating = ask(pool, raw, idle, "one")
    task = raw.poll(queue)
    text, messages = list(bad_messages(task.messages[0]).items())[number]
    refused = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, messages=messages
    )
    assert refused == Refusal(
        "INVALID_ARGUMENT", f"BadUpdateWorkflowExecutionMessage: {text}", None
    )
    failed = updating.exception()
    assert refusal_of(failed) == Refusal(
        "FAILED_PRECONDITION",
        "Unable to perform workflow execution update due to unexpected workflow task failure.",
        "WorkflowNotReadyFailure",
    )
    events = raw.history(idle)
    cause = attributes(only(events, "WorkflowTaskFailed")).cause
    assert (
        cause
        == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE
    )
    raw.terminate(idle)


def test_a_command_that_names_no_message_fails_the_task(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    command = Command(command_type=CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE)
    command.protocol_message_command_attributes.message_id = "absent"
    refused = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[command]
    )
    assert refused.text == (
        "BadUpdateWorkflowExecutionMessage: ProtocolMessageCommand referenced absent message ID "
        "absent"
    )
    raw.terminate(run)


def test_a_run_that_completes_ends_its_updates(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    accepting = ask(pool, raw, idle, "accepted")
    task = raw.poll(queue)
    answer(raw, task, accept(task.messages[0]), return_new_workflow_task=False)
    wait_for_sync(lambda: known(raw, idle, "accepted"), "the update")
    raw.signal(idle)
    task = raw.poll(queue)
    admitting = ask(pool, raw, idle, "admitted")
    wait_for_sync(lambda: known(raw, idle, "admitted"), "the update")
    raw.complete(task, complete_workflow())
    failure = accepting.result().outcome.failure
    assert failure.message == (
        "Workflow Update failed because the Workflow completed before the Update completed."
    )
    assert failure.application_failure_info.type == "AcceptedUpdateCompletedWorkflow"
    assert refusal_of(admitting.exception()) == Refusal(
        "NOT_FOUND", "workflow update was aborted by closing workflow", "NotFoundFailure"
    )
    again = raw.call("UpdateWorkflowExecution", **fields(idle, "accepted"))
    assert again.outcome.failure.message == failure.message
    assert raw.refused("UpdateWorkflowExecution", **fields(idle, "new")) == Refusal(
        "NOT_FOUND", "workflow execution already completed", "NotFoundFailure"
    )


def test_a_run_takes_ten_updates_at_a_time(raw: Raw, queue: str, pool: ThreadPoolExecutor):
    run = raw.start(queue)
    updating = [ask(pool, raw, run, str(number)) for number in range(10)]
    for number in range(10):
        wait_for_sync(lambda it=number: known(raw, run, str(it)), "the update")
    assert raw.refused("UpdateWorkflowExecution", **fields(run, "eleventh")) == Refusal(
        "RESOURCE_EXHAUSTED",
        "limit on number of concurrent in-flight updates has been reached (10)",
        "ResourceExhaustedFailure",
    )
    raw.terminate(run)
    assert all(it.exception().code().name == "NOT_FOUND" for it in updating)


def test_a_run_whose_worker_keeps_failing_takes_no_update(raw: Raw, queue: str):
    run = raw.start(queue)
    for _ in range(2):
        task = raw.poll(queue)
        raw.call("RespondWorkflowTaskFailed", task_token=task.task_token, identity="raw")
    assert raw.refused("UpdateWorkflowExecution", **fields(run, "one")) == Refusal(
        "FAILED_PRECONDITION",
        "Unable to perform workflow execution update due to Workflow Task in failed state.",
        "WorkflowNotReadyFailure",
    )
    raw.terminate(run)


def without(request: Request, field: str) -> Request:
    changed = Request()
    changed.CopyFrom(request)
    if field == "name":
        changed.input.name = ""
    else:
        changed.ClearField(field)
    return changed


def test_updates_are_checked(raw: Raw, queue: str):
    run = raw.start(queue)
    good = fields(run, "one")
    request = good["request"]
    long = Request(meta=Meta(update_id="x" * 1001), input=request.input)
    invalid = {
        "Execution is not set on request.": {"workflow_execution": None},
        "WorkflowId is not set on request.": {"workflow_execution": WorkflowExecution()},
        "Invalid RunId.": {
            "workflow_execution": WorkflowExecution(workflow_id="x", run_id="not a run id")
        },
        "Update meta is not set on request.": {"request": without(request, "meta")},
        "UpdateId length exceeds limit.": {"request": long},
        "Update input is not set on request.": {"request": without(request, "input")},
        "Update name is not set on request.": {"request": without(request, "name")},
    }
    for text, change in invalid.items():
        refused = raw.refused("UpdateWorkflowExecution", **(good | change))
        assert refused == Refusal("INVALID_ARGUMENT", text, None)
    assert raw.refused("UpdateWorkflowExecution", **fields(run, "one", ADMITTED)) == Refusal(
        "PERMISSION_DENIED",
        "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not "
        "supported.",
        "PermissionDeniedFailure",
    )
    other = good | {"first_execution_run_id": "other"}
    assert raw.refused("UpdateWorkflowExecution", **other) == Refusal(
        "NOT_FOUND", "workflow execution not found", "NotFoundFailure"
    )
    nobody = WorkflowExecution(workflow_id=unique("nobody"))
    assert raw.refused("UpdateWorkflowExecution", **fields(nobody, "one")) == Refusal(
        "NOT_FOUND", f"workflow not found for ID: {nobody.workflow_id}", "NotFoundFailure"
    )
    assert raw.refused("PollWorkflowExecutionUpdate") == Refusal(
        "INVALID_ARGUMENT", "UpdateRef is not set on request.", None
    )
    nameless = poll_fields(WorkflowExecution(), "one")
    assert raw.refused("PollWorkflowExecutionUpdate", **nameless) == Refusal(
        "INVALID_ARGUMENT", "Can't load workflow execution.  WorkflowId not set.", None
    )
    assert raw.refused("PollWorkflowExecutionUpdate", **poll_fields(nobody, "one")) == Refusal(
        "NOT_FOUND", f"workflow not found for ID: {nobody.workflow_id}", "NotFoundFailure"
    )
    raw.terminate(run)


def test_an_update_does_not_wait_for_the_start_delay(
    raw: Raw, queue: str, pool: ThreadPoolExecutor
):
    run = raw.start(queue, workflow_start_delay=Duration(seconds=2))
    updating = ask(pool, raw, run, "one")
    task = raw.poll(queue)
    assert len(task.messages) == 1
    answer(raw, task, accept(task.messages[0]), respond("one"))
    assert updating.result().outcome == Outcome(success=DONE)
    # That was the first task: no other comes when the delay is over.
    assert not raw.poll(queue, seconds=4).task_token
    raw.assert_history(
        run, f"{IDLE} WorkflowExecutionUpdateAccepted WorkflowExecutionUpdateCompleted"
    )
    raw.terminate(run)


def test_an_update_that_no_worker_takes_gets_a_task_that_is_written(
    raw: Raw, queue: str, idle: WorkflowExecution, pool: ThreadPoolExecutor
):
    updating = ask(pool, raw, idle, "one", timeout=30)
    wait_for_sync(lambda: "WorkflowTaskTimedOut" in event_types(raw.history(idle)), "the time-out")
    raw.assert_history(
        idle, f"{IDLE} WorkflowTaskScheduled WorkflowTaskTimedOut WorkflowTaskScheduled"
    )
    task = raw.poll(queue)
    answer(raw, task, accept(task.messages[0]), respond("one"))
    assert updating.result().outcome == Outcome(success=DONE)
    raw.terminate(idle)
