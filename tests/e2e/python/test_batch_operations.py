"""Batch operations: over a query or a list of runs, counted, stopped, and through a kill."""

import asyncio
import contextlib
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.batch.v1 import message_pb2 as batch
from temporalio.api.common.v1 import Execution as Target
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import BatchOperationState as State
from temporalio.api.enums.v1 import BatchOperationType as Type
from temporalio.api.enums.v1 import ExecutionType as Kind
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.client import (
    ActivityHandle,
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError, RPCStatusCode

from harness.batches import start_in_turn
from harness.sdk import assert_history, unique, worker
from harness.server import Server
from harness.waiting import wait_for

SHORT = timedelta(seconds=10)
OPERATIONS = {
    "termination_operation": batch.BatchOperationTermination(identity="operator"),
    "cancellation_operation": batch.BatchOperationCancellation(identity="operator"),
    "deletion_operation": batch.BatchOperationDeletion(identity="operator"),
    "signal_operation": batch.BatchOperationSignal(
        signal="go",
        input=Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b'"now"')]),
        identity="operator",
    ),
    "cancel_activities_operation": batch.BatchOperationCancelActivities(
        identity="operator", reason="enough"
    ),
    "terminate_activities_operation": batch.BatchOperationTerminateActivities(
        identity="operator", reason="enough"
    ),
    "delete_activities_operation": batch.BatchOperationDeleteActivities(),
}


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.signal
    def go(self, word: str) -> None:
        self.signals.append(word)

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: bool(self.signals))
        return self.signals


class Batch:
    """The calls about batch operations."""

    def __init__(self, client: Client) -> None:
        self.service = client.workflow_service

    async def start(self, operation: str, query: str = "", runs: list[Execution] = (), **fields):
        """Starts a batch operation, gives its id, and waits for its turn."""
        job_id = str(uuid.uuid4())
        request = messages.StartBatchOperationRequest(
            namespace="default",
            job_id=job_id,
            reason="a test",
            visibility_query=query,
            executions=runs,
            **({operation: OPERATIONS[operation]} | fields),
        )
        await start_in_turn(self.service, request)
        return job_id

    async def describe(self, job_id: str) -> messages.DescribeBatchOperationResponse:
        request = messages.DescribeBatchOperationRequest(namespace="default", job_id=job_id)
        return await self.service.describe_batch_operation(request)

    async def stop(self, job_id: str) -> None:
        request = messages.StopBatchOperationRequest(
            namespace="default", job_id=job_id, reason="enough", identity="operator"
        )
        await self.service.stop_batch_operation(request)

    async def ended(self, job_id: str) -> messages.DescribeBatchOperationResponse:
        """The description of a batch operation that has ended."""

        async def look():
            found = await self.describe(job_id)
            return found if found.state != State.BATCH_OPERATION_STATE_RUNNING else None

        return await wait_for(look, "the end of the batch operation", 60)


@pytest.fixture
def batches(client: Client) -> Batch:
    return Batch(client)


async def start_runs(client: Client, count: int, queue: str) -> tuple[str, list[WorkflowHandle]]:
    """Open runs, and the query that finds them and no others."""
    prefix = unique("batch")
    handles = [
        await client.start_workflow(Waits.run, id=f"{prefix}-{number}", task_queue=queue)
        for number in range(count)
    ]
    query = f"WorkflowId STARTS_WITH '{prefix}'"

    async def listed() -> bool:
        return (await client.count_workflows(query)).count == count

    await wait_for(listed, "all runs in the list")
    return query, handles


def counts(found: messages.DescribeBatchOperationResponse) -> tuple[int, int, int]:
    return (
        found.total_operation_count,
        found.complete_operation_count,
        found.failure_operation_count,
    )


