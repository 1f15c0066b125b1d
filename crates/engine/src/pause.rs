//! A paused run keeps what happens to it and gets no task: neither its workflow nor its activities
//! go on until somebody lets it.
//!
//! What a worker holds already ends as it would anyhow. Timers fire, signals arrive, time-outs
//! pass: all of it waits in the history.

use api::{
    enums::v1::{WorkflowExecutionStatus, WorkflowTaskFailedCause},
    history::v1::{
        WorkflowExecutionPausedEventAttributes, WorkflowExecutionUnpausedEventAttributes,
        history_event::Attributes,
    },
};
use model::Time;

use crate::{
    Rejection, Reply, RunRef, State, Task, TaskAction, activity,
    draft::{Draft, EventExtras},
    input::PauseRequest,
    pause_info,
    state::WorkflowPause,
    workflow_task,
};

/// Pauses the run. The same request may come twice.
pub(crate) fn pause(draft: &mut Draft<'_>, input: PauseRequest) -> Result<Reply, Rejection> {
    let state = draft.state();
    check_open(state)?;
    if let Some(paused) = &state.paused {
        if !input.request_id.is_empty() && paused.request_id == input.request_id {
            return Ok(Reply::Repeated);
        }
        return Err(Rejection::FailedPrecondition("workflow is already paused.".to_owned()));
    }
    let PauseRequest { identity, reason, request_id } = input;
    workflow_task::withdraw(
        draft,
        WorkflowTaskFailedCause::WorkflowPauseRequestedBeforeTaskStarted,
    );
    let attributes = WorkflowExecutionPausedEventAttributes { identity, reason, request_id };
    draft.bufferable_event(
        Attributes::WorkflowExecutionPausedEventAttributes(attributes),
        EventExtras::default(),
    );
    Ok(Reply::Done)
}

/// Lets the run go on: with a workflow task, and with the activities that wait.
pub(crate) fn unpause(draft: &mut Draft<'_>, input: PauseRequest) -> Result<Reply, Rejection> {
    let state = draft.state();
    check_open(state)?;
    if state.paused.is_none() {
        return Err(Rejection::FailedPrecondition("workflow is not paused.".to_owned()));
    }
    let PauseRequest { identity, reason, request_id } = input;
    let attributes = WorkflowExecutionUnpausedEventAttributes { identity, reason, request_id };
    draft.bufferable_event(
        Attributes::WorkflowExecutionUnpausedEventAttributes(attributes),
        EventExtras::default(),
    );
    activity::offer_again(draft);
    let due = draft.state().first_workflow_task_due;
    if due.is_set() {
        draft.task(Task::at(due, TaskAction::FirstWorkflowTask(RunRef {})));
    } else {
        workflow_task::schedule(draft);
    }
    Ok(Reply::Done)
}

fn check_open(state: &State) -> Result<(), Rejection> {
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if state.is_running() { Ok(()) } else { Err(Rejection::WorkflowClosed) }
}

pub(crate) fn apply_paused(
    state: &mut State,
    paused: &WorkflowExecutionPausedEventAttributes,
    time: Time,
) {
    state.status = WorkflowExecutionStatus::Paused as i32;
    state.paused = Some(WorkflowPause {
        time,
        identity: paused.identity.clone(),
        reason: paused.reason.clone(),
        request_id: paused.request_id.clone(),
    });
    pause_info::refresh(state);
}

pub(crate) fn apply_unpaused(state: &mut State) {
    state.status = WorkflowExecutionStatus::Running as i32;
    state.paused = None;
    pause_info::refresh(state);
}
