//! Which run a request means.

use model::{NamespaceId, RunId, SlotId, WorkflowKey};

/// A workflow's run as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The workflow's id.
    pub workflow_id: String,
    /// The run; none for the current one.
    pub run_id: Option<RunId>,
}

/// One run, fully named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    /// The workflow.
    pub workflow: WorkflowKey,
    /// The run.
    pub run_id: RunId,
}

impl Execution {
    /// The current run of a workflow.
    pub fn current(workflow_id: impl Into<String>) -> Self {
        Self { workflow_id: workflow_id.into(), run_id: None }
    }

    /// One run of a workflow.
    pub fn run(workflow_id: impl Into<String>, run_id: RunId) -> Self {
        Self { workflow_id: workflow_id.into(), run_id: Some(run_id) }
    }

    pub(crate) fn key(&self, namespace_id: NamespaceId) -> WorkflowKey {
        WorkflowKey { namespace_id, workflow_id: self.workflow_id.clone() }
    }
}

impl RunKey {
    /// The slot that the run lives in.
    pub fn slot(&self) -> SlotId {
        SlotId::of(&self.workflow)
    }
}
