//! What clients are told of an activity.

use api::{
    activity::v1::{
        ActivityExecutionInfo, CallbackInfo,
        callback_info::{ActivityClosed, Trigger, trigger::Variant},
    },
    callback::v1::CallbackInfo as CommonInfo,
    common::v1::SearchAttributes,
    enums::v1::CallbackState,
};
use engine::{CompletionCallback, Shared};
use model::{RunId, Span, Time};
use prost::Message as _;

use crate::State;

impl State {
    /// All of it but input, outcome, heartbeat details and last failure.
    pub fn info(&self, id: &str, instance: RunId, now: Time) -> ActivityExecutionInfo {
        let scheduled = self.scheduled();
        let attempts = &self.attempts;
        let is_closed = !self.is_open();
        let waits = !is_closed && !self.is_held() && !self.is_paused();
        let next_attempt =
            Some(attempts.attempt_scheduled_time).filter(|time| waits && *time > now);
        let timeout = Span::from_proto(scheduled.schedule_to_close_timeout.as_ref());
        let expiration = (!timeout.is_zero()).then(|| self.first_dispatch_time() + timeout);
        let task_queue = scheduled.task_queue.as_ref();
        ActivityExecutionInfo {
            activity_id: id.to_owned(),
            run_id: instance.to_string(),
            activity_type: scheduled.activity_type.clone(),
            status: self.shown_status() as i32,
            run_state: self.run_state() as i32,
            task_queue: task_queue.map(|queue| queue.name.clone()).unwrap_or_default(),
            schedule_to_close_timeout: scheduled.schedule_to_close_timeout,
            schedule_to_start_timeout: scheduled.schedule_to_start_timeout,
            start_to_close_timeout: scheduled.start_to_close_timeout,
            heartbeat_timeout: scheduled.heartbeat_timeout,
            retry_policy: scheduled.retry_policy.clone(),
            last_heartbeat_time: attempts.heartbeat_time.to_proto(),
            last_started_time: self.last_started_time.to_proto(),
            attempt: attempts.attempt,
            execution_duration: is_closed
                .then(|| self.close_time.since(self.schedule_time).to_proto()),
            schedule_time: self.schedule_time.to_proto(),
            expiration_time: expiration.and_then(Time::to_proto),
            close_time: self.close_time.to_proto(),
            last_worker_identity: self.last_worker.clone(),
            current_retry_interval: self.retry_interval.filter(|_| next_attempt.is_some()),
            last_attempt_complete_time: attempts.last_attempt_complete_time.to_proto(),
            next_attempt_schedule_time: next_attempt.and_then(Time::to_proto),
            last_deployment_version: self.last_deployment_version.clone(),
            priority: scheduled.priority.clone(),
            state_transition_count: self.transitions,
            state_size_bytes: self.size_bytes(),
            search_attributes: Some(self.shown_attributes()),
            header: scheduled.header.clone(),
            user_metadata: self.user_metadata.as_ref().map(Shared::to_owned_message),
            canceled_reason: self
                .cancel
                .as_ref()
                .map(|cancel| cancel.reason.clone())
                .unwrap_or_default(),
            links: self.links.clone(),
            total_heartbeat_count: self.heartbeats,
            sdk_name: self.sdk_name.clone(),
            sdk_version: self.sdk_version.clone(),
            start_delay: self.start_delay,
            execution_time: self.first_dispatch_time().to_proto(),
            ..ActivityExecutionInfo::default()
        }
    }

    /// Bytes of its state.
    pub(crate) fn size_bytes(&self) -> i64 {
        i64::try_from(self.encoded_len()).unwrap_or(i64::MAX)
    }

    /// The search attributes as the client gave them.
    fn shown_attributes(&self) -> SearchAttributes {
        let mut attributes =
            self.search_attributes.as_ref().map(Shared::to_owned_message).unwrap_or_default();
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

fn callback_info(callback: &CompletionCallback) -> CallbackInfo {
    let closed = Trigger { variant: Some(Variant::ActivityClosed(ActivityClosed {})) };
    let waits = callback.state() == CallbackState::BackingOff;
    CallbackInfo {
        trigger: Some(closed),
        info: Some(CommonInfo {
            callback: callback.callback.as_ref().map(Shared::to_owned_message),
            registration_time: callback.registration_time.to_proto(),
            state: callback.state,
            attempt: callback.attempt,
            last_attempt_complete_time: callback.last_attempt_complete_time.to_proto(),
            last_attempt_failure: callback
                .last_attempt_failure
                .as_ref()
                .map(Shared::to_owned_message),
            next_attempt_schedule_time: callback.next_attempt_time.to_proto().filter(|_| waits),
            ..CommonInfo::default()
        }),
    }
}
