//! Where a query goes (fact sheet section 4). Queries change nothing and are never stored.

use api::enums::v1::{QueryRejectCondition, WorkflowExecutionStatus};
use model::{Limits, Time};

use crate::{Rejection, State};

/// How a query reaches a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryRoute {
    /// At once, as a task of its own.
    Direct,
    /// With the pending workflow task, so that it sees the events that wait for it.
    WithWorkflowTask,
    /// Not yet: the first workflow task is due at this time.
    AfterFirstWorkflowTask(Time),
}

/// Decides where a query goes.
///
/// # Errors
/// When the run's state refuses it.
pub fn route_query(
    state: &State,
    reject_condition: QueryRejectCondition,
    limits: &Limits,
) -> Result<QueryRoute, Rejection> {
    let status = WorkflowExecutionStatus::try_from(state.status).unwrap_or_default();
    let cleanly =
        matches!(status, WorkflowExecutionStatus::Running | WorkflowExecutionStatus::Completed);
    let rejected = match reject_condition {
        QueryRejectCondition::NotOpen => !state.is_running(),
        QueryRejectCondition::NotCompletedCleanly => !cleanly,
        QueryRejectCondition::None | QueryRejectCondition::Unspecified => false,
    };
    if rejected || state.is_paused() {
        return Err(Rejection::QueryRejected(status));
    }
    let never_ran = state.previous_started_event_id == 0;
    if !state.is_running() {
        return if never_ran {
            Err(Rejection::WorkflowNotReady(
                "Workflow execution closed before WorkflowTaskStarted event".to_owned(),
            ))
        } else {
            Ok(QueryRoute::Direct)
        };
    }
    if state.workflow_task_failures + 1 >= limits.workflow_task_failing_attempt {
        return Err(Rejection::WorkflowNotReady(
            "Unable to query workflow due to Workflow Task in failed state.".to_owned(),
        ));
    }
    if state.workflow_task.is_some() {
        return Ok(QueryRoute::WithWorkflowTask);
    }
    if state.first_workflow_task_due.is_set() {
        return Ok(QueryRoute::AfterFirstWorkflowTask(state.first_workflow_task_due));
    }
    Ok(QueryRoute::Direct)
}
