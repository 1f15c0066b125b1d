"""Activity tasks: stale tokens, attempts, heartbeats, and completions by id."""

from datetime import timedelta

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import CommandType, RetryState, TimeoutType

from harness.history import attributes, event_types, only
from harness.raw import Raw, Refusal, complete_workflow, payloads, schedule_activity

GONE = "invalid activityID or activity already timed out or invoking workflow is completed"


def failure(message: str = "as told", **info: object) -> dict:
    return {"message": message, "application_failure_info": {"type": "Told", **info}}


def begin(raw: Raw, queue: str, **attributes_: object):
    """A run with one activity `a` scheduled."""
    run = raw.start(queue)
    attributes_.setdefault("maximum_attempts", 0)
    raw.complete(raw.poll(queue), schedule_activity("a", queue, **attributes_))
    return run


def fast_retries(maximum_attempts: int, milliseconds: int = 20, **attributes_: object) -> Command:
    command = schedule_activity("a", "", maximum_attempts=maximum_attempts, **attributes_)
    policy = command.schedule_activity_task_command_attributes.retry_policy
    policy.initial_interval.FromTimedelta(timedelta(milliseconds=milliseconds))
    policy.backoff_coefficient = 1.0
    return command


def begin_with(raw: Raw, queue: str, command: Command):
    run = raw.start(queue)
    command.schedule_activity_task_command_attributes.task_queue.name = queue
    raw.complete(raw.poll(queue), command)
    return run


@pytest.mark.parametrize("method", ["RespondActivityTaskCompleted", "RespondActivityTaskFailed"])
def test_an_activity_ends_once(raw: Raw, queue: str, method: str):
    run = begin(raw, queue)
    token = raw.poll_activity(queue).task_token
    raw.call("RespondActivityTaskCompleted", task_token=token, result=payloads(b"1"))
    refused = raw.refused(
        method, task_token=token, **({"failure": failure()} if "Failed" in method else {})
    )
    assert (refused.code, refused.text, refused.detail) == ("NOT_FOUND", GONE, "NotFoundFailure")
    raw.assert_history(run, "Started WorkflowTask Activity WorkflowTaskScheduled")
    raw.terminate(run)


def test_a_running_activity_shows_no_started_event_until_it_ends(raw: Raw, queue: str):
    run = begin(raw, queue)
    task = raw.poll_activity(queue)
    raw.assert_history(run, "Started WorkflowTask ActivityTaskScheduled")
    raw.call("RespondActivityTaskCompleted", task_token=task.task_token)
    raw.assert_history(run, "Started WorkflowTask Activity WorkflowTaskScheduled")
    raw.terminate(run)


def test_a_token_of_an_earlier_attempt_is_stale(raw: Raw, queue: str):
    run = begin_with(raw, queue, fast_retries(5))
    first = raw.poll_activity(queue)
    raw.call("RespondActivityTaskFailed", task_token=first.task_token, failure=failure())
    second = raw.poll_activity(queue)
    assert (first.attempt, second.attempt) == (1, 2)
    for method, fields in {
        "RespondActivityTaskCompleted": {},
        "RespondActivityTaskFailed": {"failure": failure()},
        "RecordActivityTaskHeartbeat": {},
    }.items():
        refused = raw.refused(method, task_token=first.task_token, **fields)
        assert (refused.code, refused.text) == ("NOT_FOUND", GONE)
    raw.call("RespondActivityTaskCompleted", task_token=second.task_token)
    events = raw.assert_history(run, "Started WorkflowTask Activity WorkflowTaskScheduled")
    started = attributes(only(events, "ActivityTaskStarted"))
    assert (started.attempt, started.last_failure.message) == (2, "as told")
    raw.terminate(run)


def test_a_completion_after_the_run_closed_is_not_found(raw: Raw, queue: str):
    run = begin(raw, queue)
    task = raw.poll_activity(queue)
    raw.terminate(run)
    refused = raw.refused("RespondActivityTaskCompleted", task_token=task.task_token)
    assert (refused.code, refused.detail) == ("NOT_FOUND", "NotFoundFailure")
    raw.assert_history(run, "Started WorkflowTask ActivityTaskScheduled Terminated")


