"""Queries: idle, closed and busy runs, reject conditions, handlers that fail."""

import asyncio

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from harness.gate import GATES
from harness.sdk import assert_history, patient_worker, unique, wait_until_idle, worker


@workflow.defn
class Counts:
    def __init__(self) -> None:
        self.count = 0
        self.done = False

    @workflow.run
    async def run(self, gate: str | None, fail: bool) -> int:
        if gate:
            GATES[gate].hold()
            self.count += 100
        await workflow.wait_condition(lambda: self.done)
        if fail:
            raise ApplicationError("told to fail")
        return self.count

    @workflow.signal
    def add(self, number: int) -> None:
        self.count += number

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def current(self) -> int:
        return self.count

    @workflow.query
    def plus(self, number: int) -> int:
        return self.count + number

    @workflow.query
    def broken(self) -> int:
        raise RuntimeError("cannot answer")


@pytest.mark.parametrize("cached", [0, 1000], ids=["without_cache", "with_cache"])
async def test_a_query_of_an_idle_run_leaves_no_event(
    client: Client, queue: str, workflow_id: str, cached: int
):
    async with worker(client, queue, [Counts], max_cached_workflows=cached):
        handle = await client.start_workflow(
            Counts.run, args=[None, False], id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle)
        assert await handle.query(Counts.current) == 0
        await handle.signal(Counts.add, 5)
        await wait_until_idle(handle, 2)
        assert await handle.query(Counts.current) == 5
        assert await handle.query(Counts.plus, 10) == 15
        await assert_history(handle, "Started WorkflowTask Signaled WorkflowTask", [Counts])
        await handle.signal(Counts.finish)
        assert await handle.result() == 5


async def test_a_query_sees_every_signal_acknowledged_before_it(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Counts]):
        handle = await client.start_workflow(
            Counts.run, args=[None, False], id=workflow_id, task_queue=queue
        )
        for number in range(1, 11):
            await handle.signal(Counts.add, 1)
            assert await handle.query(Counts.current) == number
        await handle.signal(Counts.finish)
        assert await handle.result() == 10


async def test_a_closed_run_answers_queries(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Counts]):
        handle = await client.start_workflow(
            Counts.run, args=[None, False], id=workflow_id, task_queue=queue
        )
        await handle.signal(Counts.add, 3)
        await handle.signal(Counts.finish)
        assert await handle.result() == 3
        assert await handle.query(Counts.current) == 3
    async with worker(client, queue, [Counts]):
        assert await handle.query(Counts.current) == 3


async def test_a_query_during_a_workflow_task_is_answered_after_it(
    client: Client, queue: str, workflow_id: str
):
    gate = unique("gate")
    async with patient_worker(client, queue, [Counts]):
        handle = await client.start_workflow(
            Counts.run, args=[gate, False], id=workflow_id, task_queue=queue
        )
        await GATES[gate].reached()
        query = asyncio.create_task(handle.query(Counts.current))
        GATES[gate].open()
        assert await query == 100
        await handle.signal(Counts.finish)
        assert await handle.result() == 100


async def test_many_queries_at_once_are_all_answered(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Counts]):
        handle = await client.start_workflow(
            Counts.run, args=[None, False], id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle)
        answers = await asyncio.gather(*(handle.query(Counts.plus, n) for n in range(30)))
        assert answers == list(range(30))
        await handle.signal(Counts.finish)
        await handle.result()


@pytest.mark.parametrize(
    ("name", "text"),
    [("broken", "cannot answer"), ("no-such-query", "no-such-query")],
    ids=["failing_handler", "unknown_query"],
)
async def test_a_query_that_fails_tells_why(
    client: Client, queue: str, workflow_id: str, name: str, text: str
):
    async with worker(client, queue, [Counts]):
        handle = await client.start_workflow(
            Counts.run, args=[None, False], id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle)
        with pytest.raises(WorkflowQueryFailedError) as caught:
            await handle.query(name)
        assert text in str(caught.value)
        await handle.signal(Counts.finish)
        await handle.result()
    await assert_history(handle, "Started WorkflowTask Signaled WorkflowTask Completed", [Counts])


@pytest.mark.parametrize(
    ("ending", "condition", "rejected"),
    [
        ("open", QueryRejectCondition.NOT_OPEN, None),
        ("open", QueryRejectCondition.NOT_COMPLETED_CLEANLY, None),
        ("completed", QueryRejectCondition.NONE, None),
        ("completed", QueryRejectCondition.NOT_OPEN, 2),
        ("completed", QueryRejectCondition.NOT_COMPLETED_CLEANLY, None),
        ("failed", QueryRejectCondition.NOT_COMPLETED_CLEANLY, 3),
        ("terminated", QueryRejectCondition.NOT_COMPLETED_CLEANLY, 5),
    ],
)
async def test_a_reject_condition_decides_by_the_status(
    client: Client,
    queue: str,
    workflow_id: str,
    ending: str,
    condition: QueryRejectCondition,
    rejected: int | None,
):
    async with worker(client, queue, [Counts]):
        handle = await client.start_workflow(
            Counts.run, args=[None, ending == "failed"], id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle)
        if ending == "terminated":
            await handle.terminate()
        elif ending != "open":
            await handle.signal(Counts.finish)
            await asyncio.wait([asyncio.ensure_future(handle.result())])
        if rejected is None:
            assert await handle.query(Counts.current, reject_condition=condition) == 0
        else:
            with pytest.raises(WorkflowQueryRejectedError) as caught:
                await handle.query(Counts.current, reject_condition=condition)
            assert caught.value.status == rejected
        if ending == "open":
            await handle.terminate()


async def test_a_query_of_an_unknown_workflow_is_not_found(client: Client, workflow_id: str):
    with pytest.raises(RPCError) as caught:
        await client.get_workflow_handle(workflow_id).query("current")
    assert caught.value.status == RPCStatusCode.NOT_FOUND
