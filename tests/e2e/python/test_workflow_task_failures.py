"""Workflow tasks that fail or time out, and runs that go on afterwards."""

from collections import Counter
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.enums.v1 import TimeoutType, WorkflowTaskFailedCause
from temporalio.client import Client

from harness.gate import GATES
from harness.history import attributes, only
from harness.sdk import (
    assert_history,
    patient_worker,
    unique,
    wait_for_event,
    wait_until_idle,
    worker,
)

ACTIVATIONS: Counter[str] = Counter()


@workflow.defn
class FailsItsFirstTask:
    @workflow.run
    async def run(self, key: str) -> str:
        ACTIVATIONS[key] += 1
        if ACTIVATIONS[key] == 1:
            raise RuntimeError("a bug that the next deployment fixes")
        return "fixed"


@workflow.defn
class HoldsItsFirstTask:
    @workflow.run
    async def run(self, gate: str) -> str:
        ACTIVATIONS[gate] += 1
        if ACTIVATIONS[gate] == 1:
            GATES[gate].hold()
        return "done"


@workflow.defn(name="Changes")
class BeforeTheChange:
    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.told, timeout=timedelta(hours=1))
        return "as written"

    @workflow.signal
    def tell(self) -> None:
        self.told = True


@activity.defn
async def nothing() -> None:
    pass


@workflow.defn(name="Changes")
class AfterTheChange:
    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=5))
        return "incompatible"

    @workflow.signal
    def tell(self) -> None:
        pass


async def test_an_exception_in_workflow_code_fails_the_task_and_not_the_run(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [FailsItsFirstTask]):
        handle = await client.start_workflow(
            FailsItsFirstTask.run, workflow_id, id=workflow_id, task_queue=queue
        )
        assert await handle.result() == "fixed"
    events = await assert_history(
        handle,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed WorkflowTask "
        "Completed",
        [FailsItsFirstTask],
    )
    failed = attributes(only(events, "WorkflowTaskFailed"))
    assert failed.failure.message == "a bug that the next deployment fixes"
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
    assert failed.cause == cause
    assert attributes(events[4]).attempt == 2


async def test_a_workflow_task_that_times_out_is_given_out_again(
    client: Client, queue: str, workflow_id: str
):
    gate = unique("gate")
    async with patient_worker(client, queue, [HoldsItsFirstTask]):
        handle = await client.start_workflow(
            HoldsItsFirstTask.run,
            gate,
            id=workflow_id,
            task_queue=queue,
            task_timeout=timedelta(seconds=1),
        )
        await wait_for_event(handle, "WorkflowTaskTimedOut")
        GATES[gate].open()
        assert await handle.result() == "done"
    events = await assert_history(
        handle,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskTimedOut WorkflowTask "
        "Completed",
        [HoldsItsFirstTask],
    )
    timed_out = attributes(only(events, "WorkflowTaskTimedOut"))
    assert timed_out.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    assert (timed_out.scheduled_event_id, timed_out.started_event_id) == (2, 3)


async def test_a_nondeterministic_change_fails_tasks_until_it_is_rolled_back(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [BeforeTheChange]):
        handle = await client.start_workflow(
            BeforeTheChange.run,
            id=workflow_id,
            task_queue=queue,
            task_timeout=timedelta(seconds=1),
        )
        await wait_until_idle(handle)
    async with worker(client, queue, [AfterTheChange]):
        await handle.signal("tell")
        await wait_for_event(handle, "WorkflowTaskFailed")
    async with worker(client, queue, [BeforeTheChange]):
        assert await handle.result() == "as written"
    events = await assert_history(
        handle,
        "Started WorkflowTask TimerStarted Signaled WorkflowTaskScheduled WorkflowTaskStarted "
        "WorkflowTaskFailed WorkflowTask TimerCanceled Completed",
        [BeforeTheChange],
    )
    failed = attributes(only(events, "WorkflowTaskFailed"))
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    assert failed.cause == cause