def test_heartbeat_details_reach_the_next_attempt(raw: Raw, queue: str):
    run = begin_with(raw, queue, fast_retries(5))
    first = raw.poll_activity(queue)
    answer = raw.call(
        "RecordActivityTaskHeartbeat", task_token=first.task_token, details=payloads(b"1")
    )
    assert not answer.cancel_requested
    raw.call(
        "RespondActivityTaskFailed",
        task_token=first.task_token,
        failure=failure(),
        last_heartbeat_details=payloads(b"2"),
    )
    second = raw.poll_activity(queue)
    assert second.heartbeat_details == payloads(b"2")
    raw.terminate(run)


def test_a_heartbeat_learns_of_a_requested_cancellation(raw: Raw, queue: str):
    run = begin(raw, queue)
    activity = raw.poll_activity(queue)
    raw.signal(run)
    cancel = Command(command_type=CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK)
    cancel.request_cancel_activity_task_command_attributes.scheduled_event_id = 5
    raw.complete(raw.poll(queue), cancel)
    answer = raw.call("RecordActivityTaskHeartbeat", task_token=activity.task_token)
    assert answer.cancel_requested
    raw.call("RespondActivityTaskCanceled", task_token=activity.task_token, details=payloads(b"1"))
    events = raw.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled Signaled WorkflowTask "
        "ActivityTaskCancelRequested ActivityTaskStarted ActivityTaskCanceled "
        "WorkflowTaskScheduled",
    )
    canceled = attributes(only(events, "ActivityTaskCanceled"))
    assert canceled.details == payloads(b"1")
    assert canceled.latest_cancel_requested_event_id == 10
    raw.terminate(run)


def test_a_heartbeat_extends_the_heartbeat_timeout_and_silence_ends_it(raw: Raw, queue: str):
    run = begin(raw, queue, heartbeat_timeout=1.0, maximum_attempts=1)
    activity = raw.poll_activity(queue)
    raw.call("RecordActivityTaskHeartbeat", task_token=activity.task_token, details=payloads(b"9"))
    assert raw.poll(queue).task_token
    events = raw.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskTimedOut "
        "WorkflowTaskScheduled WorkflowTaskStarted",
    )
    timed_out = attributes(only(events, "ActivityTaskTimedOut"))
    info = timed_out.failure.timeout_failure_info
    assert info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    assert info.last_heartbeat_details == payloads(b"9")
    assert timed_out.retry_state == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    raw.terminate(run)


def test_the_last_timeout_has_the_details_and_names_how_the_attempt_before_ended(
    raw: Raw, queue: str
):
    silent = fast_retries(3, heartbeat_timeout=1.0)
    run = begin_with(raw, queue, silent)
    first = raw.poll_activity(queue)
    raw.call("RespondActivityTaskFailed", task_token=first.task_token, failure=failure())
    second = raw.poll_activity(queue)
    raw.call("RecordActivityTaskHeartbeat", task_token=second.task_token, details=payloads(b"9"))
    third = raw.poll_activity(queue)
    assert third.heartbeat_details == payloads(b"9")
    assert raw.poll(queue).task_token
    events = raw.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskTimedOut "
        "WorkflowTaskScheduled WorkflowTaskStarted",
    )
    between = attributes(only(events, "ActivityTaskStarted")).last_failure
    assert not between.HasField("cause")
    assert not between.timeout_failure_info.HasField("last_heartbeat_details")
    last = attributes(only(events, "ActivityTaskTimedOut")).failure
    assert last.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    assert last.timeout_failure_info.last_heartbeat_details == payloads(b"9")
    assert last.cause == between
    raw.terminate(run)


@pytest.mark.parametrize(
    ("info", "maximum_attempts", "state"),
    [
        ({"non_retryable": True}, 5, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE),
        ({}, 1, RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED),
    ],
    ids=["non_retryable", "attempts_used_up"],
)
def test_a_final_failure_ends_the_activity(
    raw: Raw, queue: str, info: dict, maximum_attempts: int, state: int
):
    run = begin_with(raw, queue, fast_retries(maximum_attempts))
    task = raw.poll_activity(queue)
    raw.call("RespondActivityTaskFailed", task_token=task.task_token, failure=failure(**info))
    events = raw.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskFailed "
        "WorkflowTaskScheduled",
    )
    failed = attributes(only(events, "ActivityTaskFailed"))
    assert failed.retry_state == state
    assert failed.failure.message == "as told"
    raw.terminate(run)


