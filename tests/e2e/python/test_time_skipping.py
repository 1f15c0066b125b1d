"""The SDK's time-skipping environment, with the server in place of the SDK's own test server."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.empty_pb2 import Empty
from temporalio import activity, workflow
from temporalio.api.testservice.v1 import UnlockTimeSkippingRequest
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from harness.sdk import assert_history, history_of, worker
from harness.server import Server, executable
from harness.waiting import wait_for

pytestmark = pytest.mark.skipif(
    "longtide" not in executable(), reason="the reference's test server is another program"
)

MONTH = timedelta(days=30)
AT_ONCE_SECONDS = 2.0
"""What takes no time of day ends within this, also on a busy machine."""


@pytest.fixture
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """A server of the test's own: its time is moved."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=executable(), test_server_extra_args=["--log-level", "warn"]
    ) as running:
        yield running


async def passed(environment: WorkflowEnvironment) -> timedelta:
    """How far the server's time is ahead of everybody else's."""
    return await environment.get_current_time() - datetime.now(UTC)


def about(days: float, ahead: timedelta) -> bool:
    return abs(ahead - timedelta(days=days)) < timedelta(seconds=30)


@workflow.defn
class Sleeps:
    def __init__(self) -> None:
        self.news: list[str] = []

    @workflow.run
    async def run(self, days: float) -> str:
        await asyncio.sleep(days * 86_400)
        return "rested"

    @workflow.query
    def now(self) -> float:
        return workflow.now().timestamp()

    @workflow.signal
    def tell(self, what: str) -> None:
        self.news.append(what)


