"""Search attributes that a workflow sets have to fit the namespace."""

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import SearchAttributes
from temporalio.api.enums.v1 import CommandType, WorkflowTaskFailedCause

from harness.history import attributes
from harness.raw import Raw, complete_workflow, payload, start_child
from harness.sdk import unique

REFUSED = {
    ("CustomIntField", b'"x"'): "invalid value for search attribute CustomIntField of type Int: x",
    ("CustomBoolField", b"1"): "invalid value for search attribute CustomBoolField of type Bool: 1",
    ("Unknown", b'"x"'): ("Namespace default has no mapping defined for search attribute Unknown"),
    ("WorkflowType", b'"x"'): "WorkflowType attribute can't be set in SearchAttributes",
}


def of(name: str, value: bytes) -> SearchAttributes:
    return SearchAttributes(indexed_fields={name: payload(value)})


def upsert(attributes_: SearchAttributes) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
    command.upsert_workflow_search_attributes_command_attributes.search_attributes.CopyFrom(
        attributes_
    )
    return command


def continue_as_new(attributes_: SearchAttributes) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    command.continue_as_new_workflow_execution_command_attributes.search_attributes.CopyFrom(
        attributes_
    )
    return command


def child(attributes_: SearchAttributes) -> Command:
    return start_child(unique("child"), "nobody", search_attributes=attributes_)


def refusal(raw: Raw, queue: str, command: Command) -> str:
    """How the command is refused; the run is gone afterwards."""
    run = raw.start(queue)
    task = raw.poll(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[command]
    )
    assert refused.code == "INVALID_ARGUMENT"
    events = raw.assert_history(
        run, "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed"
    )
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES
    assert attributes(events[3]).cause == cause
    raw.terminate(run)
    return refused.text


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_an_upsert_that_does_not_fit_fails_the_task(raw: Raw, queue: str, name: str, value: bytes):
    text = refusal(raw, queue, upsert(of(name, value)))
    assert text == f"BadSearchAttributes: {REFUSED[name, value]}"


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_child_whose_attributes_do_not_fit_fails_the_task(
    raw: Raw, queue: str, name: str, value: bytes
):
    text = refusal(raw, queue, child(of(name, value)))
    said = REFUSED[name, value]
    if name != "Unknown":
        said = f"invalid SearchAttributes on StartChildWorkflowCommand: {said}. WorkflowId=child-"
    assert text.startswith(f"BadSearchAttributes: {said}")


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_next_run_whose_attributes_do_not_fit_fails_the_task(
    raw: Raw, queue: str, name: str, value: bytes
):
    text = refusal(raw, queue, continue_as_new(of(name, value)))
    said = REFUSED[name, value]
    if name != "Unknown":
        said = f"invalid SearchAttributes on ContinueAsNewWorkflowExecutionCommand: {said}"
    assert text.startswith(f"BadSearchAttributes: {said}")


@pytest.mark.parametrize("make", [upsert, continue_as_new, child])
def test_the_type_is_noted_with_the_value(raw: Raw, queue: str, make):
    run = raw.start(queue)
    command = make(of("CustomIntField", b"7"))
    closes = make is continue_as_new
    raw.complete(raw.poll(queue), command, *([] if closes else [complete_workflow()]))
    event = raw.history(run)[-1 if closes else -2]
    value = attributes(event).search_attributes.indexed_fields["CustomIntField"]
    assert (value.data, value.metadata["type"]) == (b"7", b"Int")
