"""`temporal activity`: pause, unpause, reset and update-options of a workflow's activity."""

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState

from harness.raw import Raw, schedule_activity


@pytest.fixture
def run(raw: Raw, queue: str):
    begun = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", queue, maximum_attempts=0))
    yield begun
    raw.terminate(begun)


def pending(raw: Raw, run: WorkflowExecution):
    return raw.call("DescribeWorkflowExecution", execution=run).pending_activities[0]


def test_pause_and_unpause(cli, raw: Raw, run: WorkflowExecution):
    target = ["--activity-id", "a", "--workflow-id", run.workflow_id]
    cli.text("activity", "pause", *target, "--reason", "why", "--identity", "me")
    paused = pending(raw, run)
    assert paused.state == PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
    assert paused.pause_info.manual.reason == "why"
    assert "already paused" in cli.fails("activity", "pause", *target)
    cli.text("activity", "unpause", *target)
    assert not pending(raw, run).paused


def test_reset(cli, raw: Raw, queue: str, run: WorkflowExecution):
    task = raw.poll_activity(queue)
    failure = {"message": "told", "application_failure_info": {"type": "Told"}}
    raw.call("RespondActivityTaskFailed", task_token=task.task_token, failure=failure)
    assert pending(raw, run).attempt == 2
    cli.text("activity", "reset", "--activity-id", "a", "--workflow-id", run.workflow_id)
    assert pending(raw, run).attempt == 1


def test_update_options(cli, raw: Raw, run: WorkflowExecution):
    target = ["--activity-id", "a", "--workflow-id", run.workflow_id]
    changes = ["--start-to-close-timeout", "45s", "--retry-maximum-attempts", "7"]
    cli.text("activity", "update-options", *target, *changes)
    options = pending(raw, run).activity_options
    assert options.start_to_close_timeout.seconds == 45
    assert options.retry_policy.maximum_attempts == 7
    cli.text("activity", "update-options", *target, "--restore-original-options")
    assert pending(raw, run).activity_options.start_to_close_timeout.seconds == 10


def test_nobody_is_told_so(cli, run: WorkflowExecution):
    words = ["--activity-id", "nobody", "--workflow-id", run.workflow_id]
    assert "find pending activity" in cli.fails("activity", "pause", *words)
