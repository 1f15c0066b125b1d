"""Workflows with a cron schedule: the grammar, and the chain of runs."""

import time

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import RetryPolicy, WorkflowExecution
from temporalio.api.enums.v1 import (
    CommandType,
    ContinueAsNewInitiator,
    HistoryEventFilterType,
    RetryState,
    TimeoutType,
)

from harness.history import attributes, event_types, expected
from harness.raw import Raw, complete_workflow, payloads, start_fields

BY_SCHEDULE = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
BY_RETRY = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY


def seconds(number: int) -> Duration:
    return Duration(seconds=number)


def fail_workflow(message: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
    failure = command.fail_workflow_execution_command_attributes.failure
    failure.message = message
    failure.application_failure_info.type = "Told"
    return command


def continue_as_new(**fields) -> Command:
    kind = CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION
    command = Command(command_type=kind)
    attributes_ = command.continue_as_new_workflow_execution_command_attributes
    attributes_.SetInParent()
    for name, value in fields.items():
        setattr(attributes_, name, value)
    return command


def cancel_workflow() -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)
    command.cancel_workflow_execution_command_attributes.SetInParent()
    return command


def started(raw: Raw, run: WorkflowExecution):
    return attributes(raw.history(run)[0])


def after(raw: Raw, run: WorkflowExecution) -> WorkflowExecution:
    """The run that the last event of a run names."""
    last = attributes(raw.history(run)[-1])
    return WorkflowExecution(workflow_id=run.workflow_id, run_id=last.new_execution_run_id)


def end(raw: Raw, run: WorkflowExecution) -> None:
    raw.terminate(WorkflowExecution(workflow_id=run.workflow_id))


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "? ? ? ? ?",
        "5/10 1,3-7/2 1 jan-mar Mon-Fri",
        "@every 1h30m",
        "@every -5s",
        "@midnight",
        "CRON_TZ=Asia/Tokyo @daily",
        "TZ=America/New_York 0 9 * * *",
        "CRON_TZ= 0 9 * * *",
        "1,,2 * * * *",
        "*-5 * * * *",
        "+5 */100 * * *",
        "\t0 0 29 2 ? ",
    ],
)
def test_a_schedule_delays_its_first_run(raw: Raw, queue: str, schedule: str):
    run = raw.start(queue, cron_schedule=schedule)
    event = raw.assert_history(run, "Started")[0]
    begun = attributes(event)
    assert (begun.cron_schedule, begun.initiator, begun.attempt) == (schedule, BY_SCHEDULE, 1)
    assert begun.first_workflow_task_backoff.seconds >= 1
    assert begun.first_workflow_task_backoff.nanos == 0
    described = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    delay = begun.first_workflow_task_backoff.ToTimedelta()
    assert described.execution_time.ToDatetime() - described.start_time.ToDatetime() == delay
    end(raw, run)


@pytest.mark.parametrize(
    "schedule",
    [
        "60 * * * *",
        "0 0 * * 7",
        "* * * *",
        "0 0 0 * * *",
        "@reboot",
        " @daily",
        "@every 1d",
        "x",
        "CRON_TZ=Nope 0 9 * * *",
        "CRON_TZ=asia/tokyo 0 9 * * *",
        "*/0 * * * *",
        "5-1 * * * *",
    ],
)
def test_a_bad_schedule_is_refused(raw: Raw, queue: str, schedule: str):
    refused = refusal_of_start(raw, queue, cron_schedule=schedule)
    assert refused == ("INVALID_ARGUMENT", "invalid CronSchedule.")


def test_a_schedule_without_any_time_is_refused(raw: Raw, queue: str):
    assert refusal_of_start(raw, queue, cron_schedule="0 0 31 2 *") == (
        "INVALID_ARGUMENT",
        "invalid CronSchedule, no time can be found to satisfy the schedule",
    )


@pytest.mark.parametrize("delay", [0, 5])
def test_a_schedule_and_a_delay_exclude_each_other(raw: Raw, queue: str, delay: int):
    fields = {"cron_schedule": "@daily", "workflow_start_delay": seconds(delay)}
    assert refusal_of_start(raw, queue, **fields) == (
        "INVALID_ARGUMENT",
        "CronSchedule and WorkflowStartDelay may not be used together.",
    )


def refusal_of_start(raw: Raw, queue: str, **fields) -> tuple[str, str]:
    refused = raw.refused("StartWorkflowExecution", **start_fields(queue, "refused", **fields))
    return refused.code, refused.text


def test_results_and_failures_go_from_run_to_run(raw: Raw, queue: str):
    first = raw.start(
        queue,
        cron_schedule="@every 1s",
        retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=seconds(1)),
        workflow_execution_timeout=seconds(60),
        input=payloads(b'"input"'),
    )
    raw.complete(raw.poll(queue), complete_workflow(b"1"))
    raw.assert_history(first, "Started WorkflowTask Completed")

    second = after(raw, first)
    begun = started(raw, second)
    assert (begun.initiator, begun.attempt) == (BY_SCHEDULE, 1)
    assert begun.continued_execution_run_id == first.run_id
    assert begun.first_execution_run_id == first.run_id
    assert (begun.cron_schedule, begun.input) == ("@every 1s", payloads(b'"input"'))
    assert begun.last_completion_result == payloads(b"1")
    expires = started(raw, first).workflow_execution_expiration_time
    assert begun.workflow_execution_expiration_time == expires
    raw.complete(raw.poll(queue), fail_workflow("one"))
    failed = attributes(raw.assert_history(second, "Started WorkflowTask Failed")[-1])
    assert failed.retry_state == RetryState.RETRY_STATE_IN_PROGRESS

    third = after(raw, second)
    begun = started(raw, third)
    assert (begun.initiator, begun.attempt) == (BY_RETRY, 2)
    assert (begun.continued_failure.message, begun.cron_schedule) == ("one", "@every 1s")
    assert not begun.HasField("last_completion_result")
    raw.complete(raw.poll(queue), fail_workflow("two"))
    failed = attributes(raw.assert_history(third, "Started WorkflowTask Failed")[-1])
    assert failed.retry_state == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED

    fourth = after(raw, third)
    begun = started(raw, fourth)
    assert (begun.initiator, begun.attempt) == (BY_SCHEDULE, 1)
    assert begun.continued_failure.message == "two"
    assert not begun.HasField("last_completion_result")
    end(raw, fourth)


