"""Resets: where a run can begin again, and what it takes over."""

import uuid

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    CommandType,
    ResetReapplyExcludeType,
    ResetReapplyType,
    WorkflowExecutionStatus,
    WorkflowTaskFailedCause,
)

from harness.history import attributes, event_types, expected
from harness.raw import (
    Raw,
    complete_workflow,
    record_marker,
    schedule_activity,
    start_timer,
)

BOUNDARY = (
    "StateRebuilder unable to Rebuild mutable state to event ID: {}, version: 0, this event must "
    "be at the boundary"
)
RANGE = (
    "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, "
    "WorkflowTaskStarted + 1]: {}"
)
EXCLUDE_SIGNALS = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL
OUTSIDE = "Workflow task finish ID must be > 1 && <= workflow last event ID."


def reset(raw: Raw, run: WorkflowExecution, event_id: int, **fields) -> WorkflowExecution:
    fields = {"request_id": str(uuid.uuid4()), "reason": "again"} | fields
    answer = raw.call(
        "ResetWorkflowExecution",
        workflow_execution=run,
        workflow_task_finish_event_id=event_id,
        **fields,
    )
    return WorkflowExecution(workflow_id=run.workflow_id, run_id=answer.run_id)


def refused(raw: Raw, run: WorkflowExecution, event_id: int, **fields):
    fields = {"request_id": str(uuid.uuid4()), "reason": "again"} | fields
    answer = raw.refused(
        "ResetWorkflowExecution",
        workflow_execution=run,
        workflow_task_finish_event_id=event_id,
        **fields,
    )
    return answer.code, answer.text


def continue_as_new() -> Command:
    kind = CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION
    command = Command(command_type=kind)
    command.continue_as_new_workflow_execution_command_attributes.SetInParent()
    return command


def describe(raw: Raw, run: WorkflowExecution):
    return raw.call("DescribeWorkflowExecution", execution=run)


def busy_run(raw: Raw, queue: str) -> WorkflowExecution:
    """Two activities and a timer pending, one signal seen, and one that waits."""
    run = raw.start(queue)
    commands = [schedule_activity(name, queue, maximum_attempts=0) for name in "ab"]
    raw.complete(raw.poll(queue), *commands, start_timer("t", 3_600_000))
    raw.signal(run, "seen")
    task = raw.poll(queue)
    raw.signal(run, "waits")
    raw.complete(task, record_marker("m"))
    raw.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskScheduled TimerStarted Signaled "
        "WorkflowTask MarkerRecorded Signaled WorkflowTaskScheduled",
    )
    return run


def signals(raw: Raw, run: WorkflowExecution) -> list[str]:
    events = raw.history(run)
    signaled = [e for e in events if e.HasField("workflow_execution_signaled_event_attributes")]
    return [attributes(event).signal_name for event in signaled]


def test_a_run_begins_again_after_a_completed_task(raw: Raw, queue: str):
    base = busy_run(raw, queue)
    raw.call("RequestCancelWorkflowExecution", workflow_execution=base)
    before = raw.history(base)
    again = reset(raw, base, 11)
    events = raw.assert_history(
        again,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskScheduled TimerStarted Signaled "
        "WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed Signaled "
        "WorkflowTaskScheduled",
    )
    assert [event.event_time for event in events[:10]] == [
        event.event_time for event in before[:10]
    ]
    failed = attributes(events[10])
    assert failed.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
    assert (failed.base_run_id, failed.new_run_id) == (base.run_id, again.run_id)
    assert (failed.identity, failed.failure.message) == ("history-service", "again")
    assert failed.failure.HasField("reset_workflow_failure_info")
    assert signals(raw, again) == ["seen", "waits"]

    ended = attributes(raw.history(base)[-1])
    assert (ended.reason, ended.identity) == ("again", "history-resetter")
    current = describe(raw, WorkflowExecution(workflow_id=base.workflow_id))
    info, extended = current.workflow_execution_info, current.workflow_extended_info
    assert info.execution == again
    assert info.first_run_id == base.run_id
    assert info.start_time == extended.last_reset_time == info.execution_time
    assert extended.original_start_time == before[0].event_time
    assert not extended.cancel_requested
    assert [pending.activity_id for pending in current.pending_activities] == ["a", "b"]
    assert describe(raw, base).workflow_extended_info.reset_run_id == again.run_id
    raw.terminate(again)


def test_a_task_that_nobody_had_taken_is_started_and_failed(raw: Raw, queue: str):
    base = busy_run(raw, queue)
    again = reset(raw, base, 10)
    events = raw.history(again)
    started = attributes(events[9])
    assert event_types(events)[9:11] == ["WorkflowTaskStarted", "WorkflowTaskFailed"]
    assert (started.identity, started.request_id) == ("history-service", "emptyUuid")
    raw.terminate(again)


def test_the_new_run_goes_on(raw: Raw, queue: str):
    base = busy_run(raw, queue)
    raw.poll_activity(queue)
    again = reset(raw, base, 11)
    task = raw.poll(queue)
    assert task.workflow_execution == again
    assert task.attempt == 1
    assert task.previous_started_event_id == 3
    assert len(task.history.events) == 14
    assert [event.event_id for event in task.history.events] == list(range(1, 15))
    taken = {raw.poll_activity(queue).activity_id for _ in "ab"}
    assert taken == {"a", "b"}
    raw.complete(task, complete_workflow(b"1"))
    assert event_types(raw.history(again))[-3:] == expected(
        "WorkflowTaskStarted WorkflowTaskCompleted Completed"
    )
    reverse = raw.call("GetWorkflowExecutionHistoryReverse", execution=again).history.events
    assert [event.event_id for event in reverse] == list(range(16, 0, -1))


