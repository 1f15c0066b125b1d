"""How runs end: cancelled, terminated, timed out, retried, continued as new."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import RetryState, WorkflowTaskFailedCause
from temporalio.client import (
    Client,
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from temporalio.service import RPCError, RPCStatusCode

from harness.gate import GATES
from harness.history import attributes, event_types, expected, only
from harness.sdk import (
    assert_history,
    history_of,
    patient_worker,
    unique,
    wait_for_event,
    wait_until_idle,
    worker,
)


@workflow.defn
class WaitsForEver:
    @workflow.run
    async def run(self, gate: str | None = None) -> None:
        if gate:
            GATES[gate].hold()
        await workflow.wait_condition(lambda: False)


@workflow.defn
class HandlesCancellation:
    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
            return "cleaned up"
        return "slept"


@workflow.defn
class CountsDown:
    @workflow.run
    async def run(self, number: int) -> str:
        if number > 0:
            workflow.continue_as_new(number - 1, memo={"left": number - 1})
        return f"first run {workflow.info().first_execution_run_id}"


@workflow.defn
class SucceedsAtTheThirdAttempt:
    @workflow.run
    async def run(self) -> int:
        attempt = workflow.info().attempt
        if attempt < 3:
            raise ApplicationError(f"attempt {attempt}")
        return attempt


@workflow.defn
class NotesPatience:
    @workflow.run
    async def run(self, non_retryable: bool) -> None:
        raise ApplicationError("always", type="Always", non_retryable=non_retryable)


async def test_an_unhandled_cancellation_cancels_the_run(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [WaitsForEver]):
        handle = await client.start_workflow(WaitsForEver.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        await handle.cancel(reason="no longer wanted")
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    events = await assert_history(
        handle, "Started WorkflowTask CancelRequested WorkflowTask Canceled", [WaitsForEver]
    )
    request = attributes(only(events, "WorkflowExecutionCancelRequested"))
    assert request.cause == "no longer wanted"
    assert (await handle.describe()).status == WorkflowExecutionStatus.CANCELED


async def test_a_workflow_may_handle_its_cancellation(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [HandlesCancellation]):
        handle = await client.start_workflow(
            HandlesCancellation.run, id=workflow_id, task_queue=queue
        )
        await wait_until_idle(handle)
        await handle.cancel()
        assert await handle.result() == "cleaned up"
    names = await history_of(handle)
    assert names[:9] == expected("Started WorkflowTask TimerStarted CancelRequested WorkflowTask")
    assert sorted(names[9:11]) == ["TimerCanceled", "TimerStarted"]
    assert names[11:] == expected("TimerFired WorkflowTask Completed")


async def test_cancelling_twice_asks_once_and_cancelling_a_closed_run_is_no_error(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(WaitsForEver.run, id=workflow_id, task_queue=queue)
    await handle.cancel()
    await handle.cancel()
    await assert_history(handle, "Started WorkflowTaskScheduled CancelRequested")
    async with worker(client, queue, [WaitsForEver]):
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    await handle.cancel()
    await assert_history(
        handle,
        "Started WorkflowTaskScheduled CancelRequested WorkflowTaskStarted "
        "WorkflowTaskCompleted Canceled",
        [WaitsForEver],
    )


async def test_terminating_needs_no_worker(client: Client, queue: str, workflow_id: str):
    handle = await client.start_workflow(WaitsForEver.run, id=workflow_id, task_queue=queue)
    await handle.terminate("a detail", reason="enough")
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, TerminatedError)
    assert str(caught.value.cause) == "enough"
    events = await assert_history(handle, "Started WorkflowTaskScheduled Terminated")
    terminated = attributes(events[-1])
    assert terminated.reason == "enough"
    assert terminated.details.payloads[0].data == b'"a detail"'
    with pytest.raises(RPCError) as again:
        await handle.terminate()
    assert again.value.status == RPCStatusCode.NOT_FOUND
    assert (await handle.describe()).status == WorkflowExecutionStatus.TERMINATED


async def test_terminating_during_a_workflow_task_fails_the_task_first(
    client: Client, queue: str, workflow_id: str
):
    gate = unique("gate")
    async with patient_worker(client, queue, [WaitsForEver]):
        handle = await client.start_workflow(
            WaitsForEver.run, gate, id=workflow_id, task_queue=queue
        )
        await GATES[gate].reached()
        await handle.signal("ignored")
        await handle.terminate()
        GATES[gate].open()
    events = await assert_history(
        handle,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed Signaled Terminated",
    )
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND
    assert attributes(events[3]).cause == cause


@pytest.mark.parametrize("which", ["run_timeout", "execution_timeout"])
async def test_a_workflow_times_out(client: Client, queue: str, workflow_id: str, which: str):
    async with worker(client, queue, [WaitsForEver]):
        handle = await client.start_workflow(
            WaitsForEver.run, id=workflow_id, task_queue=queue, **{which: timedelta(seconds=1)}
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, TimeoutError)
    assert caught.value.cause.type == TimeoutType.START_TO_CLOSE
    events = await assert_history(handle, "Started WorkflowTask TimedOut", [WaitsForEver])
    started, timed_out = events[0], events[-1]
    waited = timed_out.event_time.ToNanoseconds() - started.event_time.ToNanoseconds()
    # The end of an execution is kept in whole milliseconds, as in the reference.
    assert waited >= 999_000_000
    assert (await handle.describe()).status == WorkflowExecutionStatus.TIMED_OUT


async def test_a_run_timeout_with_a_retry_policy_starts_another_attempt(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(
        WaitsForEver.run,
        id=workflow_id,
        task_queue=queue,
        run_timeout=timedelta(seconds=1),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=2),
    )
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, TimeoutError)
    first = client.get_workflow_handle(workflow_id, run_id=handle.first_execution_run_id)
    events = (await first.fetch_history()).events
    timed_out = attributes(events[-1])
    assert timed_out.retry_state == RetryState.RETRY_STATE_IN_PROGRESS
    second = client.get_workflow_handle(workflow_id, run_id=timed_out.new_execution_run_id)
    events = (await second.fetch_history()).events
    assert attributes(events[0]).attempt == 2
    last = attributes(events[-1])
    assert last.retry_state == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED


async def test_the_execution_timeout_spans_all_attempts(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [NotesPatience]):
        handle = await client.start_workflow(
            NotesPatience.run,
            False,
            id=workflow_id,
            task_queue=queue,
            execution_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=200), backoff_coefficient=1.0
            ),
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, (ApplicationError, TimeoutError))
    last = (await client.get_workflow_handle(workflow_id).fetch_history()).events[-1]
    assert attributes(last).retry_state == RetryState.RETRY_STATE_TIMEOUT


async def test_continue_as_new_chains_runs_and_result_follows_them(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [CountsDown]):
        handle = await client.start_workflow(
            CountsDown.run, 2, id=workflow_id, task_queue=queue, memo={"left": 2}
        )
        assert await handle.result() == f"first run {handle.first_execution_run_id}"
        first = client.get_workflow_handle(workflow_id, run_id=handle.first_execution_run_id)
        with pytest.raises(WorkflowContinuedAsNewError) as caught:
            await first.result(follow_runs=False)
    events = await assert_history(first, "Started WorkflowTask ContinuedAsNew", [CountsDown])
    second_run = attributes(events[-1]).new_execution_run_id
    assert caught.value.new_execution_run_id == second_run
    second = client.get_workflow_handle(workflow_id, run_id=second_run)
    events = await assert_history(second, "Started WorkflowTask ContinuedAsNew", [CountsDown])
    started = attributes(events[0])
    assert started.continued_execution_run_id == handle.first_execution_run_id
    assert started.first_execution_run_id == handle.first_execution_run_id
    assert started.memo.fields["left"].data == b"1"
    third = client.get_workflow_handle(
        workflow_id, run_id=attributes(events[-1]).new_execution_run_id
    )
    await assert_history(third, "Started WorkflowTask Completed", [CountsDown])
    assert (await first.describe()).status == WorkflowExecutionStatus.CONTINUED_AS_NEW


async def test_a_failing_workflow_retries_as_its_policy_says(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [SucceedsAtTheThirdAttempt]):
        handle = await client.start_workflow(
            SucceedsAtTheThirdAttempt.run,
            id=workflow_id,
            task_queue=queue,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20)),
        )
        assert await handle.result() == 3
    run_id, attempts = handle.first_execution_run_id, []
    while run_id:
        run = client.get_workflow_handle(workflow_id, run_id=run_id)
        events = (await run.fetch_history()).events
        started, last = attributes(events[0]), attributes(events[-1])
        attempts.append(started.attempt)
        ending = "Completed" if started.attempt == 3 else "Failed"
        assert event_types(events) == expected(f"Started WorkflowTask {ending}")
        assert started.first_execution_run_id == handle.first_execution_run_id
        if started.attempt > 1:
            previous = f"attempt {started.attempt - 1}"
            assert started.continued_failure.message == previous
        run_id = last.new_execution_run_id
    assert attempts == [1, 2, 3]


@pytest.mark.parametrize(
    ("policy", "non_retryable", "state"),
    [
        (None, False, RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET),
        (RetryPolicy(), True, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE),
        (
            RetryPolicy(non_retryable_error_types=["Always"]),
            False,
            RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
        ),
        (
            RetryPolicy(maximum_attempts=1),
            False,
            RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
        ),
    ],
    ids=["no_policy", "non_retryable", "listed_type", "one_attempt"],
)
async def test_a_workflow_that_may_not_retry_fails(
    client: Client,
    queue: str,
    workflow_id: str,
    policy: RetryPolicy | None,
    non_retryable: bool,
    state: int,
):
    async with worker(client, queue, [NotesPatience]):
        handle = await client.start_workflow(
            NotesPatience.run,
            non_retryable,
            id=workflow_id,
            task_queue=queue,
            retry_policy=policy,
        )
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    events = await assert_history(handle, "Started WorkflowTask Failed", [NotesPatience])
    assert attributes(events[-1]).retry_state == state
    assert attributes(events[-1]).new_execution_run_id == ""


async def test_a_start_delay_holds_back_the_first_workflow_task(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(
        CountsDown.run,
        0,
        id=workflow_id,
        task_queue=queue,
        start_delay=timedelta(milliseconds=600),
    )
    await handle.signal("early")
    await assert_history(handle, "Started Signaled")
    async with worker(client, queue, [CountsDown]):
        await handle.result()
    events = await assert_history(handle, "Started Signaled WorkflowTask Completed", [CountsDown])
    assert attributes(events[0]).first_workflow_task_backoff.ToMilliseconds() == 600
    scheduled = only(events, "WorkflowTaskScheduled")
    waited = scheduled.event_time.ToNanoseconds() - events[0].event_time.ToNanoseconds()
    assert waited >= 600_000_000


async def test_result_waits_across_a_long_poll_of_a_slow_run(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(CountsDown.run, 1, id=workflow_id, task_queue=queue)
    waiting = [asyncio.create_task(handle.result()) for _ in range(5)]
    await asyncio.sleep(0)
    async with worker(client, queue, [CountsDown]):
        results = await asyncio.gather(*waiting)
    assert results == [f"first run {handle.first_execution_run_id}"] * 5
    await wait_for_event(handle, "WorkflowExecutionCompleted")
