//! How the events and mutations of workflow tasks change a state.

use api::{
    enums::v1::{TaskQueueKind, TimeoutType, WorkflowTaskFailedCause},
    history::v1::{
        WorkflowTaskCompletedEventAttributes, WorkflowTaskFailedEventAttributes,
        WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes,
        WorkflowTaskTimedOutEventAttributes,
    },
};
use model::{Span, Time};

use crate::{
    State, WorkflowTaskDetailed, WorkflowTaskDropped, WorkflowTaskKind, WorkflowTaskScheduled,
    WorkflowTaskStarted,
    server_attributes::{self, Problem},
    state::WorkflowTask,
};

pub(crate) fn apply_scheduled(
    state: &mut State,
    event_id: i64,
    scheduled: &WorkflowTaskScheduledEventAttributes,
    time: Time,
) {
    let sticky = scheduled
        .task_queue
        .as_ref()
        .is_some_and(|task_queue| task_queue.kind == TaskQueueKind::Sticky as i32);
    state.first_workflow_task_due = Time::UNSET;
    state.workflow_task_failures = scheduled.attempt.saturating_sub(1);
    state.workflow_task = Some(WorkflowTask {
        scheduled_event_id: event_id,
        attempt: scheduled.attempt,
        kind: WorkflowTaskKind::Normal as i32,
        start_to_close_timeout: Span::from_proto(scheduled.start_to_close_timeout.as_ref()),
        scheduled_time: time,
        original_scheduled_time: time,
        on_sticky_queue: sticky,
        ..Default::default()
    });
}

pub(crate) fn apply_started(
    state: &mut State,
    event_id: i64,
    started: &WorkflowTaskStartedEventAttributes,
    time: Time,
) {
    let Some(task) = &mut state.workflow_task else { return };
    task.started_event_id = event_id;
    task.started_time = time;
    task.request_id.clone_from(&started.request_id);
    task.identity.clone_from(&started.identity);
    task.history_bytes = started.history_size_bytes;
    task.suggest_continue_as_new_reasons.clone_from(&started.suggest_continue_as_new_reasons);
    task.target_version_changed = started.target_worker_deployment_version_changed;
}

pub(crate) fn apply_completed(state: &mut State, completed: &WorkflowTaskCompletedEventAttributes) {
    state.previous_started_event_id = completed.started_event_id;
    state.workflow_task = None;
    state.workflow_task_failures = 0;
    state.workflow_task_problems = 0;
    state.workflow_task_problem_cause = WorkflowTaskFailedCause::Unspecified as i32;
    server_attributes::clear_problems(state);
    server_attributes::note_build_id(state, completed.worker_version.as_ref());
}

pub(crate) fn apply_failed(state: &mut State, failed: &WorkflowTaskFailedEventAttributes) {
    end_unsuccessfully(state, Problem::Failed(failed.cause()), counts(failed.cause()));
}

/// False for what is nobody's failure: a reset, or a pause.
pub(super) const fn counts(cause: WorkflowTaskFailedCause) -> bool {
    !matches!(
        cause,
        WorkflowTaskFailedCause::ResetWorkflow
            | WorkflowTaskFailedCause::WorkflowPauseRequestedBeforeTaskStarted
    )
}

pub(crate) fn apply_timed_out(state: &mut State, timed_out: &WorkflowTaskTimedOutEventAttributes) {
    let timeout_type = timed_out.timeout_type();
    let counts = timeout_type != TimeoutType::ScheduleToStart;
    end_unsuccessfully(state, Problem::TimedOut(timeout_type), counts);
}

pub(crate) fn apply_dropped(state: &mut State, dropped: &WorkflowTaskDropped) {
    let problem = if dropped.cause() == WorkflowTaskFailedCause::Unspecified {
        Problem::TimedOut(TimeoutType::StartToClose)
    } else {
        Problem::Failed(dropped.cause())
    };
    end_unsuccessfully(state, problem, dropped.failed);
}

/// A failure while the worker's cache is trusted is blamed on the cache: the next attempt starts
/// from the beginning of the history, and is again the first.
fn end_unsuccessfully(state: &mut State, problem: Problem, counts: bool) {
    state.workflow_task = None;
    if state.sticky.take().is_none() && counts {
        state.workflow_task_failures = state.workflow_task_failures.saturating_add(1);
    }
    if counts {
        state.workflow_task_problems = state.workflow_task_problems.saturating_add(1);
        state.workflow_task_problem_cause = match problem {
            Problem::Failed(cause) => cause as i32,
            Problem::TimedOut(_) => WorkflowTaskFailedCause::Unspecified as i32,
        };
        server_attributes::report_problem(state, problem);
    }
}

pub(crate) fn apply_transient_scheduled(state: &mut State, scheduled: &WorkflowTaskScheduled) {
    state.workflow_task = Some(WorkflowTask {
        scheduled_event_id: scheduled.scheduled_event_id,
        attempt: scheduled.attempt,
        kind: scheduled.kind,
        start_to_close_timeout: scheduled.start_to_close_timeout,
        scheduled_time: scheduled.scheduled_time,
        original_scheduled_time: scheduled.scheduled_time,
        ..Default::default()
    });
}

pub(crate) fn apply_transient_started(state: &mut State, started: &WorkflowTaskStarted) {
    let Some(task) = &mut state.workflow_task else { return };
    task.started_event_id = started.started_event_id;
    task.started_time = started.started_time;
    task.request_id.clone_from(&started.request_id);
    task.identity.clone_from(&started.identity);
    task.history_bytes = started.history_bytes;
    task.suggest_continue_as_new_reasons.clone_from(&started.suggest_continue_as_new_reasons);
    task.target_version_changed = started.target_version_changed;
}

pub(crate) fn apply_detailed(state: &mut State, detailed: &WorkflowTaskDetailed) {
    if let Some(task) = &mut state.workflow_task {
        task.original_scheduled_time = detailed.original_scheduled_time;
        task.on_sticky_queue = detailed.on_sticky_queue;
    }
}
