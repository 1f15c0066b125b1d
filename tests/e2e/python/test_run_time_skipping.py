"""Runs whose own time passes over what they would only wait for: an experiment of the API."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import workflow
from temporalio.api.common.v1 import (
    FastForwardConfig,
    Payloads,
    TimeSkippingConfig,
    WorkflowExecution,
    WorkflowType,
)
from temporalio.api.enums.v1 import FastForwardPollingResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    PollWorkflowExecutionTimeSkippingRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import TimeoutError
from temporalio.service import RPCError, RPCStatusCode

from harness.history import attributes, only
from harness.sdk import assert_history, history_of, unique, worker
from harness.server import Server, executable
from harness.waiting import wait_for

SWITCH = ("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")
HOUR = 3600
AT_ONCE_SECONDS = 10.0
"""Far below what is skipped; the reference takes a second for each skip."""


@pytest.fixture(scope="module")
def skipping_server() -> Iterator[Server]:
    with Server(arguments=SWITCH) as running:
        yield running


@pytest.fixture(scope="module")
async def skipping(skipping_server: Server) -> AsyncIterator[Client]:
    yield await Client.connect(skipping_server.address)


async def start(
    client: Client, queue: str, kind: type, argument: object, config: TimeSkippingConfig, **more
) -> WorkflowHandle:
    """Starts a workflow with a configuration that the SDK has no word for yet."""
    workflow_id = unique("workflow")
    await client.workflow_service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=kind.__name__),
            task_queue=TaskQueue(name=queue),
            input=Payloads(payloads=await client.data_converter.encode([argument])),
            request_id=unique("request"),
            time_skipping_config=config,
            **more,
        )
    )
    return client.get_workflow_handle(workflow_id)


async def time_of(client: Client, handle: WorkflowHandle):
    """What a description says of the run's time."""
    described = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(
            namespace="default", execution=WorkflowExecution(workflow_id=handle.id)
        )
    )
    return described.workflow_extended_info.time_skipping_info


async def poll(client: Client, workflow_id: str, fast_forward: str):
    return await client.workflow_service.poll_workflow_execution_time_skipping(
        PollWorkflowExecutionTimeSkippingRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            fast_forward_id=fast_forward,
        )
    )


def enabled(**more) -> TimeSkippingConfig:
    return TimeSkippingConfig(enabled=True, **more)


def fast_forward(seconds: int, name: str = "there") -> FastForwardConfig:
    return FastForwardConfig(id=name, duration=Duration(seconds=seconds))


@workflow.defn
class Naps:
    @workflow.run
    async def run(self, seconds: float) -> str:
        before = workflow.now()
        await asyncio.sleep(seconds)
        assert workflow.now() - before >= timedelta(seconds=seconds)
        return "rested"


