"""Nexus operations: called by workflows, handled by workers of the same server."""

import asyncio
import uuid
from datetime import timedelta

import nexusrpc
import nexusrpc.handler
import pytest
from temporalio import nexus, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CallbackState, PendingNexusOperationState
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    NexusOperationError,
    TerminatedError,
    TimeoutError,
)
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from harness.history import attributes, only
from harness.sdk import assert_history, history_of, unique, wait_for_event, worker
from harness.waiting import wait_for

PATIENCE = timedelta(seconds=30)


@workflow.defn
class Works:
    """What an operation may stand for."""

    @workflow.run
    async def run(self, order: str) -> str:
        if order == "fail":
            raise ApplicationError("no", type="Refused")
        if order == "again":
            workflow.continue_as_new("done")
        if order == "wait":
            await workflow.sleep(1000)
        return f"worked on {order}"


@nexusrpc.service
class Service:
    echo: nexusrpc.Operation[str, str]
    unstable: nexusrpc.Operation[str, str]
    fails: nexusrpc.Operation[str, str]
    refuses: nexusrpc.Operation[str, str]
    works: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Service)
class Handler:
    def __init__(self) -> None:
        self.attempts = 0
        self.requests: list[nexusrpc.handler.StartOperationContext] = []

    @nexusrpc.handler.sync_operation
    async def echo(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        self.requests.append(ctx)
        return text

    @nexusrpc.handler.sync_operation
    async def unstable(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        self.requests.append(ctx)
        self.attempts += 1
        if self.attempts < 2:
            raise RuntimeError("not yet")
        return text

    @nexusrpc.handler.sync_operation
    async def fails(self, ctx: nexusrpc.handler.StartOperationContext, state: str) -> str:
        raise nexusrpc.OperationError("no", state=nexusrpc.OperationErrorState[state])

    @nexusrpc.handler.sync_operation
    async def refuses(self, ctx: nexusrpc.handler.StartOperationContext, kind: str) -> str:
        raise nexusrpc.HandlerError("no", type=nexusrpc.HandlerErrorType[kind])

    @nexus.workflow_run_operation
    async def works(
        self, ctx: nexus.WorkflowRunOperationContext, order: str
    ) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow(Works.run, order, id=f"works-{uuid.uuid4()}")


@workflow.defn
class Calls:
    @workflow.run
    async def run(self, endpoint: str, operation: str, argument: str, seconds: float) -> str:
        client = workflow.create_nexus_client(service=Service, endpoint=endpoint)
        return await client.execute_operation(
            getattr(Service, operation),
            argument,
            schedule_to_close_timeout=timedelta(seconds=seconds),
        )


@workflow.defn
class CallsAndCancels:
    @workflow.run
    async def run(self, endpoint: str) -> str:
        client = workflow.create_nexus_client(service=Service, endpoint=endpoint)
        handle = await client.start_operation(Service.works, "wait")
        handle.cancel()
        try:
            return await handle
        except NexusOperationError as error:
            return type(error.cause).__name__


@pytest.fixture
async def endpoint(client: Client, queue: str) -> str:
    """An endpoint that points at the test's own queue."""
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace="default", task_queue=queue))
    name = unique("endpoint")
    await client.operator_service.create_nexus_endpoint(
        CreateNexusEndpointRequest(spec=EndpointSpec(name=name, target=target))
    )
    return name


def serving(client: Client, queue: str, handler: Handler | None = None):
    """A worker of callers and handlers."""
    return worker(
        client,
        queue,
        [Calls, CallsAndCancels, Works],
        nexus_service_handlers=[handler or Handler()],
    )


async def call(
    client: Client, queue: str, endpoint: str, operation: str, argument: str, seconds: float = 30
) -> WorkflowHandle:
    return await client.start_workflow(
        Calls.run,
        args=[endpoint, operation, argument, seconds],
        id=unique("caller"),
        task_queue=queue,
    )


