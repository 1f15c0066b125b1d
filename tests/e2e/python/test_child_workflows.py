"""Child workflows, and signals and cancellations of other runs."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ParentClosePolicy

from harness.history import attributes, only
from harness.sdk import assert_history, history_of, wait_for_event, wait_until_idle, worker
from harness.server import Server


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.told: str | None = None

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "failed":
            raise ApplicationError("child failed", type="OfTheChild")
        if how == "continues":
            workflow.continue_as_new("continued")
        if how == "fails at first" and workflow.info().attempt < 3:
            raise ApplicationError("not yet")
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
class ParentOfMany:
    @workflow.run
    async def run(self, children: int) -> list[str]:
        ids = [f"{workflow.info().workflow_id}-{number}" for number in range(children)]
        return await asyncio.gather(
            *(workflow.execute_child_workflow(Child.run, "ok", id=child) for child in ids)
        )


@workflow.defn
class Grandparent:
    @workflow.run
    async def run(self, how: str) -> str:
        return await workflow.execute_child_workflow(
            Parent.run, how, id=f"{workflow.info().workflow_id}-child"
        )


@workflow.defn
class ParentThatRetries:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_child_workflow(
            Child.run,
            "fails at first",
            id=f"{workflow.info().workflow_id}-child",
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20)),
        )


@workflow.defn
class ParentThatSignals:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(
            Child.run, "waits", id=f"{workflow.info().workflow_id}-child"
        )
        await child.signal(Child.tell, "from the parent")
        return await child


@workflow.defn
class ParentThatCancels:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(
            Child.run, "waits", id=f"{workflow.info().workflow_id}-child"
        )
        child.cancel()
        try:
            return await child
        except ChildWorkflowError as error:
            assert isinstance(error.cause, CancelledError)
            return "cancelled"


@workflow.defn
class ParentOfTaken:
    @workflow.run
    async def run(self, workflow_id: str) -> str:
        try:
            return await workflow.execute_child_workflow(
                Child.run,
                "ok",
                id=workflow_id,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
        except WorkflowAlreadyStartedError:
            return "taken"


@workflow.defn
class CancelsAnother:
    @workflow.run
    async def run(self, workflow_id: str) -> str:
        other = workflow.get_external_workflow_handle(workflow_id)
        try:
            await other.cancel()
        except ApplicationError as error:
            return f"failed: {error.type}"
        return "cancelled"


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


async def test_a_hundred_children_at_once(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [ParentOfMany, Child]):
        handle = await client.start_workflow(
            ParentOfMany.run, 100, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == ["child ok"] * 100
    names = await history_of(handle)
    assert names.count("ChildWorkflowExecutionStarted") == 100
    assert names.count("ChildWorkflowExecutionCompleted") == 100


async def test_children_have_children(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Grandparent, Parent, Child]):
        handle = await client.start_workflow(
            Grandparent.run, "ok", id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "child ok"
    grandchild = client.get_workflow_handle(f"{workflow_id}-child-child")
    started = attributes((await grandchild.fetch_history()).events[0])
    assert started.parent_workflow_execution.workflow_id == f"{workflow_id}-child"
    assert started.root_workflow_execution.workflow_id == workflow_id
    assert started.root_workflow_execution.run_id == handle.first_execution_run_id


async def test_a_child_that_continues_as_new_is_one_child(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Parent, Child]):
        handle = await client.start_workflow(
            Parent.run, "continues", id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "child continued"
    await assert_history(
        handle,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated "
        "ChildWorkflowExecutionStarted WorkflowTask ChildWorkflowExecutionCompleted "
        "WorkflowTask Completed",
        [Parent],
    )


async def test_a_child_is_retried_by_its_policy(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [ParentThatRetries, Child]):
        handle = await client.start_workflow(
            ParentThatRetries.run, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "child fails at first"
    await assert_history(
        handle,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated "
        "ChildWorkflowExecutionStarted WorkflowTask ChildWorkflowExecutionCompleted "
        "WorkflowTask Completed",
        [ParentThatRetries],
    )


async def test_a_parent_signals_its_child(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [ParentThatSignals, Child]):
        handle = await client.start_workflow(
            ParentThatSignals.run, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "from the parent"
    names = await history_of(handle)
    assert names.count("ExternalWorkflowExecutionSignaled") == 1


async def test_a_parent_cancels_its_child(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [ParentThatCancels, Child]):
        handle = await client.start_workflow(
            ParentThatCancels.run, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "cancelled"
    names = await history_of(handle)
    assert names.count("ExternalWorkflowExecutionCancelRequested") == 1
    assert names.count("ChildWorkflowExecutionCanceled") == 1


async def test_a_child_whose_id_is_taken_does_not_start(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [ParentOfTaken, Child]):
        await client.execute_workflow(Child.run, "ok", id=f"{workflow_id}-taken", task_queue=queue)
        handle = await client.start_workflow(
            ParentOfTaken.run, f"{workflow_id}-taken", id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "taken"
    await assert_history(
        handle,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated "
        "StartChildWorkflowExecutionFailed WorkflowTask Completed",
        [ParentOfTaken],
    )


async def test_a_workflow_cancels_another(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [CancelsAnother, Child]):
        other = await client.start_workflow(
            Child.run, "waits", id=f"{workflow_id}-other", task_queue=queue
        )
        await wait_until_idle(other)
        handle = await client.start_workflow(
            CancelsAnother.run, other.id, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "cancelled"
        with pytest.raises(WorkflowFailureError) as caught:
            await other.result()
        assert isinstance(caught.value.cause, CancelledError)
    await assert_history(
        handle,
        "Started WorkflowTask RequestCancelExternalWorkflowExecutionInitiated "
        "ExternalWorkflowExecutionCancelRequested WorkflowTask Completed",
        [CancelsAnother],
    )


async def test_cancelling_an_unknown_workflow_fails_in_the_workflow(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [CancelsAnother]):
        handle = await client.start_workflow(
            CancelsAnother.run, f"{workflow_id}-nobody", id=workflow_id, task_queue=queue
        )
        assert (await handle.result()).startswith("failed")


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[Server]:
    with Server(db_filename=tmp_path / "server.db") as running:
        yield running


@pytest.mark.xdist_group("restart")
async def test_a_family_goes_on_after_a_kill(durable: Server, queue: str, workflow_id: str):
    client = await Client.connect(durable.address)
    async with worker(client, queue, [Parent, Child]):
        handle = await client.start_workflow(Parent.run, "waits", id=workflow_id, task_queue=queue)
        await wait_for_event(handle, "ChildWorkflowExecutionStarted")
        child = client.get_workflow_handle(f"{workflow_id}-child")
        await wait_until_idle(child)
        await wait_until_idle(handle, 2)
        durable.restart_after_kill()
        [pending] = (await handle.describe()).raw_description.pending_children
        assert pending.workflow_id == child.id
        await child.signal(Child.tell, "after the kill")
        assert await handle.result() == "after the kill"
    await assert_history(
        handle,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated "
        "ChildWorkflowExecutionStarted WorkflowTask ChildWorkflowExecutionCompleted "
        "WorkflowTask Completed",
        [Parent],
    )


@pytest.mark.xdist_group("restart")
async def test_kills_in_a_row_lose_no_child(durable: Server, queue: str, workflow_id: str):
    client = await Client.connect(durable.address)
    async with worker(client, queue, [ParentOfMany, Child]):
        handle = await client.start_workflow(ParentOfMany.run, 50, id=workflow_id, task_queue=queue)
        for children in (1, 10, 20):
            await wait_for_event(handle, "ChildWorkflowExecutionStarted", children)
            durable.restart_after_kill()
        assert await handle.result() == ["child ok"] * 50
    names = await history_of(handle)
    assert names.count("ChildWorkflowExecutionStarted") == 50
    assert names.count("ChildWorkflowExecutionCompleted") == 50
