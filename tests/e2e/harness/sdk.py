"""Short forms for what nearly every test of the Python SDK does."""

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from harness.history import event_types, expected
from harness.waiting import wait_for

SECOND = timedelta(seconds=1)


def unique(prefix: str = "e2e") -> str:
    """An id that no other test has used."""
    return f"{prefix}-{uuid.uuid4()}"


def worker(
    client: Client,
    task_queue: str,
    workflows: Sequence[type] = (),
    activities: Sequence[Callable] = (),
    **options: object,
) -> Worker:
    """A worker without the sandbox, which checks workflow code and no server."""
    options.setdefault("workflow_runner", UnsandboxedWorkflowRunner())
    return Worker(
        client, task_queue=task_queue, workflows=workflows, activities=activities, **options
    )


def patient_worker(client: Client, task_queue: str, workflows: Sequence[type]) -> Worker:
    """A worker whose workflow code may stand at a gate for longer than the SDK takes for alive."""
    patient = worker(client, task_queue, workflows)
    patient._workflow_worker._deadlock_timeout_seconds = None  # no public setting leaves threads on
    return patient


async def history_of(handle: WorkflowHandle) -> list[str]:
    """The event names of the run so far."""
    return event_types((await handle.fetch_history()).events)


async def wait_for_event(handle: WorkflowHandle, name: str, count: int = 1) -> None:
    """Returns once the history holds `count` events of this name."""

    async def there() -> bool:
        return (await history_of(handle)).count(name) >= count

    await wait_for(there, f"{count} {name} in the history of {handle.id}")


async def wait_until_idle(handle: WorkflowHandle, workflow_tasks: int = 1) -> None:
    """Returns once this many workflow tasks have completed and none is outstanding."""

    async def idle() -> bool:
        names = await history_of(handle)
        ended = [f"WorkflowTask{ending}" for ending in ("Completed", "Failed", "TimedOut")]
        outstanding = names.count("WorkflowTaskScheduled") - sum(map(names.count, ended))
        return names.count("WorkflowTaskCompleted") >= workflow_tasks and outstanding == 0

    await wait_for(idle, f"{workflow_tasks} workflow tasks of {handle.id}")


async def assert_history(
    handle: WorkflowHandle, sequence: str, replay: Sequence[type] = (), **options: object
) -> list:
    """The run's events are exactly `sequence`, numbered without a gap, and replay without error."""
    history = await handle.fetch_history()
    assert event_types(history.events) == expected(sequence)
    assert [event.event_id for event in history.events] == list(range(1, len(history.events) + 1))
    assert all(event.event_time.ToNanoseconds() > 0 for event in history.events)
    if replay:
        replayer = Replayer(
            workflows=replay, workflow_runner=UnsandboxedWorkflowRunner(), **options
        )
        await replayer.replay_workflow(history)
    return list(history.events)
