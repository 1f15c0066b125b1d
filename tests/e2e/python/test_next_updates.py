"""Updates: accepted, rejected, with a start, and on a closed run."""

import pytest
from temporalio import workflow
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from harness.sdk import assert_history, wait_until_idle, worker

pytestmark = pytest.mark.not_built_yet


@workflow.defn
class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.closed = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.closed)
        return self.balance

    @workflow.update
    async def deposit(self, amount: int) -> int:
        await workflow.sleep(0.02)
        self.balance += amount
        return self.balance

    @deposit.validator
    def check_deposit(self, amount: int) -> None:
        if amount < 0:
            raise ApplicationError("negative", type="Negative")

    @workflow.update
    async def fail(self) -> None:
        raise ApplicationError("as told", type="Told")

    @workflow.signal
    def close(self) -> None:
        self.closed = True


async def test_an_update_gives_its_result(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        assert await handle.execute_update(Account.deposit, 5, id="first") == 5
        await assert_history(
            handle,
            "Started WorkflowTask WorkflowTask WorkflowExecutionUpdateAccepted TimerStarted "
            "TimerFired WorkflowTask WorkflowExecutionUpdateCompleted",
            [Account],
        )
        assert await handle.execute_update(Account.deposit, 5, id="first") == 5
        await handle.signal(Account.close)
        assert await handle.result() == 5
        assert await handle.get_update_handle("first").result() == 5


async def test_a_rejected_update_leaves_no_event(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Account.deposit, -1)
        assert caught.value.cause.type == "Negative"
        await assert_history(handle, "Started WorkflowTask", [Account])
        await handle.terminate()


async def test_an_update_that_fails_tells_its_failure(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Account.fail)
        assert caught.value.cause.type == "Told"
        await assert_history(
            handle,
            "Started WorkflowTask WorkflowTask WorkflowExecutionUpdateAccepted "
            "WorkflowExecutionUpdateCompleted",
            [Account],
        )
        await handle.terminate()


async def test_an_update_may_be_awaited_in_stages(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        update = await handle.start_update(
            Account.deposit, 7, wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        assert await update.result() == 7
        await handle.terminate()


async def test_an_update_with_start_starts_or_uses_the_run(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Account]):
        for total in (3, 6):
            start = WithStartWorkflowOperation(
                Account.run,
                id=workflow_id,
                task_queue=queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            answer = await client.execute_update_with_start_workflow(
                Account.deposit, 3, start_workflow_operation=start
            )
            assert answer == total
        handle = await start.workflow_handle()
        await handle.terminate()


async def test_an_update_of_a_closed_run_is_not_found(client: Client, queue: str, workflow_id: str):
    handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
    await handle.terminate()
    with pytest.raises(RPCError) as caught:
        await handle.execute_update(Account.deposit, 1)
    assert caught.value.status == RPCStatusCode.NOT_FOUND
