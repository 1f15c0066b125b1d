"""The four time-outs of an activity."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    TimeoutError,
    TimeoutType,
)

from harness.history import attributes, only
from harness.sdk import assert_history, worker

ONCE = RetryPolicy(maximum_attempts=1)
SHORT = timedelta(milliseconds=400)
LONG = timedelta(seconds=30)


@activity.defn
async def hang() -> None:
    await asyncio.sleep(3600)


@activity.defn
async def hang_after_heartbeat() -> None:
    activity.heartbeat("alive", 7)
    await asyncio.sleep(3600)


@activity.defn
async def hang_once() -> int:
    if activity.info().attempt == 1:
        await asyncio.sleep(3600)
    return activity.info().attempt


@activity.defn
async def always_fail() -> None:
    raise ApplicationError("again", type="Again")


@workflow.defn
class TimesOutWaitingForAWorker:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            hang,
            task_queue=f"nobody-{workflow.info().workflow_id}",
            schedule_to_start_timeout=SHORT,
            start_to_close_timeout=LONG,
        )


@workflow.defn
class TimesOutRunning:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(hang, start_to_close_timeout=SHORT, retry_policy=ONCE)


@workflow.defn
class TimesOutBetweenHeartbeats:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            hang_after_heartbeat,
            start_to_close_timeout=LONG,
            heartbeat_timeout=SHORT,
            retry_policy=ONCE,
        )


@workflow.defn
class TimesOutAltogether:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(hang, schedule_to_close_timeout=SHORT)


@workflow.defn
class TimesOutForWantOfTimeToRetry:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            always_fail,
            schedule_to_close_timeout=timedelta(seconds=3),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=20)),
        )


@workflow.defn
class SucceedsAfterATimeout:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            hang_once,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20)),
        )


@pytest.mark.parametrize(
    ("workflow_type", "kind", "state", "started", "message"),
    [
        (
            TimesOutWaitingForAWorker,
            TimeoutType.SCHEDULE_TO_START,
            RetryState.TIMEOUT,
            False,
            "activity ScheduleToStart timeout",
        ),
        (
            TimesOutRunning,
            TimeoutType.START_TO_CLOSE,
            RetryState.MAXIMUM_ATTEMPTS_REACHED,
            True,
            "activity StartToClose timeout",
        ),
        (
            TimesOutBetweenHeartbeats,
            TimeoutType.HEARTBEAT,
            RetryState.MAXIMUM_ATTEMPTS_REACHED,
            True,
            "activity Heartbeat timeout",
        ),
        (
            TimesOutAltogether,
            TimeoutType.SCHEDULE_TO_CLOSE,
            RetryState.TIMEOUT,
            True,
            None,
        ),
    ],
    ids=["schedule_to_start", "start_to_close", "heartbeat", "schedule_to_close"],
)
async def test_each_timeout_fails_the_activity_with_its_own_kind(
    client: Client,
    queue: str,
    workflow_id: str,
    workflow_type: type,
    kind: TimeoutType,
    state: RetryState,
    started: bool,
    message: str | None,
):
    async with worker(client, queue, [workflow_type], [hang, hang_after_heartbeat]):
        handle = await client.start_workflow(workflow_type.run, id=workflow_id, task_queue=queue)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    error = caught.value.cause
    assert isinstance(error, ActivityError)
    assert error.retry_state == state
    assert isinstance(error.cause, TimeoutError)
    assert error.cause.type == kind
    if message:
        assert error.cause.message == message
    if kind == TimeoutType.HEARTBEAT:
        assert list(error.cause.last_heartbeat_details) == ["alive", 7]
    start = "ActivityTaskStarted" if started else ""
    events = await assert_history(
        handle,
        f"Started WorkflowTask ActivityTaskScheduled {start} ActivityTaskTimedOut "
        "WorkflowTask Failed",
        [workflow_type],
    )
    timed_out = attributes(only(events, "ActivityTaskTimedOut"))
    assert timed_out.failure.source == "Server"
    assert timed_out.started_event_id == (6 if started else 0)


async def test_without_time_for_another_attempt_the_timeout_is_schedule_to_close(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [TimesOutForWantOfTimeToRetry], [always_fail]):
        handle = await client.start_workflow(
            TimesOutForWantOfTimeToRetry.run, id=workflow_id, task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    error = caught.value.cause
    assert isinstance(error, ActivityError)
    assert error.retry_state == RetryState.TIMEOUT
    await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskFailed "
        "WorkflowTask Failed",
        [TimesOutForWantOfTimeToRetry],
    )


async def test_an_attempt_that_timed_out_is_tried_again(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [SucceedsAfterATimeout], [hang_once]):
        handle = await client.start_workflow(
            SucceedsAfterATimeout.run, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == 2
    events = await assert_history(
        handle, "Started WorkflowTask Activity WorkflowTask Completed", [SucceedsAfterATimeout]
    )
    started = attributes(only(events, "ActivityTaskStarted"))
    assert started.last_failure.message == "activity StartToClose timeout"
