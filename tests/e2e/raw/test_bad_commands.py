"""Commands that a server refuses: the task fails with a cause, or stays as it was."""

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType, WorkflowTaskFailedCause

from harness.history import attributes
from harness.raw import (
    Raw,
    cancel_timer,
    complete_workflow,
    record_marker,
    schedule_activity,
    start_timer,
)


def cause_named(name: str) -> int:
    return WorkflowTaskFailedCause.Value(f"WORKFLOW_TASK_FAILED_CAUSE_{name}")


def bad(kind: str, **attributes_: object) -> Command:
    """A command of a kind with only these attributes."""
    command = Command(command_type=CommandType.Value(f"COMMAND_TYPE_{kind.upper()}"))
    field = {
        "schedule_activity_task": "schedule_activity_task_command_attributes",
        "start_timer": "start_timer_command_attributes",
        "cancel_timer": "cancel_timer_command_attributes",
        "record_marker": "record_marker_command_attributes",
        "request_cancel_activity_task": "request_cancel_activity_task_command_attributes",
    }[kind]
    target = getattr(command, field)
    target.SetInParent()
    for name, value in attributes_.items():
        setattr(target, name, value)
    return command


BAD_COMMANDS = {
    "an activity without id": ([bad("schedule_activity_task")], "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES"),
    "an activity without timeouts": (
        [schedule_activity("a", "q", start_to_close_timeout=0)],
        "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES",
    ),
    "an activity without queue": (
        [schedule_activity("a", "")],
        "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES",
    ),
    "an activity id in use": (
        [schedule_activity("a", "q"), schedule_activity("a", "q")],
        "SCHEDULE_ACTIVITY_DUPLICATE_ID",
    ),
    "a timer without id": ([start_timer("", 1000)], "BAD_START_TIMER_ATTRIBUTES"),
    "a negative timer": ([start_timer("t", -1000)], "BAD_START_TIMER_ATTRIBUTES"),
    "a timer id in use": (
        [start_timer("t", 600_000), start_timer("t", 600_000)],
        "START_TIMER_DUPLICATE_ID",
    ),
    "a timer to cancel without id": ([cancel_timer("")], "BAD_CANCEL_TIMER_ATTRIBUTES"),
    "an unknown timer to cancel": ([cancel_timer("no-such")], "BAD_CANCEL_TIMER_ATTRIBUTES"),
    "a marker without name": ([record_marker("")], "BAD_RECORD_MARKER_ATTRIBUTES"),
    "an unknown activity to cancel": (
        [bad("request_cancel_activity_task", scheduled_event_id=77)],
        "BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES",
    ),
    "commands after a good one": (
        [record_marker("good"), start_timer("", 1000)],
        "BAD_START_TIMER_ATTRIBUTES",
    ),
}


@pytest.mark.parametrize("name", BAD_COMMANDS, ids=lambda name: name.replace(" ", "_"))
def test_a_bad_command_fails_the_task_and_undoes_its_commands(raw: Raw, queue: str, name: str):
    commands, cause = BAD_COMMANDS[name]
    run = raw.start(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=raw.poll(queue).task_token,
        commands=commands,
        identity="raw",
    )
    assert refused.code == "INVALID_ARGUMENT"
    camel = "".join(word.capitalize() for word in cause.split("_"))
    assert refused.text.startswith(f"{camel}: ")
    events = raw.assert_history(
        run, "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed"
    )
    assert attributes(events[3]).cause == cause_named(cause)
    task = raw.poll(queue)
    assert task.attempt == 2
    raw.complete(task, complete_workflow())


@pytest.mark.parametrize(
    "commands",
    [
        [complete_workflow(), record_marker("after")],
        [Command(command_type=0)],
        [Command(command_type=99)],
    ],
    ids=["after_a_closing_command", "no_type", "unknown_type"],
)
def test_a_wrong_sequence_of_commands_is_refused_and_the_task_stays(
    raw: Raw, queue: str, commands: list[Command]
):
    run = raw.start(queue)
    task = raw.poll(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=commands
    )
    assert refused.code == "INVALID_ARGUMENT"
    raw.assert_history(run, "Started WorkflowTaskScheduled WorkflowTaskStarted")
    raw.complete(task, complete_workflow())
    raw.assert_history(run, "Started WorkflowTask Completed")