@workflow.defn
class HasAChild:
    @workflow.run
    async def run(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return await workflow.execute_child_workflow(
            Naps.run, seconds, id=f"{workflow.info().workflow_id}-child"
        )


@workflow.defn
class WaitsForever:
    @workflow.run
    async def run(self, _: None) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn
class Repeats:
    @workflow.run
    async def run(self, times: int) -> str:
        await asyncio.sleep(HOUR)
        if times > 1:
            workflow.continue_as_new(times - 1)
        return "done"


async def test_a_server_refuses_it_unless_told_otherwise(client: Client, queue: str):
    with pytest.raises(RPCError) as refused:
        await start(client, queue, Naps, 1.0, enabled())
    assert refused.value.status == RPCStatusCode.UNIMPLEMENTED
    text = "The Time-Skipping feature is not enabled for namespace."
    assert refused.value.message == text
    with pytest.raises(RPCError) as refused:
        await poll(client, "any", "there")
    assert (refused.value.status, refused.value.message) == (RPCStatusCode.UNIMPLEMENTED, text)


async def test_an_hour_passes_at_once(skipping: Client, queue: str):
    async with worker(skipping, queue, [Naps]):
        started = time.monotonic()
        handle = await start(skipping, queue, Naps, float(HOUR), enabled())
        assert await handle.result() == "rested"
        assert time.monotonic() - started < AT_ONCE_SECONDS
        events = await assert_history(
            handle,
            "Started WorkflowTask TimerStarted WorkflowExecutionTimeSkippingTransitioned "
            "TimerFired WorkflowTask Completed",
        )
        skip = only(events, "WorkflowExecutionTimeSkippingTransitioned")
        timer = only(events, "TimerStarted").event_time.ToDatetime()
        assert skip.worker_may_ignore
        assert attributes(skip).target_time.ToDatetime() == timer + timedelta(hours=1)
        assert not attributes(skip).disabled_after_fast_forward
        assert events[-1].event_time.ToDatetime() - timer >= timedelta(hours=1)
        begun = attributes(events[0])
        assert begun.time_skipping_config == enabled(max_session_skip_count=200)
        info = await time_of(skipping, handle)
        assert info.effective_config == enabled(max_session_skip_count=200)
        assert info.current_time.ToDatetime() >= events[-1].event_time.ToDatetime()


async def test_a_fast_forward_ends_where_it_leads(skipping: Client, queue: str):
    async with worker(skipping, queue, [Naps]):
        config = enabled(fast_forward_config=fast_forward(HOUR))
        handle = await start(skipping, queue, Naps, 2.0 * HOUR, config)
        polled = await poll(skipping, handle.id, "there")
        assert (
            polled.fast_forward_polling_result
            == FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED
        )
        assert polled.fast_forward_info.has_completed
        assert polled.fast_forward_info.fast_forward_duration.seconds == HOUR
        events = await assert_history(
            handle,
            "Started WorkflowTask TimerStarted WorkflowExecutionTimeSkippingTransitioned",
        )
        skip = attributes(events[-1])
        assert skip.disabled_after_fast_forward
        begun = events[0].event_time.ToDatetime()
        missed = skip.target_time.ToDatetime() - begun - timedelta(hours=1)
        assert abs(missed) < timedelta(seconds=1)
        assert polled.fast_forward_info.target_time == skip.target_time
        info = await time_of(skipping, handle)
        assert not info.effective_config.enabled
        assert info.effective_config.fast_forward_config == fast_forward(HOUR)
        # The reference's release does not describe it yet.
        shown = info.fast_forward_info == polled.fast_forward_info
        assert shown or "longtide" not in executable()
        other = await poll(skipping, handle.id, "elsewhere")
        assert (
            other.fast_forward_polling_result
            == FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED
        )
        assert other.failed_reason == (
            "the requested fast_forward_id does not match the execution's current fast-forward"
        )
        await handle.terminate()


async def test_other_options_let_time_skip_again(skipping: Client, queue: str):
    async with worker(skipping, queue, [Naps]):
        config = enabled(fast_forward_config=fast_forward(HOUR))
        handle = await start(skipping, queue, Naps, 2.0 * HOUR, config)
        await poll(skipping, handle.id, "there")
        updated = await skipping.workflow_service.update_workflow_execution_options(
            UpdateWorkflowExecutionOptionsRequest(
                namespace="default",
                workflow_execution=WorkflowExecution(workflow_id=handle.id),
                workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=enabled()),
                update_mask=FieldMask(paths=["time_skipping_config"]),
            )
        )
        now = enabled(max_session_skip_count=200)
        assert updated.workflow_execution_options.time_skipping_config == now
        assert await handle.result() == "rested"
        skip = "WorkflowExecutionTimeSkippingTransitioned"
        events = await assert_history(
            handle,
            f"Started WorkflowTask TimerStarted {skip} WorkflowExecutionOptionsUpdated {skip} "
            "TimerFired WorkflowTask Completed",
        )
        changed = attributes(only(events, "WorkflowExecutionOptionsUpdated"))
        assert changed.time_skipping_config_updated
        assert changed.time_skipping_config == now


async def test_a_poll_learns_that_the_execution_has_ended(skipping: Client, queue: str):
    async with worker(skipping, queue, [Naps]):
        config = enabled(fast_forward_config=fast_forward(5 * HOUR))
        handle = await start(skipping, queue, Naps, 1.0, config)
        assert await handle.result() == "rested"
        polled = await poll(skipping, handle.id, "there")
        assert polled.failed_reason == "the execution ended before the fast-forward completed"
        assert not polled.fast_forward_info.has_completed


async def test_a_child_lives_in_the_time_of_its_parent(skipping: Client, queue: str):
    async with worker(skipping, queue, [HasAChild, Naps]):
        handle = await start(skipping, queue, HasAChild, float(HOUR), enabled())
        assert await handle.result() == "rested"
        skip = "WorkflowExecutionTimeSkippingTransitioned"
        events = await assert_history(
            handle,
            f"Started WorkflowTask TimerStarted {skip} TimerFired WorkflowTask "
            "StartChildWorkflowExecutionInitiated ChildWorkflowExecutionStarted WorkflowTask "
            "ChildWorkflowExecutionCompleted WorkflowTask Completed",
        )
        initiated = attributes(only(events, "StartChildWorkflowExecutionInitiated"))
        ahead = initiated.time_skipping_state_propagation.initial_skipped_duration
        assert abs(ahead.ToTimedelta() - timedelta(hours=1)) < timedelta(seconds=5)
        child = skipping.get_workflow_handle(f"{handle.id}-child")
        events = await assert_history(
            child, f"Started WorkflowTask TimerStarted {skip} TimerFired WorkflowTask Completed"
        )
        begun = attributes(events[0])
        assert begun.time_skipping_config == enabled(max_session_skip_count=200)
        assert begun.time_skipping_state_propagation.initial_skipped_duration == ahead