async def test_a_query_terminates_the_open_runs_it_finds(
    client: Client, batches: Batch, queue: str
):
    query, handles = await start_runs(client, 7, queue)
    await handles[0].terminate()

    async def closed() -> bool:
        open_runs = await client.count_workflows(f"{query} AND ExecutionStatus = 'Running'")
        return open_runs.count == 6

    await wait_for(closed, "the closed run in the list")
    job_id = await batches.start("termination_operation", query)
    found = await batches.ended(job_id)
    assert found.state == State.BATCH_OPERATION_STATE_COMPLETED
    assert counts(found) == (6, 6, 0)
    assert found.operation_type == Type.BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW
    assert (found.job_id, found.identity, found.reason, found.query) == (
        job_id,
        "operator",
        "a test",
        query,
    )
    assert found.start_time.ToNanoseconds() <= found.close_time.ToNanoseconds()
    for handle in handles:
        assert (await handle.describe()).status == WorkflowExecutionStatus.TERMINATED
    events = await assert_history(handles[1], "Started WorkflowTaskScheduled Terminated")
    assert events[-1].workflow_execution_terminated_event_attributes.reason == "a test"


async def test_a_query_cancels_runs(client: Client, batches: Batch, queue: str):
    query, handles = await start_runs(client, 3, queue)
    async with worker(client, queue, [Waits]):
        found = await batches.ended(await batches.start("cancellation_operation", query))
        assert counts(found) == (3, 3, 0)
        for handle in handles:
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()
            assert isinstance(caught.value.cause, CancelledError)


async def test_a_list_of_runs_is_signalled_once_each(client: Client, batches: Batch, queue: str):
    _, handles = await start_runs(client, 3, queue)
    runs = [
        Execution(workflow_id=handle.id, run_id=handle.first_execution_run_id) for handle in handles
    ]
    runs.append(Execution(workflow_id=unique("nobody")))
    found = await batches.ended(await batches.start("signal_operation", runs=runs))
    # What is gone needs no signal.
    assert counts(found) == (4, 4, 0)
    assert [run.business_id for run in found.executions] == [run.workflow_id for run in runs]
    async with worker(client, queue, [Waits]):
        for handle in handles:
            assert await handle.result() == ["now"]
            await assert_history(
                handle,
                "Started WorkflowTaskScheduled Signaled WorkflowTaskStarted "
                "WorkflowTaskCompleted Completed",
            )


async def test_a_run_id_that_is_none_fails(batches: Batch):
    runs = [Execution(workflow_id="any", run_id="none")]
    found = await batches.ended(await batches.start("signal_operation", runs=runs))
    assert found.state == State.BATCH_OPERATION_STATE_COMPLETED
    assert counts(found) == (1, 0, 1)


async def test_a_query_deletes_open_and_closed_runs(client: Client, batches: Batch, queue: str):
    query, handles = await start_runs(client, 4, queue)
    await handles[0].terminate()

    async def closed() -> bool:
        return (await client.count_workflows(f"{query} AND CloseTime IS NOT NULL")).count == 1

    await wait_for(closed, "the closed run in the list")
    found = await batches.ended(await batches.start("deletion_operation", query))
    assert counts(found) == (4, 4, 0)

    async def gone() -> bool:
        return (await client.count_workflows(query)).count == 0

    await wait_for(gone, "no run in the list")
    for handle in handles:
        with pytest.raises(RPCError) as caught:
            await handle.describe()
        assert caught.value.status == RPCStatusCode.NOT_FOUND


