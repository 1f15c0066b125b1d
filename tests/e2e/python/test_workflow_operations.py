"""What people do to a run as a whole: pauses, other options, resets with updates and children."""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import activity, workflow
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import WorkflowExecutionStatus as ApiStatus
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from harness.history import event_types
from harness.sdk import assert_history, history_of, wait_for_event, wait_until_idle, worker
from harness.server import Server
from harness.waiting import wait_for


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Child:
    @workflow.run
    async def run(self, number: int) -> int:
        return number + 1


@workflow.defn
class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.closed = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.closed)
        return await workflow.execute_activity(
            double, self.balance, start_to_close_timeout=timedelta(seconds=10)
        )

    @workflow.update
    async def deposit(self, amount: int) -> int:
        self.balance += amount
        return self.balance

    @workflow.signal
    def close(self) -> None:
        self.closed = True


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, number: int) -> int:
        result = await workflow.execute_child_workflow(Child.run, number)
        await asyncio.sleep(0.01)
        return result


async def pause(client: Client, handle: WorkflowHandle) -> None:
    request = messages.PauseWorkflowExecutionRequest(
        namespace="default", workflow_id=handle.id, reason="why", request_id=str(uuid.uuid4())
    )
    await client.workflow_service.pause_workflow_execution(request)


async def unpause(client: Client, handle: WorkflowHandle) -> None:
    request = messages.UnpauseWorkflowExecutionRequest(namespace="default", workflow_id=handle.id)
    await client.workflow_service.unpause_workflow_execution(request)


async def describe(client: Client, handle: WorkflowHandle):
    """What the server says; the SDK itself has no name for the status of a paused run yet."""
    request = messages.DescribeWorkflowExecutionRequest(namespace="default")
    request.execution.workflow_id = handle.id
    return await client.workflow_service.describe_workflow_execution(request)


async def reset(client: Client, handle: WorkflowHandle, event_id: int) -> WorkflowHandle:
    request = messages.ResetWorkflowExecutionRequest(
        namespace="default",
        reason="again",
        request_id=str(uuid.uuid4()),
        workflow_task_finish_event_id=event_id,
    )
    request.workflow_execution.workflow_id = handle.id
    answer = await client.workflow_service.reset_workflow_execution(request)
    return client.get_workflow_handle(handle.id, run_id=answer.run_id)


async def test_a_paused_workflow_goes_on_where_it_was(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account], [double]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        assert await handle.execute_update(Account.deposit, 5) == 5
        await pause(client, handle)
        await handle.signal(Account.close)
        described = await describe(client, handle)
        status = ApiStatus.WORKFLOW_EXECUTION_STATUS_PAUSED
        assert described.workflow_execution_info.status == status
        await unpause(client, handle)
        assert await handle.result() == 10
        await assert_history(
            handle,
            "Started WorkflowTask WorkflowTask WorkflowExecutionUpdateAccepted "
            "WorkflowExecutionUpdateCompleted WorkflowExecutionPaused Signaled "
            "WorkflowExecutionUnpaused WorkflowTask Activity WorkflowTask Completed",
            replay=[Account],
        )


@pytest.mark.pinned_sdk("an older one does not know failures of tasks that nobody took")
async def test_a_pause_survives_a_kill(tmp_path: Path, queue: str, workflow_id: str):
    with Server(db_filename=tmp_path / "server.db") as server:
        client = await Client.connect(server.address)
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await pause(client, handle)
        await handle.signal(Account.close)
        server.restart_after_kill()
        client = await Client.connect(server.address)
        handle = client.get_workflow_handle(workflow_id)
        async with worker(client, queue, [Account], [double]):
            described = await describe(client, handle)
            assert described.workflow_extended_info.pause_info.reason == "why"
            before = await history_of(handle)
            assert before[-1] == "WorkflowExecutionSignaled"
            await unpause(client, handle)
            assert await handle.result() == 0


