"""Pause, unpause, reset and other options of pending activities."""

import time
import uuid

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Priority, RetryPolicy, WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.history import attributes, only
from harness.raw import Raw, payloads, schedule_activity

NOT_PENDING = (
    "NOT_FOUND",
    "Can't find pending activity with such ID. Invalid activityID or activity already completed",
)
NONE_MEANT = (
    "INVALID_ARGUMENT",
    "Either Activity.Id or Activity.Type should be set on request.",
)
METHODS = ["PauseActivity", "UnpauseActivity", "ResetActivity"]


def patient(name: str, queue: str, **fields) -> Command:
    """An activity that is retried for ever, after three seconds at first."""
    command = schedule_activity(name, queue, maximum_attempts=0, **fields)
    policy = command.schedule_activity_task_command_attributes.retry_policy
    policy.initial_interval.FromSeconds(3)
    return command


@pytest.fixture
def run(raw: Raw, queue: str):
    """A run with the activities `a` and `b` scheduled."""
    begun = raw.start(queue)
    raw.complete(raw.poll(queue), patient("a", queue), patient("b", queue))
    yield begun
    raw.terminate(begun)


def state_of(raw: Raw, run: WorkflowExecution, name: str):
    described = raw.call("DescribeWorkflowExecution", execution=run)
    [found] = [p for p in described.pending_activities if p.activity_id == name]
    return found


def phase(raw: Raw, run: WorkflowExecution, name: str) -> str:
    state = state_of(raw, run, name).state
    return PendingActivityState.Name(state).removeprefix("PENDING_ACTIVITY_STATE_")


def pause_info(raw: Raw, run: WorkflowExecution) -> bytes | None:
    info = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    fields = info.search_attributes.indexed_fields
    return fields["TemporalPauseInfo"].data if "TemporalPauseInfo" in fields else None


def take(raw: Raw, queue: str, name: str):
    """The task of the activity of this name; the other one must not come first."""
    task = raw.poll_activity(queue)
    assert task.activity_id == name
    return task


def fail(raw: Raw, task) -> None:
    failure = {"message": "told", "application_failure_info": {"type": "Told"}}
    raw.call("RespondActivityTaskFailed", task_token=task.task_token, failure=failure)


def test_a_paused_activity_gets_no_worker(raw: Raw, queue: str, run: WorkflowExecution):
    request = {"id": "a", "identity": "me", "reason": "why", "request_id": str(uuid.uuid4())}
    raw.call("PauseActivity", execution=run, **request)
    assert phase(raw, run, "a") == "PAUSED"
    described = state_of(raw, run, "a")
    assert described.paused
    manual = described.pause_info.manual
    assert (manual.identity, manual.reason) == ("me", "why")
    assert described.pause_info.HasField("pause_time")
    assert pause_info(raw, run) == b'["property:activityType=activity"]'
    take(raw, queue, "b")
    assert raw.poll_activity(queue, seconds=2.5).task_token == b""

    raw.call("PauseActivity", execution=run, **request)
    again = raw.refused("PauseActivity", execution=run, **(request | {"request_id": "other"}))
    assert (again.code, again.text) == ("FAILED_PRECONDITION", "activity is already paused")

    raw.call("UnpauseActivity", execution=run, id="a")
    assert phase(raw, run, "a") == "SCHEDULED"
    assert pause_info(raw, run) is None
    assert take(raw, queue, "a").attempt == 1


def test_a_running_activity_learns_of_its_pause(raw: Raw, queue: str, run: WorkflowExecution):
    raw.call("PauseActivity", execution=run, id="b")
    task = take(raw, queue, "a")
    raw.call("PauseActivity", execution=run, id="a")
    assert phase(raw, run, "a") == "PAUSE_REQUESTED"
    answer = raw.call(
        "RecordActivityTaskHeartbeat", task_token=task.task_token, details=payloads(b"1")
    )
    assert (answer.activity_paused, answer.activity_reset) == (True, False)
    fail(raw, task)
    assert phase(raw, run, "a") == "PAUSED"
    described = state_of(raw, run, "a")
    assert (described.attempt, described.last_failure.message) == (2, "told")
    assert not described.HasField("next_attempt_schedule_time")
    raw.call("UnpauseActivity", execution=run, id="a")
    task = take(raw, queue, "a")
    assert (task.attempt, task.heartbeat_details) == (2, payloads(b"1"))
    raw.call("RespondActivityTaskCompleted", task_token=task.task_token)
    started = attributes(only(raw.history(run), "ActivityTaskStarted"))
    assert (started.scheduled_event_id, started.attempt) == (5, 2)