async def start_activities(client: Client, count: int, queue: str) -> list[ActivityHandle]:
    """Activities that nobody works on."""
    activities = [
        await client.start_activity(
            "nobody", id=unique("activity"), task_queue=queue, start_to_close_timeout=SHORT
        )
        for _ in range(count)
    ]

    async def listed() -> bool:
        return (await client.count_activities(f"TaskQueue = '{queue}'")).count == count

    await wait_for(listed, "all activities in the list")
    return activities


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    ("operation", "kind", "status"),
    [
        ("cancel_activities", Type.BATCH_OPERATION_TYPE_CANCEL_ACTIVITY, "CANCELED"),
        ("terminate_activities", Type.BATCH_OPERATION_TYPE_TERMINATE_ACTIVITY, "TERMINATED"),
        ("delete_activities", Type.BATCH_OPERATION_TYPE_DELETE_ACTIVITY, None),
    ],
)
async def test_activities_that_no_workflow_runs(
    client: Client, batches: Batch, queue: str, operation: str, kind: int, status: str, named: bool
):
    run = await client.start_workflow(Waits.run, id=unique("kept"), task_queue=queue)
    activities = await start_activities(client, 3, queue)
    targets = {"query": f"TaskQueue = '{queue}' AND ActivityType = 'nobody'"}
    if named:
        executions = [
            Target(type=Kind.EXECUTION_TYPE_ACTIVITY, business_id=one.id, run_id=one.run_id)
            for one in activities
        ]
        targets = {"target_executions": executions}
    found = await batches.ended(await batches.start(f"{operation}_operation", **targets))
    assert (found.state, found.operation_type) == (State.BATCH_OPERATION_STATE_COMPLETED, kind)
    assert counts(found) == (3, 3, 0)
    for one in activities:
        if status:
            assert (await one.describe()).status.name == status
            continue

        async def gone(one: ActivityHandle = one) -> bool:
            try:
                await one.describe()
            except RPCError as error:
                return error.status == RPCStatusCode.NOT_FOUND
            return False

        await wait_for(gone, "the deletion")
    assert (await run.describe()).status == WorkflowExecutionStatus.RUNNING


async def test_targets_are_what_the_operation_is_about(batches: Batch):
    activity = Target(type=Kind.EXECUTION_TYPE_ACTIVITY, business_id="a")
    run = Target(type=Kind.EXECUTION_TYPE_WORKFLOW, business_id="w")
    for operation, target, texts in [
        ("termination_operation", activity, ("Activity", "TerminationOperation", "Workflow")),
        ("cancel_activities_operation", run, ("Workflow", "CancelActivitiesOperation", "Activity")),
    ]:
        with pytest.raises(RPCError) as caught:
            await batches.start(operation, target_executions=[target])
        given, name, wanted = texts
        assert caught.value.status == RPCStatusCode.INVALID_ARGUMENT
        assert caught.value.message == (
            f"target_executions[0] has type {given}, but operation "
            f"*workflowservice.StartBatchOperationRequest_{name} requires {wanted}"
        )


async def test_a_query_that_finds_nothing_completes(batches: Batch):
    found = await batches.ended(
        await batches.start("termination_operation", f"WorkflowType = '{unique()}'")
    )
    assert found.state == State.BATCH_OPERATION_STATE_COMPLETED
    assert counts(found) == (0, 0, 0)


