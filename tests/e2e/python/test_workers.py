"""Workers that come, go, share a queue, and keep runs in their cache or not."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from harness.history import attributes
from harness.sdk import assert_history, wait_until_idle, worker
from harness.server import Server
from harness.waiting import wait_for

MEETINGS: dict[str, asyncio.Barrier] = {}
CONCURRENCY = {"now": 0, "most": 0}


@activity.defn
async def meet(key: str) -> str:
    await asyncio.wait_for(MEETINGS[key].wait(), 20)
    return key


@activity.defn
async def count_concurrency() -> None:
    CONCURRENCY["now"] += 1
    CONCURRENCY["most"] = max(CONCURRENCY["most"], CONCURRENCY["now"])
    await asyncio.sleep(0.02)
    CONCURRENCY["now"] -= 1


@workflow.defn
class Meets:
    @workflow.run
    async def run(self, key: str) -> str:
        return await workflow.execute_activity(
            meet, key, start_to_close_timeout=timedelta(seconds=30)
        )


@workflow.defn
class RunsTen:
    @workflow.run
    async def run(self) -> None:
        await asyncio.gather(
            *(
                workflow.execute_activity(
                    count_concurrency, start_to_close_timeout=timedelta(seconds=30)
                )
                for _ in range(10)
            )
        )


@workflow.defn
class Adds:
    def __init__(self) -> None:
        self.total = 0
        self.done = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.done)
        return self.total

    @workflow.signal
    def add(self, number: int) -> None:
        self.total += number

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def current(self) -> int:
        return self.total


async def test_two_workers_on_a_queue_share_its_work(
    server: Server, client: Client, queue: str, workflow_id: str
):
    MEETINGS[workflow_id] = asyncio.Barrier(2)
    another = await Client.connect(server.address)
    one = {"max_concurrent_activities": 1, "disable_eager_activity_execution": True}
    async with (
        worker(client, queue, [Meets], [meet], identity="first", **one),
        worker(another, queue, [Meets], [meet], identity="second", **one),
    ):
        handles = [
            await client.start_workflow(
                Meets.run, workflow_id, id=f"{workflow_id}-{number}", task_queue=queue
            )
            for number in range(2)
        ]
        for handle in handles:
            assert await handle.result() == workflow_id
    identities = set()
    for handle in handles:
        events = await assert_history(
            handle, "Started WorkflowTask Activity WorkflowTask Completed", [Meets]
        )
        identities.add(attributes(events[5]).identity)
    assert identities == {"first", "second"}


async def test_a_worker_takes_no_more_activities_than_it_has_room_for(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [RunsTen], [count_concurrency], max_concurrent_activities=3):
        await client.execute_workflow(RunsTen.run, id=workflow_id, task_queue=queue)
    assert 1 <= CONCURRENCY["most"] <= 3


@pytest.mark.parametrize("cached", [0, 1000], ids=["without_cache", "with_cache"])
async def test_a_run_goes_on_with_another_worker(
    client: Client, queue: str, workflow_id: str, cached: int
):
    async with worker(client, queue, [Adds], max_cached_workflows=cached):
        handle = await client.start_workflow(Adds.run, id=workflow_id, task_queue=queue)
        await handle.signal(Adds.add, 1)
        await wait_until_idle(handle)
        assert await handle.query(Adds.current) == 1
    await handle.signal(Adds.add, 2)
    async with worker(client, queue, [Adds], max_cached_workflows=cached):
        assert await handle.query(Adds.current) == 3
        await handle.signal(Adds.finish)
        assert await handle.result() == 3


@pytest.mark.pinned_sdk("an older one may take a minute for an eviction")
async def test_a_full_cache_evicts_runs_that_come_back_by_replay(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Adds], max_cached_workflows=2):
        handles = [
            await client.start_workflow(Adds.run, id=f"{workflow_id}-{n}", task_queue=queue)
            for n in range(6)
        ]
        for number, handle in enumerate(handles):
            await handle.signal(Adds.add, number)
        for number, handle in enumerate(handles):
            assert await handle.query(Adds.current) == number
            await handle.signal(Adds.finish)
        results = await asyncio.gather(*(handle.result() for handle in handles))
    assert results == list(range(6))


async def test_a_sticky_workflow_task_whose_worker_is_gone_moves_to_the_normal_queue(
    client: Client, queue: str, workflow_id: str
):
    options = {"sticky_queue_schedule_to_start_timeout": timedelta(seconds=1)}
    async with worker(client, queue, [Adds], identity="leaves", **options):
        handle = await client.start_workflow(Adds.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
    async with worker(client, queue, [Adds], identity="stays"):
        await handle.signal(Adds.finish)
        assert await handle.result() == 0
    events = list((await handle.fetch_history()).events)
    assert attributes(events[2]).identity == "leaves"
    assert attributes(events[-2]).identity == "stays"


async def test_a_hundred_signals_from_many_clients_are_all_there(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Adds]):
        handle = await client.start_workflow(Adds.run, id=workflow_id, task_queue=queue)
        await asyncio.gather(*(handle.signal(Adds.add, 1) for _ in range(100)))
        await handle.signal(Adds.finish)
        assert await handle.result() == 100


async def test_a_queue_shows_its_pollers(client: Client, queue: str):
    async def pollers(kind) -> set[str]:
        described = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
        )
        return {poller.identity for poller in described.pollers}

    async with worker(client, queue, [Adds], [meet], identity="poller"):
        for kind in (
            TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        ):
            await wait_for(lambda kind=kind: pollers(kind), "a poller")
            assert await pollers(kind) == {"poller"}


async def test_a_worker_of_an_unknown_namespace_does_not_start(server: Server, queue: str):
    stranger = await Client.connect(server.address, namespace="no-such-namespace")
    with pytest.raises(RuntimeError, match="no-such-namespace"):
        await worker(stranger, queue, [Adds]).run()
    with pytest.raises(RPCError) as caught:
        await stranger.start_workflow(Adds.run, id="x", task_queue=queue)
    assert caught.value.status == RPCStatusCode.NOT_FOUND
