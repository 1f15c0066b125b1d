"""What a start does when its workflow id is or was in use."""

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from harness.sdk import assert_history, worker


@workflow.defn
class Ends:
    @workflow.run
    async def run(self, how: str) -> str:
        if how == "open":
            await workflow.wait_condition(lambda: False)
        if how == "failed":
            raise ApplicationError("as told")
        return how


async def start(
    client: Client, queue: str, workflow_id: str, how: str, **options
) -> WorkflowHandle:
    return await client.start_workflow(Ends.run, how, id=workflow_id, task_queue=queue, **options)


async def close(client: Client, queue: str, handle: WorkflowHandle, how: str) -> None:
    """Brings a run to an end of the kind `how`."""
    if how == "terminated":
        await handle.terminate()
    elif how == "canceled":
        await handle.cancel()
    async with worker(client, queue, [Ends]):
        try:
            await handle.result()
        except Exception:
            assert how != "completed"


ALLOW = WorkflowIDReusePolicy.ALLOW_DUPLICATE
FAILED_ONLY = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
REJECT = WorkflowIDReusePolicy.REJECT_DUPLICATE


@pytest.mark.parametrize("policy", [ALLOW, FAILED_ONLY, REJECT], ids=lambda p: p.name)
@pytest.mark.parametrize("ending", ["completed", "failed", "canceled", "terminated"])
async def test_the_reuse_policy_decides_about_a_closed_run(
    client: Client, queue: str, workflow_id: str, policy: WorkflowIDReusePolicy, ending: str
):
    how = "open" if ending in ("canceled", "terminated") else ending
    first = await start(client, queue, workflow_id, how)
    await close(client, queue, first, ending)
    allowed = policy == ALLOW or (policy == FAILED_ONLY and ending != "completed")
    if allowed:
        second = await start(client, queue, workflow_id, "open", id_reuse_policy=policy)
        assert second.first_execution_run_id != first.first_execution_run_id
        await second.terminate()
    else:
        with pytest.raises(WorkflowAlreadyStartedError) as caught:
            await start(client, queue, workflow_id, "open", id_reuse_policy=policy)
        assert caught.value.workflow_id == workflow_id
        assert caught.value.run_id == first.first_execution_run_id


@pytest.mark.parametrize("policy", [ALLOW, FAILED_ONLY, REJECT], ids=lambda p: p.name)
async def test_an_open_run_refuses_another_start(
    client: Client, queue: str, workflow_id: str, policy: WorkflowIDReusePolicy
):
    first = await start(client, queue, workflow_id, "open")
    with pytest.raises(WorkflowAlreadyStartedError) as caught:
        await start(client, queue, workflow_id, "open", id_reuse_policy=policy)
    assert caught.value.run_id == first.first_execution_run_id
    await assert_history(first, "Started WorkflowTaskScheduled")
    await first.terminate()


async def test_use_existing_gives_the_open_run(client: Client, queue: str, workflow_id: str):
    first = await start(client, queue, workflow_id, "open")
    second = await start(
        client,
        queue,
        workflow_id,
        "open",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    assert second.first_execution_run_id == first.first_execution_run_id
    await assert_history(first, "Started WorkflowTaskScheduled")
    await first.terminate()


@pytest.mark.parametrize("deprecated", [False, True], ids=["conflict_policy", "reuse_policy"])
async def test_terminate_existing_replaces_the_open_run(
    client: Client, queue: str, workflow_id: str, deprecated: bool
):
    first = await start(client, queue, workflow_id, "open")
    if deprecated:
        options = {"id_reuse_policy": WorkflowIDReusePolicy.TERMINATE_IF_RUNNING}
    else:
        options = {"id_conflict_policy": WorkflowIDConflictPolicy.TERMINATE_EXISTING}
    second = await start(client, queue, workflow_id, "completed", **options)
    assert second.first_execution_run_id != first.first_execution_run_id
    old = client.get_workflow_handle(workflow_id, run_id=first.first_execution_run_id)
    assert (await old.describe()).status == WorkflowExecutionStatus.TERMINATED
    await assert_history(old, "Started WorkflowTaskScheduled Terminated")
    async with worker(client, queue, [Ends]):
        assert await second.result() == "completed"


async def test_policies_that_contradict_each_other_are_refused(
    client: Client, queue: str, workflow_id: str
):
    with pytest.raises(RPCError) as caught:
        await start(
            client,
            queue,
            workflow_id,
            "open",
            id_reuse_policy=REJECT,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )
    assert caught.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_start_that_is_sent_again_starts_nothing(
    client: Client, queue: str, workflow_id: str
):
    request = StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="Ends"),
        task_queue=TaskQueue(name=queue),
        request_id=f"request-{workflow_id}",
    )
    first = await client.workflow_service.start_workflow_execution(request)
    second = await client.workflow_service.start_workflow_execution(request)
    assert first.started and second.started
    assert second.run_id == first.run_id
    handle = client.get_workflow_handle(workflow_id)
    await assert_history(handle, "Started WorkflowTaskScheduled")
    await handle.terminate()
    third = await client.workflow_service.start_workflow_execution(request)
    assert third.run_id == first.run_id


async def test_a_signal_that_is_sent_again_counts_once(
    client: Client, queue: str, workflow_id: str
):
    handle = await start(client, queue, workflow_id, "open")
    request = SignalWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        signal_name="again",
        request_id="one-and-the-same",
    )
    await client.workflow_service.signal_workflow_execution(request)
    await client.workflow_service.signal_workflow_execution(request)
    await assert_history(handle, "Started WorkflowTaskScheduled Signaled")
    await handle.terminate()
