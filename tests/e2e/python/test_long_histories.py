"""Long histories at a worker that caches nothing: the SDK's core reads every page of them."""

import asyncio
import logging
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from harness.sdk import worker
from harness.server import Server

ROUNDS = 3
TIMERS = 1000


@workflow.defn
class SleepsInManyTimers:
    @workflow.run
    async def run(self) -> int:
        for _ in range(ROUNDS):
            moment = timedelta(milliseconds=1)
            await asyncio.gather(*(workflow.sleep(moment) for _ in range(TIMERS)))
        return workflow.info().get_current_history_length()


class Complaints(logging.Handler):
    """What the core logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage()[:200])


@pytest.mark.parametrize("cached", [0, 1000], ids=["without_cache", "with_cache"])
async def test_the_core_finds_every_event_of_a_long_history(
    server: Server, queue: str, workflow_id: str, cached: int
):
    complaints = Complaints()
    logger = logging.getLogger(workflow_id)
    logger.propagate = False
    logger.addHandler(complaints)
    logs = LoggingConfig(
        filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"),
        forwarding=LogForwardingConfig(logger),
    )
    client = await Client.connect(
        server.address, runtime=Runtime(telemetry=TelemetryConfig(logging=logs))
    )
    async with worker(client, queue, [SleepsInManyTimers], max_cached_workflows=cached):
        length = await client.execute_workflow(
            SleepsInManyTimers.run, id=workflow_id, task_queue=queue
        )
    assert length > 2 * ROUNDS * TIMERS
    assert complaints.texts == []
