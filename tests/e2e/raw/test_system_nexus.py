"""The endpoint of the server itself: workflows that signal others, and start them if need be."""

from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import (
    CommandType,
    EventType,
    WorkflowExecutionStatus,
    WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy,
    WorkflowTaskFailedCause,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
)

from harness.history import attributes, only
from harness.raw import Raw, complete_workflow, payload, payloads
from harness.sdk import unique
from harness.server import Server

ENDPOINT = "__temporal_system"
SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
OPERATION = "SignalWithStartWorkflowExecution"
RESPONSE = "temporal.api.workflowservice.v1.SignalWithStartWorkflowExecutionResponse"


def request(workflow_id: str, queue: str, **fields) -> SignalWithStartWorkflowExecutionRequest:
    return SignalWithStartWorkflowExecutionRequest(
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="target"),
        task_queue=TaskQueue(name=queue),
        signal_name="go",
        signal_input=payloads(b"1"),
        **fields,
    )


def binary(message: Message) -> Payload:
    name = message.DESCRIPTOR.full_name.encode()
    return Payload(
        metadata={"encoding": b"binary/protobuf", "messageType": name},
        data=message.SerializeToString(),
    )


def json(message: Message) -> Payload:
    name = message.DESCRIPTOR.full_name.encode()
    return Payload(
        metadata={"encoding": b"json/protobuf", "messageType": name},
        data=MessageToJson(message).encode(),
    )


def ask(
    given: Payload | None,
    service: str = SERVICE,
    operation: str = OPERATION,
    header: dict[str, str] | None = None,
) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION)
    schedule = command.schedule_nexus_operation_command_attributes
    schedule.endpoint, schedule.service, schedule.operation = ENDPOINT, service, operation
    schedule.nexus_header.update(header or {})
    if given is not None:
        schedule.input.CopyFrom(given)
    return command


def called(raw: Raw, queue: str, given: Payload):
    """A run that has asked and got an answer: its events up to there, and the run."""
    run = raw.start(queue)
    raw.complete(raw.poll(queue), ask(given))
    raw.complete(raw.poll(queue), complete_workflow())
    return raw.history(run), run


def answer(events) -> SignalWithStartWorkflowExecutionResponse:
    result = attributes(only(events, "NexusOperationCompleted")).result
    # No more: older SDKs look into what says that it is the server's, and do not know this.
    assert dict(result.metadata) == {
        "encoding": b"binary/protobuf",
        "messageType": RESPONSE.encode(),
    }
    return SignalWithStartWorkflowExecutionResponse.FromString(result.data)


@pytest.mark.parametrize("encode", [binary, json])
def test_a_workflow_starts_another_with_a_signal(raw: Raw, queue: str, encode):
    target, target_queue = unique("target"), unique("queue")
    events, run = called(raw, queue, encode(request(target, target_queue)))
    raw.assert_history(
        run,
        "Started WorkflowTask NexusOperationScheduled NexusOperationCompleted WorkflowTask "
        "Completed",
    )
    response = answer(events)
    assert response.started
    started = WorkflowExecution(workflow_id=target, run_id=response.run_id)
    target_events = raw.assert_history(started, "Started Signaled WorkflowTaskScheduled")
    signaled = attributes(target_events[1])
    assert (signaled.signal_name, signaled.input) == ("go", payloads(b"1"))
    raw.terminate(started)


def test_both_sides_know_each_other_and_the_request(raw: Raw, queue: str):
    target = unique("target")
    events, run = called(raw, queue, binary(request(target, unique("queue"))))
    scheduled, completed = (
        only(events, f"NexusOperation{word}") for word in ["Scheduled", "Completed"]
    )
    request_id = attributes(scheduled).request_id
    assert attributes(scheduled).endpoint_id == ""
    assert attributes(completed).request_id == request_id
    response = answer(events)
    [link] = completed.links
    assert link.workflow_event.workflow_id == target
    assert link.workflow_event.run_id == response.run_id
    assert link.workflow_event.request_id_ref.request_id == request_id
    assert (
        link.workflow_event.request_id_ref.event_type
        == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    )
    assert response.signal_link == link
    started = WorkflowExecution(workflow_id=target, run_id=response.run_id)
    for event in raw.history(started)[:2]:
        [link] = event.links
        assert link.workflow_event.workflow_id == run.workflow_id
        assert link.workflow_event.run_id == run.run_id
        assert link.workflow_event.event_ref.event_id == scheduled.event_id
    described = raw.call("DescribeWorkflowExecution", execution=started)
    assert list(described.workflow_extended_info.request_id_infos) == [request_id]
    raw.terminate(started)


def test_an_open_workflow_is_signalled(raw: Raw, queue: str):
    target_queue = unique("queue")
    target = raw.start(target_queue)
    events, _ = called(raw, queue, binary(request(target.workflow_id, target_queue)))
    response = answer(events)
    assert not response.started
    assert response.run_id == target.run_id
    raw.assert_history(target, "Started WorkflowTaskScheduled Signaled")
    raw.terminate(target)


