//! The steps that an operation and the request to cancel it take, whoever waits for them.

use api::{failure::v1::Failure, history::v1::NexusOperationScheduledEventAttributes};
use model::Time;

use super::{NexusCancellation, NexusOperation};
use crate::Shared;

impl NexusOperation {
    /// An operation whose handler is to be asked.
    pub fn scheduled_at(scheduled: NexusOperationScheduledEventAttributes, time: Time) -> Self {
        Self {
            scheduled: Some(Shared::new(scheduled)),
            scheduled_time: time,
            stamp: 1,
            ..Self::default()
        }
    }

    /// Its handler works on it.
    pub fn start(&mut self, operation_token: &str, time: Time) {
        self.stamp = self.stamp.saturating_add(1);
        self.attempt = self.attempt.saturating_add(1);
        self.last_attempt_complete_time = time;
        self.last_attempt_failure = None;
        self.next_attempt_time = Time::UNSET;
        self.started_time = time;
        operation_token.clone_into(&mut self.operation_token);
    }

    /// An attempt to start it has failed, and another follows.
    pub fn back_off(&mut self, failure: Option<Shared<Failure>>, time: Time, next: Time) {
        self.stamp = self.stamp.saturating_add(1);
        self.attempt = self.attempt.saturating_add(1);
        self.last_attempt_complete_time = time;
        self.last_attempt_failure = failure;
        self.next_attempt_time = next;
    }

    /// Its handler is to be asked again.
    pub fn end_back_off(&mut self) {
        self.stamp = self.stamp.saturating_add(1);
        self.next_attempt_time = Time::UNSET;
    }
}

impl NexusCancellation {
    /// A wish that the handler is to be told of once the operation has started.
    pub fn requested(requested_event_id: i64, time: Time) -> Self {
        Self { requested_event_id, requested_time: time, stamp: 1, ..Self::default() }
    }

    /// An attempt to tell the handler has failed, and another follows.
    pub fn back_off(&mut self, failure: Option<Shared<Failure>>, time: Time, next: Time) {
        self.stamp = self.stamp.saturating_add(1);
        self.attempt = self.attempt.saturating_add(1);
        self.last_attempt_complete_time = time;
        self.last_attempt_failure = failure;
        self.next_attempt_time = next;
    }

    /// The handler is to be told again.
    pub fn end_back_off(&mut self) {
        self.stamp = self.stamp.saturating_add(1);
        self.next_attempt_time = Time::UNSET;
    }

    /// The handler was told, or with a failure: cannot be.
    pub fn end(&mut self, failure: Option<Shared<Failure>>, time: Time) {
        self.attempt = self.attempt.saturating_add(1);
        self.last_attempt_complete_time = time;
        self.last_attempt_failure = failure;
        self.ended = true;
    }
}