def test_a_paused_activity_that_completes_is_done(raw: Raw, queue: str, run: WorkflowExecution):
    raw.call("PauseActivity", execution=run, id="b")
    task = take(raw, queue, "a")
    raw.call("PauseActivity", execution=run, id="a")
    raw.call("UnpauseActivity", execution=run, id="b")
    raw.call("RespondActivityTaskCompleted", task_token=task.task_token)
    only(raw.history(run), "ActivityTaskCompleted")


def test_a_reset_ends_a_back_off(raw: Raw, queue: str, run: WorkflowExecution):
    raw.call("PauseActivity", execution=run, id="b")
    task = take(raw, queue, "a")
    raw.call("RecordActivityTaskHeartbeat", task_token=task.task_token, details=payloads(b"1"))
    fail(raw, task)
    assert state_of(raw, run, "a").attempt == 2
    raw.call("ResetActivity", execution=run, id="a", reset_heartbeat=True)
    before = time.monotonic()
    task = take(raw, queue, "a")
    assert time.monotonic() - before < 2.5
    assert task.attempt == 1
    assert not task.HasField("heartbeat_details")


def test_a_running_activity_learns_of_its_reset(raw: Raw, queue: str, run: WorkflowExecution):
    raw.call("PauseActivity", execution=run, id="b")
    task = take(raw, queue, "a")
    raw.call("ResetActivity", execution=run, id="a", reset_heartbeat=True)
    answer = raw.call(
        "RecordActivityTaskHeartbeat", task_token=task.task_token, details=payloads(b"1")
    )
    assert (answer.activity_paused, answer.activity_reset) == (False, True)
    fail(raw, task)
    described = state_of(raw, run, "a")
    assert described.attempt == 2
    assert not described.HasField("heartbeat_details")


def test_a_reset_keeps_a_pause_on_request(raw: Raw, queue: str, run: WorkflowExecution):
    raw.call("PauseActivity", execution=run, id="a")
    raw.call("ResetActivity", execution=run, id="a", keep_paused=True)
    assert phase(raw, run, "a") == "PAUSED"
    raw.call("ResetActivity", execution=run, id="a")
    assert phase(raw, run, "a") == "SCHEDULED"


def test_all_of_a_type_and_all(raw: Raw, run: WorkflowExecution):
    raw.call("PauseActivity", execution=run, type="activity")
    assert [phase(raw, run, name) for name in "ab"] == ["PAUSED", "PAUSED"]
    raw.call("UnpauseActivity", execution=run, unpause_all=True)
    assert [phase(raw, run, name) for name in "ab"] == ["SCHEDULED", "SCHEDULED"]
    raw.call("ResetActivity", execution=run, match_all=True)


@pytest.mark.parametrize("method", [*METHODS, "UpdateActivityOptions"])
def test_who_is_meant(raw: Raw, queue: str, run: WorkflowExecution, method: str):
    fields = {"restore_original": True} if method == "UpdateActivityOptions" else {}
    refused = raw.refused(method, execution=run, **fields)
    assert (refused.code, refused.text) == NONE_MEANT
    for name in ({"id": "nobody"}, {"type": "nobody"}):
        refused = raw.refused(method, execution=run, **name, **fields)
        assert (refused.code, refused.text) == NOT_PENDING
        assert refused.detail == "NotFoundFailure"
    unknown = WorkflowExecution(workflow_id="nobody")
    refused = raw.refused(method, execution=unknown, id="a", **fields)
    assert (refused.code, refused.text) == ("NOT_FOUND", "workflow not found for ID: nobody")


@pytest.mark.parametrize("method", METHODS)
def test_a_closed_run_is_refused(raw: Raw, queue: str, method: str):
    closed = raw.start(queue)
    raw.terminate(closed)
    refused = raw.refused(method, execution=closed, id="a")
    assert (refused.code, refused.text) == ("NOT_FOUND", "workflow execution already completed")


def update(raw: Raw, run: WorkflowExecution, paths: list[str], **options) -> ActivityOptions:
    answer = raw.call(
        "UpdateActivityOptions",
        execution=run,
        id="a",
        activity_options=ActivityOptions(**options),
        update_mask=FieldMask(paths=paths),
    )
    return answer.activity_options


