"""Nexus operations whose handlers are outside of the server, and are called over HTTP."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import nexusrpc
import nexusrpc.handler
import pytest
from temporalio import nexus, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingNexusOperationState
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError, NexusOperationError

from harness.history import attributes, event_types, only
from harness.outside import Answer, OpenServer, Outside, Request, json_answer, post
from harness.sdk import assert_history, history_of, unique, wait_for_event, worker
from harness.waiting import wait_for

pytestmark = pytest.mark.xdist_group("outside")

PATIENCE = timedelta(seconds=60)


@workflow.defn
class Calls:
    """Calls an operation by its name; what it answers is JSON."""

    @workflow.run
    async def run(self, endpoint: str, operation: str, argument: str) -> str:
        client = workflow.create_nexus_client(service="Service", endpoint=endpoint)
        return await client.execute_operation(
            operation, argument, output_type=str, schedule_to_close_timeout=PATIENCE
        )


@workflow.defn
class CallsAndCancels:
    @workflow.run
    async def run(self, endpoint: str) -> str:
        client = workflow.create_nexus_client(service="Service", endpoint=endpoint)
        handle = await client.start_operation("works", "wait", output_type=str)
        handle.cancel()
        try:
            return await handle
        except NexusOperationError as error:
            return type(error.cause).__name__


@workflow.defn
class CallsOften:
    """Many operations at once, none of which is waited for for long."""

    @workflow.run
    async def run(self, endpoint: str, count: int) -> None:
        client = workflow.create_nexus_client(service="Service", endpoint=endpoint)
        for _ in range(count):
            asyncio.ensure_future(client.execute_operation("down", "", output_type=str))
        await workflow.sleep(1000)


@workflow.defn
class Works:
    """What an operation of another server stands for."""

    @workflow.run
    async def run(self, order: str) -> str:
        if order == "fail":
            raise ApplicationError("no", type="Refused")
        if order == "wait":
            await workflow.sleep(1000)
        return f"worked on {order}"


@nexusrpc.handler.service_handler(name="Service")
class Handler:
    @nexusrpc.handler.sync_operation
    async def echo(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        return text

    @nexusrpc.handler.sync_operation
    async def refuses(self, ctx: nexusrpc.handler.StartOperationContext, kind: str) -> str:
        raise nexusrpc.HandlerError("no", type=nexusrpc.HandlerErrorType[kind])

    @nexusrpc.handler.sync_operation
    async def fails(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        raise nexusrpc.OperationError(text, state=nexusrpc.OperationErrorState.FAILED)

    @nexus.workflow_run_operation
    async def works(
        self, ctx: nexus.WorkflowRunOperationContext, order: str
    ) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow(Works.run, order, id=f"works-{uuid.uuid4()}")


@pytest.fixture(scope="module")
def server() -> Iterator[OpenServer]:
    with OpenServer() as running:
        yield running


@pytest.fixture(scope="module")
async def client(server: OpenServer) -> Client:
    return await Client.connect(server.address)


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as running:
        yield running


async def endpoint_of(client: Client, url: str) -> str:
    """An endpoint that points at an address outside."""
    target = EndpointTarget(external=EndpointTarget.External(url=url))
    return await made_endpoint(client, target)


async def made_endpoint(client: Client, target: EndpointTarget) -> str:
    name = unique("endpoint")
    request = CreateNexusEndpointRequest(spec=EndpointSpec(name=name, target=target))
    await client.operator_service.create_nexus_endpoint(request)
    return name


async def call(
    client: Client, queue: str, endpoint: str, operation: str = "echo", argument: str = "hello"
) -> WorkflowHandle:
    return await client.start_workflow(
        Calls.run, args=[endpoint, operation, argument], id=unique("caller"), task_queue=queue
    )


async def failure_of(handle: WorkflowHandle) -> BaseException:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, NexusOperationError)
    assert caught.value.cause.cause is not None
    return caught.value.cause.cause


async def pending(client: Client, workflow_id: str):
    request = DescribeWorkflowExecutionRequest(
        namespace="default", execution=WorkflowExecution(workflow_id=workflow_id)
    )
    described = await client.workflow_service.describe_workflow_execution(request)
    return list(described.pending_nexus_operations)


def callback(request: Request) -> tuple[str, dict[str, str]]:
    """Where a handler says that the operation has ended, and the headers that it sends back."""
    prefix = "nexus-callback-"
    headers = {
        name.removeprefix(prefix): value
        for name, value in request.headers.items()
        if name.startswith(prefix)
    }
    return request.query["callback"], headers


def complete(request: Request, body: bytes = b'"done"', **headers: str) -> Answer:
    """Says that an operation has ended."""
    url, tokens = callback(request)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return post(url, body, {"nexus-operation-state": "succeeded"} | tokens | named)


def running(token: str = "token") -> Answer:
    return json_answer(201, {"token": token, "state": "running"})


async def test_a_handler_outside_answers_at_once(
    client: Client, queue: str, outside: Outside, server: OpenServer
):
    outside.answer = lambda request: Answer(200, {"content-type": "application/json"}, request.body)
    endpoint = await endpoint_of(client, f"{outside.url}/base")
    async with worker(client, queue, [Calls]):
        handle = await call(client, queue, endpoint, "my op")
        assert await handle.result() == "hello"
        events = await assert_history(
            handle,
            "Started WorkflowTask NexusOperationScheduled NexusOperationCompleted "
            "WorkflowTask Completed",
            [Calls],
        )
    scheduled = attributes(only(events, "NexusOperationScheduled"))
    (request,) = outside.requests
    assert request.path.startswith("/base/Service/my%20op?")
    assert (request.body, request.headers["content-type"]) == (b'"hello"', "application/json")
    assert request.headers["nexus-request-id"] == scheduled.request_id
    assert request.headers["temporal-nexus-failure-support"] == "true"
    assert {"request-timeout", "operation-timeout"} <= set(request.headers)
    assert 'type="temporal.api.common.v1.Link.WorkflowEvent"' in request.headers["nexus-link"]
    url, tokens = callback(request)
    assert url == f"{server.http}/namespaces/default/nexus/callback"
    assert set(tokens) == {"temporal-callback-token"}


async def test_a_handler_outside_says_later_that_it_is_done(
    client: Client, queue: str, outside: Outside
):
    outside.answer = lambda request: running()
    endpoint = await endpoint_of(client, outside.url)
    async with worker(client, queue, [Calls]):
        handle = await call(client, queue, endpoint)
        await wait_for_event(handle, "NexusOperationStarted")
        answer = await asyncio.to_thread(complete, outside.requests[0])
        assert (answer.status, answer.body) == (200, b"")
        assert await handle.result() == "done"
        events = await assert_history(
            handle,
            "Started WorkflowTask NexusOperationScheduled NexusOperationStarted WorkflowTask "
            "NexusOperationCompleted WorkflowTask Completed",
            [Calls],
        )
        assert attributes(only(events, "NexusOperationStarted")).operation_token == "token"
        again = await asyncio.to_thread(complete, outside.requests[0])
        assert (again.status, again.json["details"]["type"]) == (404, "NOT_FOUND")


async def test_news_may_overtake_the_answer(client: Client, queue: str, outside: Outside):
    def answer(request: Request) -> Answer:
        headers = {
            "nexus-operation-token": "early",
            "nexus-operation-start-time": "Tue, 14 Nov 2023 22:13:20 GMT",
        }
        url, tokens = callback(request)
        told = post(url, b'"done"', {"nexus-operation-state": "succeeded"} | tokens | headers)
        assert told.status == 200
        return running()

    outside.answer = answer
    endpoint = await endpoint_of(client, outside.url)
    async with worker(client, queue, [Calls]):
        handle = await call(client, queue, endpoint)
        assert await handle.result() == "done"
        events = list((await handle.fetch_history()).events)
        assert (await history_of(handle)).count("NexusOperationCompleted") == 1
        assert attributes(only(events, "NexusOperationStarted")).operation_token == "early"


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("state", ["failed", "canceled"])
async def test_an_operation_outside_ends_without_success(
    client: Client, queue: str, outside: Outside, state: str, is_late: bool
):
    failure = {"message": "no", "metadata": {"type": "acme"}, "details": {"a": 1}}
    outside.answer = lambda request: (
        running() if is_late else json_answer(424, failure, nexus_operation_state=state)
    )
    endpoint = await endpoint_of(client, outside.url)
    async with worker(client, queue, [Calls]):
        handle = await call(client, queue, endpoint)
        if is_late:
            await wait_for_event(handle, "NexusOperationStarted")
            body = b'{"message":"no","metadata":{"type":"acme"},"details":{"a":1}}'
            told = complete(outside.requests[0], body, nexus_operation_state=state)
            assert told.status == 200
        cause = await failure_of(handle)
        assert cause.message == "no"
        if state == "canceled":
            assert isinstance(cause, CancelledError)
        else:
            assert isinstance(cause, ApplicationError) and cause.type == "NexusFailure"
            assert list(cause.details) == [{"metadata": {"type": "acme"}, "details": {"a": 1}}]
        name = "NexusOperationFailed" if state == "failed" else "NexusOperationCanceled"
        assert (await history_of(handle)).count(name) == 1


async def test_a_refusal_ends_an_operation_and_a_failure_is_tried_again(
    client: Client, queue: str, outside: Outside
):
    answers = [Answer(503, {}, b"busy"), json_answer(500, {"message": "broken"}), Answer(404)]
    outside.answer = lambda request: answers[min(len(outside.requests), len(answers)) - 1]
    endpoint = await endpoint_of(client, outside.url)
    async with worker(client, queue, [Calls]):
        handle = await call(client, queue, endpoint)

        async def broken() -> bool:
            found = await pending(client, handle.id)
            state = PendingNexusOperationState.PENDING_NEXUS_OPERATION_STATE_BACKING_OFF
            return [(operation.state, operation.attempt) for operation in found] == [(state, 2)]

        await wait_for(broken, "the second attempt to fail")
        (operation,) = await pending(client, handle.id)
        failure = operation.last_attempt_failure
        assert failure.nexus_handler_failure_info.type == "INTERNAL"
        assert failure.cause.message == "broken"
        cause = await failure_of(handle)
        assert isinstance(cause, nexusrpc.HandlerError)
        assert cause.type == nexusrpc.HandlerErrorType.NOT_FOUND
        request_ids = {request.headers["nexus-request-id"] for request in outside.requests}
        assert (len(outside.requests), len(request_ids)) == (3, 1)


async def test_an_operation_outside_is_cancelled(client: Client, queue: str, outside: Outside):
    outside.answer = lambda request: (
        Answer(202) if request.path.endswith("/cancel") else running("my token")
    )
    endpoint = await endpoint_of(client, outside.url)
    async with worker(client, queue, [CallsAndCancels]):
        handle = await client.start_workflow(
            CallsAndCancels.run, endpoint, id=unique("caller"), task_queue=queue
        )
        await wait_for_event(handle, "NexusOperationCancelRequestCompleted")
        start, cancel = outside.requests
        assert cancel.path == "/Service/works/cancel"
        assert cancel.headers["nexus-operation-token"] == "my token"
        complete(start, b'{"message":"enough"}', nexus_operation_state="canceled")
        assert await handle.result() == "CancelledError"


async def test_a_destination_that_keeps_failing_is_left_alone(
    client: Client, queue: str, outside: Outside
):
    outside.answer = lambda request: Answer(503)
    endpoint = await endpoint_of(client, outside.url)
    blocked = PendingNexusOperationState.PENDING_NEXUS_OPERATION_STATE_BLOCKED
    async with worker(client, queue, [CallsOften]):
        handle = await client.start_workflow(
            CallsOften.run, args=[endpoint, 8], id=unique("caller"), task_queue=queue
        )

        async def left_alone() -> bool:
            found = await pending(client, handle.id)
            return [operation.state for operation in found] == [blocked] * 8

        await wait_for(left_alone, "eight blocked operations")
        seen = len(outside.requests)
        found = await pending(client, handle.id)
        assert {operation.blocked_reason for operation in found} == {"The circuit breaker is open."}
        await asyncio.sleep(2)  # nothing happens
        assert len(outside.requests) == seen
        await handle.terminate()


@pytest.fixture(scope="module")
def other_server() -> Iterator[OpenServer]:
    with OpenServer() as running:
        yield running


@pytest.fixture
async def other(client: Client, other_server: OpenServer, queue: str) -> tuple[Client, str]:
    """A client of another server, and an endpoint of the first that leads to its workers."""
    other = await Client.connect(other_server.address)
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace="default", task_queue=queue))
    spec = EndpointSpec(name=unique("endpoint"), target=target)
    request = CreateNexusEndpointRequest(spec=spec)
    made = (await other.operator_service.create_nexus_endpoint(request)).endpoint
    url = f"{other_server.http}/nexus/endpoints/{made.id}/services"
    return other, await endpoint_of(client, url)


async def test_workflows_of_two_servers_call_each_other(
    client: Client, queue: str, other: tuple[Client, str]
):
    there, endpoint = other
    async with (
        worker(client, queue, [Calls, CallsAndCancels]),
        worker(there, queue, [Works], nexus_service_handlers=[Handler()]),
    ):
        echo = await call(client, queue, endpoint)
        assert await echo.result() == "hello"
        works = await call(client, queue, endpoint, "works", "order")
        assert await works.result() == "worked on order"
        # The other server may be done before the news of the start has reached the worker.
        events = (await works.fetch_history()).events
        names = [name for name in event_types(events) if name.startswith("Nexus")]
        assert names == [f"NexusOperation{step}" for step in ("Scheduled", "Started", "Completed")]
        (link,) = only(events, "NexusOperationStarted").links
        assert link.workflow_event.workflow_id.startswith("works-")

        cause = await failure_of(await call(client, queue, endpoint, "works", "fail"))
        assert (type(cause), cause.message, cause.type) == (ApplicationError, "no", "Refused")
        cause = await failure_of(await call(client, queue, endpoint, "fails", "not good"))
        assert "not good" in str(cause)
        cause = await failure_of(await call(client, queue, endpoint, "refuses", "NOT_FOUND"))
        assert isinstance(cause, nexusrpc.HandlerError)
        assert cause.type == nexusrpc.HandlerErrorType.NOT_FOUND

        cancelled = await client.start_workflow(
            CallsAndCancels.run, endpoint, id=unique("caller"), task_queue=queue
        )
        assert await cancelled.result() == "CancelledError"


async def test_an_operation_outside_survives_a_crash_and_ends_once(
    tmp_path: Path, queue: str, outside: Outside
):
    outside.answer = lambda request: running()
    with OpenServer(tmp_path / "server.db") as durable:
        client = await Client.connect(durable.address)
        endpoint = await endpoint_of(client, outside.url)
        handle = await call(client, queue, endpoint)
        async with worker(client, queue, [Calls]):
            await wait_for_event(handle, "NexusOperationStarted")
        durable.restart_after_kill()
        told = await asyncio.to_thread(complete, outside.requests[0])
        assert told.status == 200
        durable.restart_after_kill()
        told = await asyncio.to_thread(complete, outside.requests[0])
        assert told.status == 404
        client = await Client.connect(durable.address)
        handle = client.get_workflow_handle(handle.id)
        async with worker(client, queue, [Calls]):
            assert await handle.result() == "done"
        assert (await history_of(handle)).count("NexusOperationCompleted") == 1
        assert len(outside.requests) == 1
