//! A pending operation as the state holds it.

use api::{
    enums::v1::TimeoutType,
    failure::v1::{Failure, NexusOperationFailureInfo, failure::FailureInfo},
    history::v1::NexusOperationScheduledEventAttributes,
};
use model::{Span, Time};

use crate::Shared;

/// A pending Nexus operation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NexusOperation {
    /// What was scheduled.
    #[prost(message, optional, tag = "1")]
    pub scheduled: Option<Shared<NexusOperationScheduledEventAttributes>>,
    /// When.
    #[prost(message, required, tag = "2")]
    pub scheduled_time: Time,
    /// Changes with every step: tasks with an older stamp are stale.
    #[prost(uint32, tag = "3")]
    pub stamp: u32,
    /// Attempts to start it that have ended.
    #[prost(int32, tag = "4")]
    pub attempt: i32,
    /// When the last of them ended.
    #[prost(message, required, tag = "5")]
    pub last_attempt_complete_time: Time,
    /// How it failed.
    #[prost(message, optional, tag = "6")]
    pub last_attempt_failure: Option<Shared<Failure>>,
    /// When the next one is due; unset while one is under way.
    #[prost(message, required, tag = "7")]
    pub next_attempt_time: Time,
    /// When the handler answered that it works on it; unset before.
    #[prost(message, required, tag = "8")]
    pub started_time: Time,
    /// What the handler calls it; empty before it has started.
    #[prost(string, tag = "9")]
    pub operation_token: String,
    /// The workflow's wish that it stops.
    #[prost(message, optional, tag = "10")]
    pub cancellation: Option<NexusCancellation>,
}

/// The request to cancel a Nexus operation, which is sent once the operation has started.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NexusCancellation {
    /// The event that asked for it.
    #[prost(int64, tag = "1")]
    pub requested_event_id: i64,
    /// When.
    #[prost(message, required, tag = "2")]
    pub requested_time: Time,
    /// Changes with every step: tasks with an older stamp are stale.
    #[prost(uint32, tag = "3")]
    pub stamp: u32,
    /// Attempts to deliver it that have ended.
    #[prost(int32, tag = "4")]
    pub attempt: i32,
    /// When the last of them ended.
    #[prost(message, required, tag = "5")]
    pub last_attempt_complete_time: Time,
    /// How it failed.
    #[prost(message, optional, tag = "6")]
    pub last_attempt_failure: Option<Shared<Failure>>,
    /// When the next one is due; unset while one is under way.
    #[prost(message, required, tag = "7")]
    pub next_attempt_time: Time,
    /// True once it was delivered, or cannot be.
    #[prost(bool, tag = "8")]
    pub ended: bool,
}

impl NexusOperation {
    /// True once the handler has answered that it works on it.
    pub fn is_started(&self) -> bool {
        self.started_time.is_set()
    }

    /// True between a failed attempt to start it and the next.
    pub fn is_backing_off(&self) -> bool {
        self.next_attempt_time.is_set()
    }

    /// The id of the request that starts it, the same for all attempts.
    pub fn request_id(&self) -> &str {
        self.scheduled.as_ref().map_or("", |scheduled| &scheduled.request_id)
    }

    /// The earliest time at which one of its time-outs passes; unset when it has none.
    pub fn deadline(&self) -> Time {
        self.earliest_timeout().map_or(Time::UNSET, |(due, _)| due)
    }

    /// The earliest of its time-outs, and which one it is.
    pub fn earliest_timeout(&self) -> Option<(Time, TimeoutType)> {
        let scheduled = self.scheduled.as_ref()?;
        let after = |start: Time, timeout: Option<&prost_types::Duration>, kind: TimeoutType| {
            let timeout = Span::from_proto(timeout);
            (!timeout.is_zero()).then(|| (start + timeout, kind))
        };
        let close = after(
            self.scheduled_time,
            scheduled.schedule_to_close_timeout.as_ref(),
            TimeoutType::ScheduleToClose,
        );
        let step = if self.is_started() {
            after(
                self.started_time,
                scheduled.start_to_close_timeout.as_ref(),
                TimeoutType::StartToClose,
            )
        } else {
            after(
                self.scheduled_time,
                scheduled.schedule_to_start_timeout.as_ref(),
                TimeoutType::ScheduleToStart,
            )
        };
        [step, close].into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// What the workflow is told when the operation did not succeed.
    pub(super) fn failure(&self, scheduled_event_id: i64, cause: Option<Failure>) -> Failure {
        let scheduled = self.scheduled.as_ref().map(Shared::to_owned_message).unwrap_or_default();
        #[expect(deprecated, reason = "older SDKs read the token under its former name")]
        let info = NexusOperationFailureInfo {
            scheduled_event_id,
            endpoint: scheduled.endpoint,
            service: scheduled.service,
            operation: scheduled.operation,
            operation_id: self.operation_token.clone(),
            operation_token: self.operation_token.clone(),
        };
        Failure {
            message: "nexus operation completed unsuccessfully".to_owned(),
            cause: cause.map(Box::new),
            failure_info: Some(FailureInfo::NexusOperationExecutionFailureInfo(info)),
            ..Failure::default()
        }
    }
}

impl NexusCancellation {
    /// True between a failed attempt to deliver it and the next.
    pub fn is_backing_off(&self) -> bool {
        self.next_attempt_time.is_set()
    }
}
