//! Attempt after attempt: what the activities of workflows and standalone ones have in common.

use api::{
    common::v1::Payloads,
    enums::v1::TimeoutType,
    failure::v1::{Failure, failure::FailureInfo},
    history::v1::ActivityTaskScheduledEventAttributes,
};
use model::{Span, Time};

use super::{operations, timeout};
use crate::{RetryDecision, Shared, decide_retry, failures, state::Activity};

impl Activity {
    /// An activity that waits for its first attempt.
    pub fn scheduled_at(scheduled: ActivityTaskScheduledEventAttributes, time: Time) -> Self {
        Self {
            retry_policy: scheduled.retry_policy.clone(),
            scheduled: Some(Shared::new(scheduled)),
            scheduled_time: time,
            attempt: 1,
            stamp: 1,
            attempt_scheduled_time: time,
            ..Self::default()
        }
    }

    /// A worker has taken the current attempt.
    pub fn start(&mut self, request_id: &str, identity: &str, time: Time) {
        self.stamp = self.stamp.saturating_add(1);
        self.started_time = time;
        request_id.clone_into(&mut self.request_id);
        identity.clone_into(&mut self.identity);
    }

    /// A worker has reported progress.
    pub fn record_heartbeat(&mut self, details: Option<Shared<Payloads>>, time: Time) {
        self.heartbeat_details = details;
        self.heartbeat_time = time;
    }

    /// The attempt has ended, and another one waits for its time.
    pub fn back_off(
        &mut self,
        failure: Option<Shared<Failure>>,
        now: Time,
        next_attempt_time: Time,
    ) {
        self.stamp = self.stamp.saturating_add(1);
        self.attempt = self.attempt.saturating_add(1);
        self.backing_off = true;
        self.started_time = Time::UNSET;
        self.attempt_scheduled_time = next_attempt_time;
        self.last_failure = failure;
        self.last_attempt_complete_time = now;
        self.last_identity = std::mem::take(&mut self.identity);
        self.request_id.clear();
        self.worker_control_task_queue.clear();
        operations::begin_attempt(self);
    }

    /// The time of the attempt that waited has come.
    pub fn end_back_off(&mut self) {
        self.stamp = self.stamp.saturating_add(1);
        self.backing_off = false;
    }

    /// Whether another attempt follows one that ended with this failure.
    pub fn decide_retry(&self, failure: &Failure, now: Time) -> RetryDecision {
        decide_retry(
            self.retry_policy.as_ref(),
            self.attempt,
            failure,
            now,
            self.expiration(),
            next_retry_delay(failure),
        )
    }

    /// The earliest of its time-outs, and when it passes.
    pub fn earliest_timeout(&self) -> Option<(Time, TimeoutType)> {
        timeout::earliest(self)
    }

    /// The failure as it is kept for the next attempt.
    pub fn kept_failure(failure: &Failure, bytes_max: usize) -> Shared<Failure> {
        Shared::new(failures::truncated(failure.clone(), bytes_max))
    }
}

/// The delay that the failing code itself asks for.
pub fn next_retry_delay(failure: &Failure) -> Option<Span> {
    match &failure.failure_info {
        Some(FailureInfo::ApplicationFailureInfo(info)) => {
            info.next_retry_delay.as_ref().map(|delay| Span::from_proto(Some(delay)))
        }
        Some(_) | None => None,
    }
}
