"""A chain of runs that is named by its first one."""

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType

from harness.history import event_types
from harness.raw import Raw

TERMINATED = "WorkflowExecutionTerminated"


def continue_as_new(queue: str) -> Command:
    kind = CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION
    command = Command(command_type=kind)
    attributes = command.continue_as_new_workflow_execution_command_attributes
    attributes.workflow_type.name = "workflow"
    attributes.task_queue.name = queue
    return command


@pytest.mark.parametrize(
    ("method", "event"),
    [
        ("TerminateWorkflowExecution", TERMINATED),
        ("RequestCancelWorkflowExecution", "WorkflowExecutionCancelRequested"),
    ],
)
def test_the_open_run_is_meant_though_the_first_is_named_twice(
    raw: Raw, queue: str, method: str, event: str
):
    first = raw.start(queue)
    raw.complete(raw.poll(queue), continue_as_new(queue))
    raw.call(method, workflow_execution=first, first_execution_run_id=first.run_id)
    raw.assert_history(first, "Started WorkflowTask ContinuedAsNew")
    current = WorkflowExecution(workflow_id=first.workflow_id)
    # How long the new run waits for its first task is another matter.
    assert event in event_types(raw.history(current))
    if event != TERMINATED:
        raw.terminate(current)


@pytest.mark.parametrize("names_the_run", [True, False])
def test_a_run_of_another_chain_is_not_found(raw: Raw, queue: str, names_the_run: bool):
    run, other = raw.start(queue), raw.start(queue)
    target = run if names_the_run else WorkflowExecution(workflow_id=run.workflow_id)
    refused = raw.refused(
        "TerminateWorkflowExecution",
        workflow_execution=target,
        first_execution_run_id=other.run_id,
    )
    assert refused.code == "NOT_FOUND"
    raw.terminate(run)
    raw.terminate(other)