def test_an_activity_is_ended_by_its_id(raw: Raw, queue: str):
    run = begin(raw, queue)
    raw.poll_activity(queue)
    by_id = {"workflow_id": run.workflow_id, "activity_id": "a"}
    answer = raw.call("RecordActivityTaskHeartbeatById", details=payloads(b"1"), **by_id)
    assert not answer.cancel_requested
    raw.call("RespondActivityTaskCompletedById", result=payloads(b"2"), **by_id)
    events = raw.assert_history(run, "Started WorkflowTask Activity WorkflowTaskScheduled")
    completed = attributes(only(events, "ActivityTaskCompleted"))
    assert completed.result == payloads(b"2")
    raw.terminate(run)


def test_an_activity_that_no_worker_took_is_completed_by_its_id(raw: Raw, queue: str):
    run = begin(raw, queue)
    by_id = {"workflow_id": run.workflow_id, "activity_id": "a", "identity": "elsewhere"}
    for method in ("RecordActivityTaskHeartbeatById", "RespondActivityTaskFailedById"):
        assert raw.refused(method, **by_id) == Refusal("NOT_FOUND", GONE, "NotFoundFailure")
    raw.call("RespondActivityTaskCompletedById", result=payloads(b"2"), **by_id)
    events = raw.assert_history(run, "Started WorkflowTask Activity WorkflowTaskScheduled")
    started = attributes(only(events, "ActivityTaskStarted"))
    assert (started.attempt, started.identity, started.request_id) == (1, "elsewhere", "")
    completed = attributes(only(events, "ActivityTaskCompleted"))
    assert (completed.identity, completed.result) == ("elsewhere", payloads(b"2"))
    assert not raw.poll_activity(queue, seconds=2).task_token
    raw.terminate(run)


def test_timeouts_of_an_activity_are_filled_in_when_it_is_scheduled(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(
        raw.poll(queue),
        schedule_activity(
            "from close", queue, start_to_close_timeout=0, schedule_to_close_timeout=30
        ),
        schedule_activity("heartbeat", queue, heartbeat_timeout=60),
    )
    events = raw.history(run)
    first, second = attributes(events[4]), attributes(events[5])
    assert first.schedule_to_close_timeout.seconds == 30
    assert first.schedule_to_start_timeout.seconds == 30
    assert first.start_to_close_timeout.seconds == 30
    assert second.start_to_close_timeout.seconds == 10
    assert second.heartbeat_timeout.seconds == 10
    assert second.schedule_to_close_timeout.ToNanoseconds() == 0
    raw.terminate(run)


def test_two_activities_end_in_any_order(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("one", queue), schedule_activity("two", queue))
    tasks = {
        task.activity_id: task for task in (raw.poll_activity(queue), raw.poll_activity(queue))
    }
    assert set(tasks) == {"one", "two"}
    raw.call("RespondActivityTaskCompleted", task_token=tasks["two"].task_token)
    raw.call("RespondActivityTaskCompleted", task_token=tasks["one"].task_token)
    events = raw.history(run)
    assert event_types(events)[6:] == [
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "WorkflowTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
    ]
    assert attributes(events[7]).scheduled_event_id == 6
    assert attributes(events[10]).scheduled_event_id == 5
    raw.complete(raw.poll(queue), complete_workflow())


def test_an_activity_has_the_priority_of_its_run_where_it_has_none(raw: Raw, queue: str):
    of_run = Priority(priority_key=1, fairness_key="run", fairness_weight=3.5)
    run = raw.start(queue, priority=of_run)
    urgent, plain = (schedule_activity(name, queue) for name in ["urgent", "plain"])
    own = Priority(priority_key=5, fairness_key="own")
    urgent.schedule_activity_task_command_attributes.priority.CopyFrom(own)
    raw.complete(raw.poll(queue), urgent, plain)
    tasks = [raw.poll_activity(queue) for _ in range(2)]
    assert {task.activity_id: task.priority for task in tasks} == {
        "plain": of_run,
        "urgent": Priority(priority_key=5, fairness_key="own", fairness_weight=3.5),
    }
    raw.terminate(run)