async def test_a_stopped_batch_leaves_the_rest_alone(client: Client, batches: Batch, queue: str):
    query, handles = await start_runs(client, 60, queue)
    job_id = await batches.start("termination_operation", query, max_operations_per_second=2)
    with pytest.raises(RPCError) as caught:
        await batches.service.start_batch_operation(
            messages.StartBatchOperationRequest(
                namespace="default",
                job_id=unique(),
                reason="another",
                visibility_query=query,
                termination_operation=OPERATIONS["termination_operation"],
            )
        )
    assert caught.value.status == RPCStatusCode.RESOURCE_EXHAUSTED
    assert caught.value.message == "Max concurrent batch operations is reached"
    await batches.stop(job_id)
    found = await batches.ended(job_id)
    assert found.state == State.BATCH_OPERATION_STATE_FAILED
    with pytest.raises(RPCError) as caught:
        await batches.stop(job_id)
    assert caught.value.status == RPCStatusCode.NOT_FOUND
    assert caught.value.message == "workflow execution already completed"
    open_runs = [
        handle
        for handle in handles
        if (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    ]
    assert open_runs
    for handle in open_runs:
        # The call that was under way when the batch was stopped may be faster.
        with contextlib.suppress(RPCError):
            await handle.terminate()


async def test_batch_operations_are_listed(batches: Batch):
    job_id = await batches.start("signal_operation", f"WorkflowType = '{unique()}'")
    await batches.ended(job_id)
    request = messages.ListBatchOperationsRequest(namespace="default", page_size=1000)

    async def listed():
        for found in (await batches.service.list_batch_operations(request)).operation_info:
            if found.job_id == job_id and found.HasField("close_time"):
                return found
        return None

    found = await wait_for(listed, "the batch operation in the list")
    assert found.state == State.BATCH_OPERATION_STATE_COMPLETED
    assert found.operation_type == Type.BATCH_OPERATION_TYPE_SIGNAL_WORKFLOW


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"job_id": ""}, "JobId is not set on request."),
        ({"reason": ""}, "must provide required parameters"),
        ({"visibility_query": ""}, "must provide required parameters"),
        ({"termination_operation": None}, "must provide required parameters"),
        (
            {"visibility_query": "foo bar"},
            "invalid visibility query: syntax error at position 34 near 'bar'",
        ),
        (
            {"executions": [Execution(workflow_id="a")]},
            "visibility query, executions, and target executions are mutually exclusive",
        ),
        (
            {"termination_operation": None, "signal_operation": batch.BatchOperationSignal()},
            "must provide signal name",
        ),
        (
            {"termination_operation": None, "reset_operation": batch.BatchOperationReset()},
            "unknown batch reset type Unspecified",
        ),
    ],
)
async def test_a_wrong_batch_operation_is_refused(batches: Batch, fields: dict, text: str):
    complete = {
        "namespace": "default",
        "job_id": unique(),
        "reason": "a test",
        "visibility_query": "WorkflowType = 'none'",
        "termination_operation": OPERATIONS["termination_operation"],
    } | fields
    complete = {name: value for name, value in complete.items() if value is not None}
    with pytest.raises(RPCError) as caught:
        await batches.service.start_batch_operation(messages.StartBatchOperationRequest(**complete))
    assert caught.value.status == RPCStatusCode.INVALID_ARGUMENT
    assert caught.value.message.startswith(text)


async def test_an_id_is_used_once(batches: Batch):
    job_id = await batches.start("signal_operation", f"WorkflowType = '{unique()}'")
    await batches.ended(job_id)
    request = messages.StartBatchOperationRequest(
        namespace="default",
        job_id=job_id,
        reason="again",
        visibility_query="WorkflowType = 'none'",
        termination_operation=OPERATIONS["termination_operation"],
    )

    async def refused() -> RPCStatusCode | None:
        try:
            await batches.service.start_batch_operation(request)
        except RPCError as error:
            # Another test's batch operation may be in the way.
            return error.status if error.status != RPCStatusCode.RESOURCE_EXHAUSTED else None
        raise AssertionError("the batch operation was started again")

    assert await wait_for(refused, "the refusal") == RPCStatusCode.ALREADY_EXISTS


async def test_an_unknown_batch_operation_is_not_found(batches: Batch):
    for call in (batches.describe("nobody"), batches.stop("nobody")):
        with pytest.raises(RPCError) as caught:
            await call
        assert caught.value.status == RPCStatusCode.NOT_FOUND
        assert caught.value.message == "workflow not found for ID: nobody"


async def test_a_killed_server_goes_on_with_a_batch(tmp_path: Path, queue: str):
    with Server(tmp_path / "db") as server:
        client = await Client.connect(server.address)
        batches = Batch(client)
        query, handles = await start_runs(client, 60, queue)
        job_id = await batches.start("signal_operation", query, max_operations_per_second=30)

        async def under_way() -> bool:
            signalled = [
                handle for handle in handles[-10:] if len((await handle.fetch_history()).events) > 2
            ]
            return bool(signalled)

        await wait_for(under_way, "the first signals")
        server.restart_after_kill()
        client = await Client.connect(server.address)
        found = await Batch(client).ended(job_id)
        assert found.state == State.BATCH_OPERATION_STATE_COMPLETED
        assert counts(found) == (60, 60, 0)
        histories = await asyncio.gather(
            *(client.get_workflow_handle(handle.id).fetch_history() for handle in handles)
        )
        assert [len(history.events) for history in histories] == [3] * 60
