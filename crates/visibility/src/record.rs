//! What the index holds of a run.

use std::collections::BTreeMap;

use api::common::v1::{Memo, Payload};
use model::{NamespaceId, RunId, Span, Time};

/// The search attribute that sets schedules, batches and other entities apart from workflows.
pub const NAMESPACE_DIVISION: &str = "TemporalNamespaceDivision";

/// One run as list returns it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The namespace of the run.
    pub namespace_id: NamespaceId,
    /// The run.
    pub run_id: RunId,
    /// Grows with each change of the run that matters here; an older record never replaces a newer.
    pub version: u64,
    /// The user's id of the workflow.
    pub workflow_id: String,
    /// The name of the workflow type.
    pub workflow_type: String,
    /// The task queue of the run.
    pub task_queue: String,
    /// `WorkflowExecutionStatus` of the API.
    pub status: i32,
    /// When the run was created.
    pub start_time: Time,
    /// When its first workflow task became due.
    pub execution_time: Time,
    /// When the run closed; not set while it is open.
    pub close_time: Time,
    /// Events of the history. Queries see it once the run is closed, as the next three.
    pub history_length: i64,
    /// Bytes of the history.
    pub history_size_bytes: i64,
    /// State transitions.
    pub state_transition_count: i64,
    /// From execution time to close time.
    pub execution_duration: Span,
    /// The parent, if any.
    pub parent: Option<Execution>,
    /// The first ancestor. `None` stands for the run itself and is what list returns then.
    pub root: Option<Execution>,
    /// The memo.
    pub memo: Option<Memo>,
    /// The search attributes; each payload's metadata has its true `type`. The index finds a run by
    /// those whose value fits the type, and returns all of them as they are.
    pub search_attributes: BTreeMap<String, Payload>,
}

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The workflow id.
    pub workflow_id: String,
    /// The run id.
    pub run_id: RunId,
}

impl Record {
    /// True if the run is its own root.
    pub(crate) fn is_root(&self) -> bool {
        self.root.as_ref().is_none_or(|root| root.run_id == self.run_id)
    }
}
