"""`temporal schedule`: create, describe, list, update, toggle, trigger, backfill, delete."""

from collections.abc import Iterator

import pytest
from temporalio.api.common.v1 import WorkflowExecution

from harness.raw import Raw, complete_workflow
from harness.sdk import unique
from harness.waiting import wait_for_sync


@pytest.fixture
def schedule(cli, queue: str, workflow_id: str) -> Iterator[str]:
    """A schedule that acts every hour, made by the CLI."""
    schedule = unique("schedule")
    cli.text(
        "schedule",
        "create",
        "--schedule-id",
        schedule,
        "--interval",
        "1h/5m",
        "--cron",
        "30 12 * * MON # at noon",
        "--overlap-policy",
        "BufferAll",
        "--notes",
        "made by hand",
        "--workflow-id",
        workflow_id,
        "--type",
        "workflow",
        "--task-queue",
        queue,
        "--input",
        '"in"',
    )
    yield schedule
    cli.run("schedule", "delete", "--schedule-id", schedule)


def described(cli, schedule: str):
    return cli.json("schedule", "describe", "--schedule-id", schedule)


def test_describe_shows_what_create_made(cli, schedule: str, workflow_id: str):
    found = described(cli, schedule)
    spec = found["schedule"]["spec"]
    assert spec["interval"] == [{"interval": "3600s", "phase": "300s"}]
    assert [given["comment"] for given in spec["structuredCalendar"]] == ["at noon"]
    assert found["schedule"]["policies"]["overlapPolicy"].endswith("BUFFER_ALL")
    assert found["schedule"]["state"]["notes"] == "made by hand"
    action = found["schedule"]["action"]["startWorkflow"]
    assert action["workflowId"] == workflow_id
    assert len(found["info"]["futureActionTimes"]) == 10


def test_creating_it_again_fails(cli, schedule: str, queue: str):
    words = ["--workflow-id", "w", "--type", "workflow", "--task-queue", queue]
    text = cli.fails("schedule", "create", "--schedule-id", schedule, "--interval", "1h", *words)
    assert "schedule with this ID is already registered" in text


def test_list_finds_it(cli, schedule: str):
    def listed():
        query = f"ScheduleId = '{schedule}'"
        return cli.json("schedule", "list", "--query", query)

    entries = wait_for_sync(listed, "the schedule in the list")
    assert [entry["scheduleId"] for entry in entries] == [schedule]
    assert entries[0]["info"]["notes"] == "made by hand"


def test_toggle_pauses_and_unpauses(cli, schedule: str):
    def state():
        return described(cli, schedule)["schedule"]["state"]

    toggle = ["schedule", "toggle", "--schedule-id", schedule]
    cli.text(*toggle, "--pause", "--reason", "holidays")
    wait_for_sync(lambda: state().get("paused"), "the pause")
    assert state()["notes"] == "holidays"
    cli.text(*toggle, "--unpause", "--reason", "back")
    wait_for_sync(lambda: not state().get("paused"), "the end of the pause")
    assert state()["notes"] == "back"


def test_trigger_starts_the_workflow(cli, raw: Raw, schedule: str, queue: str, workflow_id: str):
    cli.text("schedule", "trigger", "--schedule-id", schedule)
    task = raw.poll(queue)
    run = WorkflowExecution()
    run.CopyFrom(task.workflow_execution)
    assert run.workflow_id.startswith(f"{workflow_id}-")
    raw.complete(task, complete_workflow(b'"out"'))
    raw.assert_history(run, "Started WorkflowTask Completed")

    def acted():
        return described(cli, schedule)["info"].get("recentActions")

    (action,) = wait_for_sync(acted, "the action")
    assert action["startWorkflowResult"]["workflowId"] == run.workflow_id


def test_backfill_acts_for_the_past(cli, schedule: str):
    cli.text(
        "schedule",
        "backfill",
        "--schedule-id",
        schedule,
        "--overlap-policy",
        "AllowAll",
        "--start-time",
        "2024-05-01T00:05:00Z",
        "--end-time",
        "2024-05-01T02:05:00Z",
    )

    def acted():
        actions = described(cli, schedule)["info"].get("recentActions", [])
        return actions if len(actions) == 3 else None

    actions = wait_for_sync(acted, "three actions")
    times = [action["scheduleTime"] for action in actions]
    assert times == [f"2024-05-01T0{hour}:05:00Z" for hour in range(3)]
    for action in actions:
        workflow_id = action["startWorkflowResult"]["workflowId"]
        cli.text("workflow", "terminate", "-w", workflow_id)


def test_update_replaces_the_specification(cli, schedule: str, queue: str):
    cli.text(
        "schedule",
        "update",
        "--schedule-id",
        schedule,
        "--calendar",
        '{"dayOfWeek":"Friday","hour":"3","minute":"11"}',
        "--workflow-id",
        "other",
        "--type",
        "workflow",
        "--task-queue",
        queue,
    )

    def updated():
        found = described(cli, schedule)["schedule"]
        return found if found["action"]["startWorkflow"]["workflowId"] == "other" else None

    found = wait_for_sync(updated, "the update")
    assert "interval" not in found["spec"]
    (calendar,) = found["spec"]["structuredCalendar"]
    assert calendar["dayOfWeek"] == [{"start": 5, "end": 5, "step": 1}]


def test_a_deleted_schedule_is_gone(cli, schedule: str):
    cli.text("schedule", "delete", "--schedule-id", schedule)
    assert "not found" in cli.fails("schedule", "describe", "--schedule-id", schedule)
