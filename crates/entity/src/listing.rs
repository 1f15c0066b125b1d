//! How lists show an entity.

use std::collections::BTreeMap;

use api::common::v1::{Memo, Payload};
use model::Time;

/// What the visibility index is told of an entity. It stands among the runs under a namespace
/// division of its own, where lists of workflows do not see it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The division: the value of `TemporalNamespaceDivision`.
    pub division: &'static str,
    /// What stands for the workflow id.
    pub workflow_id: String,
    /// What stands for the workflow type.
    pub workflow_type: String,
    /// What stands for the task queue.
    pub task_queue: String,
    /// A `WorkflowExecutionStatus` of the API.
    pub status: i32,
    /// When it was made.
    pub start_time: Time,
    /// When it first had something to do; not set: when it was made.
    pub execution_time: Time,
    /// When it closed; not set while it is open.
    pub close_time: Time,
    /// Steps that it has taken, if it counts them itself; lists show them once it is closed.
    pub transitions: i64,
    /// Bytes of its state; lists show them once it is closed.
    pub size_bytes: i64,
    /// The memo.
    pub memo: Option<Memo>,
    /// The search attributes, each with the `type` in its payload's metadata.
    pub search_attributes: BTreeMap<String, Payload>,
}
