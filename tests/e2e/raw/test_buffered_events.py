"""Events during a started workflow task: buffered, ordered and numbered when it ends."""

from temporalio.api.enums.v1 import ResourceExhaustedCause, WorkflowTaskFailedCause
from temporalio.api.errordetails.v1 import ResourceExhaustedFailure

from harness.history import attributes, only
from harness.raw import (
    Raw,
    cancel_timer,
    complete_workflow,
    detail_of,
    record_marker,
    refusal_of,
    schedule_activity,
    start_timer,
)
from harness.waiting import wait_for_sync


def cause_named(name: str) -> int:
    return WorkflowTaskFailedCause.Value(f"WORKFLOW_TASK_FAILED_CAUSE_{name}")


def test_signals_during_a_task_have_no_id_until_it_ends(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    for name in ("one", "two", "three"):
        raw.signal(run, name)
    raw.assert_history(run, "Started WorkflowTaskScheduled WorkflowTaskStarted")
    raw.complete(task, record_marker("m"))
    events = raw.assert_history(
        run,
        "Started WorkflowTask MarkerRecorded Signaled Signaled Signaled WorkflowTaskScheduled",
    )
    assert [attributes(event).signal_name for event in events[5:8]] == ["one", "two", "three"]
    raw.complete(raw.poll(queue), complete_workflow())


def test_buffered_completions_of_activities_come_after_buffered_signals(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", queue))
    activity = raw.poll_activity(queue)
    raw.signal(run, "makes a task")
    task = raw.poll(queue)
    raw.call("RespondActivityTaskCompleted", task_token=activity.task_token)
    raw.signal(run, "after the activity")
    raw.complete(task)
    events = raw.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled Signaled WorkflowTask "
        "ActivityTaskStarted Signaled ActivityTaskCompleted WorkflowTaskScheduled",
    )
    completed = attributes(only(events, "ActivityTaskCompleted"))
    started = only(events, "ActivityTaskStarted")
    assert completed.scheduled_event_id == 5
    assert completed.started_event_id == started.event_id
    raw.terminate(run)


def test_completing_a_run_past_unseen_events_is_an_unhandled_command(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    raw.signal(run)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=task.task_token,
        commands=[record_marker("undone"), complete_workflow()],
    )
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.text.startswith("UnhandledCommand")
    events = raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed Signaled "
        "WorkflowTaskScheduled",
    )
    assert attributes(events[3]).cause == cause_named("UNHANDLED_COMMAND")
    raw.signal(run, "in time")
    task = raw.poll(queue)
    assert task.attempt == 1
    busy = raw.error("SignalWorkflowExecution", workflow_execution=run, signal_name="too late")
    refused = refusal_of(busy)
    assert refused.code == "RESOURCE_EXHAUSTED"
    assert refused.text == "workflow operation can not be applied because workflow is closing"
    detail = detail_of(busy, ResourceExhaustedFailure)
    assert detail.cause == ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
    raw.complete(task, complete_workflow())


def test_a_hundred_and_one_buffered_events_close_the_task(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.poll(queue)
    for number in range(101):
        raw.signal(run, f"{number}")
    events = raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed " + "Signaled " * 101,
    )
    assert attributes(events[3]).cause == cause_named("FORCE_CLOSE_COMMAND")
    names = [attributes(event).signal_name for event in events[4:105]]
    assert names == [f"{number}" for number in range(101)]
    task = raw.poll(queue)
    assert (task.attempt, task.started_event_id) == (2, 107)
    raw.complete(task, complete_workflow())


def test_cancelling_a_timer_whose_firing_is_buffered_drops_it(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), start_timer("short", 100), start_timer("long", 600_000))
    raw.signal(run)
    task = raw.poll(queue)

    def fired() -> bool:
        described = raw.call("DescribeWorkflowExecution", execution=run)
        return described.workflow_execution_info.state_transition_count >= 6

    wait_for_sync(fired, "the firing of the short timer")
    raw.complete(task, cancel_timer("short"), complete_workflow())
    raw.assert_history(
        run,
        "Started WorkflowTask TimerStarted TimerStarted Signaled WorkflowTask TimerCanceled "
        "Completed",
    )
