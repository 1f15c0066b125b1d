//! Updates: requests that a workflow validates, accepts and answers (fact sheet section 5).
//!
//! An update that waits for a worker is *admitted*: it is in memory only, and a caller whose server
//! dies asks again. A worker accepts it, which writes an event, or rejects it, which writes
//! nothing. From then on it is durable, and so is its outcome.

mod abort;
mod admit;
mod apply;
mod callbacks;
mod messages;
mod protocol;

pub(crate) use abort::{abort_on_close, fail_delivered};
pub(crate) use admit::{admit, admit_with_start};
pub(crate) use apply::{
    apply_accepted, apply_admitted, apply_admitted_event, apply_completed, apply_dropped,
    apply_sent,
};
pub use callbacks::UpdateRequestEvent;
pub(crate) use callbacks::{
    apply_joined, apply_options_updated, emit_overdue, is_known as is_known_request,
    joined_requests, waiting as waiting_callbacks,
};
pub(crate) use messages::{any_waits, send, too_many};
pub(crate) use protocol::{
    command as protocol_command, handle_message, is_rejection, reject_unanswered,
};

use std::collections::BTreeMap;

use api::{
    failure::v1::Failure,
    history::v1::workflow_execution_options_updated_event_attributes::WorkflowUpdateOptionsUpdate,
    update::v1::{Outcome, Request, outcome},
};

use crate::{Shared, State};

/// An update that has not completed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Update {
    /// What is asked; only before the acceptance, and not when an event of the history has it.
    #[prost(message, optional, tag = "1")]
    pub request: Option<Shared<Request>>,
    /// Orders the updates of a run by their admission.
    #[prost(uint64, tag = "2")]
    pub admission: u64,
    /// True once a worker got it.
    #[prost(bool, tag = "3")]
    pub sent: bool,
    /// The event that admitted it, after a reset; 0 when none did.
    #[prost(int64, tag = "4")]
    pub admitted_event_id: i64,
    /// The event that accepted it; 0 before.
    #[prost(int64, tag = "5")]
    pub accepted_event_id: i64,
    /// Further requests for it that brought callbacks; only before the acceptance.
    #[prost(message, repeated, tag = "91")]
    pub joined: Vec<Shared<WorkflowUpdateOptionsUpdate>>,
}

/// Where completed updates stand in the history.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CompletedUpdates {
    /// The event of each completion, by update id.
    #[prost(btree_map = "string, int64", tag = "1")]
    pub event_ids: BTreeMap<String, i64>,
}

/// How far an update has come, as the run's state tells.
#[derive(Debug, Clone, PartialEq)]
pub enum UpdateStage {
    /// It waits for a worker, or a worker is looking at it.
    Admitted,
    /// The workflow works on it.
    Accepted,
    /// It will never complete, because its run has closed.
    Failed(Outcome),
    /// This event of the history has its outcome.
    Completed {
        /// The event.
        event_id: i64,
    },
}

/// What happened to an update: for those who wait for it, once the transition is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateNotice {
    /// Which update.
    pub update_id: String,
    /// What happened.
    pub progress: UpdateProgress,
}

/// See [`UpdateNotice`].
#[derive(Debug, Clone, PartialEq)]
pub enum UpdateProgress {
    /// The workflow accepted it.
    Accepted,
    /// It was answered or rejected, or its run closed after accepting it.
    Completed(Outcome),
    /// It was not accepted, and no worker will get it any more.
    Aborted(UpdateAborted),
}

/// Why an update that was not accepted is no longer pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateAborted {
    /// The run closed.
    WorkflowClosed,
    /// The run closed and another follows: the update belongs there.
    WorkflowContinued,
    /// The workflow task that delivered it failed.
    WorkflowTaskFailed,
}

impl Update {
    /// True once the workflow has accepted it.
    pub fn is_accepted(&self) -> bool {
        self.accepted_event_id != 0
    }

    /// True when it survives the process: an event of the history tells of it.
    pub fn is_durable(&self) -> bool {
        self.is_accepted() || self.admitted_event_id != 0
    }
}

impl State {
    /// How far an update has come; none when the run does not know it.
    pub fn update_stage(&self, update_id: &str) -> Option<UpdateStage> {
        if let Some(event_id) = self.completed_update(update_id) {
            return Some(UpdateStage::Completed { event_id });
        }
        let update = self.updates.get(update_id)?;
        match (update.is_accepted(), self.is_running()) {
            (true, true) => Some(UpdateStage::Accepted),
            (true, false) => Some(UpdateStage::Failed(failed(workflow_completed()))),
            (false, true) => Some(UpdateStage::Admitted),
            (false, false) => None,
        }
    }

    fn completed_update(&self, update_id: &str) -> Option<i64> {
        self.completed_updates.as_ref()?.event_ids.get(update_id).copied()
    }

    fn updates_in_total(&self) -> usize {
        let completed = self.completed_updates.as_ref();
        self.updates.len() + completed.map_or(0, |completed| completed.event_ids.len())
    }
}

fn failed(failure: Failure) -> Outcome {
    Outcome { value: Some(outcome::Value::Failure(failure)) }
}

fn workflow_completed() -> Failure {
    crate::failures::application(
        "AcceptedUpdateCompletedWorkflow",
        "Workflow Update failed because the Workflow completed before the Update completed.",
    )
}

fn unprocessed() -> Failure {
    crate::failures::application(
        "UnprocessedUpdate",
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow \
         Update is not supported by the worker.",
    )
}