def test_the_last_result_survives_failures(raw: Raw, queue: str):
    run = raw.start(queue, cron_schedule="@every 1s")
    raw.complete(raw.poll(queue), complete_workflow(b"1"))
    run = after(raw, run)
    for message in ["one", "two"]:
        raw.complete(raw.poll(queue), fail_workflow(message))
        run = after(raw, run)
        begun = started(raw, run)
        assert begun.continued_failure.message == message
        assert begun.last_completion_result == payloads(b"1")
    end(raw, run)


def test_a_workflow_that_continues_as_new_leaves_its_schedule(raw: Raw, queue: str):
    run = raw.start(queue, cron_schedule="@every 1s")
    raw.complete(raw.poll(queue), continue_as_new())
    begun = started(raw, after(raw, run))
    assert (begun.cron_schedule, begun.attempt) == ("", 1)
    assert begun.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
    kept = after(raw, run)
    raw.complete(raw.poll(queue), continue_as_new(cron_schedule="@every 1s"))
    begun = started(raw, after(raw, kept))
    assert begun.cron_schedule == "@every 1s"
    raw.complete(raw.poll(queue), complete_workflow())
    last = after(raw, after(raw, kept))
    assert started(raw, last).initiator == BY_SCHEDULE
    end(raw, run)


def test_a_run_that_times_out_is_followed_by_the_next(raw: Raw, queue: str):
    run = raw.start(queue, cron_schedule="@every 2s", workflow_run_timeout=seconds(1))
    deadline = time.monotonic() + 10
    while len(raw.history(run)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    events = raw.assert_history(run, "Started WorkflowTaskScheduled TimedOut")
    assert attributes(events[-1]).retry_state == RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET
    begun = started(raw, after(raw, run))
    assert begun.initiator == BY_SCHEDULE
    assert begun.continued_failure.message == "workflow timeout"
    info = begun.continued_failure.timeout_failure_info
    assert info.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    end(raw, run)


def test_an_execution_that_times_out_is_the_end(raw: Raw, queue: str):
    run = raw.start(queue, cron_schedule="@every 1s", workflow_execution_timeout=seconds(2))
    raw.complete(raw.poll(queue))
    deadline = time.monotonic() + 10
    while event_types(raw.history(run))[-1] != "WorkflowExecutionTimedOut":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    closed = attributes(raw.history(run)[-1])
    assert closed.retry_state == RetryState.RETRY_STATE_TIMEOUT
    assert closed.new_execution_run_id == ""


def test_a_cancelled_run_is_the_last(raw: Raw, queue: str):
    run = raw.start(queue, cron_schedule="@every 1s")
    task = raw.poll(queue)
    raw.call("RequestCancelWorkflowExecution", workflow_execution=run)
    raw.complete(task)
    raw.complete(raw.poll(queue), cancel_workflow())
    names = event_types(raw.history(run))
    assert names == expected("Started WorkflowTask CancelRequested WorkflowTask Canceled")
    info = raw.call(
        "DescribeWorkflowExecution", execution=WorkflowExecution(workflow_id=run.workflow_id)
    ).workflow_execution_info
    assert info.execution.run_id == run.run_id


def test_a_signal_does_not_wake_a_run_before_its_time(raw: Raw, queue: str):
    run = raw.start(queue, cron_schedule="@every 2s")
    raw.signal(run)
    raw.assert_history(run, "Started Signaled")
    task = raw.poll(queue)
    assert event_types(task.history.events) == expected(
        "Started Signaled WorkflowTaskScheduled WorkflowTaskStarted"
    )
    end(raw, run)


@pytest.mark.parametrize("follows", [False, True])
def test_the_last_event_fits_what_the_client_can_follow(raw: Raw, queue: str, follows: bool):
    run = raw.start(queue, cron_schedule="@every 1s")
    raw.complete(raw.poll(queue), complete_workflow(b"1"))
    next_run = after(raw, run)
    raw.complete(raw.poll(queue), fail_workflow("told"))
    metadata = (("supported-features", "other,follows-next-run-id"),) if follows else ()
    names = []
    for closed in (run, next_run):
        events = raw.call(
            "GetWorkflowExecutionHistory",
            metadata=metadata,
            execution=closed,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        ).history.events
        names += event_types(events)
        assert attributes(events[0]).new_execution_run_id == after(raw, closed).run_id
        if not follows and closed is run:
            assert attributes(events[0]).last_completion_result == payloads(b"1")
    assert names == expected("Completed Failed" if follows else "ContinuedAsNew ContinuedAsNew")
    end(raw, run)
