"""Timers that fire, are cancelled, and race."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client

from harness.history import attributes, only
from harness.sdk import assert_history, history_of, wait_until_idle, worker


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self, milliseconds: int) -> float:
        before = workflow.now()
        await asyncio.sleep(milliseconds / 1000)
        return (workflow.now() - before).total_seconds()


@workflow.defn
class SleepsInParallel:
    @workflow.run
    async def run(self, count: int) -> int:
        await asyncio.gather(*(workflow.sleep(timedelta(milliseconds=100)) for _ in range(count)))
        return count


@workflow.defn
class CancelsATimer:
    @workflow.run
    async def run(self) -> str:
        timer = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0.05)
        timer.cancel()
        await asyncio.sleep(0.05)
        return "cancelled" if timer.cancelled() else "running"


@workflow.defn
class WaitsWithATimeout:
    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self, milliseconds: int) -> str:
        try:
            await workflow.wait_condition(lambda: self.told, timeout=milliseconds / 1000)
        except TimeoutError:
            return "timed out"
        return "told"

    @workflow.signal
    def tell(self) -> None:
        self.told = True


@pytest.mark.parametrize("cached", [0, 1000], ids=["without_cache", "with_cache"])
async def test_a_timer_fires_and_never_early(
    client: Client, queue: str, workflow_id: str, cached: int
):
    async with worker(client, queue, [Sleeps], max_cached_workflows=cached):
        handle = await client.start_workflow(Sleeps.run, 250, id=workflow_id, task_queue=queue)
        assert await handle.result() >= 0.25
    events = await assert_history(
        handle, "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed", [Sleeps]
    )
    started, fired = only(events, "TimerStarted"), only(events, "TimerFired")
    assert attributes(started).start_to_fire_timeout.ToMilliseconds() == 250
    assert attributes(fired).started_event_id == started.event_id
    assert attributes(fired).timer_id == attributes(started).timer_id
    waited = fired.event_time.ToNanoseconds() - started.event_time.ToNanoseconds()
    assert waited >= 250_000_000


async def test_thirty_timers_in_parallel_all_fire(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [SleepsInParallel]):
        handle = await client.start_workflow(
            SleepsInParallel.run, 30, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == 30
    names = await history_of(handle)
    assert names[4:34] == ["TimerStarted"] * 30
    assert names.count("TimerFired") == 30
    assert names[-1] == "WorkflowExecutionCompleted"


async def test_a_cancelled_timer_never_fires(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [CancelsATimer]):
        handle = await client.start_workflow(CancelsATimer.run, id=workflow_id, task_queue=queue)
        assert await handle.result() == "cancelled"
    events = await assert_history(
        handle,
        "Started WorkflowTask TimerStarted TimerStarted TimerFired WorkflowTask "
        "TimerStarted TimerCanceled TimerFired WorkflowTask Completed",
        [CancelsATimer],
    )
    canceled = attributes(only(events, "TimerCanceled"))
    cancelled_timer = events[canceled.started_event_id - 1]
    assert attributes(cancelled_timer).start_to_fire_timeout.seconds == 3600


async def test_a_wait_that_times_out(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [WaitsWithATimeout]):
        handle = await client.start_workflow(
            WaitsWithATimeout.run, 100, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "timed out"
    await assert_history(
        handle,
        "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed",
        [WaitsWithATimeout],
    )


async def test_a_wait_that_a_signal_ends_cancels_its_timer(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(
        WaitsWithATimeout.run, 3_600_000, id=workflow_id, task_queue=queue
    )
    async with worker(client, queue, [WaitsWithATimeout]):
        await wait_until_idle(handle)
        await handle.signal(WaitsWithATimeout.tell)
        assert await handle.result() == "told"
    await assert_history(
        handle,
        "Started WorkflowTask TimerStarted Signaled WorkflowTask TimerCanceled Completed",
        [WaitsWithATimeout],
    )
