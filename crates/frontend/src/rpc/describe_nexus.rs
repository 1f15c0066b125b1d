//! The Nexus operations and completion callbacks of a run as described to users.

use api::{
    enums::v1::{CallbackState, NexusOperationCancellationState, PendingNexusOperationState},
    workflow::v1::{
        CallbackInfo, NexusOperationCancellationInfo, PendingNexusOperationInfo,
        callback_info::{Trigger, UpdateWorkflowExecutionCompleted, WorkflowClosed, trigger},
    },
};
use engine::{CompletionCallback, NexusCancellation, NexusOperation};
use history::{Destination, DestinationKind, History};
use model::NamespaceId;

/// Why a request is not made, in the reference's words.
const BLOCKED: &str = "The circuit breaker is open.";

/// Describes, with what the node knows of the destinations.
pub(super) struct NexusDescriber<'a> {
    pub(super) history: &'a History,
    pub(super) namespace_id: NamespaceId,
}

impl NexusDescriber<'_> {
    pub(super) fn pending_operation(
        &self,
        scheduled_event_id: i64,
        operation: &NexusOperation,
    ) -> PendingNexusOperationInfo {
        let scheduled = operation.scheduled.as_deref().cloned().unwrap_or_default();
        let state = if operation.is_started() {
            PendingNexusOperationState::Started
        } else if operation.is_backing_off() {
            PendingNexusOperationState::BackingOff
        } else if self.is_blocked(DestinationKind::StartNexusOperation, &scheduled.endpoint) {
            PendingNexusOperationState::Blocked
        } else {
            PendingNexusOperationState::Scheduled
        };
        let blocked_reason = reason(state == PendingNexusOperationState::Blocked);
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
            cancellation_info: cancellation.map(|wish| self.pending_cancellation(wish, operation)),
            scheduled_event_id,
            operation_token: operation.operation_token.clone(),
            schedule_to_start_timeout: scheduled.schedule_to_start_timeout,
            start_to_close_timeout: scheduled.start_to_close_timeout,
            blocked_reason,
        }
    }

    fn pending_cancellation(
        &self,
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
            (true, false, false) => {
                let endpoint = operation.scheduled.as_ref().map_or("", |known| &known.endpoint);
                if self.is_blocked(DestinationKind::CancelNexusOperation, endpoint) {
                    NexusOperationCancellationState::Blocked
                } else {
                    NexusOperationCancellationState::Scheduled
                }
            }
        };
        NexusOperationCancellationInfo {
            requested_time: wish.requested_time.to_proto(),
            state: state as i32,
            attempt: wish.attempt,
            last_attempt_complete_time: wish.last_attempt_complete_time.to_proto(),
            last_attempt_failure: wish.last_attempt_failure.as_deref().cloned(),
            next_attempt_schedule_time: wish.next_attempt_time.to_proto(),
            blocked_reason: reason(state == NexusOperationCancellationState::Blocked),
        }
    }

    pub(super) fn callback(&self, callback: &CompletionCallback) -> CallbackInfo {
        let is_blocked = callback.state() == CallbackState::Scheduled
            && callback
                .callback
                .as_ref()
                .and_then(|known| self.history.callback_destination(self.namespace_id, known))
                .is_some_and(|destination| self.history.is_blocked(&destination));
        let trigger = if callback.update_id.is_empty() {
            trigger::Variant::WorkflowClosed(WorkflowClosed {})
        } else {
            let update_id = callback.update_id.clone();
            trigger::Variant::UpdateWorkflowExecutionCompleted(UpdateWorkflowExecutionCompleted {
                update_id,
            })
        };
        CallbackInfo {
            callback: callback.callback.as_deref().cloned(),
            trigger: Some(Trigger { variant: Some(trigger) }),
            registration_time: callback.registration_time.to_proto(),
            state: if is_blocked { CallbackState::Blocked as i32 } else { callback.state },
            attempt: callback.attempt,
            last_attempt_complete_time: callback.last_attempt_complete_time.to_proto(),
            last_attempt_failure: callback.last_attempt_failure.as_deref().cloned(),
            next_attempt_schedule_time: callback.next_attempt_time.to_proto(),
            blocked_reason: reason(is_blocked),
            ..CallbackInfo::default()
        }
    }

    fn is_blocked(&self, kind: DestinationKind, name: &str) -> bool {
        let namespace_id = self.namespace_id;
        self.history.is_blocked(&Destination { kind, namespace_id, name: name.to_owned() })
    }
}

fn reason(is_blocked: bool) -> String {
    if is_blocked { BLOCKED.to_owned() } else { String::new() }
}
