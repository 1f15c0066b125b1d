"""What a reset applies again of what happened later, and what it does in the end."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import Priority, WorkflowExecution
from temporalio.api.enums.v1 import (
    ResetReapplyExcludeType,
    ResetReapplyType,
    UpdateAdmittedEventOrigin,
)
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions

from harness import updates
from harness.history import attributes, event_types, only
from harness.raw import Raw, complete_workflow, payload, start_child, start_timer
from harness.sdk import unique
from harness.waiting import wait_for_sync

RESET = "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed"
CHILD = "StartChildWorkflowExecutionInitiated"
EXCLUDE_UPDATES = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE
EVERYTHING = [1, 2, 3, 4]


def reset(raw: Raw, run: WorkflowExecution, event_id: int, **fields) -> WorkflowExecution:
    fields = {"request_id": str(uuid.uuid4()), "reason": "again"} | fields
    answer = raw.call(
        "ResetWorkflowExecution",
        workflow_execution=run,
        workflow_task_finish_event_id=event_id,
        **fields,
    )
    return WorkflowExecution(workflow_id=run.workflow_id, run_id=answer.run_id)


def updated_run(raw: Raw, queue: str) -> WorkflowExecution:
    """One workflow task completed, then an update completed and another accepted."""
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    with ThreadPoolExecutor() as pool:
        done = pool.submit(
            lambda: raw.call("UpdateWorkflowExecution", **updates.fields(run, "done"))
        )
        task = raw.poll(queue)
        updates.answer(raw, task, updates.accept(task.messages[0]), updates.respond("done"))
        assert done.result().outcome.HasField("success")
        fields = updates.fields(run, "open", updates.ACCEPTED)
        accepted = pool.submit(lambda: raw.call("UpdateWorkflowExecution", **fields))
        task = raw.poll(queue)
        updates.answer(
            raw, task, updates.accept(task.messages[0]), commands=(start_timer("t", 60_000),)
        )
        accepted.result()
    return run


def test_accepted_updates_are_admitted_again(raw: Raw, queue: str):
    base = updated_run(raw, queue)
    raw.signal(base, "between")
    again = reset(raw, base, 4)
    admitted = "WorkflowExecutionUpdateAdmitted"
    events = raw.assert_history(
        again, f"{RESET} {admitted} {admitted} Signaled WorkflowTaskScheduled"
    )
    first, second = attributes(events[4]), attributes(events[5])
    origin = UpdateAdmittedEventOrigin.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY
    assert (first.request.meta.update_id, first.origin) == ("done", origin)
    assert second.request.meta.update_id == "open"
    assert first.request.input.name == "name"

    # The worker gets them with the history, and accepts them as it did before.
    task = raw.poll(queue)
    assert not task.messages
    accepted = updates.message(
        "done",
        updates.Acceptance(
            accepted_request_message_id="done/request", accepted_request_sequencing_event_id=7
        ),
    )
    updates.answer(raw, task, accepted, updates.respond("done"))
    events = raw.history(again)
    event = attributes(only(events, "WorkflowExecutionUpdateAccepted"))
    assert event.protocol_instance_id == "done"
    assert not event.HasField("accepted_request")
    polled = raw.call("PollWorkflowExecutionUpdate", **updates.poll_fields(again, "done"))
    assert polled.outcome.success == updates.DONE

    # An update that an event admitted is applied again itself, its acceptance is not.
    third = reset(raw, again, 4)
    assert event_types(raw.history(third))[4:] == [
        admitted,
        admitted,
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
    ]
    raw.terminate(third)


@pytest.mark.parametrize(
    "fields",
    [
        {"reset_reapply_exclude_types": [EXCLUDE_UPDATES]},
        {"reset_reapply_type": ResetReapplyType.RESET_REAPPLY_TYPE_SIGNAL},
    ],
    ids=["excluded", "signals"],
)
def test_updates_are_left_out_on_request(raw: Raw, queue: str, fields: dict):
    base = updated_run(raw, queue)
    raw.signal(base, "between")
    again = reset(raw, base, 4, **fields)
    raw.assert_history(again, f"{RESET} Signaled WorkflowTaskScheduled")
    raw.terminate(again)


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        ({}, "WorkflowExecutionOptionsUpdated "),
        (
            {"reset_reapply_type": ResetReapplyType.RESET_REAPPLY_TYPE_NONE},
            "WorkflowExecutionOptionsUpdated ",
        ),
        ({"reset_reapply_exclude_types": EVERYTHING}, ""),
    ],
    ids=["all", "none", "everything excluded"],
)
def test_options_are_applied_again(raw: Raw, queue: str, fields: dict, seen: str):
    base = raw.start(queue)
    raw.complete(raw.poll(queue))
    raw.call(
        "UpdateWorkflowExecutionOptions",
        workflow_execution=base,
        workflow_execution_options=WorkflowExecutionOptions(priority=Priority(priority_key=2)),
        update_mask=FieldMask(paths=["priority"]),
    )
    again = reset(raw, base, 4, **fields)
    raw.assert_history(again, f"{RESET} {seen}WorkflowTaskScheduled")
    described = raw.call("DescribeWorkflowExecution", execution=again).workflow_execution_info
    assert described.priority.priority_key == (2 if seen else 0)
    raw.terminate(again)


def parent(raw: Raw, queue: str, child_id: str) -> WorkflowExecution:
    run = raw.start(queue)
    raw.complete(raw.poll(queue), start_child(child_id, f"{queue}-child"))
    wait_for_event(raw, run, "ChildWorkflowExecutionStarted")
    return run


def wait_for_event(raw: Raw, run: WorkflowExecution, name: str) -> None:
    wait_for_sync(lambda: name in event_types(raw.history(run)), name)


def test_a_run_hears_again_of_children_that_it_had_started(raw: Raw, queue: str):
    child_id = unique("child")
    base = parent(raw, queue, child_id)
    raw.complete(raw.poll(queue))
    raw.complete(raw.poll(f"{queue}-child"), complete_workflow(b"7"))
    wait_for_event(raw, base, "ChildWorkflowExecutionCompleted")
    begun = f"Started WorkflowTask {CHILD} ChildWorkflowExecutionStarted"
    # The child's start is in the past of the new run, or comes again with its result.
    again = reset(raw, base, 9)
    events = raw.assert_history(
        again,
        f"{begun} WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed "
        "ChildWorkflowExecutionCompleted WorkflowTaskScheduled",
    )
    completed = attributes(events[9])
    assert (completed.initiated_event_id, completed.started_event_id) == (5, 6)
    assert completed.result.payloads[0] == payload(b"7")
    raw.terminate(again)


def test_a_child_that_still_runs_tells_the_run_that_a_reset_made(raw: Raw, queue: str):
    child_id = unique("child")
    base = parent(raw, queue, child_id)
    raw.complete(raw.poll(queue))
    again = reset(raw, base, 8)
    raw.complete(raw.poll(f"{queue}-child"), complete_workflow(b"7"))
    wait_for_event(raw, again, "ChildWorkflowExecutionCompleted")
    raw.terminate(again)


def test_a_child_that_was_started_later_is_started_again_by_the_workflow(raw: Raw, queue: str):
    base = parent(raw, queue, unique("child"))
    again = reset(raw, base, 4)
    raw.assert_history(again, f"{RESET} WorkflowTaskScheduled")
    raw.terminate(again)


def options_after(*paths: str, **options) -> PostResetOperation:
    operation = PostResetOperation()
    update = operation.update_workflow_options
    update.workflow_execution_options.CopyFrom(WorkflowExecutionOptions(**options))
    update.update_mask.CopyFrom(FieldMask(paths=paths))
    return operation


def test_options_change_in_the_end(raw: Raw, queue: str):
    base = raw.start(queue)
    raw.complete(raw.poll(queue))
    raw.signal(base, "later")
    operation = options_after("priority", priority=Priority(priority_key=1))
    again = reset(raw, base, 4, post_reset_operations=[operation])
    events = raw.assert_history(
        again, f"{RESET} Signaled WorkflowExecutionOptionsUpdated WorkflowTaskScheduled"
    )
    assert attributes(events[5]).identity == ""
    described = raw.call("DescribeWorkflowExecution", execution=again).workflow_execution_info
    assert described.priority.priority_key == 1
    raw.terminate(again)


def test_other_operations_are_refused(raw: Raw, queue: str):
    base = raw.start(queue)
    raw.complete(raw.poll(queue))
    signal = PostResetOperation()
    signal.signal_workflow.signal_name = "signal"
    for operation, name in [
        (signal, "*workflow.PostResetOperation_SignalWorkflow_"),
        (PostResetOperation(), "<nil>"),
    ]:
        answer = raw.refused(
            "ResetWorkflowExecution",
            workflow_execution=base,
            workflow_task_finish_event_id=4,
            request_id="reset",
            post_reset_operations=[operation],
        )
        assert (answer.code, answer.text) == (
            "INVALID_ARGUMENT",
            f"unsupported post reset operation: {name}",
        )
    bad = options_after("versioning_override.behavior")
    answer = raw.refused(
        "ResetWorkflowExecution",
        workflow_execution=base,
        workflow_task_finish_event_id=4,
        request_id="reset",
        post_reset_operations=[bad],
    )
    assert answer.code == "INVALID_ARGUMENT"
    assert answer.text.endswith("versioning_override fields must be updated together")
    raw.assert_history(base, "Started WorkflowTask")
    raw.terminate(base)
