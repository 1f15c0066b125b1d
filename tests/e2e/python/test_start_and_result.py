"""Starting a workflow, its result, and what is true of every first run."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from harness.history import attributes
from harness.sdk import assert_history, wait_for_event, worker


@workflow.defn
class Greets:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"hello {name}"


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, non_retryable: bool) -> None:
        raise ApplicationError("as told", "detail", type="Told", non_retryable=non_retryable)


@workflow.defn
class TellsItsInfo:
    @workflow.run
    async def run(self) -> dict:
        info = workflow.info()
        return {
            "workflow_id": info.workflow_id,
            "run_id": info.run_id,
            "first_execution_run_id": info.first_execution_run_id,
            "attempt": info.attempt,
            "task_queue": info.task_queue,
            "type": info.workflow_type,
            "execution_timeout": info.execution_timeout.total_seconds(),
            "run_timeout": info.run_timeout.total_seconds(),
            "task_timeout": info.task_timeout.total_seconds(),
            "history_length": info.get_current_history_length(),
            "memo": workflow.memo(),
        }


async def test_an_empty_workflow_is_two_batches_and_five_events(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Greets]):
        handle = await client.start_workflow(Greets.run, "you", id=workflow_id, task_queue=queue)
        assert await handle.result() == "hello you"
    events = await assert_history(handle, "Started WorkflowTask Completed", [Greets])
    started = attributes(events[0])
    assert started.workflow_type.name == "Greets"
    assert started.task_queue.name == queue
    assert started.workflow_id == workflow_id
    assert started.attempt == 1
    assert started.original_execution_run_id == handle.result_run_id
    assert started.first_execution_run_id == handle.result_run_id
    assert started.workflow_task_timeout.seconds == 10
    completed = attributes(events[3])
    assert completed.scheduled_event_id == 2
    assert completed.started_event_id == 3
    assert attributes(events[4]).workflow_task_completed_event_id == 4


async def test_the_sandboxed_runner_of_the_sdk_works_the_same(
    client: Client, queue: str, workflow_id: str
):
    async with Worker(client, task_queue=queue, workflows=[Greets]):
        handle = await client.start_workflow(Greets.run, "box", id=workflow_id, task_queue=queue)
        assert await handle.result() == "hello box"
    await assert_history(handle, "Started WorkflowTask Completed", [Greets])


async def test_a_workflow_started_before_its_worker_waits_for_it(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(Greets.run, "late", id=workflow_id, task_queue=queue)
    await assert_history(handle, "Started WorkflowTaskScheduled")
    async with worker(client, queue, [Greets]):
        assert await handle.result() == "hello late"
    await assert_history(handle, "Started WorkflowTask Completed", [Greets])


@pytest.mark.parametrize("non_retryable", [True, False])
async def test_a_failed_workflow_gives_its_failure(
    client: Client, queue: str, workflow_id: str, non_retryable: bool
):
    async with worker(client, queue, [Fails]):
        handle = await client.start_workflow(
            Fails.run, non_retryable, id=workflow_id, task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable) == ("as told", "Told", non_retryable)
    assert list(cause.details) == ["detail"]
    await assert_history(handle, "Started WorkflowTask Failed", [Fails])
    assert (await handle.describe()).status == WorkflowExecutionStatus.FAILED


async def test_options_of_the_start_reach_the_workflow(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [TellsItsInfo]):
        handle = await client.start_workflow(
            TellsItsInfo.run,
            id=workflow_id,
            task_queue=queue,
            execution_timeout=timedelta(seconds=90),
            run_timeout=timedelta(seconds=80),
            task_timeout=timedelta(seconds=7),
            memo={"colour": "blue"},
            retry_policy=RetryPolicy(maximum_attempts=3),
            static_summary="a summary",
        )
        told = await handle.result()
    assert told == {
        "workflow_id": workflow_id,
        "run_id": handle.result_run_id,
        "first_execution_run_id": handle.result_run_id,
        "attempt": 1,
        "task_queue": queue,
        "type": "TellsItsInfo",
        "execution_timeout": 90.0,
        "run_timeout": 80.0,
        "task_timeout": 7.0,
        "history_length": 3,
        "memo": {"colour": "blue"},
    }
    description = await handle.describe()
    assert await description.memo() == {"colour": "blue"}
    assert await description.static_summary() == "a summary"


async def test_a_hundred_workflows_at_once_all_end_with_their_own_result(
    client: Client, queue: str, workflow_id: str
):
    async def one(number: int) -> str:
        return await client.execute_workflow(
            Greets.run, str(number), id=f"{workflow_id}-{number}", task_queue=queue
        )

    async with worker(client, queue, [Greets]):
        results = await asyncio.gather(*(one(number) for number in range(100)))
    assert results == [f"hello {number}" for number in range(100)]


async def test_a_workflow_of_an_unknown_type_fails_its_task_and_stays_open(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Greets]):
        handle = await client.start_workflow("NoSuchType", id=workflow_id, task_queue=queue)
        await wait_for_event(handle, "WorkflowTaskFailed")
    events = (await handle.fetch_history()).events
    assert "NoSuchType" in attributes(events[3]).failure.message
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.terminate()


async def test_the_result_of_an_unknown_workflow_is_not_found(client: Client, workflow_id: str):
    with pytest.raises(RPCError) as caught:
        await client.get_workflow_handle(workflow_id).result()
    assert caught.value.status == RPCStatusCode.NOT_FOUND


async def test_a_large_input_and_result_come_back_unchanged(
    client: Client, queue: str, workflow_id: str
):
    name = "x" * 1_000_000
    async with worker(client, queue, [Greets]):
        result = await client.execute_workflow(Greets.run, name, id=workflow_id, task_queue=queue)
    assert result == "hello " + name
