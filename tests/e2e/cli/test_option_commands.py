"""Options, pauses and batches of resets, by `temporal workflow` and `temporal activity`."""

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from test_batch_commands import COMPLETED, counted, ended, start

from harness.history import attributes, event_types, only
from harness.raw import Raw, record_marker, schedule_activity
from harness.sdk import unique
from harness.waiting import wait_for_sync

UPGRADE = ["--versioning-override-behavior", "auto_upgrade"]


def override(raw: Raw, run: WorkflowExecution):
    info = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    return info.versioning_info.versioning_override


def test_an_override_is_set_and_taken_back(cli, raw: Raw, queue: str):
    run = raw.start(queue)
    command = ["workflow", "update-options", "--workflow-id", run.workflow_id]
    cli.text(*command, *UPGRADE)
    assert override(raw, run).auto_upgrade
    updated = attributes(only(raw.history(run), "WorkflowExecutionOptionsUpdated"))
    assert updated.versioning_override.auto_upgrade
    cli.text(*command, "--versioning-override-behavior", "unspecified")
    assert not override(raw, run).auto_upgrade
    pin = ["--versioning-override-behavior", "pinned"]
    pin += [
        "--versioning-override-deployment-name",
        "nobody",
        "--versioning-override-build-id",
        "b",
    ]
    assert "is not present in task queue" in cli.fails(*command, *pin)
    raw.terminate(run)


def test_a_run_is_paused_and_goes_on(cli, raw: Raw, queue: str):
    run = raw.start(queue)
    target = ["--workflow-id", run.workflow_id, "--run-id", run.run_id]
    cli.text("workflow", "pause", *target, "--reason", "why")
    described = raw.call("DescribeWorkflowExecution", execution=run)
    status = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED
    assert described.workflow_execution_info.status == status
    assert described.workflow_extended_info.pause_info.reason == "why"
    assert "already paused" in cli.fails("workflow", "pause", *target)
    cli.text("workflow", "unpause", *target)
    assert event_types(raw.history(run))[-2:] == [
        "WorkflowExecutionUnpaused",
        "WorkflowTaskScheduled",
    ]
    raw.terminate(run)


def test_a_reset_changes_options(cli, raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    words = ["workflow", "reset", "with-workflow-update-options", "-w", run.workflow_id]
    words += ["--event-id", "4", "--reason", "again", *UPGRADE]
    cli.text(*words)
    current = WorkflowExecution(workflow_id=run.workflow_id)
    assert override(raw, current).auto_upgrade
    raw.terminate(current)


@pytest.fixture
def runs(raw: Raw):
    """Three open runs of one workflow task each, and the query that finds them."""
    prefix, queue = unique("batch"), unique("queue")
    begun = [raw.start(queue, f"{prefix}-{number}") for number in range(3)]
    for _ in begun:
        raw.complete(
            raw.poll(queue),
            record_marker("m"),
            schedule_activity("a", queue, maximum_attempts=0),
            binary_checksum="build",
        )
    query = f"WorkflowId STARTS_WITH '{prefix}'"
    wait_for_sync(lambda: counted(raw, query) == 3, "three runs in the list")
    yield query, begun
    for run in begun:
        current = WorkflowExecution(workflow_id=run.workflow_id)
        described = raw.call("DescribeWorkflowExecution", execution=current)
        if not described.workflow_execution_info.HasField("close_time"):
            raw.terminate(current)


def done(cli, *words: str) -> dict:
    found = ended(cli, start(cli, *words))
    assert found["state"] == COMPLETED
    assert (found["totalOperationCount"], found["completeOperationCount"]) == ("3", "3")
    return found


def test_options_of_many_runs(cli, raw: Raw, runs):
    query, begun = runs
    words = ["workflow", "update-options", "--query", query, "--reason", "why", *UPGRADE]
    found = done(cli, *words)
    assert found["operationType"].startswith("BATCH_OPERATION_TYPE_UPDATE")
    for run in begun:
        assert override(raw, run).auto_upgrade


@pytest.mark.parametrize("kind", ["FirstWorkflowTask", "LastWorkflowTask"])
def test_resets_of_many_runs(cli, raw: Raw, runs, kind: str):
    query, begun = runs
    for run in begun:
        raw.signal(run)
    words = ["workflow", "reset", "--query", query, "--reason", "again", "--type", kind]
    found = done(cli, *words)
    assert found["operationType"] == "BATCH_OPERATION_TYPE_RESET_WORKFLOW"
    for run in begun:
        events = raw.history(WorkflowExecution(workflow_id=run.workflow_id))
        assert event_types(events) == [
            "WorkflowExecutionStarted",
            "WorkflowTaskScheduled",
            "WorkflowTaskStarted",
            "WorkflowTaskFailed",
            "WorkflowExecutionSignaled",
            "WorkflowTaskScheduled",
        ]
        failed = attributes(events[3])
        assert (failed.base_run_id, failed.failure.message) == (run.run_id, "again")
        assert event_types(raw.history(run))[-1] == "WorkflowExecutionTerminated"


def test_a_build_that_none_of_many_runs_had_fails_for_each(cli, raw: Raw, runs):
    query, begun = runs
    words = ["workflow", "reset", "--query", query, "--reason", "again"]
    job_id = start(cli, *words, "--type", "BuildId", "--build-id", "nobody")
    found = ended(cli, job_id)
    assert (found["totalOperationCount"], found["failureOperationCount"]) == ("3", "3")
    for run in begun:
        assert "WorkflowExecutionTerminated" not in event_types(raw.history(run))


def activity(raw: Raw, run: WorkflowExecution):
    return raw.call("DescribeWorkflowExecution", execution=run).pending_activities[0]


def test_activities_of_many_runs_go_on(cli, raw: Raw, runs):
    query, begun = runs
    for run in begun:
        raw.call("PauseActivity", execution=run, type="activity", request_id="pause")
        assert activity(raw, run).paused
    paused = f"{query} AND TemporalPauseInfo = 'property:activityType=activity'"
    wait_for_sync(lambda: counted(raw, paused) == 3, "three runs with paused activities")
    words = ["activity", "unpause", "--query", query, "--reason", "why"]
    done(cli, *words)
    assert not any(activity(raw, run).paused for run in begun)


def test_activities_of_many_runs_begin_again(cli, raw: Raw, runs):
    query, begun = runs
    queue = activity_queue(raw, begun[0])
    for _ in begun:
        task = raw.poll_activity(queue)
        raw.call("RespondActivityTaskFailed", task_token=task.task_token)
    assert [activity(raw, run).attempt for run in begun] == [2, 2, 2]
    done(cli, "activity", "reset", "--query", query, "--reason", "why")
    assert [activity(raw, run).attempt for run in begun] == [1, 1, 1]


def test_activities_of_many_runs_get_other_options(cli, raw: Raw, runs):
    query, begun = runs
    words = ["activity", "update-options", "--query", query, "--reason", "why"]
    done(cli, *words, "--start-to-close-timeout", "33s")
    for run in begun:
        assert activity(raw, run).activity_options.start_to_close_timeout.seconds == 33


def activity_queue(raw: Raw, run: WorkflowExecution) -> str:
    return activity(raw, run).activity_options.task_queue.name
