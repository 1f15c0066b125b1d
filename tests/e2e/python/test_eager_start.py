"""Starters that are workers themselves and take the first workflow task with the answer."""

from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client

from harness.history import attributes
from harness.sdk import assert_history, worker


@workflow.defn
class Greets:
    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.sleep(timedelta(milliseconds=10))
        return f"hello {name}"


async def test_an_eager_start_needs_no_poll(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Greets]):
        handle = await client.start_workflow(
            Greets.run, "eager", id=workflow_id, task_queue=queue, request_eager_start=True
        )
        assert await handle.result() == "hello eager"
        assert handle.__temporal_eagerly_started
    events = await assert_history(
        handle,
        "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed",
        replay=[Greets],
    )
    assert attributes(events[0]).eager_execution_accepted
    assert attributes(events[2]).identity == attributes(events[0]).identity


async def test_a_delayed_start_is_not_eager(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Greets]):
        handle = await client.start_workflow(
            Greets.run,
            "later",
            id=workflow_id,
            task_queue=queue,
            request_eager_start=True,
            start_delay=timedelta(milliseconds=100),
        )
        assert await handle.result() == "hello later"
        assert not handle.__temporal_eagerly_started
    events = (await handle.fetch_history()).events
    assert not attributes(events[0]).eager_execution_accepted
