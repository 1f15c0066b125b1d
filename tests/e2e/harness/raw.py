"""A client that speaks the protocol itself: no SDK, no retries, one call at a time."""

import uuid
from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import (
    GrpcStatus,
    Payload,
    Payloads,
    WorkflowExecution,
    WorkflowType,
)
from temporalio.api.enums.v1 import CommandType, TaskQueueKind
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.operatorservice.v1 import service_pb2_grpc as operator_service
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service

from harness.history import event_types, expected
from harness.sdk import unique

CALL_SECONDS = 10.0
POLL_SECONDS = 10.0

AS_CLI = (("client-name", "temporal-cli"), ("client-version", "1.5.0"))
"""What the CLI sends; a history read this way has only events that are written."""


@dataclass(frozen=True)
class Refusal:
    """How a server refused a call: the code's name, the text, and the detail message's name."""

    code: str
    text: str
    detail: str | None


def refusal_of(error: grpc.RpcError) -> Refusal:
    """The refusal that a failed call carries in its status and its trailing metadata."""
    return Refusal(error.code().name, error.details(), _detail_name(error))


def detail_of(error: grpc.RpcError, kind: type):
    """The first detail of a failed call, read as a message of type `kind`."""
    detail = _details(error)[0]
    message = kind()
    assert detail.Unpack(message), f"the detail is a {detail.type_url}"
    return message


def payloads(*values: bytes) -> Payloads:
    """Payloads as the SDKs make them of JSON values."""
    return Payloads(payloads=[payload(value) for value in values])


def payload(data: bytes) -> Payload:
    """One payload of JSON text."""
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


def sticky(queue: str, normal: str, seconds: float = 5.0) -> StickyExecutionAttributes:
    """Sticky attributes for a completion: the worker's own queue beside the normal one."""
    attributes = StickyExecutionAttributes(worker_task_queue=sticky_queue(queue, normal))
    attributes.schedule_to_start_timeout.FromMilliseconds(int(seconds * 1000))
    return attributes


def sticky_queue(queue: str, normal: str) -> TaskQueue:
    """The worker's own queue, as a sticky poll names it."""
    return TaskQueue(name=queue, kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=normal)


def complete_workflow(*results: bytes) -> Command:
    """The command that completes a run."""
    command = Command(command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.result.CopyFrom(payloads(*results))
    return command


def start_timer(timer_id: str, milliseconds: int) -> Command:
    """The command that starts a timer."""
    command = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER)
    attributes = command.start_timer_command_attributes
    attributes.timer_id = timer_id
    attributes.start_to_fire_timeout.FromMilliseconds(milliseconds)
    return command


def cancel_timer(timer_id: str) -> Command:
    """The command that cancels a timer."""
    command = Command(command_type=CommandType.COMMAND_TYPE_CANCEL_TIMER)
    command.cancel_timer_command_attributes.timer_id = timer_id
    return command


def schedule_activity(activity_id: str, queue: str, **attributes: object) -> Command:
    """The command that schedules an activity; ten seconds from start to close unless told."""
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    schedule = command.schedule_activity_task_command_attributes
    schedule.activity_id = activity_id
    schedule.activity_type.name = "activity"
    schedule.task_queue.name = queue
    seconds = {"start_to_close_timeout": 10.0}
    seconds |= {name: value for name, value in attributes.items() if name.endswith("_timeout")}
    for name, value in seconds.items():
        getattr(schedule, name).FromMilliseconds(int(value * 1000))
    schedule.retry_policy.maximum_attempts = attributes.get("maximum_attempts", 1)
    schedule.request_eager_execution = attributes.get("eager", False)
    return command


def record_marker(name: str, data: bytes = b"1") -> Command:
    """The command that records a marker."""
    command = Command(command_type=CommandType.COMMAND_TYPE_RECORD_MARKER)
    command.record_marker_command_attributes.marker_name = name
    command.record_marker_command_attributes.details["data"].CopyFrom(payloads(data))
    return command


