"""Runs driven without an SDK: what a worker must do wrong, late or in an exact order."""

from contextlib import suppress
from datetime import timedelta

import grpc
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType, WorkflowTaskFailedCause
from temporalio.api.workflow.v1 import OnConflictOptions

from harness.history import event_types
from harness.raw import (
    Raw,
    cancel_timer,
    complete_workflow,
    record_marker,
    schedule_activity,
    start_timer,
    sticky,
    sticky_queue,
)
from harness.sdk import unique
from harness.waiting import wait_for_sync

Runs = dict[str, WorkflowExecution]


def _wait_for(raw: Raw, run: WorkflowExecution, name: str, count: int = 1) -> None:
    wait_for_sync(lambda: event_types(raw.history(run)).count(name) >= count, f"{count} {name}")


def open_from_the_first_moment(raw: Raw) -> Runs:
    return {"open_without_worker": raw.start(unique("queue"))}


def delayed_start(raw: Raw) -> Runs:
    run = raw.start(unique("queue"), workflow_start_delay=timedelta(hours=1))
    return {"open_delayed_start": run}


def cron(raw: Raw) -> Runs:
    return {"open_cron": raw.start(unique("queue"), cron_schedule="0 0 1 1 *")}


def buffered_events(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", queue), start_timer("t", 1))
    activity = raw.poll_activity(queue)
    raw.signal(run, "makes a task")
    task = raw.poll(queue)
    raw.call("RespondActivityTaskCompleted", task_token=activity.task_token)
    raw.signal(run, "after the activity")
    raw.complete(task, record_marker("m"))
    raw.complete(raw.poll(queue), complete_workflow(b"1"))
    return {"buffered_events": run}


def events_in_the_buffer(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue)
    raw.poll(queue)
    raw.signal(run)
    raw.call("RequestCancelWorkflowExecution", workflow_execution=run)
    return {"open_with_events_in_the_buffer": run}


def cancelled_timer_that_had_fired(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue)
    raw.complete(raw.poll(queue), start_timer("a", 60_000), start_timer("b", 3_600_000))
    raw.signal(run)
    raw.complete(raw.poll(queue), cancel_timer("a"), start_timer("c", 7_200_000))
    return {"open_timers": run}


def failing_workflow_tasks(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue)
    for _ in range(3):
        _fail(raw, raw.poll(queue))
    raw.signal(run)
    _fail(raw, raw.poll(queue))
    raw.complete(raw.poll(queue), complete_workflow())
    transient = raw.start(queue)
    for _ in range(2):
        _fail(raw, raw.poll(queue))
    return {"workflow_tasks_that_failed": run, "open_transient_workflow_task": transient}


def refused_answers(raw: Raw) -> Runs:
    queue = unique("queue")
    bad = raw.start(queue)
    raw.error(
        "RespondWorkflowTaskCompleted",
        task_token=raw.poll(queue).task_token,
        commands=[start_timer("", 1)],
    )
    raw.complete(raw.poll(queue), complete_workflow())
    unhandled = raw.start(queue)
    task = raw.poll(queue)
    raw.signal(unhandled)
    raw.error(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[complete_workflow()]
    )
    raw.complete(raw.poll(queue), complete_workflow())
    return {"bad_command": bad, "unhandled_command": unhandled}


def workflow_task_timeouts(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue, workflow_task_timeout=timedelta(seconds=1))
    raw.poll(queue)
    raw.complete(
        raw.poll(queue), record_marker("m"), sticky_attributes=sticky(unique("sticky"), queue, 1.0)
    )
    own = unique("sticky")
    raw.signal(run)
    raw.complete(raw.poll(queue), sticky_attributes=sticky(own, queue, 1.0))
    # The worker polls once, so that the next task goes to its queue, and then never again.
    with suppress(grpc.RpcError):
        raw.poll(sticky_queue(own, queue), seconds=3)
    raw.signal(run)
    _wait_for(raw, run, "WorkflowTaskTimedOut", 2)
    raw.complete(raw.poll(queue), complete_workflow())
    return {"workflow_task_timeouts": run}


def workflow_task_heartbeat(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue)
    answer = raw.complete(
        raw.poll(queue), force_create_new_workflow_task=True, return_new_workflow_task=True
    )
    raw.complete(answer.workflow_task, complete_workflow())
    return {"workflow_task_heartbeat": run}


def forced_closes(raw: Raw) -> Runs:
    queue = unique("queue")
    terminated = raw.start(queue)
    raw.poll(queue)
    raw.signal(terminated)
    raw.call("TerminateWorkflowExecution", workflow_execution=terminated, reason="enough")
    execution = raw.start(queue, workflow_execution_timeout=timedelta(seconds=1))
    run = raw.start(queue, workflow_run_timeout=timedelta(seconds=1))
    for timed_out in (execution, run):
        _wait_for(raw, timed_out, "WorkflowExecutionTimedOut")
    return {
        "terminated_while_a_worker_holds_the_task": terminated,
        "execution_timed_out": execution,
        "run_timed_out": run,
    }


def pending_activities(raw: Raw) -> Runs:
    queue, away = unique("queue"), unique("queue")
    run = raw.start(queue)
    raw.complete(
        raw.poll(queue),
        schedule_activity("started", queue, start_to_close_timeout=3600),
        schedule_activity("waits", away, start_to_close_timeout=3600),
    )
    task = raw.poll_activity(queue)
    raw.call("RecordActivityTaskHeartbeat", task_token=task.task_token)
    return {"open_activities": run}


def eager_activity(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue)
    answer = raw.complete(raw.poll(queue), schedule_activity("a", queue, eager=True))
    raw.call("RespondActivityTaskCompleted", task_token=answer.activity_tasks[0].task_token)
    raw.complete(raw.poll(queue), complete_workflow())
    return {"eager_activity": run}


def attached_start(raw: Raw) -> Runs:
    queue, workflow_id = unique("queue"), unique("raw")
    run = raw.start(queue, workflow_id)
    raw.start(
        queue,
        workflow_id,
        workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING",
        on_conflict_options=OnConflictOptions(attach_request_id=True),
    )
    return {"open_options_updated": run}


def reset(raw: Raw) -> Runs:
    queue = unique("queue")
    run = raw.start(queue)
    raw.complete(raw.poll(queue), start_timer("t", 3_600_000))
    raw.signal(run)
    raw.complete(raw.poll(queue), record_marker("m"))
    answer = raw.call(
        "ResetWorkflowExecution",
        workflow_execution=run,
        reason="again",
        workflow_task_finish_event_id=4,
        request_id=unique("reset"),
    )
    return {
        "reset_base": run,
        "open_after_reset": WorkflowExecution(workflow_id=run.workflow_id, run_id=answer.run_id),
    }


def continued_as_new(raw: Raw) -> Runs:
    queue = unique("queue")
    first = raw.start(queue)
    command = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    command.continue_as_new_workflow_execution_command_attributes.workflow_type.name = "other"
    raw.complete(raw.poll(queue), command)
    task = raw.poll(queue)
    raw.complete(task, complete_workflow())
    return {"continued_as_new": first, "continuation": task.workflow_execution}


def _fail(raw: Raw, task) -> None:
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
    raw.call("RespondWorkflowTaskFailed", task_token=task.task_token, cause=cause)


ALL = [
    open_from_the_first_moment,
    delayed_start,
    cron,
    buffered_events,
    events_in_the_buffer,
    cancelled_timer_that_had_fired,
    failing_workflow_tasks,
    refused_answers,
    workflow_task_timeouts,
    workflow_task_heartbeat,
    forced_closes,
    pending_activities,
    eager_activity,
    attached_start,
    reset,
    continued_as_new,
]
