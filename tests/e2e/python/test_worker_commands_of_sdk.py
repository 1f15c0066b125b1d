"""Activities without heartbeats that learn at once that they are to stop."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import TaskQueueKind, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, ListWorkersRequest
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

from harness.history import attributes, only
from harness.sdk import wait_for_event, worker
from harness.server import Server
from harness.waiting import wait_for

SWITCHED_ON = (
    "--dynamic-config-value",
    "frontend.WorkerCommandsEnabled=true",
    "--dynamic-config-value",
    "system.enableCancelActivityWorkerCommand=true",
)
RUNNING: dict[str, float] = {}
STOPPED: dict[str, float] = {}


@activity.defn
async def sleeps_without_a_heartbeat() -> None:
    key = activity.info().workflow_id
    RUNNING[key] = time.monotonic()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        STOPPED[key] = time.monotonic()
        raise


@workflow.defn
class CancelsItsActivity:
    def __init__(self) -> None:
        self.stop = False

    @workflow.run
    async def run(self) -> str:
        handle = workflow.start_activity(
            sleeps_without_a_heartbeat,
            start_to_close_timeout=timedelta(seconds=90),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self.stop)
        handle.cancel()
        try:
            await handle
        except Exception as error:
            return type(error.__cause__ or error).__name__
        return "completed"

    @workflow.signal
    def enough(self) -> None:
        self.stop = True


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    """Workers take commands when the server says so and they send heartbeats."""
    with Server(arguments=SWITCHED_ON) as server:
        interval = timedelta(seconds=1)
        runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=interval)
        yield await Client.connect(server.address, runtime=runtime)


async def takes_commands(client: Client, queue: str) -> bool:
    """True once the worker polls at its queue for commands."""
    service = client.workflow_service
    found = await service.list_workers(
        ListWorkersRequest(namespace="default", query=f"TaskQueue = '{queue}'", page_size=1)
    )
    if not found.workers:
        return False
    key = found.workers[0].worker_grouping_key
    control = TaskQueue(
        name=f"temporal-sys/worker-commands/default/{key}",
        kind=TaskQueueKind.TASK_QUEUE_KIND_WORKER_COMMANDS,
    )
    described = await service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace="default",
            task_queue=control,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_NEXUS,
        )
    )
    return bool(described.pollers)


async def started(client: Client, queue: str, workflow_id: str):
    """A run whose activity is held by a worker that takes commands."""
    handle = await client.start_workflow(CancelsItsActivity.run, id=workflow_id, task_queue=queue)
    await wait_for(lambda: workflow_id in RUNNING, "the activity runs")
    return handle


async def test_a_cancelled_activity_is_told_without_a_heartbeat(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [CancelsItsActivity], [sleeps_without_a_heartbeat]):
        await wait_for(lambda: takes_commands(client, queue), "a poll for commands")
        handle = await started(client, queue, workflow_id)
        await handle.signal(CancelsItsActivity.enough)
        assert await asyncio.wait_for(handle.result(), 20) == "CancelledError"
    assert workflow_id in STOPPED
    events = (await handle.fetch_history()).events
    assert attributes(only(events, "ActivityTaskCanceled")).identity


async def test_an_activity_of_a_terminated_workflow_is_stopped(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [CancelsItsActivity], [sleeps_without_a_heartbeat]):
        await wait_for(lambda: takes_commands(client, queue), "a poll for commands")
        handle = await started(client, queue, workflow_id)
        await handle.terminate()
        await wait_for_event(handle, "WorkflowExecutionTerminated")
        await wait_for(lambda: workflow_id in STOPPED, "the activity was told")
