//! The Nexus operations and completion callbacks of a run as described to users.

use api::{
    enums::v1::{NexusOperationCancellationState, PendingNexusOperationState},
    workflow::v1::{
        CallbackInfo, NexusOperationCancellationInfo, PendingNexusOperationInfo,
        callback_info::{Trigger, WorkflowClosed, trigger},
    },
};
use engine::{CompletionCallback, NexusCancellation, NexusOperation};

pub(crate) fn pending_operation(
    scheduled_event_id: i64,
    operation: &NexusOperation,
) -> PendingNexusOperationInfo {
    let scheduled = operation.scheduled.as_deref().cloned().unwrap_or_default();
    let state = if operation.is_started() {
        PendingNexusOperationState::Started
    } else if operation.is_backing_off() {
        PendingNexusOperationState::BackingOff
    } else {
        PendingNexusOperationState::Scheduled
    };
    let cancellation = operation.cancellation.as_ref();
    #[expect(deprecated, reason = "older clients read the token under its former name")]
    PendingNexusOperationInfo {
        endpoint: scheduled.endpoint,
        service: scheduled.service,
        operation: scheduled.operation,
        operation_id: operation.operation_token.clone(),
        schedule_to_close_timeout: scheduled.schedule_to_close_timeout,
        scheduled_time: operation.scheduled_time.to_proto(),
        state: state as i32,
        attempt: operation.attempt,
        last_attempt_complete_time: operation.last_attempt_complete_time.to_proto(),
        last_attempt_failure: operation.last_attempt_failure.as_deref().cloned(),
        next_attempt_schedule_time: operation.next_attempt_time.to_proto(),
        cancellation_info: cancellation.map(|wish| pending_cancellation(wish, operation)),
        scheduled_event_id,
        operation_token: operation.operation_token.clone(),
        schedule_to_start_timeout: scheduled.schedule_to_start_timeout,
        start_to_close_timeout: scheduled.start_to_close_timeout,
        ..PendingNexusOperationInfo::default()
    }
}

fn pending_cancellation(
    wish: &NexusCancellation,
    operation: &NexusOperation,
) -> NexusOperationCancellationInfo {
    let state = match (operation.is_started(), wish.ended, wish.is_backing_off()) {
        // It waits until the operation has started.
        (false, ..) => return NexusOperationCancellationInfo::default(),
        (true, true, _) if wish.last_attempt_failure.is_some() => {
            NexusOperationCancellationState::Failed
        }
        (true, true, _) => NexusOperationCancellationState::Succeeded,
        (true, false, true) => NexusOperationCancellationState::BackingOff,
        (true, false, false) => NexusOperationCancellationState::Scheduled,
    };
    NexusOperationCancellationInfo {
        requested_time: wish.requested_time.to_proto(),
        state: state as i32,
        attempt: wish.attempt,
        last_attempt_complete_time: wish.last_attempt_complete_time.to_proto(),
        last_attempt_failure: wish.last_attempt_failure.as_deref().cloned(),
        next_attempt_schedule_time: wish.next_attempt_time.to_proto(),
        ..NexusOperationCancellationInfo::default()
    }
}

pub(crate) fn callback(callback: &CompletionCallback) -> CallbackInfo {
    CallbackInfo {
        callback: callback.callback.as_deref().cloned(),
        trigger: Some(Trigger {
            variant: Some(trigger::Variant::WorkflowClosed(WorkflowClosed {})),
        }),
        registration_time: callback.registration_time.to_proto(),
        state: callback.state,
        attempt: callback.attempt,
        last_attempt_complete_time: callback.last_attempt_complete_time.to_proto(),
        last_attempt_failure: callback.last_attempt_failure.as_deref().cloned(),
        next_attempt_schedule_time: callback.next_attempt_time.to_proto(),
        ..CallbackInfo::default()
    }
}
