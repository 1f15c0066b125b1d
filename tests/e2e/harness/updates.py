"""Updates as messages of the protocol: what clients ask and what workers answer."""

from google.protobuf.any_pb2 import Any
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType, UpdateWorkflowExecutionLifecycleStage
from temporalio.api.failure.v1 import Failure
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import (
    Acceptance,
    Input,
    Meta,
    Outcome,
    Rejection,
    Request,
    Response,
    UpdateRef,
    WaitPolicy,
)

from harness.raw import Raw, payloads

STAGE = "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE"
ADMITTED, ACCEPTED, COMPLETED = (
    UpdateWorkflowExecutionLifecycleStage.Value(f"{STAGE}_{name}")
    for name in ("ADMITTED", "ACCEPTED", "COMPLETED")
)
DONE = payloads(b'"done"')


def fields(run: WorkflowExecution, update_id: str, stage: int = COMPLETED, **more) -> dict:
    """An update request."""
    asked = Request(
        meta=Meta(update_id=update_id, identity="client"),
        input=Input(name="name", args=payloads(b"1")),
    )
    wait = WaitPolicy(lifecycle_stage=stage)
    return {"workflow_execution": run, "request": asked, "wait_policy": wait} | more


def poll_fields(run: WorkflowExecution, update_id: str, stage: int = 0) -> dict:
    reference = UpdateRef(workflow_execution=run, update_id=update_id)
    return {"update_ref": reference, "wait_policy": WaitPolicy(lifecycle_stage=stage)}


def message(update_id: str, body) -> Message:
    packed = Any()
    packed.Pack(body)
    kind = type(body).__name__
    return Message(id=f"{update_id}/{kind}", protocol_instance_id=update_id, body=packed)


def accept(request: Message) -> Message:
    return message(
        request.protocol_instance_id,
        Acceptance(
            accepted_request_message_id=request.id,
            accepted_request_sequencing_event_id=request.event_id,
        ),
    )


def reject(request: Message) -> Message:
    failure = Failure(message="no")
    return message(request.protocol_instance_id, Rejection(failure=failure))


def respond(update_id: str) -> Message:
    meta = Meta(update_id=update_id)
    return message(update_id, Response(meta=meta, outcome=Outcome(success=DONE)))


def answer(raw: Raw, task, *messages: Message, commands: tuple[Command, ...] = (), **more):
    """Completes a task with these messages; commands name all but rejections."""
    named = []
    for it in messages:
        if not it.body.Is(Rejection.DESCRIPTOR):
            named.append(Command(command_type=CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE))
            named[-1].protocol_message_command_attributes.message_id = it.id
    more.setdefault("return_new_workflow_task", True)
    return raw.complete(task, *named, *commands, messages=messages, **more)
