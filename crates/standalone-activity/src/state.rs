//! The state of a standalone activity. Tags are part of the stored format: never reuse one.

use api::{
    activity::v1::ActivityExecutionOutcome,
    common::v1::{Link, SearchAttributes},
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{ActivityExecutionStatus, PendingActivityState},
    history::v1::ActivityTaskScheduledEventAttributes,
    sdk::v1::UserMetadata,
};
use engine::{Activity, CompletionCallback, Shared};
use model::{Span, Time};
use prost_types::Duration;

/// One standalone activity.
#[derive(Clone, PartialEq, prost::Message)]
pub struct State {
    /// Its attempts. They count their time from the first time at which a worker may take one.
    #[prost(message, required, tag = "1")]
    pub attempts: Activity,
    /// When it was started by a client.
    #[prost(message, required, tag = "2")]
    pub schedule_time: Time,
    /// How long the first attempt waits.
    #[prost(message, optional, tag = "3")]
    pub start_delay: Option<Duration>,
    /// Running until it is closed, also while it is paused.
    #[prost(enumeration = "ActivityExecutionStatus", tag = "4")]
    pub status: i32,
    /// When it was closed.
    #[prost(message, required, tag = "5")]
    pub close_time: Time,
    /// When it is forgotten; unset while it is open.
    #[prost(message, required, tag = "6")]
    pub forget_time: Time,
    /// When it is looked at next; what it waits for may have moved on to later.
    #[prost(message, required, tag = "7")]
    pub wake_time: Time,
    /// Steps so far.
    #[prost(int64, tag = "8")]
    pub transitions: i64,
    /// The request that started it.
    #[prost(string, tag = "9")]
    pub start_request_id: String,
    /// Requests that attached something to it later.
    #[prost(string, repeated, tag = "10")]
    pub attached_requests: Vec<String>,
    /// How it ended.
    #[prost(message, optional, tag = "11")]
    pub outcome: Option<Shared<ActivityExecutionOutcome>>,
    /// The wish that it stops.
    #[prost(message, optional, tag = "12")]
    pub cancel: Option<Cancel>,
    /// The request that terminated it.
    #[prost(string, tag = "13")]
    pub terminate_request_id: String,
    /// Its search attributes, typed.
    #[prost(message, optional, tag = "14")]
    pub search_attributes: Option<Shared<SearchAttributes>>,
    /// What people read about it.
    #[prost(message, optional, tag = "15")]
    pub user_metadata: Option<Shared<UserMetadata>>,
    /// What it is linked with.
    #[prost(message, repeated, tag = "16")]
    pub links: Vec<Link>,
    /// Who wants to know how it ended.
    #[prost(message, repeated, tag = "17")]
    pub callbacks: Vec<CompletionCallback>,
    /// Heartbeats over all attempts.
    #[prost(int64, tag = "18")]
    pub heartbeats: i64,
    /// When the first worker took it.
    #[prost(message, required, tag = "19")]
    pub first_started_time: Time,
    /// The stamp that the worker of the current attempt holds.
    #[prost(uint32, tag = "20")]
    pub held_stamp: u32,
    /// The worker that spoke last.
    #[prost(string, tag = "21")]
    pub last_worker: String,
    /// When the last attempt was started.
    #[prost(message, required, tag = "22")]
    pub last_started_time: Time,
    /// The wait before the current attempt, if it follows a failed one.
    #[prost(message, optional, tag = "23")]
    pub retry_interval: Option<Duration>,
    /// The worker asked for that wait: other options do not change it.
    #[prost(bool, tag = "24")]
    pub is_own_interval: bool,
    /// The reset that waits for the end of the current attempt.
    #[prost(message, optional, tag = "25")]
    pub reset: Option<PendingReset>,
    /// The start delay as it was asked for first, once another one is in force.
    #[prost(message, optional, tag = "26")]
    pub original_start_delay: Option<Duration>,
    /// The last requests of each kind: they may come twice.
    #[prost(message, required, tag = "27")]
    pub last_requests: LastRequests,
    /// The version of the last worker, if it has one.
    #[prost(message, optional, tag = "28")]
    pub last_deployment_version: Option<WorkerDeploymentVersion>,
    /// It is to be deleted once its callbacks are done.
    #[prost(bool, tag = "29")]
    pub is_deleted: bool,
    /// The SDK of the last worker.
    #[prost(string, tag = "30")]
    pub sdk_name: String,
    /// Its version.
    #[prost(string, tag = "31")]
    pub sdk_version: String,
    /// The search attributes that the client gave without their types.
    #[prost(string, repeated, tag = "32")]
    pub untyped_attributes: Vec<String>,
}