def test_an_open_workflow_gives_way_when_the_request_says_so(raw: Raw, queue: str):
    target_queue = unique("queue")
    target = raw.start(target_queue)
    policy = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
    asked = request(target.workflow_id, target_queue, workflow_id_conflict_policy=policy)
    events, _ = called(raw, queue, binary(asked))
    response = answer(events)
    assert response.started and response.run_id != target.run_id
    described = raw.call("DescribeWorkflowExecution", execution=target)
    status = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED
    assert described.workflow_execution_info.status == status
    raw.terminate(WorkflowExecution(workflow_id=target.workflow_id, run_id=response.run_id))


def test_what_policies_forbid_fails_the_operation(raw: Raw, queue: str):
    target_queue = unique("queue")
    target = raw.start(target_queue)
    raw.terminate(target)
    policy = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    asked = request(target.workflow_id, target_queue, workflow_id_reuse_policy=policy)
    events, run = called(raw, queue, binary(asked))
    raw.assert_history(
        run,
        "Started WorkflowTask NexusOperationScheduled NexusOperationFailed WorkflowTask Completed",
    )
    failure: Failure = attributes(only(events, "NexusOperationFailed")).failure
    assert failure.message == "nexus operation completed unsuccessfully"
    assert failure.nexus_operation_execution_failure_info.endpoint == ENDPOINT
    assert failure.cause.message.startswith("WorkflowExecutionAlreadyStarted: Workflow execution")
    assert failure.cause.server_failure_info.non_retryable


NO_FAIL = (
    "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this "
    "operation."
)

REFUSED = {
    "a-service-that-there-is-not": (
        ask(binary(request("w", "q")), service="other"),
        'service "other" not found',
    ),
    "an-operation-that-there-is-not": (
        ask(binary(request("w", "q")), operation="StartWorkflowExecution"),
        'operation "StartWorkflowExecution" not found',
    ),
    "a-header": (
        ask(binary(request("w", "q")), header={"a": "b"}),
        "ScheduleNexusOperationCommandAttributes.NexusHeader must be empty when using "
        "__temporal_system endpoint",
    ),
    "another-namespace": (
        ask(binary(request("w", "q", namespace="other"))),
        'Namespace in request "other" does not match namespace in context "default"',
    ),
    "a-request-id": (
        ask(binary(request("w", "q", request_id="r"))),
        "RequestID should not be set on the request",
    ),
    "no-workflow-id": (ask(binary(request("", "q"))), "WorkflowId is not set on request."),
    "a-policy-that-fails": (
        ask(
            binary(
                request(
                    "w",
                    "q",
                    workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
                )
            )
        ),
        NO_FAIL,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_request_fails_the_workflow_task(raw: Raw, queue: str, name: str):
    command, text = REFUSED[name]
    run = raw.start(queue)
    refusal = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=raw.poll(queue).task_token, commands=[command]
    )
    assert refusal.text == f"BadScheduleNexusOperationAttributes: {text}"
    events = raw.history(run)
    failed = attributes(only(events, "WorkflowTaskFailed"))
    assert failed.cause == (
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES
    )
    assert failed.failure.message == f"BadScheduleNexusOperationAttributes: {text}"
    raw.terminate(run)


@pytest.mark.parametrize(
    "given",
    [None, payload(b"{}"), Payload(metadata={"encoding": b"binary/protobuf"}, data=b"\xff")],
    ids=["nothing", "json", "no-message"],
)
def test_a_request_that_cannot_be_read_fails_the_workflow_task(raw: Raw, queue: str, given):
    run = raw.start(queue)
    token = raw.poll(queue).task_token
    refusal = raw.refused("RespondWorkflowTaskCompleted", task_token=token, commands=[ask(given)])
    assert refusal.text.startswith("BadScheduleNexusOperationAttributes: ")
    raw.terminate(run)


def test_an_operation_happens_once_though_the_server_is_killed(tmp_path: Path):
    with Server(db_filename=tmp_path / "data") as server:
        raw, queue, target = Raw(server.address), unique("queue"), unique("target")
        run = raw.start(queue)
        raw.complete(raw.poll(queue), ask(binary(request(target, unique("queue")))))
        server.restart_after_kill()
        raw = Raw(server.address)
        raw.complete(raw.poll(queue, seconds=30), complete_workflow())
        response = answer(raw.history(run))
        started = WorkflowExecution(workflow_id=target, run_id=response.run_id)
        raw.assert_history(started, "Started Signaled WorkflowTaskScheduled")
        listed = raw.call("CountWorkflowExecutions", query=f"WorkflowId = '{target}'")
        assert (response.started, listed.count) == (True, 1)
