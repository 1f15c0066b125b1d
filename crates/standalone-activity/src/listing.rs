//! How lists show a standalone activity.

use api::enums::v1::{ActivityExecutionStatus, WorkflowExecutionStatus};
use entity::{EntityKey, Listing};

use crate::State;

/// The namespace division of standalone activities: the number that the reference has for them.
pub const DIVISION: &str = "3332429922";

/// What the visibility index is told: what a list shows, not each attempt.
pub(crate) fn listing(state: &State, key: &EntityKey) -> Listing {
    let scheduled = state.scheduled();
    let name = |name: Option<&String>| name.cloned().unwrap_or_default();
    let attributes = state.search_attributes.as_ref();
    Listing {
        division: DIVISION,
        workflow_id: key.id.clone(),
        workflow_type: name(scheduled.activity_type.as_ref().map(|kind| &kind.name)),
        task_queue: name(scheduled.task_queue.as_ref().map(|queue| &queue.name)),
        status: listed_status(state.shown_status()) as i32,
        start_time: state.schedule_time,
        execution_time: state.first_dispatch_time(),
        close_time: state.close_time,
        transitions: if state.is_open() { 0 } else { state.transitions },
        size_bytes: if state.is_open() { 0 } else { state.size_bytes() },
        memo: None,
        search_attributes: attributes
            .map(|attributes| attributes.indexed_fields.clone())
            .unwrap_or_default(),
    }
}

/// The status of a run that stands for an activity's.
const fn listed_status(status: ActivityExecutionStatus) -> WorkflowExecutionStatus {
    match status {
        ActivityExecutionStatus::Unspecified => WorkflowExecutionStatus::Unspecified,
        ActivityExecutionStatus::Running => WorkflowExecutionStatus::Running,
        ActivityExecutionStatus::Completed => WorkflowExecutionStatus::Completed,
        ActivityExecutionStatus::Failed => WorkflowExecutionStatus::Failed,
        ActivityExecutionStatus::Canceled => WorkflowExecutionStatus::Canceled,
        ActivityExecutionStatus::Terminated => WorkflowExecutionStatus::Terminated,
        ActivityExecutionStatus::TimedOut => WorkflowExecutionStatus::TimedOut,
        ActivityExecutionStatus::Paused => WorkflowExecutionStatus::Paused,
    }
}