async def test_a_chain_counts_its_skips_together(skipping: Client, queue: str):
    async with worker(skipping, queue, [Repeats]):
        config = enabled(max_session_skip_count=2)
        handle = await start(skipping, queue, Repeats, 3, config)

        async def sleeps() -> bool:
            return (await history_of(handle))[-1] == "TimerStarted"

        await wait_for(sleeps, "the third run, which does not skip")
        begun = attributes((await handle.fetch_history()).events[0])
        assert begun.continued_execution_run_id
        assert not (await time_of(skipping, handle)).effective_config.enabled
        await handle.terminate()


async def test_a_run_that_waits_for_nothing_times_out(skipping: Client, queue: str):
    async with worker(skipping, queue, [WaitsForever]):
        handle = await start(
            skipping,
            queue,
            WaitsForever,
            None,
            enabled(),
            workflow_run_timeout=Duration(seconds=HOUR),
        )
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        assert isinstance(failed.value.cause, TimeoutError)
        await assert_history(
            handle, "Started WorkflowTask WorkflowExecutionTimeSkippingTransitioned TimedOut"
        )


async def test_a_delay_is_passed_over(skipping: Client, queue: str):
    async with worker(skipping, queue, [Repeats]):
        handle = await start(
            skipping, queue, Repeats, 1, enabled(), workflow_start_delay=Duration(seconds=HOUR)
        )
        assert await handle.result() == "done"
        skip = "WorkflowExecutionTimeSkippingTransitioned"
        await assert_history(
            handle,
            f"Started {skip} WorkflowTask TimerStarted {skip} TimerFired WorkflowTask Completed",
        )


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            enabled(fast_forward_config=FastForwardConfig(id="there")),
            "Time skipping config invalid: fast_forward duration must be positive",
        ),
        (
            enabled(fast_forward_config=fast_forward(1, "  ")),
            "Time skipping config invalid: fast_forward_id must be set",
        ),
        (
            TimeSkippingConfig(fast_forward_config=fast_forward(1)),
            "time_skipping_config: cannot set fast_forward when enabled is false",
        ),
    ],
)
async def test_a_configuration_is_checked(
    skipping: Client, queue: str, config: TimeSkippingConfig, text: str
):
    with pytest.raises(RPCError) as refused:
        await start(skipping, queue, Naps, 1.0, config)
    assert (refused.value.status, refused.value.message) == (RPCStatusCode.INVALID_ARGUMENT, text)


async def test_a_poll_is_checked(skipping: Client):
    with pytest.raises(RPCError) as refused:
        await poll(skipping, "nobody", " ")
    assert refused.value.message == "Time skipping config invalid: fast_forward_id must be set"
    with pytest.raises(RPCError) as refused:
        await poll(skipping, "nobody", "there")
    assert refused.value.status == RPCStatusCode.NOT_FOUND
    assert refused.value.message == "workflow not found for ID: nobody"
    with pytest.raises(RPCError) as refused:
        await poll(skipping, "", "there")
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_run_s_time_survives_a_crash(tmp_path: Path, queue: str):
    with Server(db_filename=tmp_path / "data", arguments=SWITCH) as server:
        client = await Client.connect(server.address)
        async with worker(client, queue, [Naps]):
            config = enabled(fast_forward_config=fast_forward(HOUR))
            handle = await start(client, queue, Naps, HOUR + 4.0, config)

            async def skipped() -> bool:
                return "WorkflowExecutionTimeSkippingTransitioned" in await history_of(handle)

            await wait_for(skipped, "the skip")
        before = await time_of(client, handle)
        server.restart_after_kill()
        client = await Client.connect(server.address)
        handle = client.get_workflow_handle(handle.id)
        after = await time_of(client, handle)
        assert after.fast_forward_info == before.fast_forward_info
        assert after.current_time.ToDatetime() >= before.current_time.ToDatetime()
        async with worker(client, queue, [Naps]):
            started = time.monotonic()
            assert await handle.result() == "rested"
            assert time.monotonic() - started < AT_ONCE_SECONDS
