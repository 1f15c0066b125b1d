"""Activities that end well, retry, or fail."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import RetryState as WireRetryState
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

from harness.history import attributes, only
from harness.sdk import assert_history, history_of, worker

TRIES: Counter[str] = Counter()


@activity.defn
async def double(number: int) -> int:
    return number * 2


@activity.defn
async def tell_info() -> dict:
    info = activity.info()
    return {
        "attempt": info.attempt,
        "type": info.activity_type,
        "workflow_id": info.workflow_id,
        "workflow_type": info.workflow_type,
        "task_queue": info.task_queue,
        "start_to_close": info.start_to_close_timeout.total_seconds(),
        "heartbeat": info.heartbeat_timeout.total_seconds(),
        "is_local": info.is_local,
    }


@activity.defn
async def fail_until(succeeding_attempt: int) -> int:
    attempt = activity.info().attempt
    if attempt < succeeding_attempt:
        raise ApplicationError(f"attempt {attempt}", attempt, type="NotYet")
    return attempt


@activity.defn
async def fail_for_good() -> None:
    raise ApplicationError("never", type="Never", non_retryable=True)


@activity.defn
async def fail_with_delay(milliseconds: int) -> float:
    info = activity.info()
    if info.attempt == 1:
        raise ApplicationError(
            "later", type="Later", next_retry_delay=timedelta(milliseconds=milliseconds)
        )
    return (info.started_time - info.scheduled_time).total_seconds()


@workflow.defn
class Doubles:
    @workflow.run
    async def run(self, number: int) -> int:
        return await workflow.execute_activity(
            double, number, start_to_close_timeout=timedelta(seconds=10)
        )


@workflow.defn
class DoublesInParallel:
    @workflow.run
    async def run(self, count: int) -> list[int]:
        return list(
            await asyncio.gather(
                *(
                    workflow.execute_activity(
                        double, number, schedule_to_close_timeout=timedelta(seconds=30)
                    )
                    for number in range(count)
                )
            )
        )


@workflow.defn
class DoublesInSequence:
    @workflow.run
    async def run(self, count: int) -> int:
        number = 1
        for _ in range(count):
            number = await workflow.execute_activity(
                double, number, start_to_close_timeout=timedelta(seconds=10)
            )
        return number


@workflow.defn
class AsksForInfo:
    @workflow.run
    async def run(self, other_queue: str | None) -> dict:
        return await workflow.execute_activity(
            tell_info,
            task_queue=other_queue,
            start_to_close_timeout=timedelta(seconds=9),
            heartbeat_timeout=timedelta(seconds=4),
            summary="asks",
        )


@workflow.defn
class Retries:
    @workflow.run
    async def run(self, succeeding_attempt: int, maximum_attempts: int) -> int:
        return await workflow.execute_activity(
            fail_until,
            succeeding_attempt,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=20),
                backoff_coefficient=1.0,
                maximum_attempts=maximum_attempts,
            ),
        )


@workflow.defn
class RetriesExceptListed:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            fail_until,
            3,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(non_retryable_error_types=["NotYet"]),
        )


@workflow.defn
class CallsWhatFails:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(fail_for_good, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class WaitsAsToldByTheFailure:
    @workflow.run
    async def run(self, milliseconds: int) -> float:
        return await workflow.execute_activity(
            fail_with_delay,
            milliseconds,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(hours=1), maximum_interval=timedelta(hours=1)
            ),
        )


@pytest.mark.parametrize("eager", [True, False], ids=["eager", "not_eager"])
async def test_an_activity_gives_its_result(
    client: Client, queue: str, workflow_id: str, eager: bool
):
    options = {"disable_eager_activity_execution": not eager}
    async with worker(client, queue, [Doubles], [double], **options):
        handle = await client.start_workflow(Doubles.run, 21, id=workflow_id, task_queue=queue)
        assert await handle.result() == 42
    events = await assert_history(
        handle, "Started WorkflowTask Activity WorkflowTask Completed", [Doubles]
    )
    scheduled = attributes(only(events, "ActivityTaskScheduled"))
    assert scheduled.workflow_task_completed_event_id == 4
    assert scheduled.activity_type.name == "double"
    assert scheduled.start_to_close_timeout.seconds == 10
    assert scheduled.retry_policy.initial_interval.seconds == 1
    assert scheduled.retry_policy.backoff_coefficient == 2.0
    assert scheduled.retry_policy.maximum_interval.seconds == 100
    assert attributes(only(events, "ActivityTaskStarted")).attempt == 1
    completed = attributes(only(events, "ActivityTaskCompleted"))
    assert (completed.scheduled_event_id, completed.started_event_id) == (5, 6)


@pytest.mark.parametrize("cached", [0, 1000], ids=["without_cache", "with_cache"])
async def test_ten_activities_in_sequence(
    client: Client, queue: str, workflow_id: str, cached: int
):
    async with worker(client, queue, [DoublesInSequence], [double], max_cached_workflows=cached):
        handle = await client.start_workflow(
            DoublesInSequence.run, 10, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == 1024
    steps = "Activity WorkflowTask " * 10
    await assert_history(handle, f"Started WorkflowTask {steps} Completed", [DoublesInSequence])


async def test_twenty_activities_in_parallel(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [DoublesInParallel], [double]):
        handle = await client.start_workflow(
            DoublesInParallel.run, 20, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == [number * 2 for number in range(20)]
    names = await history_of(handle)
    assert names[4:24] == ["ActivityTaskScheduled"] * 20
    for name in ("ActivityTaskStarted", "ActivityTaskCompleted"):
        assert names.count(name) == 20
    assert names[-1] == "WorkflowExecutionCompleted"
    assert names.count("WorkflowTaskScheduled") == names.count("WorkflowTaskCompleted")


async def test_an_activity_is_told_where_it_belongs(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [AsksForInfo], [tell_info]):
        told = await client.execute_workflow(
            AsksForInfo.run, None, id=workflow_id, task_queue=queue
        )
    assert told == {
        "attempt": 1,
        "type": "tell_info",
        "workflow_id": workflow_id,
        "workflow_type": "AsksForInfo",
        "task_queue": queue,
        "start_to_close": 9.0,
        "heartbeat": 4.0,
        "is_local": False,
    }


async def test_an_activity_runs_on_another_task_queue(client: Client, queue: str, workflow_id: str):
    other = queue + "-other"
    async with worker(client, queue, [AsksForInfo]), worker(client, other, [], [tell_info]):
        handle = await client.start_workflow(
            AsksForInfo.run, other, id=workflow_id, task_queue=queue
        )
        assert (await handle.result())["task_queue"] == other
    await assert_history(
        handle, "Started WorkflowTask Activity WorkflowTask Completed", [AsksForInfo]
    )


async def test_attempts_that_failed_leave_one_started_event_with_the_last_failure(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Retries], [fail_until]):
        handle = await client.start_workflow(
            Retries.run, args=[3, 5], id=workflow_id, task_queue=queue
        )
        assert await handle.result() == 3
    events = await assert_history(
        handle, "Started WorkflowTask Activity WorkflowTask Completed", [Retries]
    )
    started = attributes(only(events, "ActivityTaskStarted"))
    assert started.attempt == 3
    assert started.last_failure.message == "attempt 2"
    assert started.last_failure.application_failure_info.type == "NotYet"


@pytest.mark.parametrize(
    ("workflow_type", "arguments", "state", "attempt", "failure_type"),
    [
        (Retries, [9, 2], RetryState.MAXIMUM_ATTEMPTS_REACHED, 2, "NotYet"),
        (Retries, [9, 1], RetryState.MAXIMUM_ATTEMPTS_REACHED, 1, "NotYet"),
        (RetriesExceptListed, [], RetryState.NON_RETRYABLE_FAILURE, 1, "NotYet"),
        (CallsWhatFails, [], RetryState.NON_RETRYABLE_FAILURE, 1, "Never"),
    ],
    ids=["two_attempts", "one_attempt", "listed_type", "non_retryable"],
)
async def test_an_activity_that_may_not_retry_fails(
    client: Client,
    queue: str,
    workflow_id: str,
    workflow_type: type,
    arguments: list,
    state: RetryState,
    attempt: int,
    failure_type: str,
):
    async with worker(client, queue, [workflow_type], [fail_until, fail_for_good]):
        handle = await client.start_workflow(
            workflow_type.run, args=arguments, id=workflow_id, task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    error = caught.value.cause
    assert isinstance(error, ActivityError)
    assert error.retry_state == state
    assert isinstance(error.cause, ApplicationError)
    assert error.cause.type == failure_type
    events = await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskFailed "
        "WorkflowTask Failed",
        [workflow_type],
    )
    assert attributes(only(events, "ActivityTaskStarted")).attempt == attempt
    failed = attributes(only(events, "ActivityTaskFailed"))
    assert WireRetryState.Name(failed.retry_state) == f"RETRY_STATE_{state.name}"


async def test_a_failure_names_the_delay_of_the_next_attempt(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [WaitsAsToldByTheFailure], [fail_with_delay]):
        handle = await client.start_workflow(
            WaitsAsToldByTheFailure.run, 400, id=workflow_id, task_queue=queue
        )
        waited = await handle.result()
    assert 0.4 <= waited < 10
    await assert_history(
        handle,
        "Started WorkflowTask Activity WorkflowTask Completed",
        [WaitsAsToldByTheFailure],
    )


async def test_an_activity_type_that_no_worker_has_fails_and_retries(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Retries], [double]):
        handle = await client.start_workflow(
            Retries.run, args=[1, 2], id=workflow_id, task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert caught.value.cause.cause.type == "NotFoundError"
