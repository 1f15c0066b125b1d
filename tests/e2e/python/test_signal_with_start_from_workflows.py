"""Workflows that signal others through the server's own Nexus endpoint, as the SDK does it."""

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner

from harness.sdk import assert_history, unique, worker

signal_with_start = getattr(workflow, "signal_with_start_workflow", None)
pytestmark = pytest.mark.skipif(signal_with_start is None, reason="of a newer SDK")


@workflow.defn
class Greets:
    def __init__(self) -> None:
        self.names: list[str] = []

    @workflow.signal
    def greet(self, name: str) -> None:
        self.names.append(name)

    @workflow.run
    async def run(self, greeting: str) -> str:
        await workflow.wait_condition(lambda: len(self.names) == 2)
        return f"{greeting} {' and '.join(self.names)}"


@workflow.defn
class Introduces:
    @workflow.run
    async def run(self, target: str, queue: str, name: str) -> str:
        handle = await signal_with_start(
            Greets.run, "hello", id=target, task_queue=queue, signal=Greets.greet, signal_args=name
        )
        return handle.run_id


async def test_workflows_start_another_or_signal_it(client: Client, queue: str):
    target = unique("target")
    async with worker(
        client, queue, [Greets, Introduces], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        run_ids = []
        for name in ["Ada", "Grace"]:
            introduced = await client.start_workflow(
                Introduces.run, args=[target, queue, name], id=unique(name), task_queue=queue
            )
            run_ids.append(await introduced.result())
            await assert_history(
                introduced,
                "Started WorkflowTask NexusOperationScheduled NexusOperationCompleted "
                "WorkflowTask Completed",
            )
        greeted = client.get_workflow_handle(target)
        assert await greeted.result() == "hello Ada and Grace"
        assert run_ids == [(await greeted.describe()).run_id] * 2
