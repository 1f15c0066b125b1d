"""`temporal workflow reset`: by event, and by the types that look for one."""

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType

from harness.history import attributes, event_types
from harness.raw import Raw, record_marker


@pytest.fixture
def run(raw: Raw, queue: str):
    """Two workflow tasks completed, a third waits."""
    begun = raw.start(queue)
    raw.complete(raw.poll(queue), record_marker("one"), binary_checksum="build")
    raw.signal(begun)
    raw.complete(raw.poll(queue), record_marker("two"), binary_checksum="build")
    raw.signal(begun)
    yield begun
    raw.terminate(WorkflowExecution(workflow_id=begun.workflow_id))


def reset(cli, run: WorkflowExecution, *words: str) -> WorkflowExecution:
    words = ["workflow", "reset", "-w", run.workflow_id, "--reason", "again", *words]
    return WorkflowExecution(workflow_id=run.workflow_id, run_id=cli.json(*words)["runId"])


def failed_event(raw: Raw, run: WorkflowExecution) -> int:
    events = raw.history(run)
    return 1 + event_types(events).index("WorkflowTaskFailed")


@pytest.mark.parametrize(
    ("words", "event_id"),
    [
        (["--event-id", "4"], 4),
        (["--type", "FirstWorkflowTask"], 4),
        (["--type", "LastWorkflowTask"], 9),
    ],
    ids=["event", "first", "last"],
)
def test_a_run_is_reset(cli, raw: Raw, run: WorkflowExecution, words: list[str], event_id: int):
    again = reset(cli, run, *words)
    assert failed_event(raw, again) == event_id
    failed = attributes(raw.history(again)[event_id - 1])
    assert (failed.base_run_id, failed.new_run_id) == (run.run_id, again.run_id)


def test_signals_are_excluded(cli, raw: Raw, run: WorkflowExecution):
    again = reset(cli, run, "--event-id", "4", "--reapply-exclude", "Signal")
    assert "WorkflowExecutionSignaled" not in event_types(raw.history(again))


def test_the_last_continue_as_new(cli, raw: Raw, queue: str, run: WorkflowExecution):
    command = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    command.continue_as_new_workflow_execution_command_attributes.SetInParent()
    raw.complete(raw.poll(queue), command)
    current = WorkflowExecution(workflow_id=run.workflow_id)
    raw.complete(raw.poll(queue))
    again = reset(cli, current, "--type", "LastContinuedAsNew")
    failed = attributes(raw.history(again)[failed_event(raw, again) - 1])
    assert failed.base_run_id == run.run_id


def test_an_event_in_between_is_refused(cli, run: WorkflowExecution):
    words = ["workflow", "reset", "-w", run.workflow_id, "--reason", "again", "--event-id", "5"]
    assert "must be at the boundary" in cli.fails(*words)
