//! A run that begins in the middle of another one (fact sheet section 10).
//!
//! The shell folds the events of the base run up to the reset point into a state; this input turns
//! that state into a run of its own. The workflow task that stood open at the point fails, so that
//! the worker sees why its next one comes, and what happened to the base later is applied again.

use api::{
    enums::v1::WorkflowTaskFailedCause,
    failure::v1::{Failure, ResetWorkflowFailureInfo, failure::FailureInfo},
    history::v1::{
        HistoryEvent, WorkflowTaskFailedEventAttributes, WorkflowTaskStartedEventAttributes,
        history_event::Attributes,
    },
};
use model::{Span, Time};

use crate::{
    Mutation, Rejection, Reply, ResetRecorded, RunReset, State, callback, draft::Draft,
    input::Reset, outstanding_tasks, reapply, update_options, workflow_task,
};

/// Who fails the workflow task and starts it where nobody had.
const IDENTITY: &str = "history-service";

/// Who ends the run that a reset replaces. Its work goes on in the new run: neither its parent nor
/// its children are told.
pub const RESETTER: &str = "history-resetter";

/// What the reference gives in place of a poll's id where there was no poll.
const NO_POLL: &str = "emptyUuid";

/// Makes a run out of a state that was folded from the events of another.
pub(crate) fn reset(draft: &mut Draft<'_>, input: Reset) -> Result<Reply, Rejection> {
    let Reset { run, base_run_id, reason, reapplied, options } = input;
    let state = draft.state();
    let finish_event_id = state.next_event_id;
    let Some(task) = state.workflow_task.as_ref().filter(|_| state.is_running()) else {
        return Err(Rejection::invalid(format!(
            "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, \
             WorkflowTaskStarted + 1]: {finish_event_id}"
        )));
    };
    let scheduled_event_id = task.scheduled_event_id;
    let mut started_event_id = task.started_event_id;
    let new_run_id = run.run_id.clone();
    draft.mutate(Mutation::RunReset(run));
    if started_event_id == 0 {
        started_event_id = draft.event(Attributes::WorkflowTaskStartedEventAttributes(
            WorkflowTaskStartedEventAttributes {
                scheduled_event_id,
                identity: IDENTITY.to_owned(),
                request_id: NO_POLL.to_owned(),
                history_size_bytes: draft.state().history_bytes,
                ..Default::default()
            },
        ));
        draft.end_batch();
    }
    draft.event(Attributes::WorkflowTaskFailedEventAttributes(WorkflowTaskFailedEventAttributes {
        scheduled_event_id,
        started_event_id,
        cause: WorkflowTaskFailedCause::ResetWorkflow as i32,
        failure: Some(Failure {
            message: reason,
            failure_info: Some(FailureInfo::ResetWorkflowFailureInfo(
                ResetWorkflowFailureInfo::default(),
            )),
            ..Default::default()
        }),
        identity: IDENTITY.to_owned(),
        base_run_id,
        new_run_id,
        ..Default::default()
    }));
    for event in reapplied {
        reapply::apply(draft, event);
    }
    for options in options {
        update_options::apply(draft, options)?;
    }
    for task in outstanding_tasks(draft.state()) {
        draft.task(task);
    }
    workflow_task::schedule(draft);
    Ok(Reply::Done)
}

/// Whether a run ends with this event because a reset made another of it.
pub(crate) fn is_replacement(event: &HistoryEvent) -> bool {
    matches!(
        &event.attributes,
        Some(Attributes::WorkflowExecutionTerminatedEventAttributes(terminated))
            if terminated.identity == RESETTER
    )
}

/// Notes in the base which run a reset made of it.
pub(crate) fn record(draft: &mut Draft<'_>, reset_run_id: String) -> Result<Reply, Rejection> {
    if !draft.state().is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: draft.state().workflow_id.clone() });
    }
    draft.mutate(Mutation::ResetRecorded(ResetRecorded { reset_run_id }));
    Ok(Reply::Done)
}

/// The run's own clocks begin with the reset: its time-outs and those of its activities.
pub(crate) fn apply_reset(state: &mut State, reset: &RunReset) {
    for point in state.reset_points.iter_mut().flat_map(|points| &mut points.edit().points) {
        if point.run_id == state.run_id {
            point.run_id.clone_from(&reset.run_id);
        }
    }
    state.namespace_id.clone_from(&reset.namespace_id);
    state.run_id.clone_from(&reset.run_id);
    state.start_request_id.clone_from(&reset.start_request_id);
    state.watchers.clone_from(&reset.watchers);
    state.reset_request_id.clone_from(&reset.reset_request_id);
    state.history_ancestors.clone_from(&reset.history_ancestors);
    callback::apply_reset(state);
    state.workflow_task_failures = 0;
    state.workflow_task_problems = 0;
    state.original_start_time = state.start_time;
    state.start_time = reset.time;
    state.last_reset_time = reset.time;
    let timeout = |field: fn(&crate::state::Started) -> Option<prost_types::Duration>| {
        state
            .started
            .as_deref()
            .map_or(Span::ZERO, |started| Span::from_proto(field(started).as_ref()))
    };
    let deadline = |timeout: Span| {
        if timeout.is_zero() { Time::UNSET } else { reset.time + timeout }
    };
    state.execution_expiration = deadline(timeout(|started| started.workflow_execution_timeout));
    state.run_expiration = deadline(timeout(|started| started.workflow_run_timeout));
    for activity in state.activities.values_mut() {
        let activity = activity.edit();
        activity.scheduled_time = reset.time;
        activity.attempt_scheduled_time = reset.time;
    }
}

pub(crate) fn apply_recorded(state: &mut State, recorded: &ResetRecorded) {
    state.reset_run_id.clone_from(&recorded.reset_run_id);
}
