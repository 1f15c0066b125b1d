//! The command that asks an operation to stop, and what came of it.

use api::{
    command::v1::RequestCancelNexusOperationCommandAttributes,
    enums::v1::WorkflowTaskFailedCause,
    failure::v1::Failure,
    history::v1::{
        NexusOperationCancelRequestCompletedEventAttributes,
        NexusOperationCancelRequestFailedEventAttributes,
        NexusOperationCancelRequestedEventAttributes, history_event::Attributes,
    },
};

use super::emit_tasks;
use crate::{
    Mutation, NexusCancellationAttemptFailed, NexusCancellationRetryDue, NexusOperationRef, Reply,
    Shared, State,
    commands::{CommandError, CommandScope},
    draft::{Draft, EventExtras},
    retry_policy::outbound_delay,
    workflow_task,
};

/// How a handler answered the request to cancel an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum NexusCancellationAnswer {
    /// It will try.
    Accepted,
    /// It could not handle the request.
    HandlerFailed {
        /// How.
        failure: Failure,
        /// Whether another attempt may help.
        retryable: bool,
    },
}

/// Asks an operation to stop. One whose end waits in the buffer is only noted.
pub(crate) fn request_cancel(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: RequestCancelNexusOperationCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause =
        WorkflowTaskFailedCause::BadRequestCancelNexusOperationAttributes;
    let scheduled_event_id = command.scheduled_event_id;
    match draft.state().nexus_operations.get(&scheduled_event_id) {
        Some(operation) if operation.cancellation.is_some() => {
            let text = format!(
                "cancelation was already requested for an operation with scheduled event ID \
                 {scheduled_event_id}"
            );
            return Err(CommandError::new(BAD, text));
        }
        None if !has_buffered_end(draft.state(), scheduled_event_id) => {
            let text = format!(
                "requested cancelation for a non-existing or already completed operation with \
                 scheduled event ID of {scheduled_event_id}"
            );
            return Err(CommandError::new(BAD, text));
        }
        Some(_) | None => {}
    }
    let attributes = NexusOperationCancelRequestedEventAttributes {
        scheduled_event_id,
        workflow_task_completed_event_id: scope.completed_event_id,
    };
    draft.event_with(
        Attributes::NexusOperationCancelRequestedEventAttributes(attributes),
        scope.extras(),
    );
    emit_cancellation(draft, scheduled_event_id);
    Ok(())
}

/// The operation's own tasks are out already.
fn emit_cancellation(draft: &mut Draft<'_>, scheduled_event_id: i64) {
    let is_started = draft
        .state()
        .nexus_operations
        .get(&scheduled_event_id)
        .is_some_and(|operation| operation.is_started());
    if is_started {
        emit_tasks(draft, scheduled_event_id);
    }
}

fn has_buffered_end(state: &State, scheduled_event_id: i64) -> bool {
    state.buffered_events.iter().any(|event| {
        let ended = match &event.attributes {
            Some(Attributes::NexusOperationCompletedEventAttributes(end)) => end.scheduled_event_id,
            Some(Attributes::NexusOperationFailedEventAttributes(end)) => end.scheduled_event_id,
            Some(Attributes::NexusOperationCanceledEventAttributes(end)) => end.scheduled_event_id,
            Some(Attributes::NexusOperationTimedOutEventAttributes(end)) => end.scheduled_event_id,
            Some(_) | None => return false,
        };
        ended == scheduled_event_id
    })
}

pub(crate) fn cancellation_attempted(
    draft: &mut Draft<'_>,
    task: &NexusOperationRef,
    answer: NexusCancellationAnswer,
) -> Reply {
    let found = super::current_cancellation(draft.state(), task);
    let waiting = found.filter(|cancellation| !cancellation.is_backing_off());
    let Some((requested_event_id, attempt)) = waiting
        .map(|cancellation| (cancellation.requested_event_id, cancellation.attempt))
        .filter(|_| draft.state().is_running())
    else {
        return Reply::Repeated;
    };
    let scheduled_event_id = task.scheduled_event_id;
    let attributes = match answer {
        NexusCancellationAnswer::Accepted => {
            Attributes::NexusOperationCancelRequestCompletedEventAttributes(
                NexusOperationCancelRequestCompletedEventAttributes {
                    requested_event_id,
                    scheduled_event_id,
                    ..Default::default()
                },
            )
        }
        NexusCancellationAnswer::HandlerFailed { failure, retryable: false } => {
            Attributes::NexusOperationCancelRequestFailedEventAttributes(
                NexusOperationCancelRequestFailedEventAttributes {
                    requested_event_id,
                    scheduled_event_id,
                    failure: Some(failure),
                    ..Default::default()
                },
            )
        }
        NexusCancellationAnswer::HandlerFailed { failure, retryable: true } => {
            let next_attempt_time = draft.now() + outbound_delay(attempt.saturating_add(1));
            draft.mutate(Mutation::NexusCancellationAttemptFailed(
                NexusCancellationAttemptFailed {
                    scheduled_event_id,
                    failure: Some(Shared::new(failure)),
                    time: draft.now(),
                    next_attempt_time,
                },
            ));
            emit_tasks(draft, scheduled_event_id);
            return Reply::Done;
        }
    };
    draft.bufferable_event(attributes, EventExtras::default());
    workflow_task::schedule_unless_delayed(draft);
    Reply::Done
}

/// The back-off of a request to cancel is over.
pub(crate) fn cancellation_retry_due(draft: &mut Draft<'_>, task: &NexusOperationRef) {
    let scheduled_event_id = task.scheduled_event_id;
    let due = NexusCancellationRetryDue { scheduled_event_id };
    draft.mutate(Mutation::NexusCancellationRetryDue(due));
    emit_tasks(draft, scheduled_event_id);
}