async def described(client: Client, workflow_id: str):
    return await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(
            namespace="default", execution=WorkflowExecution(workflow_id=workflow_id)
        )
    )


async def failure_of(handle: WorkflowHandle) -> BaseException:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, NexusOperationError)
    assert caught.value.cause.cause is not None
    return caught.value.cause.cause


async def test_an_operation_answers_at_once(client: Client, queue: str, endpoint: str):
    handler = Handler()
    async with serving(client, queue, handler):
        handle = await call(client, queue, endpoint, "echo", "hello")
        assert await handle.result() == "hello"
        events = await assert_history(
            handle,
            "Started WorkflowTask NexusOperationScheduled NexusOperationCompleted "
            "WorkflowTask Completed",
            [Calls],
        )
    scheduled = attributes(only(events, "NexusOperationScheduled"))
    completed = attributes(only(events, "NexusOperationCompleted"))
    (request,) = handler.requests
    assert request.request_id == scheduled.request_id == completed.request_id
    assert (scheduled.service, scheduled.operation) == ("Service", "echo")
    assert scheduled.schedule_to_close_timeout.seconds == 30
    assert "request-timeout" in request.headers and "operation-timeout" in request.headers
    (link,) = request.inbound_links
    assert link.url.endswith(
        "/history?eventID=5&eventType=NexusOperationScheduled&referenceType=EventReference"
    )


async def test_a_failed_attempt_is_shown_and_repeated(client: Client, queue: str, endpoint: str):
    handler = Handler()
    async with serving(client, queue, handler):
        handle = await call(client, queue, endpoint, "unstable", "hello")

        async def backing_off() -> bool:
            pending = (await described(client, handle.id)).pending_nexus_operations
            state = PendingNexusOperationState.PENDING_NEXUS_OPERATION_STATE_BACKING_OFF
            return [
                (operation.state, operation.attempt, operation.scheduled_event_id)
                for operation in pending
            ] == [(state, 1, 5)] and pending[0].last_attempt_failure.cause.message == "not yet"

        await wait_for(backing_off, "the attempt's failure")
        assert await handle.result() == "hello"
        assert len({request.request_id for request in handler.requests}) == 1
        await assert_history(
            handle,
            "Started WorkflowTask NexusOperationScheduled NexusOperationCompleted "
            "WorkflowTask Completed",
        )


@pytest.mark.parametrize(
    ("state", "kind", "event"),
    [
        ("FAILED", ApplicationError, "NexusOperationFailed"),
        ("CANCELED", CancelledError, "NexusOperationCanceled"),
    ],
)
async def test_an_operation_without_success_is_not_repeated(
    client: Client, queue: str, endpoint: str, state: str, kind: type, event: str
):
    async with serving(client, queue):
        handle = await call(client, queue, endpoint, "fails", state)
        assert isinstance(await failure_of(handle), kind)
        events = await assert_history(
            handle, f"Started WorkflowTask NexusOperationScheduled {event} WorkflowTask Failed"
        )
    failure = attributes(only(events, event)).failure
    assert failure.message == "nexus operation completed unsuccessfully"
    info = failure.nexus_operation_execution_failure_info
    assert (info.endpoint, info.service, info.operation) == (endpoint, "Service", "fails")
    assert info.scheduled_event_id == 5


async def test_a_bad_request_is_not_repeated(client: Client, queue: str, endpoint: str):
    async with serving(client, queue):
        handle = await call(client, queue, endpoint, "refuses", "BAD_REQUEST")
        assert isinstance(await failure_of(handle), nexusrpc.HandlerError)
        await assert_history(
            handle,
            "Started WorkflowTask NexusOperationScheduled NexusOperationFailed WorkflowTask Failed",
        )


async def test_an_operation_times_out(client: Client, queue: str, endpoint: str):
    async with worker(client, queue, [Calls]):
        handle = await call(client, queue, endpoint, "echo", "nobody", seconds=1)
        assert isinstance(await failure_of(handle), TimeoutError)
        await assert_history(
            handle,
            "Started WorkflowTask NexusOperationScheduled NexusOperationTimedOut "
            "WorkflowTask Failed",
        )


