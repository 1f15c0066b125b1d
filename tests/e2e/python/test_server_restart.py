"""A durable server killed in the middle of runs, and started again on the same file."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RetryPolicy

from harness.history import attributes
from harness.sdk import assert_history, wait_until_idle, worker
from harness.server import Server
from harness.waiting import wait_for

pytestmark = pytest.mark.xdist_group("restart")
"""One after another: each starts a server of its own twice."""

RELEASED: dict[str, asyncio.Event] = {}


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[Server]:
    with Server(db_filename=tmp_path / "server.db") as running:
        yield running


@activity.defn
async def wait_for_release(key: str) -> int:
    activity.heartbeat("before the crash")
    await asyncio.wait_for(RELEASED[key].wait(), 30)
    return activity.info().attempt


@workflow.defn
class CallsAndWaits:
    @workflow.run
    async def run(self, key: str) -> int:
        return await workflow.execute_activity(
            wait_for_release,
            key,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=25),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20)),
        )


@workflow.defn
class SleepsThenWaits:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.run
    async def run(self, sleep_milliseconds: int, signals: int) -> list[str]:
        await asyncio.sleep(sleep_milliseconds / 1000)
        await workflow.wait_condition(lambda: len(self.signals) >= signals)
        return self.signals

    @workflow.signal
    def tell(self, what: str) -> None:
        self.signals.append(what)

    @workflow.query
    def told(self) -> list[str]:
        return self.signals


async def test_what_was_acknowledged_is_there_after_a_kill(
    durable: Server, queue: str, workflow_id: str
):
    client = await Client.connect(durable.address)
    handle = await client.start_workflow(
        SleepsThenWaits.run, args=[1, 3], id=workflow_id, task_queue=queue, memo={"kept": True}
    )
    await handle.signal(SleepsThenWaits.tell, "before")
    before = [event async for event in handle.fetch_history_events()]
    durable.restart_after_kill()
    after = [event async for event in handle.fetch_history_events()]
    assert after == before
    assert await (await handle.describe()).memo() == {"kept": True}
    await handle.signal(SleepsThenWaits.tell, "after")
    await handle.signal(SleepsThenWaits.tell, "last")
    async with worker(client, queue, [SleepsThenWaits]):
        assert await handle.result() == ["before", "after", "last"]
    await assert_history(
        handle,
        "Started WorkflowTaskScheduled Signaled Signaled Signaled WorkflowTaskStarted "
        "WorkflowTaskCompleted TimerStarted TimerFired WorkflowTask Completed",
        [SleepsThenWaits],
    )


@pytest.mark.parametrize("cached", [0, 1000], ids=["without_cache", "with_cache"])
async def test_a_run_with_a_live_worker_goes_on_after_a_kill(
    durable: Server, queue: str, workflow_id: str, cached: int
):
    client = await Client.connect(durable.address)
    async with worker(client, queue, [SleepsThenWaits], max_cached_workflows=cached):
        handle = await client.start_workflow(
            SleepsThenWaits.run, args=[1, 2], id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle, 2)
        await handle.signal(SleepsThenWaits.tell, "a")
        await wait_until_idle(handle, 3)
        durable.restart_after_kill()
        assert await handle.query(SleepsThenWaits.told) == ["a"]
        await handle.signal(SleepsThenWaits.tell, "b")
        assert await handle.result() == ["a", "b"]


async def test_a_timer_that_came_due_while_the_server_was_down_fires(
    durable: Server, queue: str, workflow_id: str
):
    client = await Client.connect(durable.address)
    async with worker(client, queue, [SleepsThenWaits]):
        handle = await client.start_workflow(
            SleepsThenWaits.run, args=[700, 0], id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle)
        durable.kill()
        due = asyncio.get_running_loop().time() + 0.7
        await wait_for(lambda: asyncio.get_running_loop().time() > due, "the timer's due time")
        durable.start()
        assert await handle.result() == []
    await assert_history(
        handle,
        "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed",
        [SleepsThenWaits],
    )


async def test_an_activity_may_complete_after_a_kill(durable: Server, queue: str, workflow_id: str):
    RELEASED[workflow_id] = asyncio.Event()
    client = await Client.connect(durable.address)
    async with worker(client, queue, [CallsAndWaits], [wait_for_release]):
        handle = await client.start_workflow(
            CallsAndWaits.run, workflow_id, id=workflow_id, task_queue=queue
        )

        async def heard() -> bool:
            pending = (await handle.describe()).raw_description.pending_activities
            return bool(pending) and bool(pending[0].heartbeat_details.payloads)

        await wait_for(heard, "the activity's heartbeat")
        durable.restart_after_kill()
        assert await heard()
        RELEASED[workflow_id].set()
        assert await handle.result() == 1
    await assert_history(
        handle, "Started WorkflowTask Activity WorkflowTask Completed", [CallsAndWaits]
    )


async def test_closed_runs_stay_readable_and_their_ids_taken(
    durable: Server, queue: str, workflow_id: str
):
    client = await Client.connect(durable.address)
    async with worker(client, queue, [SleepsThenWaits]):
        handles = [
            await client.start_workflow(
                SleepsThenWaits.run, args=[1, 0], id=f"{workflow_id}-{n}", task_queue=queue
            )
            for n in range(5)
        ]
        await asyncio.gather(*(handle.result() for handle in handles))
    durable.restart_after_kill()
    for handle in handles:
        assert await handle.result() == []
        assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED

    async def listed() -> bool:
        query = "WorkflowType = 'SleepsThenWaits' AND ExecutionStatus = 'Completed'"
        return (await client.count_workflows(query)).count == 5

    await wait_for(listed, "the closed runs in the list")


async def test_a_workflow_task_that_was_running_is_given_out_again(
    durable: Server, queue: str, workflow_id: str
):
    client = await Client.connect(durable.address)
    handle = await client.start_workflow(
        SleepsThenWaits.run,
        args=[1, 0],
        id=workflow_id,
        task_queue=queue,
        task_timeout=timedelta(seconds=2),
    )
    polled = await client.workflow_service.poll_workflow_task_queue(
        PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue))
    )
    assert polled.task_token
    durable.restart_after_kill()
    async with worker(client, queue, [SleepsThenWaits]):
        assert await handle.result() == []
    events = await assert_history(
        handle,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskTimedOut WorkflowTask "
        "TimerStarted TimerFired WorkflowTask Completed",
        [SleepsThenWaits],
    )
    assert attributes(events[4]).attempt == 2


async def test_a_stopped_server_exits_cleanly_and_keeps_everything(
    durable: Server, queue: str, workflow_id: str
):
    client = await Client.connect(durable.address)
    handle = await client.start_workflow(
        SleepsThenWaits.run, args=[1, 0], id=workflow_id, task_queue=queue
    )
    assert durable.stop() == 0
    durable.start()
    async with worker(client, queue, [SleepsThenWaits]):
        assert await handle.result() == []
