"""A workflow with a cron schedule under the Python SDK, through a kill of its server."""

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus

from harness.history import attributes
from harness.sdk import unique, worker
from harness.server import Server
from harness.waiting import wait_for

pytestmark = pytest.mark.xdist_group("restart")


@workflow.defn
class CountsRuns:
    """Every run adds one to the result of the run before."""

    @workflow.run
    async def run(self) -> int:
        info = workflow.info()
        assert info.cron_schedule == "@every 1s"
        return 1 + (workflow.get_last_completion_result(int) or 0)


async def test_runs_hand_their_result_on_through_a_kill(tmp_path: Path):
    queue, workflow_id = unique("queue"), unique("workflow")
    with Server(db_filename=tmp_path / "server.db") as durable:
        client = await Client.connect(durable.address)
        first = await client.start_workflow(
            CountsRuns.run, id=workflow_id, task_queue=queue, cron_schedule="@every 1s"
        )
        runs: list[str] = []

        async def at_least(number: int) -> bool:
            current = (await client.get_workflow_handle(workflow_id).describe()).run_id
            if current not in runs:
                runs.append(current)
            return len(runs) >= number

        async with worker(client, queue, [CountsRuns]):
            await wait_for(lambda: at_least(3), "three runs")
            durable.restart_after_kill()
            await wait_for(lambda: at_least(5), "two more runs")
        for number, run_id in enumerate([first.first_execution_run_id, runs[1]], start=1):
            handle = client.get_workflow_handle(workflow_id, run_id=run_id)
            assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
            closed = attributes((await handle.fetch_history()).events[-1])
            assert client.data_converter.payload_converter.from_payloads(
                closed.result.payloads, [int]
            ) == [number]
        await client.get_workflow_handle(workflow_id).terminate()
