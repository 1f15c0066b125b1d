"""Completion callbacks of updates: they tell an update's outcome to addresses outside."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.command.v1 import Command, ProtocolMessageCommandAttributes
from temporalio.api.common.v1 import Callback, Link, WorkflowExecution
from temporalio.api.enums.v1 import (
    CallbackState,
    CommandType,
    EventType,
    UpdateWorkflowExecutionLifecycleStage,
)
from temporalio.api.protocol.v1 import Message
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import (
    Acceptance,
    Input,
    Meta,
    Outcome,
    Request,
    Response,
    WaitPolicy,
)
from temporalio.api.workflow.v1 import CallbackInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    ResetWorkflowExecutionRequest,
    RespondWorkflowTaskCompletedRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from harness.history import event_types
from harness.outside import Answer, OpenServer, Outside
from harness.sdk import unique, wait_for_event, wait_until_idle, worker
from harness.waiting import wait_for

pytestmark = pytest.mark.xdist_group("outside")

ACCEPTED = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
STANDBY = CallbackState.CALLBACK_STATE_STANDBY
BACKING_OFF = CallbackState.CALLBACK_STATE_BACKING_OFF
SUCCEEDED = CallbackState.CALLBACK_STATE_SUCCEEDED
UPDATE_ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
OPTIONS_UPDATED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED


@workflow.defn
class Answers:
    refuses = False

    def __init__(self) -> None:
        self.released = False
        self.continues = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.continues)
        workflow.continue_as_new()

    @workflow.signal
    def release(self) -> None:
        self.released = True

    @workflow.signal
    def go_on(self) -> None:
        self.continues = True

    @workflow.update
    async def ask(self, how: str) -> str:
        await workflow.wait_condition(lambda: self.released)
        if how == "fail":
            raise ApplicationError("no")
        return how

    @ask.validator
    def check(self, how: str) -> None:
        if Answers.refuses:
            raise ApplicationError("not any more")


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


async def start(client: Client, queue: str) -> WorkflowHandle:
    return await client.start_workflow(Answers.run, id=unique("asked"), task_queue=queue)


async def ask(client: Client, workflow_id: str, url: str, how: str = "well", **fields: str) -> Link:
    """Asks for the update and waits until it is accepted; gives the link to the acceptance."""
    (argument,) = await client.data_converter.encode([how])
    update = Request(
        meta=Meta(update_id=fields.get("update_id", "one")),
        input=Input(name="ask"),
        request_id=fields.get("request_id", "first"),
        completion_callbacks=[Callback(nexus=Callback.Nexus(url=url))],
    )
    update.input.args.payloads.append(argument)
    request = UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        wait_policy=WaitPolicy(lifecycle_stage=ACCEPTED),
        request=update,
    )
    return (await client.workflow_service.update_workflow_execution(request)).link


async def describe(
    client: Client, workflow_id: str, run_id: str = ""
) -> DescribeWorkflowExecutionResponse:
    request = DescribeWorkflowExecutionRequest(
        namespace="default", execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    )
    return await client.workflow_service.describe_workflow_execution(request)


async def callbacks(client: Client, workflow_id: str, run_id: str = "") -> list[CallbackInfo]:
    return list((await describe(client, workflow_id, run_id)).callbacks)


async def reached(client: Client, workflow_id: str, state: int, run_id: str = "") -> None:
    """Waits until all callbacks of a run are in this state."""

    async def there() -> bool:
        infos = await callbacks(client, workflow_id, run_id)
        return bool(infos) and all(info.state == state for info in infos)

    await wait_for(there, f"the callbacks of {workflow_id}")


@pytest.mark.parametrize("how", ["well", "fail"])
async def test_an_outcome_is_told_while_the_run_goes_on(
    client: Client, queue: str, outside: Outside, how: str
):
    async with worker(client, queue, [Answers]):
        run = await start(client, queue)
        link = await ask(client, run.id, outside.url, how)
        assert link.workflow_event.request_id_ref.request_id == "first"
        described = await describe(client, run.id)
        (waiting,) = described.callbacks
        assert waiting.state == STANDBY
        assert waiting.callback.nexus.url == outside.url
        assert waiting.trigger.update_workflow_execution_completed.update_id == "one"
        events = (await run.fetch_history()).events
        (accepted,) = [event for event in events if event.event_type == UPDATE_ACCEPTED]
        assert waiting.registration_time == accepted.event_time
        told = described.workflow_extended_info.request_id_infos["first"]
        assert (told.event_type, told.event_id) == (UPDATE_ACCEPTED, accepted.event_id)
        await run.signal(Answers.release)
        await reached(client, run.id, SUCCEEDED)
        await run.terminate()
    (request,) = outside.requests
    headers = request.headers
    assert headers["nexus-operation-start-time"].endswith("GMT")
    assert headers["nexus-operation-close-time"].endswith("Z")
    assert f"/workflows/{run.id}/{run.first_execution_run_id}/" in headers["nexus-link"]
    assert "referenceType=RequestIdReference" in headers["nexus-link"]
    assert "eventType=WorkflowExecutionUpdateAccepted" in headers["nexus-link"]
    assert "requestID=first" in headers["nexus-link"]
    if how == "fail":
        assert headers["nexus-operation-state"] == "failed"
        assert request.json["message"] == "no"
    else:
        assert headers["nexus-operation-state"] == "succeeded"
        assert request.body == b'"well"'


async def test_a_further_request_brings_its_own(client: Client, queue: str, outside: Outside):
    async with worker(client, queue, [Answers]):
        run = await start(client, queue)
        await ask(client, run.id, f"{outside.url}/first")
        for _ in range(2):
            await ask(client, run.id, f"{outside.url}/second", request_id="second")
        described = await describe(client, run.id)
        await run.signal(Answers.release)
        await reached(client, run.id, SUCCEEDED)
        await ask(client, run.id, f"{outside.url}/third", request_id="third")
        assert len(await callbacks(client, run.id)) == 2
        events = (await run.fetch_history()).events
        await run.terminate()
    assert sorted(request.path for request in outside.requests) == ["/first", "/second"]
    (event,) = [event for event in events if event.event_type == OPTIONS_UPDATED]
    (attached,) = event.workflow_execution_options_updated_event_attributes.workflow_update_options
    assert (attached.update_id, attached.attached_request_id) == ("one", "second")
    (callback,) = attached.attached_completion_callbacks
    assert callback.nexus.url == f"{outside.url}/second"
    told = described.workflow_extended_info.request_id_infos["second"]
    assert told.event_type == OPTIONS_UPDATED


async def poll(client: Client, queue: str) -> PollWorkflowTaskQueueResponse:
    request = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue))
    return await client.workflow_service.poll_workflow_task_queue(request)


async def accept_and_complete(client: Client, task: PollWorkflowTaskQueueResponse) -> None:
    """What a worker answers that accepts an update and completes it at once."""
    (asked,) = task.messages
    acceptance = Acceptance(
        accepted_request_message_id=asked.id,
        accepted_request_sequencing_event_id=asked.event_id,
    )
    response = Response(meta=Meta(update_id="one"), outcome=Outcome())
    (result,) = await client.data_converter.encode(["well"])
    response.outcome.success.payloads.append(result)
    answer = RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token)
    for number, body in enumerate([acceptance, response]):
        message = Message(id=str(number), protocol_instance_id=asked.protocol_instance_id)
        message.body.Pack(body)
        answer.messages.append(message)
        named = ProtocolMessageCommandAttributes(message_id=message.id)
        answer.commands.append(
            Command(
                command_type=CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
                protocol_message_command_attributes=named,
            )
        )
    await client.workflow_service.respond_workflow_task_completed(answer)


async def test_a_request_for_an_update_that_a_worker_has_waits_with_it(
    client: Client, queue: str, outside: Outside
):
    run = await start(client, queue)
    first_task = await poll(client, queue)
    await client.workflow_service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(namespace="default", task_token=first_task.task_token)
    )
    first = asyncio.create_task(ask(client, run.id, f"{outside.url}/first"))
    task = await poll(client, queue)
    second = asyncio.create_task(ask(client, run.id, f"{outside.url}/second", request_id="second"))
    # The order of arrival is all that can be waited for here: it shows nowhere.
    await asyncio.sleep(0.5)
    assert not await callbacks(client, run.id)
    await accept_and_complete(client, task)
    await asyncio.gather(first, second)
    await reached(client, run.id, SUCCEEDED)
    names = event_types((await run.fetch_history()).events)
    await run.terminate()
    assert names[-3:] == [
        "WorkflowExecutionUpdateAccepted",
        "WorkflowExecutionUpdateCompleted",
        "WorkflowExecutionOptionsUpdated",
    ]
    assert sorted(request.path for request in outside.requests) == ["/first", "/second"]
    assert {request.body for request in outside.requests} == {b'"well"'}


async def test_a_run_that_ends_is_told(client: Client, queue: str, outside: Outside):
    async with worker(client, queue, [Answers]):
        run = await start(client, queue)
        await ask(client, run.id, outside.url)
        await run.terminate()
        await reached(client, run.id, SUCCEEDED)
    (request,) = outside.requests
    assert request.headers["nexus-operation-state"] == "failed"
    assert request.json["message"].startswith("Workflow Update failed because the Workflow comp")


async def test_a_run_that_continues_as_new_is_told(client: Client, queue: str, outside: Outside):
    async with worker(client, queue, [Answers]):
        run = await start(client, queue)
        await ask(client, run.id, outside.url)
        await run.signal(Answers.go_on)
        await reached(client, run.id, SUCCEEDED, run.first_execution_run_id)
        assert not await callbacks(client, run.id)
        await client.get_workflow_handle(run.id).terminate()
    (request,) = outside.requests
    assert request.headers["nexus-operation-state"] == "failed"


async def reset(client: Client, run: WorkflowHandle) -> WorkflowHandle:
    """Begins again after the first workflow task."""
    request = ResetWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=run.id),
        reason="again",
        request_id=str(uuid.uuid4()),
        workflow_task_finish_event_id=4,
    )
    answer = await client.workflow_service.reset_workflow_execution(request)
    return client.get_workflow_handle(run.id, run_id=answer.run_id)


@pytest.mark.parametrize("refuses", [False, True])
async def test_after_a_reset_the_new_run_tells(
    client: Client,
    queue: str,
    outside: Outside,
    refuses: bool,
    monkeypatch: pytest.MonkeyPatch,
):
    async with worker(client, queue, [Answers], max_cached_workflows=0):
        run = await start(client, queue)
        await wait_until_idle(run)
        await ask(client, run.id, f"{outside.url}/first")
        await ask(client, run.id, f"{outside.url}/second", request_id="second")
        monkeypatch.setattr(Answers, "refuses", refuses)
        again = await reset(client, run)
        if not refuses:
            await wait_for_event(again, "WorkflowExecutionUpdateAccepted")
            await again.signal(Answers.release)
        await reached(client, run.id, SUCCEEDED, again.run_id)
        names = event_types((await again.fetch_history()).events)
        base = await callbacks(client, run.id, run.first_execution_run_id)
        await again.terminate()
    admitted = ["WorkflowExecutionUpdateAdmitted", "WorkflowExecutionOptionsUpdated"]
    assert names[3:6] == ["WorkflowTaskFailed", *admitted]
    assert [info.state for info in base] == [STANDBY, STANDBY]
    assert sorted(request.path for request in outside.requests) == ["/first", "/second"]
    for request in outside.requests:
        state = request.headers["nexus-operation-state"]
        if refuses:
            assert (state, request.json["message"]) == ("failed", "not any more")
        else:
            assert (state, request.body) == ("succeeded", b'"well"')


async def test_callbacks_of_updates_survive_crashes(tmp_path: Path, queue: str, outside: Outside):
    outside.answer = lambda request: Answer(503)
    with OpenServer(tmp_path / "server.db") as durable:
        client = await Client.connect(durable.address)
        async with worker(client, queue, [Answers]):
            run = await start(client, queue)
            await ask(client, run.id, outside.url)
        durable.restart_after_kill()
        client = await Client.connect(durable.address)
        (waiting,) = await callbacks(client, run.id)
        assert waiting.state == STANDBY
        async with worker(client, queue, [Answers]):
            await client.get_workflow_handle(run.id).signal(Answers.release)
            await reached(client, run.id, BACKING_OFF)
        durable.kill()
        outside.answer = lambda request: Answer(200)
        durable.start()
        client = await Client.connect(durable.address)
        await reached(client, run.id, SUCCEEDED)
    assert {request.body for request in outside.requests} == {b'"well"'}


async def test_callbacks_need_a_request_id(client: Client, queue: str, outside: Outside):
    run = await start(client, queue)
    with pytest.raises(RPCError) as refused:
        await asyncio.wait_for(ask(client, run.id, outside.url, request_id=""), 10)
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
    assert "request_id is required" in str(refused.value)
    await run.terminate()


async def test_a_run_takes_32_callbacks(client: Client, queue: str, outside: Outside):
    async with worker(client, queue, [Answers]):
        run = await start(client, queue)
        for number in range(32):
            await ask(client, run.id, outside.url, request_id=str(number))
        with pytest.raises(RPCError) as refused:
            await ask(client, run.id, outside.url, request_id="one too many")
        await run.terminate()
    assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION
    assert refused.value.message == (
        "cannot attach more than 32 callbacks to a workflow (32 callbacks already attached)"
    )
