"""Signals and requests to cancel that a workflow sends to others."""

import contextlib

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    CommandType,
    SignalExternalWorkflowExecutionFailedCause,
    WorkflowTaskFailedCause,
)

from harness.history import attributes, event_types, only
from harness.raw import Raw, complete_workflow, payloads, start_child
from harness.sdk import unique
from harness.waiting import wait_for_sync

SIGNALED = "ExternalWorkflowExecutionSignaled"
NOT_SIGNALED = "SignalExternalWorkflowExecutionFailed"
CANCELED = "ExternalWorkflowExecutionCancelRequested"
NOT_CANCELED = "RequestCancelExternalWorkflowExecutionFailed"


def signal(target: WorkflowExecution, name: str = "go", **fields) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes_ = command.signal_external_workflow_execution_command_attributes
    attributes_.execution.CopyFrom(target)
    attributes_.signal_name = name
    for field, value in fields.items():
        if hasattr(value, "DESCRIPTOR"):
            getattr(attributes_, field).CopyFrom(value)
        else:
            setattr(attributes_, field, value)
    return command


def cancel(target: WorkflowExecution, **fields) -> Command:
    command = Command(
        command_type=CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION
    )
    attributes_ = command.request_cancel_external_workflow_execution_command_attributes
    attributes_.workflow_id, attributes_.run_id = target.workflow_id, target.run_id
    for field, value in fields.items():
        setattr(attributes_, field, value)
    return command


def send(raw: Raw, queue: str, *commands: Command) -> WorkflowExecution:
    """A workflow that has sent these commands."""
    run = raw.start(queue)
    raw.complete(raw.poll(queue), *commands)
    return run


def outcome(raw: Raw, run: WorkflowExecution, name: str):
    """The attributes of the one event of this name, once it is there."""

    def there():
        events = raw.history(run)
        return events if name in event_types(events) else None

    return attributes(only(wait_for_sync(there, f"{name} in {run.workflow_id}"), name))


@pytest.fixture
def target(raw: Raw, queue: str):
    run = raw.start(f"{queue}-target")
    yield run
    with contextlib.suppress(grpc.RpcError):
        raw.terminate(run)


@pytest.mark.parametrize("with_run", [True, False], ids=["run", "current"])
def test_a_signal_arrives(raw: Raw, queue: str, target: WorkflowExecution, with_run: bool):
    named = target if with_run else WorkflowExecution(workflow_id=target.workflow_id)
    run = send(raw, queue, signal(named, input=payloads(b'"in"'), control="control"))
    signaled = outcome(raw, run, SIGNALED)
    assert signaled.initiated_event_id == 5
    assert signaled.workflow_execution == named
    assert signaled.namespace == "default"
    assert signaled.namespace_id
    assert signaled.control == "control"
    events = raw.assert_history(
        run,
        f"Started WorkflowTask SignalExternalWorkflowExecutionInitiated {SIGNALED} "
        "WorkflowTaskScheduled",
    )
    initiated = attributes(events[4])
    assert initiated.workflow_task_completed_event_id == 4
    assert initiated.namespace == ""
    assert initiated.namespace_id == signaled.namespace_id
    assert initiated.workflow_execution == named
    assert initiated.signal_name == "go"
    assert initiated.input == payloads(b'"in"')
    assert initiated.control == "control"
    received = attributes(only(raw.history(target), "WorkflowExecutionSignaled"))
    assert received.signal_name == "go"
    assert received.input == payloads(b'"in"')
    assert received.identity == "history-service"
    assert received.external_workflow_execution == run
    raw.terminate(run)


@pytest.mark.parametrize("with_run", [True, False], ids=["run", "current"])
def test_a_request_to_cancel_arrives(
    raw: Raw, queue: str, target: WorkflowExecution, with_run: bool
):
    named = target if with_run else WorkflowExecution(workflow_id=target.workflow_id)
    run = send(raw, queue, cancel(named, reason="enough", control="control"))
    canceled = outcome(raw, run, CANCELED)
    assert canceled.initiated_event_id == 5
    assert canceled.workflow_execution == named
    assert canceled.namespace == "default"
    events = raw.assert_history(
        run,
        f"Started WorkflowTask RequestCancelExternalWorkflowExecutionInitiated {CANCELED} "
        "WorkflowTaskScheduled",
    )
    initiated = attributes(events[4])
    assert initiated.reason == "enough"
    assert initiated.control == "control"
    assert initiated.namespace == ""
    assert initiated.workflow_execution == named
    requested = attributes(only(raw.history(target), "WorkflowExecutionCancelRequested"))
    assert requested.cause == "enough"
    assert requested.external_initiated_event_id == 5
    assert requested.external_workflow_execution == run
    assert requested.identity == "history-service"
    raw.terminate(run)