def test_only_the_edges_of_a_workflow_task_will_do(raw: Raw, queue: str):
    base = busy_run(raw, queue)
    for event_id in [0, 1, 15, 100]:
        assert refused(raw, base, event_id) == ("INVALID_ARGUMENT", OUTSIDE)
    for event_id in [2, 5, 6, 12]:
        assert refused(raw, base, event_id) == (
            "INVALID_ARGUMENT",
            BOUNDARY.format(event_id - 1),
        )
    assert refused(raw, base, 8) == ("INVALID_ARGUMENT", RANGE.format(8))
    assert refused(raw, base, 4, request_id="") == (
        "INVALID_ARGUMENT",
        "RequestId is not set on request.",
    )
    unknown = WorkflowExecution(workflow_id=base.workflow_id, run_id=str(uuid.uuid4()))
    assert refused(raw, unknown, 4)[0] == "NOT_FOUND"
    raw.terminate(base)


@pytest.mark.parametrize(
    "fields",
    [
        {
            "reset_reapply_exclude_types": [
                ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL
            ]
        },
        {"reset_reapply_type": ResetReapplyType.RESET_REAPPLY_TYPE_NONE},
    ],
    ids=["excluded", "none"],
)
def test_signals_are_left_out_on_request(raw: Raw, queue: str, fields: dict):
    base = busy_run(raw, queue)
    again = reset(raw, base, 4, **fields)
    raw.assert_history(
        again,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed "
        "WorkflowTaskScheduled",
    )
    raw.terminate(again)


def test_signals_of_later_runs_are_applied_again(raw: Raw, queue: str):
    base = raw.start(queue)
    task = raw.poll(queue)
    raw.signal(base, "one")
    raw.complete(task)
    raw.complete(raw.poll(queue), continue_as_new())
    following = WorkflowExecution(workflow_id=base.workflow_id)
    raw.signal(following, "two")
    task = raw.poll(queue)
    raw.signal(following, "three")
    again = reset(raw, base, 4)
    assert signals(raw, again) == ["one", "two", "three"]
    assert task.workflow_execution.run_id not in (base.run_id, again.run_id)
    closed = describe(raw, task.workflow_execution).workflow_execution_info
    assert closed.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED
    raw.terminate(again)


def test_a_closed_run_begins_again(raw: Raw, queue: str):
    base = raw.start(queue)
    raw.complete(raw.poll(queue), complete_workflow())
    again = reset(raw, base, 4)
    raw.assert_history(base, "Started WorkflowTask Completed")
    raw.complete(raw.poll(queue), complete_workflow())
    raw.assert_history(
        again,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed WorkflowTask "
        "Completed",
    )


def test_a_reset_run_is_reset_in_its_past_and_in_its_own_part(raw: Raw, queue: str):
    base = busy_run(raw, queue)
    second = reset(raw, base, 11)
    raw.complete(raw.poll(queue), record_marker("n"))
    third = reset(raw, second, 15)
    assert event_types(raw.history(third))[:14] == event_types(raw.history(second))[:14]
    assert event_types(raw.history(third))[14:] == expected(
        "WorkflowTaskFailed WorkflowTaskScheduled"
    )
    assert attributes(raw.history(third)[14]).base_run_id == second.run_id
    fourth = reset(raw, third, 4)
    assert attributes(raw.history(fourth)[3]).base_run_id == third.run_id
    assert signals(raw, fourth) == ["seen", "waits"]
    assert len(raw.history(second)) == 17
    raw.terminate(fourth)


def test_deadlines_begin_with_the_reset(raw: Raw, queue: str):
    base = raw.start(
        queue,
        workflow_run_timeout=Duration(seconds=100),
        workflow_execution_timeout=Duration(seconds=200),
    )
    raw.complete(raw.poll(queue))
    again = reset(raw, base, 4)
    extended = describe(raw, again).workflow_extended_info
    began = extended.last_reset_time.ToDatetime()
    assert 99 < (extended.run_expiration_time.ToDatetime() - began).total_seconds() < 101
    assert 199 < (extended.execution_expiration_time.ToDatetime() - began).total_seconds() < 201
    raw.terminate(again)


def test_a_reset_point_belongs_to_the_new_run(raw: Raw, queue: str):
    base = raw.start(queue)
    raw.complete(raw.poll(queue), binary_checksum="build")
    raw.signal(base)
    raw.complete(raw.poll(queue), binary_checksum="build")
    points = describe(raw, base).workflow_execution_info.auto_reset_points.points
    assert [(p.binary_checksum, p.run_id) for p in points] == [("build", base.run_id)]
    assert (points[0].first_workflow_task_completed_id, points[0].resettable) == (4, True)
    again = reset(raw, base, 8)
    points = describe(raw, again).workflow_execution_info.auto_reset_points.points
    assert [(p.binary_checksum, p.run_id) for p in points] == [("build", again.run_id)]
    raw.terminate(again)
