"""Heartbeats, what they carry to the next attempt, cancellation, and completion from outside."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import (
    AsyncActivityCancelledError,
    Client,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.workflow import ActivityCancellationType

from harness.history import attributes, only
from harness.sdk import assert_history, wait_for_event, worker
from harness.waiting import wait_for

TOKENS: dict[str, bytes] = {}
EAGER_HEARTBEATS = {"max_heartbeat_throttle_interval": timedelta(milliseconds=50)}


@activity.defn
async def resume_from_heartbeat() -> list:
    info = activity.info()
    if info.attempt == 1:
        activity.heartbeat("reached", 5)
        raise ApplicationError("crash")
    return [info.attempt, *info.heartbeat_details]


@activity.defn
async def beat_until_cancelled(how_to_end: str) -> str:
    try:
        while True:
            activity.heartbeat("busy")
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        if how_to_end == "cancelled":
            raise
        if how_to_end == "failed":
            raise ApplicationError("failed while cancelling", non_retryable=True) from None
        return "finished anyway"


@activity.defn
async def complete_from_outside() -> str:
    info = activity.info()
    TOKENS[info.workflow_id] = info.task_token
    activity.raise_complete_async()


@workflow.defn
class Resumes:
    @workflow.run
    async def run(self) -> list:
        return await workflow.execute_activity(
            resume_from_heartbeat,
            start_to_close_timeout=timedelta(seconds=10),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20)),
        )


@workflow.defn
class Cancels:
    """Cancels its activity when it is cancelled itself, and tells how the activity ended."""

    @workflow.run
    async def run(self, how_to_end: str, kind: int, other_queue: str | None) -> str:
        try:
            return await workflow.execute_activity(
                beat_until_cancelled,
                how_to_end,
                activity_id="busy",
                task_queue=other_queue,
                start_to_close_timeout=timedelta(seconds=30),
                heartbeat_timeout=timedelta(seconds=5),
                cancellation_type=ActivityCancellationType(kind),
            )
        except ActivityError as error:
            return type(error.cause).__name__


@workflow.defn
class WaitsForOutside:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            complete_from_outside,
            activity_id="outside",
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


async def wait_until_activity_started(handle: WorkflowHandle) -> None:
    async def started() -> bool:
        description = (await handle.describe()).raw_description
        return any(
            pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            for pending in description.pending_activities
        )

    await wait_for(started, "an activity that a worker started")


async def test_the_next_attempt_gets_the_details_of_the_last_heartbeat(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Resumes], [resume_from_heartbeat]):
        handle = await client.start_workflow(Resumes.run, id=workflow_id, task_queue=queue)
        assert await handle.result() == [2, "reached", 5]
    await assert_history(handle, "Started WorkflowTask Activity WorkflowTask Completed", [Resumes])


@pytest.mark.parametrize(
    ("how_to_end", "result", "event"),
    [
        ("cancelled", "CancelledError", "ActivityTaskCanceled"),
        ("completed", "finished anyway", "ActivityTaskCompleted"),
        ("failed", "ApplicationError", "ActivityTaskFailed"),
    ],
)
async def test_wait_cancellation_completed_waits_for_whatever_the_activity_does(
    client: Client, queue: str, workflow_id: str, how_to_end: str, result: str, event: str
):
    kind = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    async with worker(client, queue, [Cancels], [beat_until_cancelled], **EAGER_HEARTBEATS):
        handle = await client.start_workflow(
            Cancels.run, args=[how_to_end, kind, None], id=workflow_id, task_queue=queue
        )
        await wait_until_activity_started(handle)
        await handle.cancel()
        assert await handle.result() == result
    await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled CancelRequested WorkflowTask "
        f"ActivityTaskCancelRequested ActivityTaskStarted {event} WorkflowTask Completed",
        [Cancels],
    )


async def test_try_cancel_does_not_wait_for_the_activity(
    client: Client, queue: str, workflow_id: str
):
    kind = ActivityCancellationType.TRY_CANCEL
    async with worker(client, queue, [Cancels], [beat_until_cancelled], **EAGER_HEARTBEATS):
        handle = await client.start_workflow(
            Cancels.run, args=["cancelled", kind, None], id=workflow_id, task_queue=queue
        )
        await wait_until_activity_started(handle)
        await handle.cancel()
        assert await handle.result() == "CancelledError"
    await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled CancelRequested WorkflowTask "
        "ActivityTaskCancelRequested Completed",
        [Cancels],
    )


async def test_abandon_leaves_the_activity_alone(client: Client, queue: str, workflow_id: str):
    kind = ActivityCancellationType.ABANDON
    async with worker(client, queue, [Cancels]):
        handle = await client.start_workflow(
            Cancels.run, args=["cancelled", kind, queue + "-x"], id=workflow_id, task_queue=queue
        )
        await wait_for_event(handle, "ActivityTaskScheduled")
        await handle.cancel()
        assert await handle.result() == "CancelledError"
    await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled CancelRequested WorkflowTask Completed",
        [Cancels],
    )


async def test_an_activity_that_nobody_started_is_cancelled_at_once(
    client: Client, queue: str, workflow_id: str
):
    kind = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    async with worker(client, queue, [Cancels]):
        handle = await client.start_workflow(
            Cancels.run, args=["cancelled", kind, queue + "-x"], id=workflow_id, task_queue=queue
        )
        await wait_for_event(handle, "ActivityTaskScheduled")
        await handle.cancel()
        assert await handle.result() == "CancelledError"
    events = await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled CancelRequested WorkflowTask "
        "ActivityTaskCancelRequested ActivityTaskCanceled WorkflowTask Completed",
        [Cancels],
    )
    canceled = attributes(only(events, "ActivityTaskCanceled"))
    assert canceled.started_event_id == 0
    assert canceled.details.payloads[0].data == b'"ACTIVITY_ID_NOT_STARTED"'


def outside_handle(client: Client, workflow_id: str, by: str):
    if by == "token":
        return client.get_async_activity_handle(task_token=TOKENS[workflow_id])
    return client.get_async_activity_handle(
        workflow_id=workflow_id, run_id=None, activity_id="outside"
    )


@pytest.mark.parametrize("by", ["token", "id"])
async def test_an_activity_is_completed_from_outside(
    client: Client, queue: str, workflow_id: str, by: str
):
    async with worker(client, queue, [WaitsForOutside], [complete_from_outside]):
        handle = await client.start_workflow(WaitsForOutside.run, id=workflow_id, task_queue=queue)
        await wait_for(lambda: workflow_id in TOKENS, "the activity's token")
        await outside_handle(client, workflow_id, by).complete("from outside")
        assert await handle.result() == "from outside"
        with pytest.raises(RPCError) as caught:
            await outside_handle(client, workflow_id, by).complete("twice")
        assert caught.value.status == RPCStatusCode.NOT_FOUND
    await assert_history(
        handle, "Started WorkflowTask Activity WorkflowTask Completed", [WaitsForOutside]
    )


@pytest.mark.parametrize("by", ["token", "id"])
async def test_an_activity_is_failed_from_outside(
    client: Client, queue: str, workflow_id: str, by: str
):
    async with worker(client, queue, [WaitsForOutside], [complete_from_outside]):
        handle = await client.start_workflow(WaitsForOutside.run, id=workflow_id, task_queue=queue)
        await wait_for(lambda: workflow_id in TOKENS, "the activity's token")
        await outside_handle(client, workflow_id, by).fail(ApplicationError("outside", type="O"))
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert caught.value.cause.cause.type == "O"
    await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskFailed "
        "WorkflowTask Failed",
        [WaitsForOutside],
    )


@pytest.mark.parametrize("by", ["token", "id"])
async def test_a_heartbeat_from_outside_learns_of_the_cancellation(
    client: Client, queue: str, workflow_id: str, by: str
):
    async with worker(client, queue, [WaitsForOutside], [complete_from_outside]):
        handle = await client.start_workflow(WaitsForOutside.run, id=workflow_id, task_queue=queue)
        await wait_for(lambda: workflow_id in TOKENS, "the activity's token")
        outside = outside_handle(client, workflow_id, by)
        await outside.heartbeat("still there")
        description = (await handle.describe()).raw_description
        details = description.pending_activities[0].heartbeat_details.payloads[0].data
        assert details == b'"still there"'
        await handle.cancel()
        await wait_for_event(handle, "ActivityTaskCancelRequested")
        with pytest.raises(AsyncActivityCancelledError):
            await outside.heartbeat()
        await outside.report_cancellation("stopped")
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, CancelledError)
    await assert_history(
        handle,
        "Started WorkflowTask ActivityTaskScheduled CancelRequested WorkflowTask "
        "ActivityTaskCancelRequested ActivityTaskStarted ActivityTaskCanceled WorkflowTask "
        "Canceled",
        [WaitsForOutside],
    )


async def test_cancelling_an_activity_from_outside_needs_a_request(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [WaitsForOutside], [complete_from_outside]):
        handle = await client.start_workflow(WaitsForOutside.run, id=workflow_id, task_queue=queue)
        await wait_for(lambda: workflow_id in TOKENS, "the activity's token")
        outside = outside_handle(client, workflow_id, "token")
        with pytest.raises(RPCError) as caught:
            await outside.report_cancellation()
        assert caught.value.status == RPCStatusCode.INVALID_ARGUMENT
        await outside.complete("done")
        assert await handle.result() == "done"
