"""Nexus operations that no workflow waits for, and the world outside: handlers, and callbacks."""

import asyncio
import json
from collections.abc import Iterator

import nexusrpc
import pytest
from temporalio.api.common.v1 import Callback
from temporalio.api.enums.v1 import CallbackState
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNexusOperationExecutionRequest,
    StartNexusOperationExecutionRequest,
)
from temporalio.client import Client, NexusOperationFailureError

from harness.outside import Answer, OpenServer, Outside, Request, json_answer, post
from harness.sdk import unique
from harness.server import executable
from harness.waiting import wait_for

pytestmark = pytest.mark.xdist_group("outside")


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
    name = unique("endpoint")
    request = CreateNexusEndpointRequest(spec=EndpointSpec(name=name, target=target))
    await client.operator_service.create_nexus_endpoint(request)
    return name


async def start(client: Client, endpoint: str):
    services = client.create_nexus_client(service="Service", endpoint=endpoint)
    return await services.start_operation("echo", "hello", id=unique("operation"), result_type=str)


def complete(request: Request, body: bytes = b'"done"') -> Answer:
    """Says that an operation has ended."""
    prefix = "nexus-callback-"
    tokens = {
        name.removeprefix(prefix): value
        for name, value in request.headers.items()
        if name.startswith(prefix)
    }
    return post(request.query["callback"], body, {"nexus-operation-state": "succeeded"} | tokens)


async def test_a_handler_outside_answers_at_once(client: Client, outside: Outside) -> None:
    outside.answer = lambda request: Answer(200, {"content-type": "application/json"}, request.body)
    handle = await start(client, await endpoint_of(client, outside.url))
    assert await handle.result() == "hello"
    (request,) = outside.requests
    assert request.path.startswith("/Service/echo?")
    assert request.headers["nexus-request-id"] == (await handle.describe()).request_id
    assert 'type="temporal.api.common.v1.Link.NexusOperation"' in request.headers["nexus-link"]


async def test_a_handler_outside_says_later_that_it_is_done(
    client: Client, outside: Outside
) -> None:
    outside.answer = lambda request: json_answer(201, {"token": "token", "state": "running"})
    handle = await start(client, await endpoint_of(client, outside.url))

    async def is_started() -> bool:
        return (await handle.describe()).operation_token == "token"

    await wait_for(is_started, "an operation that has started")
    told = await asyncio.to_thread(complete, outside.requests[0])
    assert (told.status, told.body) == (200, b"")
    assert await handle.result() == "done"


async def test_a_handler_outside_refuses(client: Client, outside: Outside) -> None:
    outside.answer = lambda request: json_answer(400, {"message": "no"})
    handle = await start(client, await endpoint_of(client, outside.url))
    with pytest.raises(NexusOperationFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, nexusrpc.HandlerError)
    assert failed.value.cause.type == nexusrpc.HandlerErrorType.BAD_REQUEST


@pytest.mark.skipif(
    "longtide" not in executable(), reason="the reference takes no callbacks of operations yet"
)
async def test_callbacks_are_told_how_it_ended(client: Client, outside: Outside) -> None:
    def answer(request: Request) -> Answer:
        if request.path.startswith("/told"):
            return Answer(200)
        return Answer(200, {"content-type": "application/json"}, request.body)

    outside.answer = answer
    operation_id = unique("operation")
    request = StartNexusOperationExecutionRequest(
        namespace="default",
        operation_id=operation_id,
        endpoint=await endpoint_of(client, outside.url),
        service="Service",
        operation="echo",
        completion_callbacks=[Callback(nexus=Callback.Nexus(url=f"{outside.url}/told"))],
    )
    [payload] = await client.data_converter.encode(["hello"])
    request.input.CopyFrom(payload)
    await client.workflow_service.start_nexus_operation_execution(request)
    describe = DescribeNexusOperationExecutionRequest(
        namespace="default", operation_id=operation_id
    )

    async def is_told() -> bool:
        described = await client.workflow_service.describe_nexus_operation_execution(describe)
        [callback] = described.completion_callbacks
        assert callback.trigger.WhichOneof("variant") == "operation_completed"
        return callback.info.state == CallbackState.CALLBACK_STATE_SUCCEEDED

    await wait_for(is_told, "a delivered callback")
    [told] = [request for request in outside.requests if request.path.startswith("/told")]
    assert json.loads(told.body) == "hello"
    assert told.headers["nexus-operation-state"] == "succeeded"