async def test_a_workflow_that_sleeps_a_month_ends_at_once(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [Sleeps]):
        started = time.monotonic()
        handle = await environment.client.start_workflow(
            Sleeps.run, 30, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "rested"
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert about(30, await passed(environment))
        events = await assert_history(
            handle, "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed", [Sleeps]
        )
        times = [event.event_time.ToDatetime() for event in events]
        assert times == sorted(times)
        assert times[-1] - times[0] >= MONTH


async def test_time_goes_its_way_until_it_is_unlocked(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [Sleeps]):
        handle = await environment.client.start_workflow(
            Sleeps.run, 30, id=workflow_id, task_queue=queue
        )

        async def asleep() -> bool:
            return "TimerStarted" in await history_of(handle)

        await wait_for(asleep, "the timer")
        assert about(0, await passed(environment))
        with environment.auto_time_skipping_disabled():
            short = await environment.client.start_workflow(
                Sleeps.run, 1 / 86_400, id=f"{workflow_id}-short", task_queue=queue
            )
            started = time.monotonic()
            assert await short.result() == "rested"
            assert time.monotonic() - started > 0.5
        assert about(0, await passed(environment))


async def test_a_sleep_of_the_test_takes_the_workflows_along(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [Sleeps]):
        handle = await environment.client.start_workflow(
            Sleeps.run, 30, id=workflow_id, task_queue=queue
        )
        for days in (10, 20):
            await environment.sleep(timedelta(days=10))
            assert about(days, await passed(environment))
            await handle.signal(Sleeps.tell, "good morning")
            then = datetime.fromtimestamp(await handle.query(Sleeps.now), UTC)
            assert about(days, then - datetime.now(UTC))
        await environment.sleep(timedelta(days=11))
        assert await handle.result() == "rested"
        assert about(31, await passed(environment))


async def test_without_timers_time_stands(environment: WorkflowEnvironment):
    """Nobody waits for anything but the test."""
    await environment.sleep(5 * 86_400)
    assert about(5, await passed(environment))
    started = time.monotonic()
    async with environment.time_skipping_unlocked():
        await asyncio.sleep(0.2)
    assert time.monotonic() - started < AT_ONCE_SECONDS
    assert about(5, await passed(environment))


@activity.defn
async def works_a_little() -> str:
    await asyncio.sleep(1)
    return "worked"


@workflow.defn
class Works:
    @workflow.run
    async def run(self) -> str:
        nap = asyncio.create_task(asyncio.sleep(86_400))
        result = await workflow.execute_activity(
            works_a_little, start_to_close_timeout=timedelta(minutes=1)
        )
        assert not nap.done()
        return result


async def test_time_is_not_passed_over_while_an_activity_runs(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    """Neither its time-out nor the timer beside it comes sooner."""
    async with worker(environment.client, queue, [Works], [works_a_little]):
        handle = await environment.client.start_workflow(
            Works.run, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "worked"
        assert about(0, await passed(environment))
        assert "ActivityTaskTimedOut" not in await history_of(handle)


attempts: list[float] = []


@activity.defn
async def fails_twice() -> int:
    attempts.append(time.monotonic())
    if activity.info().attempt < 3:
        raise ApplicationError("not yet")
    return activity.info().attempt


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            fails_twice,
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(days=1), maximum_interval=timedelta(days=5)
            ),
        )


async def test_the_back_off_of_retries_is_passed_over(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [Retries], [fails_twice]):
        started = time.monotonic()
        result = await environment.client.execute_workflow(
            Retries.run, id=workflow_id, task_queue=queue
        )
        assert result == 3
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert about(3, await passed(environment))


class Lazy:
    """An activity that lets the time of its own heartbeat pass."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self.environment = environment

    @activity.defn
    async def forgets_to_heartbeat(self) -> str:
        timeout = activity.info().heartbeat_timeout
        assert timeout
        await self.environment.sleep(timeout * 2)
        return "woke up"


@workflow.defn
class WatchesTheLazy:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity_method(
            Lazy.forgets_to_heartbeat,
            schedule_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


async def test_an_activity_can_let_its_heartbeat_time_out(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    lazy = Lazy(environment)
    async with worker(environment.client, queue, [WatchesTheLazy], [lazy.forgets_to_heartbeat]):
        started = time.monotonic()
        with pytest.raises(WorkflowFailureError) as failed:
            await environment.client.execute_workflow(
                WatchesTheLazy.run, id=workflow_id, task_queue=queue
            )
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert isinstance(failed.value.cause, ActivityError)
        assert isinstance(failed.value.cause.cause, TimeoutError)
        assert failed.value.cause.cause.type == TimeoutType.HEARTBEAT


@workflow.defn
class HasAChild:
    @workflow.run
    async def run(self) -> str:
        async with asyncio.timeout(86_400 * 60):
            return await workflow.execute_child_workflow(
                Sleeps.run, 45, id=f"{workflow.info().workflow_id}-child"
            )


async def test_a_parent_waits_for_a_child_that_sleeps(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [HasAChild, Sleeps]):
        started = time.monotonic()
        result = await environment.client.execute_workflow(
            HasAChild.run, id=workflow_id, task_queue=queue
        )
        assert result == "rested"
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert about(45, await passed(environment))


@workflow.defn
class WaitsForever:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


async def test_a_run_time_out_is_passed_over_to(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [WaitsForever]):
        started = time.monotonic()
        with pytest.raises(WorkflowFailureError) as failed:
            await environment.client.execute_workflow(
                WaitsForever.run,
                id=workflow_id,
                task_queue=queue,
                run_timeout=timedelta(days=7),
            )
        assert isinstance(failed.value.cause, TimeoutError)
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert about(7, await passed(environment))


@workflow.defn
class CountsItsRuns:
    @workflow.run
    async def run(self) -> int:
        if not workflow.has_last_completion_result():
            return 1
        return workflow.get_last_completion_result(int) + 1


async def test_a_cron_workflow_runs_day_after_day(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [CountsItsRuns]):
        handle = await environment.client.start_workflow(
            CountsItsRuns.run, id=workflow_id, task_queue=queue, cron_schedule="0 12 * * *"
        )
        started = time.monotonic()
        await environment.sleep(timedelta(days=10))
        assert time.monotonic() - started < 5 * AT_ONCE_SECONDS
        closed = [
            run
            async for run in environment.client.list_workflows(
                f"WorkflowId = '{workflow_id}' AND ExecutionStatus = 'ContinuedAsNew'"
            )
        ]
        completed = await environment.client.count_workflows(
            f"WorkflowId = '{workflow_id}' AND ExecutionStatus = 'Completed'"
        )
        assert len(closed) + completed.count == 10
        await handle.terminate()


async def test_a_delayed_start_is_passed_over(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [CountsItsRuns]):
        started = time.monotonic()
        result = await environment.client.execute_workflow(
            CountsItsRuns.run, id=workflow_id, task_queue=queue, start_delay=timedelta(days=3)
        )
        assert result == 1
        assert time.monotonic() - started < AT_ONCE_SECONDS
        assert about(3, await passed(environment))


async def test_time_waits_for_a_worker(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    """A workflow task that nobody takes keeps the time, whatever else sleeps."""
    async with worker(environment.client, f"{queue}-other", [Sleeps]):
        sleeper = await environment.client.start_workflow(
            Sleeps.run, 30, id=f"{workflow_id}-sleeper", task_queue=f"{queue}-other"
        )
        handle = await environment.client.start_workflow(
            Sleeps.run, 1, id=workflow_id, task_queue=queue
        )
        async with environment.time_skipping_unlocked():
            await asyncio.sleep(0.3)
            assert about(0, await passed(environment))
        async with worker(environment.client, queue, [Sleeps]):
            assert await handle.result() == "rested"
            run = await handle.describe()
            assert run.start_time and run.close_time
            assert about(1, run.close_time - run.start_time)
        assert await sleeper.result() == "rested"


async def test_a_closed_workflow_stays_however_far_time_is_moved(
    environment: WorkflowEnvironment, queue: str, workflow_id: str
):
    async with worker(environment.client, queue, [CountsItsRuns]):
        handle = await environment.client.start_workflow(
            CountsItsRuns.run, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == 1
        await environment.sleep(timedelta(days=3650))
        await assert_history(handle, "Started WorkflowTask Completed")


async def test_locks_are_counted(environment: WorkflowEnvironment):
    service = environment.client.test_service
    await service.unlock_time_skipping(UnlockTimeSkippingRequest())
    with pytest.raises(RPCError) as refused:
        await service.unlock_time_skipping(UnlockTimeSkippingRequest())
    assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION
    assert (await service.get_current_time(Empty())).time.seconds > 0


async def test_a_development_server_has_no_test_service(server: Server, client):
    with pytest.raises(RPCError) as refused:
        await client.test_service.get_current_time(Empty())
    assert refused.value.status == RPCStatusCode.UNIMPLEMENTED
