"""Activities that no workflow runs: results, retries, ids, lists, cancellation, and a kill."""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    Client,
    PendingActivityState,
)
from temporalio.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    RetryPolicy,
)
from temporalio.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from harness.server import Server
from harness.waiting import wait_for

SHORT = timedelta(seconds=10)
AGAIN = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=3)


@activity.defn
async def greet(name: str) -> str:
    info = activity.info()
    assert info.workflow_id is None
    return f"hello {name}, attempt {info.attempt}"


@activity.defn
async def fail_twice() -> int:
    attempt = activity.info().attempt
    if attempt < 3:
        raise ApplicationError(f"attempt {attempt}")
    return attempt


@activity.defn
async def fail_for_good() -> None:
    raise ApplicationError("never", type="Fatal", non_retryable=True)


@activity.defn
async def wait_for_the_end() -> None:
    while True:
        activity.heartbeat("waiting")
        await asyncio.sleep(0.05)


def worker(client: Client, queue: str) -> Worker:
    activities = [greet, fail_twice, fail_for_good, wait_for_the_end]
    return Worker(client, task_queue=queue, activities=activities)


def named(queue: str, **more) -> dict:
    """The arguments of a start."""
    return {
        "id": f"activity-{uuid.uuid4()}",
        "task_queue": queue,
        "start_to_close_timeout": SHORT,
    } | more


async def test_an_activity_runs_without_a_workflow(client: Client, queue: str) -> None:
    async with worker(client, queue):
        handle = await client.start_activity(greet, "you", **named(queue))
        assert await handle.result() == "hello you, attempt 1"
        described = await handle.describe()
        assert described.status == ActivityExecutionStatus.COMPLETED
        assert described.activity_type == "greet"
        assert described.raw_info.state_transition_count == 3
        assert described.close_time is not None
        retried = await client.execute_activity(fail_twice, **named(queue, retry_policy=AGAIN))
        assert retried == 3


async def test_a_failure_that_is_final_is_told(client: Client, queue: str) -> None:
    async with worker(client, queue):
        with pytest.raises(ActivityFailureError) as failed:
            await client.execute_activity(fail_for_good, **named(queue))
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type) == ("never", "Fatal")


@pytest.mark.pinned_sdk("descriptions of an older one have no schedule time")
async def test_time_outs_count_from_the_end_of_the_start_delay(client: Client, queue: str) -> None:
    handle = await client.start_activity(
        greet,
        "nobody",
        **named(
            queue,
            start_delay=timedelta(seconds=1),
            schedule_to_start_timeout=timedelta(seconds=1),
        ),
    )
    delayed = await handle.describe()
    assert delayed.next_attempt_schedule_time is not None
    assert delayed.run_state == PendingActivityState.SCHEDULED
    with pytest.raises(ActivityFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, TimeoutError)
    described = await handle.describe()
    assert described.status == ActivityExecutionStatus.TIMED_OUT
    lasted = described.close_time - described.schedule_time
    assert timedelta(seconds=2) <= lasted < timedelta(seconds=6)


async def test_cancel_reaches_the_worker_and_terminate_does_not_wait(
    client: Client, queue: str
) -> None:
    async with worker(client, queue):
        for ends in ("cancel", "terminate"):
            handle = await client.start_activity(
                wait_for_the_end,
                **named(queue, heartbeat_timeout=timedelta(seconds=2)),
            )

            async def is_held(handle=handle) -> bool:
                return (await handle.describe()).run_state == PendingActivityState.STARTED

            await wait_for(is_held, "a worker that takes the activity")
            await getattr(handle, ends)(reason="enough")
            with pytest.raises(ActivityFailureError) as failed:
                await handle.result()
            expected = {"cancel": CancelledError, "terminate": TerminatedError}[ends]
            assert isinstance(failed.value.cause, expected)


async def test_policies_say_what_a_used_id_means(client: Client, queue: str) -> None:
    first = named(queue)
    handle = await client.start_activity(greet, "one", **first)
    with pytest.raises(ActivityAlreadyStartedError) as refused:
        await client.start_activity(greet, "two", **first)
    assert refused.value.run_id == handle.run_id
    joined = await client.start_activity(
        greet, "two", **first, id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING
    )
    assert joined.run_id == handle.run_id
    async with worker(client, queue):
        assert await joined.result() == "hello one, attempt 1"
        for policy in (
            ActivityIDReusePolicy.REJECT_DUPLICATE,
            ActivityIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        ):
            with pytest.raises(ActivityAlreadyStartedError):
                await client.start_activity(greet, "two", **first, id_reuse_policy=policy)
        again = await client.start_activity(greet, "two", **first)
        assert again.run_id != handle.run_id
        assert await again.result() == "hello two, attempt 1"
    # The earlier one is read by its own run id.
    assert await handle.result() == "hello one, attempt 1"


async def test_lists_of_activities_and_of_workflows_are_apart(client: Client, queue: str) -> None:
    ids = {(await client.start_activity(greet, "x", **named(queue))).id for _ in range(3)}
    query = f"TaskQueue = '{queue}' AND ActivityType = 'greet'"

    async def listed() -> bool:
        return {found.activity_id async for found in client.list_activities(query)} == ids

    await wait_for(listed, "three activities in the list")
    running = await client.count_activities(f"{query} AND ExecutionStatus = 'Running'")
    assert running.count == 3
    groups = (await client.count_activities(f"{query} GROUP BY ExecutionStatus")).groups
    assert [(group.count, list(group.group_values)) for group in groups] == [(3, ["Running"])]
    workflows = await client.count_workflows(f"TaskQueue = '{queue}'")
    assert workflows.count == 0


async def test_an_async_completion_by_id_ends_it(client: Client, queue: str) -> None:
    handle = await client.start_activity(greet, "nobody", **named(queue))
    by_id = client.get_async_activity_handle(activity_id=handle.id, run_id=handle.run_id)
    await by_id.complete("done by hand")
    assert await handle.result() == "done by hand"
    with pytest.raises(RPCError) as refused:
        await by_id.complete("again")
    assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION


async def test_activities_survive_a_kill(tmp_path: Path, queue: str) -> None:
    with Server(db_filename=tmp_path / "server.db") as server:
        client = await Client.connect(server.address)
        done = await client.start_activity(greet, "done", **named(queue))
        async with worker(client, queue):
            assert await done.result() == "hello done, attempt 1"
        waiting = await client.start_activity(greet, "waiting", **named(queue))
        server.restart_after_kill()
        client = await Client.connect(server.address)
        assert await client.get_activity_handle(done.id).result() == "hello done, attempt 1"
        async with worker(client, queue):
            found = client.get_activity_handle(waiting.id, run_id=waiting.run_id)
            assert await found.result() == "hello waiting, attempt 1"