def start_child(workflow_id: str, queue: str, **fields) -> Command:
    """The command that starts a child; `fields` are those of its attributes."""
    command = Command(command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    child = command.start_child_workflow_execution_command_attributes
    child.workflow_id = workflow_id
    child.workflow_type.name = "child"
    child.task_queue.name = queue
    for name, value in fields.items():
        if name.endswith("_timeout"):
            getattr(child, name).FromMilliseconds(int(value * 1000))
        elif hasattr(value, "DESCRIPTOR"):
            getattr(child, name).CopyFrom(value)
        else:
            setattr(child, name, value)
    return command


class Raw:
    """The two services of a server, and the calls that most tests make."""

    def __init__(self, address: str) -> None:
        unlimited = [
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
        ]
        self.channel = grpc.insecure_channel(address, unlimited)
        self.workflow = service.WorkflowServiceStub(self.channel)
        self.operator = operator_service.OperatorServiceStub(self.channel)

    def call(
        self,
        method: str,
        namespace: str = "default",
        timeout: float = CALL_SECONDS,
        metadata: tuple[tuple[str, str], ...] = (),
        **fields,
    ):
        """Calls a method of the workflow service with a request of these fields."""
        request = getattr(messages, f"{method}Request")(**fields)
        if namespace and "namespace" in request.DESCRIPTOR.fields_by_name:
            request.namespace = namespace
        return getattr(self.workflow, method)(request, timeout=timeout, metadata=metadata)

    def refused(self, method: str, **fields) -> Refusal:
        """The refusal of a call that must not succeed."""
        return refusal_of(self.error(method, **fields))

    def error(self, method: str, **fields) -> grpc.RpcError:
        """The error of a call that must not succeed."""
        try:
            answer = self.call(method, **fields)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{method} was not refused but answered {answer}")

    def start(self, queue: str, workflow_id: str | None = None, **fields) -> WorkflowExecution:
        """Starts a workflow, of type `workflow` unless told, and gives the ids of its run."""
        workflow_id = workflow_id or unique("raw")
        answer = self.call("StartWorkflowExecution", **start_fields(queue, workflow_id, **fields))
        return WorkflowExecution(workflow_id=workflow_id, run_id=answer.run_id)

    def poll(self, queue: str | TaskQueue, seconds: float = POLL_SECONDS, identity: str = "raw"):
        """A workflow task, or an empty answer when none comes."""
        queue = TaskQueue(name=queue) if isinstance(queue, str) else queue
        return self.call(
            "PollWorkflowTaskQueue", timeout=seconds, task_queue=queue, identity=identity
        )

    def poll_activity(self, queue: str, seconds: float = POLL_SECONDS, identity: str = "raw"):
        """An activity task, or an empty answer when none comes."""
        return self.call(
            "PollActivityTaskQueue",
            timeout=seconds,
            task_queue=TaskQueue(name=queue),
            identity=identity,
        )

    def complete(self, task, *commands: Command, **fields):
        """Completes a workflow task with these commands."""
        return self.call(
            "RespondWorkflowTaskCompleted",
            task_token=task.task_token,
            commands=commands,
            identity="raw",
            **fields,
        )

    def signal(self, run: WorkflowExecution, name: str = "signal", **fields) -> None:
        """Signals a run."""
        self.call("SignalWorkflowExecution", workflow_execution=run, signal_name=name, **fields)

    def terminate(self, run: WorkflowExecution) -> None:
        """Terminates a run."""
        self.call("TerminateWorkflowExecution", workflow_execution=run)

    def history(self, run: WorkflowExecution) -> list[HistoryEvent]:
        """All events of a run that are written; transient workflow tasks are not."""
        events, token = [], b""
        while True:
            page = self.call(
                "GetWorkflowExecutionHistory",
                metadata=AS_CLI,
                execution=run,
                next_page_token=token,
            )
            events += page.history.events
            token = page.next_page_token
            if not token:
                return events

    def assert_history(self, run: WorkflowExecution, sequence: str) -> list[HistoryEvent]:
        """The run's events are exactly `sequence`, numbered without a gap."""
        events = self.history(run)
        assert event_types(events) == expected(sequence)
        assert [event.event_id for event in events] == list(range(1, len(events) + 1))
        return events


def start_fields(queue: str, workflow_id: str, **fields) -> dict:
    """The fields of a start request; `fields` add to them or replace them."""
    return {
        "workflow_id": workflow_id,
        "workflow_type": WorkflowType(name="workflow"),
        "task_queue": TaskQueue(name=queue),
        "request_id": str(uuid.uuid4()),
        "identity": "raw",
    } | fields


def _details(error: grpc.RpcError) -> list[Any]:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return list(GrpcStatus.FromString(value).details)
    return []


def _detail_name(error: grpc.RpcError) -> str | None:
    details = _details(error)
    return details[0].type_url.rsplit(".", 1)[1] if details else None
