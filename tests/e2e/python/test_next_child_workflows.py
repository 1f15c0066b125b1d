"""Child workflows, and signals and cancellations of other runs."""

import asyncio

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError, ChildWorkflowError
from temporalio.workflow import ParentClosePolicy

from harness.history import attributes, only
from harness.sdk import assert_history, history_of, wait_for_event, wait_until_idle, worker

pytestmark = pytest.mark.not_built_yet


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.told: str | None = None

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "failed":
            raise ApplicationError("child failed", type="OfTheChild")
        if how == "waits":
            await workflow.wait_condition(lambda: self.told is not None)
            return self.told or ""
        return f"child {how}"

    @workflow.signal
    def tell(self, what: str) -> None:
        self.told = what


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, how: str) -> str:
        return await workflow.execute_child_workflow(
            Child.run, how, id=f"{workflow.info().workflow_id}-child"
        )


@workflow.defn
class ParentThatEnds:
    @workflow.run
    async def run(self, policy: int) -> None:
        await workflow.start_child_workflow(
            Child.run,
            "waits",
            id=f"{workflow.info().workflow_id}-child",
            parent_close_policy=ParentClosePolicy(policy),
        )


@workflow.defn
class SignalsAnother:
    @workflow.run
    async def run(self, workflow_id: str) -> str:
        other = workflow.get_external_workflow_handle(workflow_id)
        try:
            await other.signal("tell", "from outside")
        except ApplicationError as error:
            return f"failed: {error.type}"
        return "signaled"


async def test_a_child_gives_its_result(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Parent, Child]):
        handle = await client.start_workflow(Parent.run, "ok", id=workflow_id, task_queue=queue)
        assert await handle.result() == "child ok"
    events = await assert_history(
        handle,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated "
        "ChildWorkflowExecutionStarted WorkflowTask ChildWorkflowExecutionCompleted "
        "WorkflowTask Completed",
        [Parent],
    )
    started = attributes(only(events, "ChildWorkflowExecutionStarted"))
    child = client.get_workflow_handle(
        f"{workflow_id}-child", run_id=started.workflow_execution.run_id
    )
    events = await assert_history(child, "Started WorkflowTask Completed", [Child])
    assert attributes(events[0]).parent_workflow_execution.workflow_id == workflow_id
    assert attributes(events[0]).root_workflow_execution.workflow_id == workflow_id


async def test_a_child_that_fails_fails_its_parent(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Parent, Child]):
        handle = await client.start_workflow(Parent.run, "failed", id=workflow_id, task_queue=queue)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, ChildWorkflowError)
    assert caught.value.cause.cause.type == "OfTheChild"
    await assert_history(
        handle,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated "
        "ChildWorkflowExecutionStarted WorkflowTask ChildWorkflowExecutionFailed "
        "WorkflowTask Failed",
        [Parent],
    )


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (ParentClosePolicy.TERMINATE, WorkflowExecutionStatus.TERMINATED),
        (ParentClosePolicy.REQUEST_CANCEL, WorkflowExecutionStatus.CANCELED),
        (ParentClosePolicy.ABANDON, WorkflowExecutionStatus.RUNNING),
    ],
    ids=lambda value: value.name,
)
async def test_the_parent_close_policy_decides_about_an_open_child(
    client: Client,
    queue: str,
    workflow_id: str,
    policy: ParentClosePolicy,
    status: WorkflowExecutionStatus,
):
    async with worker(client, queue, [ParentThatEnds, Child]):
        handle = await client.start_workflow(
            ParentThatEnds.run, policy, id=workflow_id, task_queue=queue
        )
        await handle.result()
        child = client.get_workflow_handle(f"{workflow_id}-child")
        if status == WorkflowExecutionStatus.RUNNING:
            await wait_until_idle(child)
        else:
            await asyncio.wait([asyncio.ensure_future(child.result())])
    assert (await child.describe()).status == status
    if status == WorkflowExecutionStatus.RUNNING:
        await child.terminate()


async def test_a_workflow_signals_another(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [SignalsAnother, Child]):
        other = await client.start_workflow(
            Child.run, "waits", id=f"{workflow_id}-other", task_queue=queue
        )
        handle = await client.start_workflow(
            SignalsAnother.run, other.id, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "signaled"
        assert await other.result() == "from outside"
    await assert_history(
        handle,
        "Started WorkflowTask SignalExternalWorkflowExecutionInitiated "
        "ExternalWorkflowExecutionSignaled WorkflowTask Completed",
        [SignalsAnother],
    )


async def test_signalling_an_unknown_workflow_fails_in_the_workflow(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [SignalsAnother]):
        handle = await client.start_workflow(
            SignalsAnother.run, f"{workflow_id}-nobody", id=workflow_id, task_queue=queue
        )
        assert (await handle.result()).startswith("failed")
    await assert_history(
        handle,
        "Started WorkflowTask SignalExternalWorkflowExecutionInitiated "
        "SignalExternalWorkflowExecutionFailed WorkflowTask Completed",
        [SignalsAnother],
    )


async def test_cancelling_the_parent_cancels_the_child(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Parent, Child]):
        handle = await client.start_workflow(Parent.run, "waits", id=workflow_id, task_queue=queue)
        await wait_for_event(handle, "ChildWorkflowExecutionStarted")
        await wait_until_idle(handle, 2)
        child = client.get_workflow_handle(f"{workflow_id}-child")
        await wait_until_idle(child)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert (await child.describe()).status == WorkflowExecutionStatus.CANCELED
    names = await history_of(handle)
    assert names.count("RequestCancelExternalWorkflowExecutionInitiated") == 1
    assert names.count("ChildWorkflowExecutionCanceled") == 1
    assert names[-1] == "WorkflowExecutionCanceled"
