//! What clients are told of an operation.

use api::{
    callback::v1::CallbackInfo as CommonInfo,
    common::v1::SearchAttributes,
    enums::v1::{
        CallbackState, NexusOperationCancellationState as CancellationState,
        PendingNexusOperationState,
    },
    nexus::v1::{NexusOperationExecutionCancellationInfo, NexusOperationExecutionInfo},
    nexusoperation::v1::{
        CallbackInfo,
        callback_info::{OperationCompleted, Trigger, trigger::Variant},
    },
};
use engine::{CompletionCallback, NexusCancellation, Shared};
use model::{RunId, Span, Time};
use prost::Message as _;

use crate::State;

impl State {
    /// All of it but input and outcome.
    pub fn info(&self, id: &str, instance: RunId, now: Time) -> NexusOperationExecutionInfo {
        let scheduled = self.scheduled();
        let operation = &self.operation;
        let timeout = Span::from_proto(scheduled.schedule_to_close_timeout.as_ref());
        let expiration = (!timeout.is_zero()).then(|| operation.scheduled_time + timeout);
        let until = if self.is_open() { now } else { self.close_time };
        NexusOperationExecutionInfo {
            operation_id: id.to_owned(),
            run_id: instance.to_string(),
            endpoint: scheduled.endpoint.clone(),
            service: scheduled.service.clone(),
            operation: scheduled.operation.clone(),
            status: self.status,
            state: self.pending_state() as i32,
            schedule_to_close_timeout: scheduled.schedule_to_close_timeout,
            schedule_to_start_timeout: scheduled.schedule_to_start_timeout,
            start_to_close_timeout: scheduled.start_to_close_timeout,
            attempt: operation.attempt.saturating_add(i32::from(self.is_asked_for())),
            schedule_time: operation.scheduled_time.to_proto(),
            expiration_time: expiration.and_then(Time::to_proto),
            close_time: self.close_time.to_proto(),
            last_attempt_complete_time: operation.last_attempt_complete_time.to_proto(),
            last_attempt_failure: owned(operation.last_attempt_failure.as_ref()),
            next_attempt_schedule_time: operation.next_attempt_time.to_proto(),
            execution_duration: Some(until.since(operation.scheduled_time).to_proto()),
            cancellation_info: self.cancellation_info(),
            request_id: scheduled.request_id.clone(),
            operation_token: operation.operation_token.clone(),
            state_transition_count: self.transitions,
            search_attributes: Some(self.shown_attributes()),
            nexus_header: scheduled.nexus_header.clone(),
            user_metadata: owned(self.user_metadata.as_ref()),
            links: self.links.clone(),
            identity: self.identity.clone(),
            state_size_bytes: self.size_bytes(),
            ..NexusOperationExecutionInfo::default()
        }
    }

    /// What a running operation waits for.
    fn pending_state(&self) -> PendingNexusOperationState {
        if !self.is_open() {
            PendingNexusOperationState::Unspecified
        } else if self.is_started() {
            PendingNexusOperationState::Started
        } else if self.operation.is_backing_off() {
            PendingNexusOperationState::BackingOff
        } else {
            PendingNexusOperationState::Scheduled
        }
    }

    fn cancellation_info(&self) -> Option<NexusOperationExecutionCancellationInfo> {
        let wish = self.operation.cancellation.as_ref()?;
        let attempt = wish.attempt.saturating_add(i32::from(self.is_cancel_asked_for()));
        Some(NexusOperationExecutionCancellationInfo {
            requested_time: wish.requested_time.to_proto(),
            state: self.cancellation_state(wish) as i32,
            attempt,
            last_attempt_complete_time: wish.last_attempt_complete_time.to_proto(),
            last_attempt_failure: owned(wish.last_attempt_failure.as_ref()),
            next_attempt_schedule_time: wish.next_attempt_time.to_proto(),
            reason: self.cancel.as_ref().map(|cancel| cancel.reason.clone()).unwrap_or_default(),
            ..NexusOperationExecutionCancellationInfo::default()
        })
    }

    /// Unspecified before the operation has started.
    fn cancellation_state(&self, wish: &NexusCancellation) -> CancellationState {
        if wish.ended && wish.last_attempt_failure.is_some() {
            CancellationState::Failed
        } else if wish.ended {
            CancellationState::Succeeded
        } else if !self.operation.is_started() {
            CancellationState::Unspecified
        } else if wish.is_backing_off() {
            CancellationState::BackingOff
        } else {
            CancellationState::Scheduled
        }
    }

    /// Bytes of its state.
    pub(crate) fn size_bytes(&self) -> i64 {
        i64::try_from(self.encoded_len()).unwrap_or(i64::MAX)
    }

    /// The search attributes as the client gave them.
    fn shown_attributes(&self) -> SearchAttributes {
        let mut attributes = owned(self.search_attributes.as_ref()).unwrap_or_default();
        for name in &self.untyped_attributes {
            if let Some(value) = attributes.indexed_fields.get_mut(name) {
                value.metadata.remove("type");
            }
        }
        attributes
    }

    /// Who wants to know how it ended, and how far that is.
    pub fn callback_infos(&self) -> Vec<CallbackInfo> {
        self.callbacks.iter().map(callback_info).collect()
    }
}

fn owned<M: Clone>(message: Option<&Shared<M>>) -> Option<M> {
    message.map(Shared::to_owned_message)
}

fn callback_info(callback: &CompletionCallback) -> CallbackInfo {
    let completed = Trigger { variant: Some(Variant::OperationCompleted(OperationCompleted {})) };
    let waits = callback.state() == CallbackState::BackingOff;
    CallbackInfo {
        trigger: Some(completed),
        info: Some(CommonInfo {
            callback: owned(callback.callback.as_ref()),
            registration_time: callback.registration_time.to_proto(),
            state: callback.state,
            attempt: callback.attempt,
            last_attempt_complete_time: callback.last_attempt_complete_time.to_proto(),
            last_attempt_failure: owned(callback.last_attempt_failure.as_ref()),
            next_attempt_schedule_time: callback.next_attempt_time.to_proto().filter(|_| waits),
            ..CommonInfo::default()
        }),
    }
}
