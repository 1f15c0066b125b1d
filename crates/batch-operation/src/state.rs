//! The state of a batch operation. Tags are part of the stored format: never reuse one.

use api::{enums::v1::BatchOperationState, workflowservice::v1::StartBatchOperationRequest};
use model::Time;

use crate::{
    Starter,
    limits::{
        OPERATIONS_PER_SECOND, OPERATIONS_PER_SECOND_MAX, STEPS_PER_SECOND, TARGETS_MAX,
        TARGETS_MIN,
    },
};

/// One batch operation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct State {
    /// What to do, and to which workflows.
    #[prost(message, optional, tag = "1")]
    pub request: Option<StartBatchOperationRequest>,
    /// When it began, in nanoseconds.
    #[prost(int64, tag = "2")]
    pub start_nanos: i64,
    /// When it ended, in nanoseconds; 0 while it goes on.
    #[prost(int64, tag = "3")]
    pub close_nanos: i64,
    /// When it is forgotten, in nanoseconds; 0 while it goes on.
    #[prost(int64, tag = "4")]
    pub forget_nanos: i64,
    /// How it stands.
    #[prost(enumeration = "BatchOperationState", tag = "5")]
    pub status: i32,
    /// Workflows to operate on, as many as there were when it began.
    #[prost(uint64, tag = "6")]
    pub total: u64,
    /// Operations that succeeded, or found nothing left to do.
    #[prost(uint64, tag = "7")]
    pub completed: u64,
    /// Operations that failed.
    #[prost(uint64, tag = "8")]
    pub failed: u64,
    /// The number of the step that is to be taken; 0 when there is none.
    #[prost(uint64, tag = "9")]
    pub step: u64,
    /// What the step operates on.
    #[prost(message, repeated, tag = "10")]
    pub targets: Vec<Target>,
    /// Where the search for targets goes on after the step's.
    #[prost(bytes = "vec", tag = "11")]
    pub page_token: Vec<u8>,
    /// All targets were found.
    #[prost(bool, tag = "12")]
    pub found_all: bool,
    /// Why it was stopped.
    #[prost(string, tag = "13")]
    pub stop_reason: String,
    /// Who stopped it.
    #[prost(string, tag = "14")]
    pub stop_identity: String,
    /// In whose name it acts; none when nobody had to say who it is.
    #[prost(message, optional, tag = "15")]
    pub starter: Option<Starter>,
}

/// A run to operate on.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Target {
    /// Its workflow.
    #[prost(string, tag = "1")]
    pub workflow_id: String,
    /// The run; empty for the current one.
    #[prost(string, tag = "2")]
    pub run_id: String,
}

impl State {
    /// True until it has ended.
    pub fn is_open(&self) -> bool {
        self.status() == BatchOperationState::Running
    }

    /// When it began.
    pub const fn start_time(&self) -> Time {
        Time::from_nanos(self.start_nanos)
    }

    /// When it ended, if it has.
    pub const fn close_time(&self) -> Time {
        Time::from_nanos(self.close_nanos)
    }

    /// Operations per second.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "such a cast ends at the limits of its type, and the limits of the rate follow"
    )]
    pub(crate) fn rate(&self) -> u32 {
        let asked = self.request.as_ref().map_or(0.0, |request| request.max_operations_per_second);
        if asked > 0.0 {
            (asked.ceil() as u32).clamp(1, OPERATIONS_PER_SECOND_MAX)
        } else {
            OPERATIONS_PER_SECOND
        }
    }

    /// Targets of one step.
    pub(crate) fn targets_max(&self) -> u32 {
        (self.rate() / STEPS_PER_SECOND).clamp(TARGETS_MIN, TARGETS_MAX)
    }
}
