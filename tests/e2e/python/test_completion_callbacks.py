"""Completion callbacks of workflows to addresses outside of the server."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Callback, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CallbackState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import CallbackInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from harness.outside import Answer, OpenServer, Outside, Request
from harness.sdk import unique, worker
from harness.waiting import wait_for

pytestmark = pytest.mark.xdist_group("outside")

SUCCEEDED = CallbackState.CALLBACK_STATE_SUCCEEDED
FAILED = CallbackState.CALLBACK_STATE_FAILED
BACKING_OFF = CallbackState.CALLBACK_STATE_BACKING_OFF


@workflow.defn
class Ends:
    @workflow.run
    async def run(self, how: str) -> str:
        if how == "fail":
            raise ApplicationError("no", "detail", type="Refused")
        if how == "again":
            workflow.continue_as_new("well")
        if how == "wait":
            await workflow.sleep(1000)
        return how


@pytest.fixture(scope="module")
def open_server() -> Iterator[OpenServer]:
    with OpenServer() as running:
        yield running


@pytest.fixture(scope="module")
async def client(open_server: OpenServer) -> Client:
    return await Client.connect(open_server.address)


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as running:
        yield running


async def start(client: Client, queue: str, url: str, how: str = "well", **header: str) -> str:
    """Starts a workflow with a callback and gives its id."""
    workflow_id = unique("called-back")
    (argument,) = await client.data_converter.encode([how])
    request = StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="Ends"),
        task_queue=TaskQueue(name=queue),
        request_id=unique("request"),
        completion_callbacks=[Callback(nexus=Callback.Nexus(url=url, header=header))],
    )
    request.input.payloads.append(argument)
    await client.workflow_service.start_workflow_execution(request)
    return workflow_id


async def callback_of(client: Client, workflow_id: str) -> CallbackInfo:
    request = DescribeWorkflowExecutionRequest(
        namespace="default", execution=WorkflowExecution(workflow_id=workflow_id)
    )
    described = await client.workflow_service.describe_workflow_execution(request)
    (info,) = described.callbacks
    return info


async def settled(client: Client, workflow_id: str, state: int) -> CallbackInfo:
    async def there() -> bool:
        return (await callback_of(client, workflow_id)).state == state

    await wait_for(there, f"the callback of {workflow_id} in state {state}")
    return await callback_of(client, workflow_id)


async def test_the_end_of_a_chain_is_told_once(client: Client, queue: str, outside: Outside):
    async with worker(client, queue, [Ends]):
        workflow_id = await start(
            client, queue, f"{outside.url}/told?a=b", "again", **{"X-Mine": "yes"}
        )
        info = await settled(client, workflow_id, SUCCEEDED)
    assert (info.attempt, info.callback.nexus.header["x-mine"]) == (1, "yes")
    (request,) = outside.requests
    assert (request.path, request.body) == ("/told?a=b", b'"well"')
    headers = request.headers
    assert (headers["nexus-operation-state"], headers["x-mine"]) == ("succeeded", "yes")
    assert headers["content-type"] == "application/json"
    assert headers["nexus-operation-start-time"].endswith("GMT")
    assert headers["nexus-operation-close-time"].endswith("Z")
    assert f"/workflows/{workflow_id}/" in headers["nexus-link"]


@pytest.mark.parametrize(
    ("how", "state", "message", "info"),
    [
        ("fail", "failed", "no", "applicationFailureInfo"),
        ("terminate", "failed", "operation terminated", "terminatedFailureInfo"),
        ("cancel", "canceled", "operation canceled", "canceledFailureInfo"),
    ],
)
async def test_every_end_is_told_in_its_own_words(
    client: Client, queue: str, outside: Outside, how: str, state: str, message: str, info: str
):
    async with worker(client, queue, [Ends]):
        workflow_id = await start(client, queue, outside.url, "fail" if how == "fail" else "wait")
        handle = client.get_workflow_handle(workflow_id)
        if how != "fail":
            await getattr(handle, how)()
        await settled(client, workflow_id, SUCCEEDED)
    (request,) = outside.requests
    assert request.headers["nexus-operation-state"] == state
    failure = request.json
    assert failure["message"] == message
    assert failure["metadata"] == {"type": "temporal.api.failure.v1.Failure"}
    assert info in failure["details"]
    if how == "fail":
        assert failure["details"][info]["type"] == "Refused"


async def test_a_receiver_that_refuses_is_not_asked_again(
    client: Client, queue: str, outside: Outside
):
    outside.answer = lambda request: Answer(400, {}, b"no")
    async with worker(client, queue, [Ends]):
        info = await settled(client, await start(client, queue, outside.url), FAILED)
    assert (info.attempt, len(outside.requests)) == (1, 1)
    failure = info.last_attempt_failure
    assert failure.message == "handler error (BAD_REQUEST)"
    assert failure.application_failure_info.non_retryable


async def test_a_receiver_that_is_busy_is_asked_again(client: Client, queue: str, outside: Outside):
    outside.answer = lambda request: Answer(503 if len(outside.requests) < 2 else 204)
    async with worker(client, queue, [Ends]):
        workflow_id = await start(client, queue, outside.url)
        waiting = await settled(client, workflow_id, BACKING_OFF)
        assert waiting.last_attempt_failure.message == "handler error (UNAVAILABLE)"
        assert waiting.next_attempt_schedule_time.ToNanoseconds() > 0
        assert (await settled(client, workflow_id, SUCCEEDED)).attempt == 2


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("ftp://host", "invalid url: unknown scheme: ftp://host"),
        ("http://", "invalid url: missing host"),
        ("", "invalid url: unknown scheme: "),
        (
            "https://example.com/x",
            "invalid url: url does not match any configured callback address: "
            "https://example.com/x",
        ),
        (
            "http://127.0.0.1:7243/nexus/callback",
            "invalid url: url does not match any configured callback address: "
            "http://127.0.0.1:7243/nexus/callback",
        ),
    ],
)
async def test_without_rules_no_address_is_called(server, queue: str, url: str, text: str):
    closed = await Client.connect(server.address)
    with pytest.raises(RPCError) as refused:
        await start(closed, queue, url)
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
    assert refused.value.message == text


async def test_a_callback_survives_a_crash(tmp_path: Path, queue: str, outside: Outside):
    outside.answer = lambda request: Answer(503)
    with OpenServer(tmp_path / "server.db") as durable:
        client = await Client.connect(durable.address)
        async with worker(client, queue, [Ends]):
            workflow_id = await start(client, queue, outside.url)
            await settled(client, workflow_id, BACKING_OFF)
        durable.kill()
        outside.answer = lambda request: Answer(200)
        durable.start()
        client = await Client.connect(durable.address)
        await settled(client, workflow_id, SUCCEEDED)
    assert {request.body for request in outside.requests} == {b'"well"'}


async def test_what_was_under_way_in_a_crash_is_told_again(
    tmp_path: Path, queue: str, outside: Outside
):
    with OpenServer(tmp_path / "server.db") as durable:

        def answer(request: Request) -> Answer:
            if len(outside.requests) == 1:
                durable.kill()
            return Answer(200)

        outside.answer = answer
        client = await Client.connect(durable.address)
        async with worker(client, queue, [Ends]):
            workflow_id = await start(client, queue, outside.url)
            await wait_for(lambda: outside.requests, "the first delivery")
        await asyncio.to_thread(durable.start)
        client = await Client.connect(durable.address)
        assert (await settled(client, workflow_id, SUCCEEDED)).attempt == 1
    assert [json.loads(request.body) for request in outside.requests] == ["well", "well"]
