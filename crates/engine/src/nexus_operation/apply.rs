//! How the events and mutations of Nexus operations change a state.

use api::history::v1::{
    NexusOperationCancelRequestedEventAttributes, NexusOperationScheduledEventAttributes,
    NexusOperationStartedEventAttributes,
};
use model::Time;

use super::{NexusCancellation, NexusOperation};
use crate::{
    NexusCancellationAttemptFailed, NexusCancellationRetryDue, NexusOperationAttemptFailed,
    NexusOperationRetryDue, Shared, State,
};

pub(crate) fn apply_scheduled(
    state: &mut State,
    event_id: i64,
    scheduled: &NexusOperationScheduledEventAttributes,
    time: Time,
) {
    let operation = NexusOperation::scheduled_at(scheduled.clone(), time);
    state.nexus_operations.insert(event_id, Shared::new(operation));
}

pub(crate) fn apply_started(
    state: &mut State,
    started: &NexusOperationStartedEventAttributes,
    time: Time,
) {
    edit(state, started.scheduled_event_id, |operation| {
        if !operation.is_started() {
            operation.start(&started.operation_token, time);
        }
    });
}

pub(crate) fn apply_closed(state: &mut State, scheduled_event_id: i64) {
    state.nexus_operations.remove(&scheduled_event_id);
}

pub(crate) fn apply_attempt_failed(state: &mut State, failed: &NexusOperationAttemptFailed) {
    edit(state, failed.scheduled_event_id, |operation| {
        operation.back_off(failed.failure.clone(), failed.time, failed.next_attempt_time);
    });
}

pub(crate) fn apply_retry_due(state: &mut State, due: &NexusOperationRetryDue) {
    edit(state, due.scheduled_event_id, NexusOperation::end_back_off);
}

pub(crate) fn apply_cancel_requested(
    state: &mut State,
    event_id: i64,
    requested: &NexusOperationCancelRequestedEventAttributes,
    time: Time,
) {
    edit(state, requested.scheduled_event_id, |operation| {
        operation.cancellation = Some(NexusCancellation::requested(event_id, time));
    });
}

pub(crate) fn apply_cancel_delivered(state: &mut State, scheduled_event_id: i64, time: Time) {
    edit_cancellation(state, scheduled_event_id, |cancellation| {
        cancellation.end(None, time);
    });
}

pub(crate) fn apply_cancel_ended(state: &mut State, scheduled_event_id: i64) {
    edit_cancellation(state, scheduled_event_id, |cancellation| cancellation.ended = true);
}

pub(crate) fn apply_cancellation_failed(
    state: &mut State,
    failed: &NexusCancellationAttemptFailed,
) {
    edit_cancellation(state, failed.scheduled_event_id, |cancellation| {
        cancellation.back_off(failed.failure.clone(), failed.time, failed.next_attempt_time);
    });
}

pub(crate) fn apply_cancellation_retry_due(state: &mut State, due: &NexusCancellationRetryDue) {
    edit_cancellation(state, due.scheduled_event_id, NexusCancellation::end_back_off);
}

fn edit(state: &mut State, scheduled_event_id: i64, change: impl FnOnce(&mut NexusOperation)) {
    if let Some(operation) = state.nexus_operations.get_mut(&scheduled_event_id) {
        change(operation.edit());
    }
}

fn edit_cancellation(
    state: &mut State,
    scheduled_event_id: i64,
    change: impl FnOnce(&mut NexusCancellation),
) {
    edit(state, scheduled_event_id, |operation| {
        if let Some(cancellation) = &mut operation.cancellation {
            change(cancellation);
        }
    });
}