def test_a_second_request_to_cancel_succeeds_and_says_nothing(
    raw: Raw, queue: str, target: WorkflowExecution
):
    run = send(raw, queue, cancel(target))
    outcome(raw, run, CANCELED)
    again = send(raw, queue + "-again", cancel(target))
    outcome(raw, again, CANCELED)
    assert event_types(raw.history(target)).count("WorkflowExecutionCancelRequested") == 1
    for sender in (run, again):
        raw.terminate(sender)


def absent(raw: Raw, queue: str, what: str) -> WorkflowExecution:
    if what == "unknown":
        return WorkflowExecution(workflow_id=unique("nobody"))
    run = raw.start(f"{queue}-target")
    if what == "another run":
        raw.terminate(run)
        return WorkflowExecution(
            workflow_id=run.workflow_id, run_id="0190f6a8-1111-7000-8000-000000000000"
        )
    raw.terminate(run)
    return run


@pytest.mark.parametrize("what", ["unknown", "another run", "closed"])
def test_a_signal_to_nobody_fails(raw: Raw, queue: str, what: str):
    target = absent(raw, queue, what)
    run = send(raw, queue, signal(target, control="control"))
    failed = outcome(raw, run, NOT_SIGNALED)
    assert failed.cause == SignalExternalWorkflowExecutionFailedCause.Value(
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"
    )
    assert failed.initiated_event_id == 5
    assert failed.workflow_task_completed_event_id == 0
    assert failed.workflow_execution == target
    assert failed.namespace == "default"
    assert failed.control == "control"
    raw.terminate(run)


@pytest.mark.parametrize("what", ["unknown", "another run"])
def test_a_request_to_cancel_nobody_fails(raw: Raw, queue: str, what: str):
    target = absent(raw, queue, what)
    run = send(raw, queue, cancel(target, control="control"))
    failed = outcome(raw, run, NOT_CANCELED)
    assert failed.cause == CancelExternalWorkflowExecutionFailedCause.Value(
        "CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"
    )
    assert failed.initiated_event_id == 5
    assert failed.workflow_execution == target
    assert failed.namespace == "default"
    assert failed.control == ""
    raw.terminate(run)


def test_a_request_to_cancel_what_has_closed_succeeds(raw: Raw, queue: str):
    run = send(raw, queue, cancel(absent(raw, queue, "closed")))
    outcome(raw, run, CANCELED)
    raw.terminate(run)


def test_a_workflow_does_not_find_itself(raw: Raw, queue: str):
    run = raw.start(queue)
    itself = WorkflowExecution(workflow_id=run.workflow_id)
    raw.complete(raw.poll(queue), signal(itself), cancel(run))
    outcome(raw, run, NOT_SIGNALED)
    outcome(raw, run, NOT_CANCELED)
    names = event_types(raw.history(run))
    assert "WorkflowExecutionSignaled" not in names
    assert "WorkflowExecutionCancelRequested" not in names
    raw.terminate(run)


def test_what_is_meant_for_a_child_does_not_reach_others(
    raw: Raw, queue: str, target: WorkflowExecution
):
    commands = [signal(target, child_workflow_only=True), cancel(target, child_workflow_only=True)]
    run = send(raw, queue, *commands)
    outcome(raw, run, NOT_SIGNALED)
    outcome(raw, run, NOT_CANCELED)
    raw.assert_history(target, "Started WorkflowTaskScheduled")
    raw.terminate(run)


def test_what_a_closing_workflow_sends_is_dropped(raw: Raw, queue: str, target: WorkflowExecution):
    run = send(raw, queue, signal(target), cancel(target), complete_workflow())
    raw.assert_history(
        run,
        "Started WorkflowTask SignalExternalWorkflowExecutionInitiated "
        "RequestCancelExternalWorkflowExecutionInitiated Completed",
    )
    # One that is sent afterwards arrives: whatever was on its way would have, too.
    later = send(raw, queue, signal(target, "later"))
    outcome(raw, later, SIGNALED)
    names = [attributes(e).signal_name for e in raw.history(target) if e.event_type == 26]
    assert names == ["later"]
    raw.terminate(later)


