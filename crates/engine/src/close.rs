//! The end of a run by its own command, and what every end has in common.

use api::{
    command::v1::{
        CancelWorkflowExecutionCommandAttributes, CompleteWorkflowExecutionCommandAttributes,
        FailWorkflowExecutionCommandAttributes,
    },
    enums::v1::{RetryState, WorkflowExecutionStatus, WorkflowTaskFailedCause},
    history::v1::{
        WorkflowExecutionCanceledEventAttributes, WorkflowExecutionCompletedEventAttributes,
        WorkflowExecutionContinuedAsNewEventAttributes, WorkflowExecutionFailedEventAttributes,
        WorkflowExecutionTimedOutEventAttributes, history_event::Attributes,
    },
};
use model::Time;
use prost::Message as _;

use crate::{
    RetryDecision, RunRef, State, Task, TaskAction, callback, child,
    commands::{CommandError, CommandScope},
    continue_as_new, decide_retry,
    draft::Draft,
    left_behind, worker_command,
};

/// The command that completes the workflow.
pub(crate) fn complete(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: CompleteWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause =
        WorkflowTaskFailedCause::BadCompleteWorkflowExecutionAttributes;
    let CompleteWorkflowExecutionCommandAttributes { result } = command;
    let bytes = result.as_ref().map_or(0, |result| result.encoded_len());
    scope.check_blob(BAD, "CompleteWorkflowExecutionCommandAttributes.Result", bytes)?;
    draft.flush();
    let new_execution_run_id = continue_as_new::scheduled(draft, None, result.as_ref());
    let attributes = WorkflowExecutionCompletedEventAttributes {
        result,
        new_execution_run_id,
        workflow_task_completed_event_id: scope.completed_event_id,
    };
    draft.event_with(
        Attributes::WorkflowExecutionCompletedEventAttributes(attributes),
        scope.extras(),
    );
    emit_tasks(draft);
    Ok(())
}

/// The command that fails the workflow: by its retry policy another run may follow.
pub(crate) fn fail(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: FailWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause =
        WorkflowTaskFailedCause::BadFailWorkflowExecutionAttributes;
    let Some(failure) = command.failure else {
        return Err(CommandError::new(BAD, "Failure is not set on FailWorkflowExecutionCommand."));
    };
    let bytes = failure.encoded_len();
    scope.check_blob(BAD, "FailWorkflowExecutionCommandAttributes.Failure", bytes)?;
    draft.flush();
    let state = draft.state();
    let attempt = state.started.as_ref().map_or(1, |started| started.attempt);
    let decision = decide_retry(
        state.retry_policy(),
        attempt,
        &failure,
        draft.now(),
        state.execution_expiration,
        None,
    );
    let (retry_state, new_execution_run_id) = match decision {
        RetryDecision::After(backoff) => {
            continue_as_new::retry(draft, backoff, Some(failure.clone()));
            (RetryState::InProgress, draft.context().new_run_id.clone())
        }
        RetryDecision::Stop(retry_state) => {
            (retry_state, continue_as_new::scheduled(draft, Some(&failure), None))
        }
    };
    let attributes = WorkflowExecutionFailedEventAttributes {
        failure: Some(failure),
        retry_state: retry_state as i32,
        workflow_task_completed_event_id: scope.completed_event_id,
        new_execution_run_id,
    };
    draft
        .event_with(Attributes::WorkflowExecutionFailedEventAttributes(attributes), scope.extras());
    emit_tasks(draft);
    Ok(())
}

/// The command that confirms that the workflow was cancelled.
pub(crate) fn cancel(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: CancelWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause =
        WorkflowTaskFailedCause::BadCancelWorkflowExecutionAttributes;
    let CancelWorkflowExecutionCommandAttributes { details } = command;
    let bytes = details.as_ref().map_or(0, |details| details.encoded_len());
    scope.check_blob(BAD, "CancelWorkflowExecutionCommandAttributes.Details", bytes)?;
    draft.flush();
    let attributes = WorkflowExecutionCanceledEventAttributes {
        workflow_task_completed_event_id: scope.completed_event_id,
        details,
    };
    draft.event_with(
        Attributes::WorkflowExecutionCanceledEventAttributes(attributes),
        scope.extras(),
    );
    emit_tasks(draft);
    Ok(())
}

/// Whether the run has closed, is the last of its chain, and an entity of the server waits for
/// that. Only the server makes callbacks of the internal kind.
pub(crate) fn is_watched(state: &State) -> bool {
    state.is_started()
        && !state.is_running()
        && state.new_execution_run_id.is_empty()
        && state.watchers().next().is_some()
}

/// What a closed run still owes: its deletion, and what other runs and entities expect of it.
pub(crate) fn emit_tasks(draft: &mut Draft<'_>) {
    if is_watched(draft.state()) {
        draft.task(Task::now(TaskAction::NotifyClosed(RunRef {})));
    }
    let due = draft.now() + draft.context().retention;
    draft.task(Task::at(due, TaskAction::DeleteAfterRetention(RunRef {})));
    worker_command::emit_closing_tasks(draft);
    child::emit_closing_tasks(draft);
    callback::emit_closing_tasks(draft);
}

pub(crate) fn apply_completed(
    state: &mut State,
    completed: &WorkflowExecutionCompletedEventAttributes,
    time: Time,
) {
    close(state, WorkflowExecutionStatus::Completed, time);
    state.new_execution_run_id.clone_from(&completed.new_execution_run_id);
}

pub(crate) fn apply_failed(
    state: &mut State,
    failed: &WorkflowExecutionFailedEventAttributes,
    time: Time,
) {
    close(state, WorkflowExecutionStatus::Failed, time);
    state.new_execution_run_id.clone_from(&failed.new_execution_run_id);
}

pub(crate) fn apply_timed_out(
    state: &mut State,
    timed_out: &WorkflowExecutionTimedOutEventAttributes,
    time: Time,
) {
    close(state, WorkflowExecutionStatus::TimedOut, time);
    state.new_execution_run_id.clone_from(&timed_out.new_execution_run_id);
}

pub(crate) fn apply_canceled(state: &mut State, time: Time) {
    close(state, WorkflowExecutionStatus::Canceled, time);
}

pub(crate) fn apply_terminated(state: &mut State, time: Time) {
    close(state, WorkflowExecutionStatus::Terminated, time);
}

pub(crate) fn apply_continued_as_new(
    state: &mut State,
    continued: &WorkflowExecutionContinuedAsNewEventAttributes,
    time: Time,
) {
    close(state, WorkflowExecutionStatus::ContinuedAsNew, time);
    state.new_execution_run_id.clone_from(&continued.new_execution_run_id);
}

/// Nothing is pending in a closed run.
fn close(state: &mut State, status: WorkflowExecutionStatus, time: Time) {
    state.status = status as i32;
    state.close_time = time;
    state.sticky = None;
    worker_command::note_close(state);
    left_behind::set_aside(state);
    state.timers.clear();
    state.buffered_events.clear();
    state.first_workflow_task_due = Time::UNSET;
    state.closing = false;
    child::apply_close(state);
}
