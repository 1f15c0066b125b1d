"""Runs that stand still for a while."""

import uuid

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus, WorkflowTaskFailedCause
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.update.v1 import Input, Meta, Request

from harness.history import attributes, event_types, expected
from harness.raw import Raw, complete_workflow, schedule_activity, start_fields, start_timer
from harness.waiting import wait_for_sync

PAUSED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED
RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
TAKEN_BACK = "Started WorkflowTaskScheduled WorkflowTaskFailed WorkflowExecutionPaused"


def fields(run: WorkflowExecution, **more) -> dict:
    return {
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "identity": "somebody",
        "reason": "why",
        "request_id": str(uuid.uuid4()),
    } | more


def pause(raw: Raw, run: WorkflowExecution, **more) -> None:
    raw.call("PauseWorkflowExecution", **fields(run, **more))


def unpause(raw: Raw, run: WorkflowExecution) -> None:
    raw.call("UnpauseWorkflowExecution", **fields(run))


def refused(raw: Raw, method: str, run: WorkflowExecution, **more) -> tuple[str, str]:
    answer = raw.refused(method, **fields(run, **more))
    return answer.code, answer.text


def describe(raw: Raw, run: WorkflowExecution):
    return raw.call("DescribeWorkflowExecution", execution=run)


def test_a_paused_run_waits_and_goes_on(raw: Raw, queue: str):
    run = raw.start(queue)
    pause(raw, run)
    events = raw.assert_history(run, TAKEN_BACK)
    failed = attributes(events[2])
    name = "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED"
    cause = WorkflowTaskFailedCause.Value(name)
    assert (failed.scheduled_event_id, failed.started_event_id) == (2, 0)
    assert (failed.cause, failed.identity) == (cause, "history-service")
    paused = attributes(events[3])
    assert (paused.identity, paused.reason) == ("somebody", "why")
    assert events[3].worker_may_ignore

    described = describe(raw, run)
    assert described.workflow_execution_info.status == PAUSED
    info = described.workflow_extended_info.pause_info
    assert (info.identity, info.reason) == ("somebody", "why")
    assert info.paused_time == events[3].event_time
    shown = described.workflow_execution_info.search_attributes.indexed_fields["TemporalPauseInfo"]
    assert shown.data.decode() == f'["Workflow:{run.workflow_id}","Reason:why"]'

    raw.signal(run)
    raw.call("RequestCancelWorkflowExecution", workflow_execution=run)
    assert raw.poll(queue, 2.5).task_token == b""
    raw.assert_history(run, f"{TAKEN_BACK} Signaled CancelRequested")
    unpause(raw, run)
    raw.assert_history(
        run,
        f"{TAKEN_BACK} Signaled CancelRequested WorkflowExecutionUnpaused WorkflowTaskScheduled",
    )
    described = describe(raw, run)
    assert described.workflow_execution_info.status == RUNNING
    assert not described.workflow_extended_info.HasField("pause_info")
    task = raw.poll(queue)
    assert task.attempt == 1
    raw.complete(task, complete_workflow())