def test_outcomes_wait_for_the_task(raw: Raw, queue: str, target: WorkflowExecution):
    run = raw.start(queue)
    task = raw.poll(queue)
    answer = raw.complete(
        task,
        signal(target),
        force_create_new_workflow_task=True,
        return_new_workflow_task=True,
    )
    wait_for_sync(
        lambda: "WorkflowExecutionSignaled" in event_types(raw.history(target)), "the signal"
    )
    raw.assert_history(
        run,
        "Started WorkflowTask SignalExternalWorkflowExecutionInitiated WorkflowTaskScheduled "
        "WorkflowTaskStarted",
    )
    raw.complete(answer.workflow_task)
    outcome(raw, run, SIGNALED)
    raw.assert_history(
        run,
        f"Started WorkflowTask SignalExternalWorkflowExecutionInitiated WorkflowTask {SIGNALED} "
        "WorkflowTaskScheduled",
    )
    raw.terminate(run)


NOBODY = WorkflowExecution(workflow_id="nobody")
BAD_RUN = WorkflowExecution(workflow_id="nobody", run_id="7")
BAD = {
    "a signal to nowhere": (
        signal(WorkflowExecution()),
        "WorkflowId is not set on SignalExternalWorkflowExecutionCommand. Namespace= RunId= "
        "SignalName=go",
    ),
    "a signal without name": (
        signal(NOBODY, ""),
        "SignalName is not set on SignalExternalWorkflowExecutionCommand. WorkflowId=nobody "
        "Namespace= RunId=",
    ),
    "a signal to a bad run": (
        signal(BAD_RUN),
        "Invalid RunId set on SignalExternalWorkflowExecutionCommand. WorkflowId=nobody "
        "Namespace= RunId=7 SignalName=go",
    ),
    "a cancel of nothing": (
        cancel(WorkflowExecution()),
        "WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand. Namespace= RunId=",
    ),
    "a cancel of a bad run": (
        cancel(BAD_RUN),
        "Invalid RunId set on RequestCancelExternalWorkflowExecutionCommand. WorkflowId=nobody "
        "RunId=7 Namespace=",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_command_fails_the_task(raw: Raw, queue: str, name: str):
    command, text = BAD[name]
    run = raw.start(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=raw.poll(queue).task_token, commands=[command]
    )
    kind = "SIGNAL" if "signal" in name else "REQUEST_CANCEL_EXTERNAL"
    short = "Signal" if "signal" in name else "RequestCancelExternal"
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.text == f"Bad{short}WorkflowExecutionAttributes: {text}"
    events = raw.history(run)
    failed = attributes(only(events, "WorkflowTaskFailed"))
    assert failed.cause == WorkflowTaskFailedCause.Value(
        f"WORKFLOW_TASK_FAILED_CAUSE_BAD_{kind}_WORKFLOW_EXECUTION_ATTRIBUTES"
    )
    raw.terminate(run)


COMMANDS_ELSEWHERE = {
    "StartChildExecution": lambda **fields: start_child("child", "queue", **fields),
    "SignalWorkflowExecution": lambda **fields: signal(NOBODY, **fields),
    "RequestCancelExternalWorkflowExecution": lambda **fields: cancel(NOBODY, **fields),
}


@pytest.mark.parametrize("kind", COMMANDS_ELSEWHERE)
def test_commands_stay_within_their_namespace(raw: Raw, queue: str, kind: str):
    other = unique("namespace")
    raw.call(
        "RegisterNamespace",
        namespace=other,
        workflow_execution_retention_period=Duration(seconds=86_400),
    )
    run = raw.start(queue)
    token = raw.poll(queue).task_token
    unknown = COMMANDS_ELSEWHERE[kind](namespace="nowhere")
    refused = raw.refused("RespondWorkflowTaskCompleted", task_token=token, commands=[unknown])
    assert refused.code == "NOT_FOUND"
    assert refused.text == "Namespace nowhere is not found."
    assert refused.detail == "NamespaceNotFoundFailure"
    raw.assert_history(run, "Started WorkflowTaskScheduled WorkflowTaskStarted")
    elsewhere = COMMANDS_ELSEWHERE[kind](namespace=other)

    def known():
        refused = raw.refused(
            "RespondWorkflowTaskCompleted", task_token=token, commands=[elsewhere]
        )
        return refused if refused.code != "NOT_FOUND" else None

    refused = wait_for_sync(known, "the new namespace")
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.text == f"Bad{kind}Attributes: cross namespace commands are not allowed"
    raw.terminate(run)
