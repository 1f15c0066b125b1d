"""A workflow with an activity, and its run from start to end."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client

from harness.sdk import unique, worker


@activity.defn
async def greet(name: str) -> str:
    return f"hello {name}"


@workflow.defn
class Greets:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            greet, name, start_to_close_timeout=timedelta(seconds=10)
        )


async def runs_a_workflow(client: Client, starter: Client | None = None) -> None:
    """A worker of `client` carries out what `starter` (or the same) starts."""
    queue = unique("queue")
    async with worker(client, queue, [Greets], [greet]):
        result = await (starter or client).execute_workflow(
            Greets.run, "you", id=unique("greets"), task_queue=queue
        )
    assert result == "hello you"