/// Who asked for the end, and why.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Cancel {
    /// Who.
    #[prost(string, tag = "1")]
    pub identity: String,
    /// Why.
    #[prost(string, tag = "2")]
    pub reason: String,
    /// The request.
    #[prost(string, tag = "3")]
    pub request_id: String,
    /// When.
    #[prost(message, required, tag = "4")]
    pub time: Time,
}

/// A reset of an attempt that goes on.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct PendingReset {
    /// The activity gets its first options back.
    #[prost(bool, tag = "1")]
    pub restores_options: bool,
    /// The next attempt gets no heartbeat details.
    #[prost(bool, tag = "2")]
    pub clears_heartbeat: bool,
    /// It is paused then.
    #[prost(bool, tag = "3")]
    pub keeps_paused: bool,
}

/// The last request of each kind.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct LastRequests {
    /// To pause it.
    #[prost(string, tag = "1")]
    pub pause: String,
    /// To let it go on.
    #[prost(string, tag = "2")]
    pub unpause: String,
    /// To reset it.
    #[prost(string, tag = "3")]
    pub reset: String,
    /// For other options.
    #[prost(string, tag = "4")]
    pub set_options: String,
}

impl State {
    /// What a worker is told of it.
    pub fn scheduled(&self) -> &ActivityTaskScheduledEventAttributes {
        static NONE: std::sync::LazyLock<ActivityTaskScheduledEventAttributes> =
            std::sync::LazyLock::new(Default::default);
        self.attempts.scheduled.as_deref().unwrap_or(&NONE)
    }

    /// True until it has ended.
    pub fn is_open(&self) -> bool {
        self.status() == ActivityExecutionStatus::Running
    }

    /// True while a worker holds an attempt.
    pub fn is_held(&self) -> bool {
        self.is_open() && self.attempts.is_started()
    }

    /// True while no attempt may start, or none will after the current one.
    pub fn is_paused(&self) -> bool {
        self.is_open() && self.attempts.paused.is_some()
    }

    /// The earliest time at which a worker may take the first attempt.
    pub fn first_dispatch_time(&self) -> Time {
        self.schedule_time + Span::from_proto(self.start_delay.as_ref())
    }

    /// The status as clients see it.
    pub fn shown_status(&self) -> ActivityExecutionStatus {
        if self.is_paused() && !self.is_held() {
            ActivityExecutionStatus::Paused
        } else {
            self.status()
        }
    }

    /// What a running activity waits for.
    pub fn run_state(&self) -> PendingActivityState {
        match (self.is_open(), self.is_held(), self.is_paused()) {
            (false, ..) => PendingActivityState::Unspecified,
            (true, true, _) if self.cancel.is_some() => PendingActivityState::CancelRequested,
            (true, true, true) => PendingActivityState::PauseRequested,
            (true, true, false) => PendingActivityState::Started,
            (true, false, true) => PendingActivityState::Paused,
            (true, false, false) => PendingActivityState::Scheduled,
        }
    }

    /// The name of its present state as the reference's errors have it.
    pub(crate) fn state_name(&self) -> &'static str {
        match self.status() {
            ActivityExecutionStatus::Completed => "Completed",
            ActivityExecutionStatus::Failed => "Failed",
            ActivityExecutionStatus::Canceled => "Canceled",
            ActivityExecutionStatus::Terminated => "Terminated",
            ActivityExecutionStatus::TimedOut => "TimedOut",
            ActivityExecutionStatus::Unspecified => "Unspecified",
            ActivityExecutionStatus::Running | ActivityExecutionStatus::Paused => {
                match self.run_state() {
                    PendingActivityState::CancelRequested => "CancelRequested",
                    _ if self.is_held() && self.reset.is_some() => "ResetRequested",
                    PendingActivityState::Started => "Started",
                    PendingActivityState::Paused => "Paused",
                    PendingActivityState::PauseRequested => "PauseRequested",
                    PendingActivityState::Scheduled | PendingActivityState::Unspecified => {
                        "Scheduled"
                    }
                }
            }
        }
    }
}
