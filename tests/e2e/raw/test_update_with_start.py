"""A start and an update as one operation, on the wire."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.errordetails.v1 import MultiOperationExecutionFailure
from temporalio.api.update.v1 import Outcome
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages

from harness.raw import Raw, complete_workflow, detail_of, refusal_of, start_fields
from harness.updates import COMPLETED, DONE, accept, answer, fields, respond

Operation = messages.ExecuteMultiOperationRequest.Operation
FAIL = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL
USE_EXISTING = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
TERMINATE_EXISTING = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
REJECT_DUPLICATE = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
FAILED = "Update-with-Start could not be executed."
ABORTED = (10, "Operation was aborted.", ["MultiOperationExecutionAborted"])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def start(queue: str, workflow_id: str, **more) -> Operation:
    request = messages.StartWorkflowExecutionRequest(
        namespace="default", **start_fields(queue, workflow_id, **more)
    )
    return Operation(start_workflow=request)


def update(workflow_id: str, update_id: str = "one", run_id: str = "", **more) -> Operation:
    run = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    asked = fields(run, update_id, COMPLETED, **more)
    return Operation(
        update_workflow=messages.UpdateWorkflowExecutionRequest(namespace="default", **asked)
    )


def execute(pool: ThreadPoolExecutor, raw: Raw, *operations: Operation) -> Future:
    return pool.submit(raw.call, "ExecuteMultiOperation", operations=operations)


def serve(raw: Raw, queue: str) -> None:
    task = raw.poll(queue)
    for request in task.messages:
        answer(raw, task, accept(request), respond(request.protocol_instance_id))


def statuses(error) -> list[tuple[int, str, list[str]]]:
    failure = detail_of(error, MultiOperationExecutionFailure)
    return [
        (it.code, it.message, [detail.type_url.rsplit(".", 1)[1] for detail in it.details])
        for it in failure.statuses
    ]


def test_it_starts_a_run_whose_first_task_brings_the_update(
    raw: Raw, queue: str, workflow_id: str, pool: ThreadPoolExecutor
):
    executing = execute(pool, raw, start(queue, workflow_id), update(workflow_id))
    serve(raw, queue)
    started, updated = executing.result().responses
    assert started.start_workflow.started
    run = WorkflowExecution(workflow_id=workflow_id, run_id=started.start_workflow.run_id)
    assert updated.update_workflow.outcome == Outcome(success=DONE)
    assert updated.update_workflow.update_ref.workflow_execution == run
    raw.assert_history(
        run,
        "Started WorkflowTask WorkflowExecutionUpdateAccepted WorkflowExecutionUpdateCompleted",
    )
    raw.terminate(run)


def test_it_uses_the_open_run_when_it_may(
    raw: Raw, queue: str, workflow_id: str, pool: ThreadPoolExecutor
):
    first = start(queue, workflow_id)
    executing = execute(pool, raw, first, update(workflow_id))
    serve(raw, queue)
    run_id = executing.result().responses[0].start_workflow.run_id

    # A completed update is answered whatever the policy, and a repeated start is no conflict.
    answered = execute(pool, raw, start(queue, workflow_id), update(workflow_id)).result()
    assert not answered.responses[0].start_workflow.started
    assert answered.responses[0].start_workflow.run_id == run_id
    for operation, update_id in (
        (first, "two"),
        (start(queue, workflow_id, workflow_id_conflict_policy=USE_EXISTING), "three"),
    ):
        executing = execute(pool, raw, operation, update(workflow_id, update_id))
        serve(raw, queue)
        started, updated = executing.result().responses
        assert (started.start_workflow.started, started.start_workflow.run_id) == (False, run_id)
        assert updated.update_workflow.outcome == Outcome(success=DONE)

    refused = execute(pool, raw, start(queue, workflow_id), update(workflow_id, "four"))
    error = refused.exception()
    assert refusal_of(error).code == "ALREADY_EXISTS"
    assert refusal_of(error).text == FAILED
    failed, aborted = statuses(error)
    assert failed[0] == 6
    assert failed[2] == ["WorkflowExecutionAlreadyStartedFailure"]
    assert aborted == ABORTED

    replacing = start(queue, workflow_id, workflow_id_conflict_policy=TERMINATE_EXISTING)
    executing = execute(pool, raw, replacing, update(workflow_id, "five"))
    serve(raw, queue)
    started = executing.result().responses[0].start_workflow
    assert started.started
    assert started.run_id != run_id
    raw.terminate(WorkflowExecution(workflow_id=workflow_id))


def test_a_closed_run_is_followed_by_another_unless_its_id_is_spent(
    raw: Raw, queue: str, workflow_id: str, pool: ThreadPoolExecutor
):
    closed = raw.start(queue, workflow_id)
    raw.complete(raw.poll(queue), complete_workflow())
    spent = start(queue, workflow_id, workflow_id_reuse_policy=REJECT_DUPLICATE)
    error = execute(pool, raw, spent, update(workflow_id)).exception()
    assert refusal_of(error).code == "ALREADY_EXISTS"
    assert statuses(error)[1] == ABORTED
    executing = execute(pool, raw, start(queue, workflow_id), update(workflow_id))
    serve(raw, queue)
    started = executing.result().responses[0].start_workflow
    assert started.started
    assert started.run_id != closed.run_id
    raw.terminate(WorkflowExecution(workflow_id=workflow_id))


def test_an_update_that_fails_is_told_beside_the_start(
    raw: Raw, queue: str, workflow_id: str, pool: ThreadPoolExecutor
):
    run = raw.start(queue, workflow_id)
    for _ in range(2):
        task = raw.poll(queue)
        raw.call("RespondWorkflowTaskFailed", task_token=task.task_token, identity="raw")
    using = start(queue, workflow_id, workflow_id_conflict_policy=USE_EXISTING)
    error = execute(pool, raw, using, update(workflow_id)).exception()
    assert refusal_of(error).code == "FAILED_PRECONDITION"
    assert refusal_of(error).text == FAILED
    assert statuses(error) == [
        ABORTED,
        (
            9,
            "Unable to perform workflow execution update due to Workflow Task in failed state.",
            ["WorkflowNotReadyFailure"],
        ),
    ]
    raw.terminate(run)


def test_both_operations_are_checked(raw: Raw, queue: str):
    only = "Operations have to be exactly [Start, Update]."
    good_start, good_update = start(queue, "w"), update("w")
    for operations in ([], [good_start], [good_update, good_start], [good_start, good_update] * 2):
        refused = raw.refused("ExecuteMultiOperation", operations=operations)
        assert (refused.code, refused.text, refused.detail) == ("INVALID_ARGUMENT", only, None)
    bad_starts = {
        "CronSchedule is not allowed.": {"cron_schedule": "* * * * *"},
        "RequestEagerExecution is not supported.": {"request_eager_execution": True},
        "WorkflowStartDelay is not supported.": {"workflow_start_delay": Duration(seconds=1)},
    }
    for text, change in bad_starts.items():
        operations = [start(queue, "w", **change), good_update]
        error = raw.error("ExecuteMultiOperation", operations=operations)
        assert statuses(error) == [(3, text, []), ABORTED]
    bad_updates = {
        "RunId is not allowed.": {"run_id": "0198c5a1-7d6e-7b3c-8f7f-000000000000"},
        "FirstExecutionRunId is not allowed.": {"first_execution_run_id": "x"},
    }
    for text, change in bad_updates.items():
        operations = [good_start, update("w", **change)]
        error = raw.error("ExecuteMultiOperation", operations=operations)
        assert statuses(error) == [ABORTED, (3, text, [])]
        assert refusal_of(error).text == FAILED
    error = raw.error("ExecuteMultiOperation", operations=[good_start, update("other")])
    text = "WorkflowId is not consistent with previous operation(s)."
    assert statuses(error) == [ABORTED, (3, text, [])]
    elsewhere = start(queue, "w")
    elsewhere.start_workflow.namespace = "elsewhere"
    error = raw.error("ExecuteMultiOperation", operations=[elsewhere, good_update])
    text = "Operation namespace did not match request's namespace."
    assert statuses(error) == [(3, text, []), ABORTED]