async def test_options_change_while_a_worker_runs(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account], [double]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        request = messages.UpdateWorkflowExecutionOptionsRequest(
            namespace="default",
            workflow_execution_options=WorkflowExecutionOptions(priority=Priority(priority_key=1)),
            update_mask=FieldMask(paths=["priority.priority_key"]),
        )
        request.workflow_execution.workflow_id = workflow_id
        answer = await client.workflow_service.update_workflow_execution_options(request)
        assert answer.workflow_execution_options.priority.priority_key == 1
        await handle.signal(Account.close)
        assert await handle.result() == 0
        described = (await handle.describe()).raw_description.workflow_execution_info
        assert described.priority.priority_key == 1
        await assert_history(
            handle,
            "Started WorkflowTask WorkflowExecutionOptionsUpdated Signaled WorkflowTask Activity "
            "WorkflowTask Completed",
            replay=[Account],
        )


async def test_updates_happen_again_after_a_reset(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Account], [double]):
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        await wait_until_idle(handle)
        for amount in [1, 2]:
            await handle.execute_update(Account.deposit, amount, id=f"deposit-{amount}")
        again = await reset(client, handle, 4)
        await wait_for_event(again, "WorkflowExecutionUpdateCompleted", 2)
        repeated = again.get_update_handle("deposit-2", result_type=int)
        assert await repeated.result() == 3
        await again.signal(Account.close)
        assert await again.result() == 6
        history = await again.fetch_history()
        admitted = "WorkflowExecutionUpdateAdmitted"
        assert event_types(history.events)[3:6] == ["WorkflowTaskFailed", admitted, admitted]


async def test_a_child_is_not_started_again_by_a_reset_behind_its_start(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Parent, Child]):
        handle = await client.start_workflow(Parent.run, 4, id=workflow_id, task_queue=queue)
        assert await handle.result() == 5
        names = await history_of(handle)
        # The first task after the child's start was initiated.
        second = names.index("WorkflowTaskCompleted", names.index("WorkflowTaskCompleted") + 1)
        again = await reset(client, handle, second + 1)
        assert await again.result() == 5
        assert (await again.describe()).status == WorkflowExecutionStatus.COMPLETED
        repeated = await history_of(again)
        assert repeated.count("StartChildWorkflowExecutionInitiated") == 1
        assert repeated.count("ChildWorkflowExecutionCompleted") == 1


async def test_a_reset_survives_a_kill_with_its_updates(
    tmp_path: Path, queue: str, workflow_id: str
):
    with Server(db_filename=tmp_path / "server.db") as server:
        client = await Client.connect(server.address)
        handle = await client.start_workflow(Account.run, id=workflow_id, task_queue=queue)
        async with worker(client, queue, [Account], [double]):
            await wait_until_idle(handle)
            await handle.execute_update(Account.deposit, 7, id="deposit")
        again = await reset(client, handle, 4)
        server.restart_after_kill()
        client = await Client.connect(server.address)
        again = client.get_workflow_handle(workflow_id, run_id=again.run_id)
        async with worker(client, queue, [Account], [double]):
            await again.signal(Account.close)
            assert await again.result() == 14

            async def done() -> bool:
                return "WorkflowExecutionUpdateCompleted" in await history_of(again)

            await wait_for(done, "the update")


async def test_a_rule_survives_a_kill(tmp_path: Path):
    with Server(db_filename=tmp_path / "server.db") as server:
        client = await Client.connect(server.address)
        request = messages.CreateWorkflowRuleRequest(namespace="default", identity="somebody")
        request.spec.id = "rule"
        request.spec.activity_start.predicate = "ActivityType = 'charge'"
        made = (await client.workflow_service.create_workflow_rule(request)).rule
        server.restart_after_kill()
        client = await Client.connect(server.address)
        request = messages.ListWorkflowRulesRequest(namespace="default")
        listed = await client.workflow_service.list_workflow_rules(request)
        assert list(listed.rules) == [made]
