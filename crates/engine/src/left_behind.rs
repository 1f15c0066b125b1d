//! What a closed run had not finished: users may see it, nothing acts on it.

use std::collections::BTreeMap;

use crate::{
    Shared, State,
    nexus_operation::NexusOperation,
    state::{Activity, WorkflowTask},
};

/// What was pending when a run closed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LeftBehind {
    /// The workflow task.
    #[prost(message, optional, tag = "1")]
    pub workflow_task: Option<WorkflowTask>,
    /// Activities by scheduled event id.
    #[prost(btree_map = "int64, message", tag = "2")]
    pub activities: BTreeMap<i64, Shared<Activity>>,
    /// Nexus operations by scheduled event id.
    #[prost(btree_map = "int64, message", tag = "3")]
    pub nexus_operations: BTreeMap<i64, Shared<NexusOperation>>,
}

/// Sets aside what is pending in a run that closes.
pub(crate) fn set_aside(state: &mut State) {
    let left = LeftBehind {
        workflow_task: state.workflow_task.take(),
        activities: std::mem::take(&mut state.activities),
        nexus_operations: std::mem::take(&mut state.nexus_operations),
    };
    state.left_behind = (left != LeftBehind::default()).then(|| Shared::new(left));
}

impl State {
    /// The workflow task that is pending, or was when the run closed.
    pub fn last_workflow_task(&self) -> Option<&WorkflowTask> {
        let left = self.left_behind.as_ref().and_then(|left| left.workflow_task.as_ref());
        self.workflow_task.as_ref().or(left)
    }

    /// The activities that are pending, or were when the run closed.
    pub fn last_activities(&self) -> &BTreeMap<i64, Shared<Activity>> {
        self.left_behind.as_ref().map_or(&self.activities, |left| &left.activities)
    }

    /// The Nexus operations that are pending, or were when the run closed.
    pub fn last_nexus_operations(&self) -> &BTreeMap<i64, Shared<NexusOperation>> {
        self.left_behind.as_ref().map_or(&self.nexus_operations, |left| &left.nexus_operations)
    }
}
