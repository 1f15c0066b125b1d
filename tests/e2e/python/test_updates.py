"""Updates: accepted, rejected, with a start, on a closed run, and over restarts."""

import asyncio
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from harness.sdk import assert_history, history_of, wait_until_idle, worker
from harness.server import Server
from harness.waiting import wait_for


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


@workflow.defn
class Waiting:
    def __init__(self) -> None:
        self.released: set[str] = set()
        self.finished = False
        self.answered = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.finished)
        return self.answered

    @workflow.update
    async def wait_for(self, what: str) -> str:
        await workflow.wait_condition(lambda: what in self.released)
        self.answered += 1
        return f"{what} released"

    @workflow.signal
    def release(self, what: str) -> None:
        self.released.add(what)

    @workflow.signal
    def finish(self) -> None:
        self.finished = True


@workflow.defn
class Generations:
    @workflow.init
    def __init__(self, number: int) -> None:
        self.over = False
        self.number = number

    @workflow.run
    async def run(self, number: int) -> None:
        await workflow.wait_condition(lambda: self.over)
        workflow.continue_as_new(number + 1)

    @workflow.update
    def generation(self) -> int:
        return self.number

    @workflow.signal
    def next(self) -> None:
        self.over = True


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


async def test_an_update_goes_on_after_its_acceptance(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Waiting]):
        handle = await client.start_workflow(Waiting.run, id=workflow_id, task_queue=queue)
        update = await handle.start_update(
            Waiting.wait_for, "a", id="one", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await asyncio.wait_for(update.result(), 0.3)
        await handle.signal(Waiting.release, "a")
        assert await update.result() == "a released"
        assert await handle.get_update_handle("one").result() == "a released"
        await handle.terminate()


async def test_updates_at_once_are_all_answered(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        amounts = [1, -1, 2, -2, 3, 4, -3, 5]

        async def deposit(amount: int) -> bool:
            try:
                await handle.execute_update(Account.deposit, amount)
            except WorkflowUpdateFailedError:
                return False
            return True

        done = await asyncio.gather(*map(deposit, amounts))
        assert done == [amount > 0 for amount in amounts]
        await handle.signal(Account.close)
        assert await handle.result() == 15
        names = await history_of(handle)
        assert names.count("WorkflowExecutionUpdateAccepted") == 5
        assert names.count("WorkflowExecutionUpdateCompleted") == 5


async def test_an_update_with_start_follows_the_conflict_policy(
    client: Client, queue: str, workflow_id: str
):
    def start(policy: WorkflowIDConflictPolicy) -> WithStartWorkflowOperation:
        return WithStartWorkflowOperation(
            Account.run, id=workflow_id, task_queue=queue, id_conflict_policy=policy
        )

    async with worker(client, queue, [Account]):
        first = start(WorkflowIDConflictPolicy.FAIL)
        assert (
            await client.execute_update_with_start_workflow(
                Account.deposit, 3, start_workflow_operation=first
            )
            == 3
        )
        refused = start(WorkflowIDConflictPolicy.FAIL)
        with pytest.raises(WorkflowAlreadyStartedError):
            await client.execute_update_with_start_workflow(
                Account.deposit, 3, start_workflow_operation=refused
            )
        replacing = start(WorkflowIDConflictPolicy.TERMINATE_EXISTING)
        assert (
            await client.execute_update_with_start_workflow(
                Account.deposit, 4, start_workflow_operation=replacing
            )
            == 4
        )
        old, new = await first.workflow_handle(), await replacing.workflow_handle()
        assert old.first_execution_run_id != new.first_execution_run_id
        with pytest.raises(WorkflowUpdateFailedError):
            await client.execute_update_with_start_workflow(
                Account.deposit,
                -4,
                start_workflow_operation=start(WorkflowIDConflictPolicy.USE_EXISTING),
            )
        await new.terminate()


async def test_an_accepted_update_outlives_its_worker(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Waiting]):
        handle = await client.start_workflow(Waiting.run, id=workflow_id, task_queue=queue)
        update = await handle.start_update(
            Waiting.wait_for, "a", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
    updating = asyncio.create_task(handle.execute_update(Waiting.wait_for, "b"))
    await handle.signal(Waiting.release, "a")
    await handle.signal(Waiting.release, "b")
    async with worker(client, queue, [Waiting], max_cached_workflows=0):
        assert await update.result() == "a released"
        assert await updating == "b released"
        await handle.signal(Waiting.finish)
        assert await handle.result() == 2


async def test_an_update_that_the_run_outruns_fails(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Waiting]):
        handle = await client.start_workflow(Waiting.run, id=workflow_id, task_queue=queue)
        update = await handle.start_update(
            Waiting.wait_for, "never", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        await handle.signal(Waiting.finish)
        await handle.result()
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await update.result()
        assert caught.value.cause.type == "AcceptedUpdateCompletedWorkflow"


async def test_an_update_follows_the_chain_of_runs(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Generations]):
        handle = await client.start_workflow(Generations.run, 0, id=workflow_id, task_queue=queue)
        assert await handle.execute_update(Generations.generation) == 0
        for number in range(1, 4):
            await handle.signal(Generations.next)
            # It may come before, with, or after the end of the run.
            while (seen := await handle.execute_update(Generations.generation)) < number:
                assert seen == number - 1
        await handle.terminate()


async def test_an_update_without_a_handler_is_rejected(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Account]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("unheard of")
        await assert_history(handle, "Started WorkflowTask", [Account])
        await handle.terminate()


@pytest.mark.xdist_group("restart")
async def test_updates_survive_a_kill(tmp_path: Path, queue: str, workflow_id: str):
    with Server(db_filename=tmp_path / "server.db") as durable:
        client = await Client.connect(durable.address)
        async with worker(client, queue, [Waiting]):
            handle = await client.start_workflow(Waiting.run, id=workflow_id, task_queue=queue)
            await handle.signal(Waiting.release, "a")
            assert await handle.execute_update(Waiting.wait_for, "a", id="done") == "a released"
            update = await handle.start_update(
                Waiting.wait_for, "b", id="one", wait_for_stage=WorkflowUpdateStage.ACCEPTED
            )
            durable.restart_after_kill()
            assert await handle.get_update_handle("done").result() == "a released"
            waiting = asyncio.create_task(update.result())
            await handle.signal(Waiting.release, "b")
            await handle.signal(Waiting.release, "c")
            assert await waiting == "b released"
            assert await handle.execute_update(Waiting.wait_for, "c") == "c released"
            await handle.signal(Waiting.finish)
            assert await handle.result() == 3


@pytest.mark.xdist_group("restart")
async def test_an_update_that_no_worker_saw_is_asked_for_again_after_a_kill(
    tmp_path: Path, queue: str, workflow_id: str
):
    with Server(db_filename=tmp_path / "server.db") as durable:
        client = await Client.connect(durable.address)
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        updating = asyncio.create_task(handle.execute_update(Account.deposit, 5, id="one"))

        async def is_admitted() -> bool:
            reference = UpdateRef(update_id="one")
            reference.workflow_execution.workflow_id = workflow_id
            request = PollWorkflowExecutionUpdateRequest(namespace="default", update_ref=reference)
            try:
                await client.workflow_service.poll_workflow_execution_update(request)
            except RPCError:
                return False
            return True

        await wait_for(is_admitted, "the update")
        durable.restart_after_kill()
        async with worker(client, queue, [Account]):
            # The client's own retry, or this one: it happens once.
            assert await handle.execute_update(Account.deposit, 5, id="one") == 5
            assert await updating == 5
            await handle.signal(Account.close)
            assert await handle.result() == 5