async def assert_asynchronous(handle: WorkflowHandle, end: str) -> list:
    """The operation was scheduled, started and ended; the run may have slept through its start."""
    history = await handle.fetch_history()
    names = [name for name in await history_of(handle) if name.startswith("Nexus")]
    assert names == ["NexusOperationScheduled", "NexusOperationStarted", end]
    await Replayer(workflows=[Calls], workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(
        history
    )
    return list(history.events)


async def test_a_workflow_stands_behind_an_operation(client: Client, queue: str, endpoint: str):
    async with serving(client, queue):
        handle = await call(client, queue, endpoint, "works", "order")
        assert await handle.result() == "worked on order"
        events = await assert_asynchronous(handle, "NexusOperationCompleted")
        started = only(events, "NexusOperationStarted")
        link = started.links[0].workflow_event
        assert link.event_ref.event_id == 1
        behind = await described(client, link.workflow_id)

        async def delivered() -> bool:
            callbacks = (await described(client, link.workflow_id)).callbacks
            states = [callback.state for callback in callbacks]
            return states == [CallbackState.CALLBACK_STATE_SUCCEEDED]

        await wait_for(delivered, "the callback's delivery")
        first = (await client.get_workflow_handle(link.workflow_id).fetch_history()).events[0]
    (callback,) = attributes(first).completion_callbacks
    assert callback.links[0].workflow_event.workflow_id == handle.id
    assert callback.links[0].workflow_event.event_ref.event_id == 5
    assert behind.callbacks[0].callback == callback


async def test_an_operation_follows_its_workflow_from_run_to_run(
    client: Client, queue: str, endpoint: str
):
    async with serving(client, queue):
        handle = await call(client, queue, endpoint, "works", "again")
        assert await handle.result() == "worked on done"


async def test_a_failed_workflow_fails_its_operation(client: Client, queue: str, endpoint: str):
    async with serving(client, queue):
        handle = await call(client, queue, endpoint, "works", "fail")
        cause = await failure_of(handle)
        assert isinstance(cause, ApplicationError) and cause.type == "Refused"
        await assert_asynchronous(handle, "NexusOperationFailed")


async def test_a_terminated_workflow_fails_its_operation(client: Client, queue: str, endpoint: str):
    async with serving(client, queue):
        handle = await call(client, queue, endpoint, "works", "wait")
        await wait_for_event(handle, "NexusOperationStarted")
        started = only((await handle.fetch_history()).events, "NexusOperationStarted")
        await client.get_workflow_handle(started.links[0].workflow_event.workflow_id).terminate()
        assert isinstance(await failure_of(handle), TerminatedError)


async def test_an_operation_is_cancelled(client: Client, queue: str, endpoint: str):
    async with serving(client, queue):
        handle = await client.start_workflow(
            CallsAndCancels.run, endpoint, id=unique("caller"), task_queue=queue
        )
        assert await handle.result() == "CancelledError"
        names = await history_of(handle)
        history = await handle.fetch_history()
    assert names.count("NexusOperationCancelRequested") == 1
    # The operation may end before its handler has answered the request.
    assert names.count("NexusOperationCancelRequestCompleted") <= 1
    for event in history.events:
        if event.HasField("nexus_operation_cancel_request_completed_event_attributes"):
            assert event.worker_may_ignore
            assert attributes(event).scheduled_event_id == 5
    assert names.count("NexusOperationCanceled") == 1


async def test_many_operations_run_at_once(client: Client, queue: str, endpoint: str):
    async with serving(client, queue):
        handles = [
            await call(client, queue, endpoint, "works", f"order {number}") for number in range(20)
        ]
        results = await asyncio.gather(*(handle.result() for handle in handles))
    assert results == [f"worked on order {number}" for number in range(20)]