def test_what_a_worker_holds_ends_and_nothing_follows(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    pause(raw, run)
    assert describe(raw, run).workflow_execution_info.status == PAUSED
    raw.assert_history(run, "Started WorkflowTaskScheduled WorkflowTaskStarted")
    raw.complete(task, start_timer("t", 200), schedule_activity("a", queue, eager=True))
    commands = "TimerStarted ActivityTaskScheduled"
    fired = f"Started WorkflowTask {commands} WorkflowExecutionPaused TimerFired"
    wait_for_sync(lambda: event_types(raw.history(run)) == expected(fired), fired)
    assert raw.poll_activity(queue, 2.5).task_token == b""
    assert not describe(raw, run).HasField("pending_workflow_task")
    unpause(raw, run)
    raw.assert_history(run, f"{fired} WorkflowExecutionUnpaused WorkflowTaskScheduled")
    assert raw.poll_activity(queue).activity_id == "a"
    raw.terminate(run)


def test_a_failed_attempt_of_an_activity_waits(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", queue, maximum_attempts=0))
    held = raw.poll_activity(queue)
    pause(raw, run)
    raw.call("RespondActivityTaskFailed", task_token=held.task_token)
    assert raw.poll_activity(queue, 3.0).task_token == b""
    unpause(raw, run)
    assert raw.poll_activity(queue).attempt == 2
    raw.terminate(run)


def test_a_paused_run_does_not_close(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    pause(raw, run)
    answer = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=task.task_token,
        force_create_new_workflow_task=True,
    )
    assert (answer.code, answer.text) == (
        "FAILED_PRECONDITION",
        "Workflow is paused and force create new workflow task is not allowed.",
    )
    answer = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=task.task_token,
        commands=[complete_workflow()],
    )
    assert (answer.code, answer.text) == ("INVALID_ARGUMENT", "UnhandledCommand")
    failed = "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed"
    raw.assert_history(run, f"{failed} WorkflowExecutionPaused")
    unpause(raw, run)
    raw.complete(raw.poll(queue), complete_workflow())
    raw.assert_history(
        run,
        f"{failed} WorkflowExecutionPaused WorkflowExecutionUnpaused WorkflowTask Completed",
    )


def test_questions_to_a_paused_run_are_refused(raw: Raw, queue: str):
    run = raw.start(queue)
    pause(raw, run)
    query = WorkflowQuery(query_type="state")
    answer = raw.call("QueryWorkflow", execution=run, query=query)
    assert answer.query_rejected.status == PAUSED
    request = Request(meta=Meta(update_id="u"), input=Input(name="name"))
    answer = raw.refused("UpdateWorkflowExecution", workflow_execution=run, request=request)
    assert (answer.code, answer.text) == (
        "FAILED_PRECONDITION",
        "Workflow is paused. Cannot update the workflow.",
    )
    raw.terminate(run)
    described = describe(raw, run)
    status = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED
    assert described.workflow_execution_info.status == status
    assert described.workflow_extended_info.pause_info.reason == "why"


def test_only_an_open_run_is_paused_and_only_once(raw: Raw, queue: str):
    run = raw.start(queue)
    again = ("FAILED_PRECONDITION", "workflow is already paused.")
    assert refused(raw, "UnpauseWorkflowExecution", run) == (
        "FAILED_PRECONDITION",
        "workflow is not paused.",
    )
    pause(raw, run, request_id="one")
    pause(raw, run, request_id="one")
    assert refused(raw, "PauseWorkflowExecution", run) == again
    assert refused(raw, "PauseWorkflowExecution", run, request_id="") == again
    raw.assert_history(run, TAKEN_BACK)
    raw.terminate(run)
    for method in ["PauseWorkflowExecution", "UnpauseWorkflowExecution"]:
        closed = ("NOT_FOUND", "workflow execution already completed")
        assert refused(raw, method, run) == closed
        for name in ["reason", "identity", "request_id"]:
            text = f"{name.replace('_', ' ')} is too long."
            assert refused(raw, method, run, **{name: "x" * 1001}) == ("INVALID_ARGUMENT", text)
        assert refused(raw, method, run, run_id="x") == (
            "INVALID_ARGUMENT",
            "RunId is not valid UUID.",
        )
        assert refused(raw, method, run, workflow_id="") == (
            "INVALID_ARGUMENT",
            "Can't load workflow execution.  WorkflowId not set.",
        )


def test_a_paused_run_is_listed_as_such(raw: Raw, queue: str):
    run = raw.start(queue)
    pause(raw, run)
    query = f"WorkflowId = '{run.workflow_id}' AND ExecutionStatus = 'Paused'"

    def listed() -> list:
        return list(raw.call("ListWorkflowExecutions", query=query).executions)

    wait_for_sync(lambda: len(listed()) == 1, "the run in the list")
    (found,) = listed()
    assert found.status == PAUSED
    assert not found.HasField("close_time")
    raw.terminate(run)


def test_a_time_out_passes_while_a_run_is_paused(raw: Raw, queue: str):
    run = raw.start(queue, workflow_run_timeout=Duration(seconds=1))
    pause(raw, run)
    timed_out = expected(f"{TAKEN_BACK} TimedOut")
    wait_for_sync(lambda: event_types(raw.history(run)) == timed_out, "the time-out")


@pytest.mark.parametrize("conflict", [1, 2])
def test_a_paused_run_holds_its_workflow_id(raw: Raw, queue: str, conflict: int):
    run = raw.start(queue)
    pause(raw, run)
    if conflict == 1:
        answer = raw.refused("StartWorkflowExecution", **start(queue, run, conflict))
        assert answer.code == "ALREADY_EXISTS"
    else:
        answer = raw.call("StartWorkflowExecution", **start(queue, run, conflict))
        assert (answer.started, answer.run_id) == (False, run.run_id)
    raw.terminate(run)


def start(queue: str, run: WorkflowExecution, conflict: int) -> dict:
    return start_fields(queue, run.workflow_id, workflow_id_conflict_policy=conflict)
