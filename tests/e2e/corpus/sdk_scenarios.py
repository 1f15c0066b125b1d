"""Runs driven by the Python SDK, as users have them."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import Priority, RetryPolicy, SearchAttributePair, TypedSearchAttributes

from corpus import workflows
from harness.sdk import unique, wait_for_event, wait_until_idle, worker

Named = tuple[str, WorkflowExecution]


async def play(client: Client) -> AsyncIterator[Named]:
    """Plays one scenario after another and gives each run with its name."""
    queue = unique("queue")
    async with worker(
        client, queue, workflows.WORKFLOWS, workflows.ACTIVITIES, max_cached_workflows=50
    ):
        for scenario in (_closed, _open, _chains):
            async for named in scenario(client, queue):
                yield named
    # A worker that keeps no runs: every workflow task starts from the first event.
    queue = unique("queue")
    async with worker(
        client, queue, workflows.WORKFLOWS, workflows.ACTIVITIES, max_cached_workflows=0
    ):
        handle = await _start(client, queue, workflows.Activities.run)
        await handle.result()
        yield "activities_without_sticky_queue", _run(handle)


async def _closed(client: Client, queue: str) -> AsyncIterator[Named]:
    handle = await _start(
        client,
        queue,
        workflows.Empty.run,
        static_summary="does nothing",
        static_details="and does it well",
        memo={"who": "corpus"},
        search_attributes=TypedSearchAttributes([SearchAttributePair(workflows.KEYWORD, "k")]),
        priority=Priority(priority_key=2),
    )
    await handle.result()
    yield "empty_with_metadata", _run(handle)

    simple = {"activities": workflows.Activities.run, "markers": workflows.Marks.run}
    for name, run in simple.items():
        handle = await _start(client, queue, run)
        await handle.result()
        yield name, _run(handle)

    for name, how, where in [
        ("activity_cancelled_by_its_worker", 1, ""),
        ("activity_cancelled_before_its_start", 0, "nobody-polls-here"),
        ("activity_abandoned", 2, ""),
    ]:
        handle = await _start(client, queue, workflows.CancelsActivities.run, how, where)
        await handle.result()
        yield name, _run(handle)

    handle = await _start(
        client,
        queue,
        workflows.WaitsForSignals.run,
        3,
        start_signal="give",
        start_signal_args=["with the start"],
    )
    await wait_until_idle(handle)
    assert await handle.query(workflows.WaitsForSignals.got) == 1
    await handle.signal(workflows.WaitsForSignals.give, "two")
    await handle.signal(workflows.WaitsForSignals.give, "three")
    await handle.result()
    yield "signals_and_a_query", _run(handle)

    handle = await _start(client, queue, workflows.WaitsForSignals.run, 2)
    with suppress(WorkflowUpdateFailedError):
        await handle.execute_update(workflows.WaitsForSignals.take, "")
    await handle.execute_update(workflows.WaitsForSignals.take, "one")
    await handle.execute_update(workflows.WaitsForSignals.take, "two")
    await handle.result()
    yield "updates", _run(handle)

    for name, obeys in [("cancelled", True), ("cancel_request_ignored", False)]:
        handle = await _start(client, queue, workflows.Cancellable.run, obeys)
        await wait_until_idle(handle)
        await handle.cancel()
        with suppress(WorkflowFailureError):
            await handle.result()
        yield name, _run(handle)

    for name, run in [
        ("failed", workflows.Fails.run),
        ("workflow_code_that_failed", workflows.FailsItsTask.run),
    ]:
        handle = await _start(client, queue, run)
        with suppress(WorkflowFailureError):
            await handle.result()
        yield name, _run(handle)

    handle = await _start(client, queue, workflows.Cancellable.run, True)
    await wait_until_idle(handle)
    await handle.terminate("a detail", reason="enough")
    yield "terminated", _run(handle)

    handle = await _start(client, queue, workflows.Parent.run)
    await handle.result()
    yield "children_and_external_signals", _run(handle)


async def _open(client: Client, queue: str) -> AsyncIterator[Named]:
    handle = await _start(client, queue, workflows.Upserts.run)
    await wait_for_event(handle, "TimerStarted", 2)
    yield "open_upserts", _run(handle)
    await handle.terminate()


async def _chains(client: Client, queue: str) -> AsyncIterator[Named]:
    handle = await _start(client, queue, workflows.ContinuesAsNew.run, 1, memo={"left": 1})
    await handle.result()
    for name, run in await _chain(client, handle, "sdk_continued_as_new", "sdk_continuation"):
        yield name, run

    handle = await _start(
        client,
        queue,
        workflows.FailsOnce.run,
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=2),
    )
    await handle.result()
    for name, run in await _chain(client, handle, "failed_and_retried", "retry_of_a_failure"):
        yield name, run


async def _start(client: Client, queue: str, run, *args, **options) -> WorkflowHandle:
    return await client.start_workflow(
        run, args=args, id=unique("corpus"), task_queue=queue, **options
    )


async def _chain(client: Client, handle: WorkflowHandle, *names: str) -> list[Named]:
    runs = [_run(handle)]
    last = await client.get_workflow_handle(handle.id).describe()
    runs.append(WorkflowExecution(workflow_id=handle.id, run_id=last.run_id))
    return list(zip(names, runs, strict=True))


def _run(handle: WorkflowHandle) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=handle.id, run_id=handle.first_execution_run_id)
