"""Workers of the SDK that tell what they are and do."""

from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.workflowservice.v1 import ListWorkersRequest
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

from harness.sdk import worker
from harness.server import Server
from harness.waiting import wait_for

RUNTIMES: list[Runtime] = []
"""A runtime has threads of its own: one for all tests."""


@workflow.defn
class Idle:
    @workflow.run
    async def run(self) -> None:
        pass


@pytest.fixture
async def beating(server: Server) -> Client:
    """A client whose workers send a heartbeat every second."""
    if not RUNTIMES:
        RUNTIMES.append(
            Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
        )
    return await Client.connect(server.address, runtime=RUNTIMES[0], identity="beating")


async def workers_of(client: Client, queue: str, status: int):
    found = await client.workflow_service.list_workers(
        ListWorkersRequest(namespace="default", query=f"TaskQueue = '{queue}'", page_size=100)
    )
    return [info for info in found.workers if info.status == status]


async def test_a_worker_is_listed_while_it_runs_and_says_when_it_goes(
    beating: Client, queue: str, workflow_id: str
):
    running = WorkerStatus.WORKER_STATUS_RUNNING
    async with worker(beating, queue, [Idle]):
        [info] = await wait_for(lambda: workers_of(beating, queue, running), "the worker")
        assert info.worker_identity == "beating"
        assert info.sdk_name == "temporal-python"
        assert info.worker_grouping_key and info.worker_instance_key
        await beating.execute_workflow(Idle.run, id=workflow_id, task_queue=queue)
    leaving = WorkerStatus.WORKER_STATUS_SHUTTING_DOWN
    [left] = await wait_for(lambda: workers_of(beating, queue, leaving), "its last word")
    assert left.worker_instance_key == info.worker_instance_key
