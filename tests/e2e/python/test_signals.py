"""Signals: order, buffering while a workflow task runs, signal-with-start, unknown runs."""

from collections.abc import Sequence

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode

from harness.gate import GATES
from harness.history import attributes
from harness.sdk import assert_history, patient_worker, unique, wait_until_idle, worker


@workflow.defn
class Collects:
    """Collects signals until `enough` have come; may hold its first workflow task at a gate."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @workflow.run
    async def run(self, enough: int, gate: str | None = None) -> list[str]:
        if gate:
            GATES[gate].hold()
        await workflow.wait_condition(lambda: len(self.seen) >= enough)
        return self.seen

    @workflow.signal
    def add(self, what: str) -> None:
        self.seen.append(what)

    @workflow.signal(dynamic=True)
    def anything(self, name: str, args: Sequence[RawValue]) -> None:
        self.seen.append(f"dynamic {name}")


async def test_signals_sent_one_after_another_each_get_a_workflow_task(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Collects]):
        handle = await client.start_workflow(
            Collects.run, args=[2, None], id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle, 1)
        await handle.signal(Collects.add, "a")
        await wait_until_idle(handle, 2)
        await handle.signal(Collects.add, "b")
        assert await handle.result() == ["a", "b"]
    events = await assert_history(
        handle,
        "Started WorkflowTask Signaled WorkflowTask Signaled WorkflowTask Completed",
        [Collects],
    )
    signaled = attributes(events[4])
    assert signaled.signal_name == "add"
    assert signaled.input.payloads[0].data == b'"a"'
    assert signaled.identity == client.identity


async def test_signals_before_the_first_workflow_task_keep_their_order(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(
        Collects.run, args=[20, None], id=workflow_id, task_queue=queue
    )
    for number in range(20):
        await handle.signal(Collects.add, str(number))
    async with worker(client, queue, [Collects]):
        assert await handle.result() == [str(number) for number in range(20)]
    await assert_history(
        handle,
        "Started WorkflowTaskScheduled "
        + "Signaled " * 20
        + "WorkflowTaskStarted WorkflowTaskCompleted Completed",
        [Collects],
    )


async def test_a_signal_during_a_workflow_task_waits_until_it_ends(
    client: Client, queue: str, workflow_id: str
):
    gate = unique("gate")
    async with patient_worker(client, queue, [Collects]):
        handle = await client.start_workflow(
            Collects.run, args=[2, gate], id=workflow_id, task_queue=queue
        )
        await GATES[gate].reached()
        await handle.signal(Collects.add, "a")
        await handle.signal(Collects.add, "b")
        await assert_history(handle, "Started WorkflowTaskScheduled WorkflowTaskStarted")
        GATES[gate].open()
        assert await handle.result() == ["a", "b"]
    await assert_history(
        handle, "Started WorkflowTask Signaled Signaled WorkflowTask Completed", [Collects]
    )


async def test_completing_past_an_unseen_signal_is_an_unhandled_command(
    client: Client, queue: str, workflow_id: str
):
    gate = unique("gate")
    async with patient_worker(client, queue, [Collects]):
        handle = await client.start_workflow(
            Collects.run, args=[0, gate], id=workflow_id, task_queue=queue
        )
        await GATES[gate].reached()
        await handle.signal(Collects.add, "late")
        GATES[gate].open()
        assert await handle.result() == ["late"]
    events = await assert_history(
        handle,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed Signaled "
        "WorkflowTask Completed",
        [Collects],
    )
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert attributes(events[3]).cause == cause


async def test_a_signal_without_a_handler_of_its_name_goes_to_the_dynamic_one(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Collects]):
        handle = await client.start_workflow(
            Collects.run, args=[1, None], id=workflow_id, task_queue=queue
        )
        await handle.signal("no-such-name")
        assert await handle.result() == ["dynamic no-such-name"]


async def test_signal_with_start_of_a_new_run_is_in_its_first_workflow_task(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(
        Collects.run,
        args=[1, None],
        id=workflow_id,
        task_queue=queue,
        start_signal="add",
        start_signal_args=["first"],
    )
    await assert_history(handle, "Started Signaled WorkflowTaskScheduled")
    async with worker(client, queue, [Collects]):
        assert await handle.result() == ["first"]
    await assert_history(handle, "Started Signaled WorkflowTask Completed", [Collects])


@pytest.mark.pinned_sdk("a handle of an older one does not know the first run")
async def test_signal_with_start_of_an_open_run_only_signals(
    client: Client, queue: str, workflow_id: str
):
    first = await client.start_workflow(
        Collects.run, args=[1, None], id=workflow_id, task_queue=queue
    )
    second = await client.start_workflow(
        Collects.run,
        args=[9, None],
        id=workflow_id,
        task_queue=queue,
        start_signal="add",
        start_signal_args=["only"],
    )
    assert second.first_execution_run_id == first.first_execution_run_id
    async with worker(client, queue, [Collects]):
        assert await first.result() == ["only"]
    await assert_history(
        first,
        "Started WorkflowTaskScheduled Signaled WorkflowTaskStarted WorkflowTaskCompleted "
        "Completed",
        [Collects],
    )


async def test_signal_with_start_of_a_closed_run_starts_another(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Collects]):
        first = await client.start_workflow(
            Collects.run, args=[0, None], id=workflow_id, task_queue=queue
        )
        await first.result()
        second = await client.start_workflow(
            Collects.run,
            args=[1, None],
            id=workflow_id,
            task_queue=queue,
            start_signal="add",
            start_signal_args=["again"],
        )
        assert await second.result() == ["again"]
    assert second.result_run_id != first.result_run_id


async def test_a_signal_to_a_closed_or_unknown_run_is_not_found(
    client: Client, queue: str, workflow_id: str
):
    with pytest.raises(RPCError) as unknown:
        await client.get_workflow_handle(workflow_id).signal("add", "x")
    assert unknown.value.status == RPCStatusCode.NOT_FOUND
    assert unknown.value.message == f"workflow not found for ID: {workflow_id}"
    async with worker(client, queue, [Collects]):
        handle = await client.start_workflow(
            Collects.run, args=[0, None], id=workflow_id, task_queue=queue
        )
        await handle.result()
    with pytest.raises(RPCError) as closed:
        await handle.signal(Collects.add, "x")
    assert closed.value.status == RPCStatusCode.NOT_FOUND
    assert closed.value.message == "workflow execution already completed"