def test_options_are_changed_one_by_one(raw: Raw, queue: str, run: WorkflowExecution):
    options = update(
        raw, run, ["start_to_close_timeout"], start_to_close_timeout=Duration(seconds=33)
    )
    assert options.start_to_close_timeout.seconds == 33
    options = update(raw, run, ["startToCloseTimeout"], start_to_close_timeout=Duration(seconds=34))
    assert options.start_to_close_timeout.seconds == 34
    policy = RetryPolicy(maximum_attempts=5)
    options = update(raw, run, ["retry_policy.maximum_attempts"], retry_policy=policy)
    assert options.retry_policy.maximum_attempts == 5
    assert options.retry_policy.initial_interval.seconds == 3
    assert update(raw, run, ["retry_policy"], retry_policy=policy).retry_policy == policy
    options = update(
        raw,
        run,
        ["schedule_to_close_timeout", "heartbeat_timeout", "schedule_to_start_timeout"],
        schedule_to_close_timeout=Duration(seconds=100),
        heartbeat_timeout=Duration(seconds=50),
        schedule_to_start_timeout=Duration(seconds=500),
    )
    assert options.schedule_to_start_timeout.seconds == 100
    assert options.heartbeat_timeout.seconds == 34
    priority = Priority(priority_key=2, fairness_key="k")
    assert update(raw, run, ["priority"], priority=priority).priority == priority
    assert update(raw, run, ["nothing"]).priority == priority
    shown = state_of(raw, run, "a")
    assert shown.activity_options.start_to_close_timeout.seconds == 34
    assert shown.maximum_attempts == 5

    restored = raw.call("UpdateActivityOptions", execution=run, id="a", restore_original=True)
    assert restored.activity_options.start_to_close_timeout.seconds == 10
    assert restored.activity_options.retry_policy.maximum_attempts == 0
    assert state_of(raw, run, "a").maximum_attempts == 0


def test_another_queue_gets_the_waiting_task(raw: Raw, queue: str, run: WorkflowExecution):
    other = f"{queue}-other"
    options = update(raw, run, ["task_queue.name"], task_queue=TaskQueue(name=other))
    assert options.task_queue.name == other
    task = raw.poll_activity(other)
    assert task.activity_id == "a"
    take(raw, queue, "b")
    assert raw.poll_activity(queue, seconds=2.5).task_token == b""


def test_a_new_time_out_holds_for_the_next_attempt(raw: Raw, queue: str, run: WorkflowExecution):
    raw.call("PauseActivity", execution=run, id="b")
    update(raw, run, ["start_to_close_timeout"], start_to_close_timeout=Duration(seconds=1))
    take(raw, queue, "a")
    deadline = time.monotonic() + 5
    while state_of(raw, run, "a").attempt == 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("paths", "options", "text"),
    [
        (["task_queue.name"], {}, "TaskQueue is not provided"),
        (["retry_policy.maximum_attempts"], {}, "RetryPolicy is not provided"),
        (
            ["start_to_close_timeout"],
            {"start_to_close_timeout": Duration(seconds=-3)},
            "invalid StartToCloseTimeout: negative duration",
        ),
        (
            ["start_to_close_timeout"],
            {},
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
            "ActivityId=a ActivityType=activity",
        ),
    ],
)
def test_bad_options_are_refused(
    raw: Raw, run: WorkflowExecution, paths: list[str], options: dict, text: str
):
    refused = raw.refused(
        "UpdateActivityOptions",
        execution=run,
        id="a",
        activity_options=ActivityOptions(**options),
        update_mask=FieldMask(paths=paths),
    )
    assert (refused.code, refused.text) == ("INVALID_ARGUMENT", text)
    assert state_of(raw, run, "a").activity_options.start_to_close_timeout.seconds == 10


def test_what_an_update_must_have(raw: Raw, run: WorkflowExecution):
    def refusal(**fields) -> tuple[str, str]:
        refused = raw.refused("UpdateActivityOptions", execution=run, id="a", **fields)
        return refused.code, refused.text

    mask = FieldMask(paths=["priority"])
    assert refusal() == ("INVALID_ARGUMENT", "ActivityOptions are not provided")
    assert refusal(activity_options=ActivityOptions()) == (
        "INVALID_ARGUMENT",
        "UpdateMask is not provided",
    )
    assert refusal(update_mask=mask, restore_original=True) == (
        "INVALID_ARGUMENT",
        "Both UpdateMask and RestoreOriginal are provided",
    )
