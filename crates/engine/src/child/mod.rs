//! Child workflows (fact sheet section 7).
//!
//! The parent's side: `start.rs` is the command, `outcome.rs` what became of it and of the child.
//! The child's side, and what a closed parent owes its children, is in `closing.rs`. Between two
//! runs everything is a durable task of one whose outcome comes back as an input.

mod closing;
mod outcome;
mod reapply;
mod start;

pub(crate) use closing::{
    apply_close, apply_close_policy_applied, apply_parent_informed, apply_released,
    close_policy_applied, emit_closing_tasks, note_close, outstanding_when_closed, parent_informed,
    released,
};
pub(crate) use outcome::{closed, start_failed, started};
pub(crate) use reapply::{is_news_of_child, reapply};
pub(crate) use start::start;

use api::{
    common::v1::WorkflowExecution,
    enums::v1::ParentClosePolicy,
    history::v1::{
        ChildWorkflowExecutionStartedEventAttributes,
        StartChildWorkflowExecutionInitiatedEventAttributes,
    },
    sdk::v1::UserMetadata,
};

use crate::{InitiatedRef, Rejection, Shared, State, Task, TaskAction};

/// A child that has not closed, as its parent knows it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Child {
    /// What was asked for; input, header, memo and search attributes only until it has started.
    #[prost(message, optional, tag = "1")]
    pub initiated: Option<Shared<StartChildWorkflowExecutionInitiatedEventAttributes>>,
    /// Summary and details for the child; only until it has started.
    #[prost(message, optional, tag = "2")]
    pub user_metadata: Option<Shared<UserMetadata>>,
    /// The child's first run; empty until it has started.
    #[prost(string, tag = "3")]
    pub run_id: String,
    /// The event that says that it has started; 0 until that is in the history.
    #[prost(int64, tag = "4")]
    pub started_event_id: i64,
}

impl Child {
    /// True once its first run exists.
    pub fn is_started(&self) -> bool {
        !self.run_id.is_empty()
    }

    /// The child's workflow id.
    pub fn workflow_id(&self) -> &str {
        self.initiated.as_ref().map_or("", |initiated| &initiated.workflow_id)
    }

    /// The child's workflow type.
    pub fn workflow_type(&self) -> &str {
        let workflow_type = self.initiated.as_ref().and_then(|child| child.workflow_type.as_ref());
        workflow_type.map_or("", |workflow_type| &workflow_type.name)
    }

    /// What happens to it when its parent closes.
    pub fn parent_close_policy(&self) -> ParentClosePolicy {
        self.initiated
            .as_ref()
            .map_or(ParentClosePolicy::Abandon, |initiated| initiated.parent_close_policy())
    }
}

impl State {
    /// Refuses what is meant for a child of this run only.
    pub(crate) fn check_parent(&self, only: Option<&WorkflowExecution>) -> Result<(), Rejection> {
        let parent =
            self.started.as_ref().and_then(|started| started.parent_workflow_execution.as_ref());
        if only.is_none() || only == parent { Ok(()) } else { Err(Rejection::ParentMismatch) }
    }
}

/// Whether a child has still to be started; also by a closed parent, which does not start it but
/// has to find out whether it did.
pub(crate) fn is_start_current(state: &State, reference: &InitiatedRef) -> bool {
    let child = state.children.get(&reference.initiated_event_id);
    child.is_some_and(|child| !child.is_started())
}

pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    for (initiated_event_id, child) in &state.children {
        if !child.is_started() {
            let reference = InitiatedRef { initiated_event_id: *initiated_event_id };
            tasks.push(Task::now(TaskAction::StartChild(reference)));
        }
    }
}

pub(crate) fn apply_initiated(
    state: &mut State,
    event_id: i64,
    initiated: &StartChildWorkflowExecutionInitiatedEventAttributes,
    user_metadata: Option<&UserMetadata>,
) {
    let child = Child {
        initiated: Some(Shared::new(initiated.clone())),
        user_metadata: user_metadata.cloned().map(Shared::new),
        ..Child::default()
    };
    state.children.insert(event_id, Shared::new(child));
}

pub(crate) fn apply_started(
    state: &mut State,
    event_id: i64,
    started: &ChildWorkflowExecutionStartedEventAttributes,
) {
    let Some(child) = state.children.get_mut(&started.initiated_event_id) else { return };
    let child = child.edit();
    child.started_event_id = event_id;
    child.user_metadata = None;
    if let Some(execution) = &started.workflow_execution {
        child.run_id.clone_from(&execution.run_id);
    }
    if let Some(initiated) = &mut child.initiated {
        let initiated = initiated.edit();
        initiated.input = None;
        initiated.header = None;
        initiated.memo = None;
        initiated.search_attributes = None;
    }
}
