//! What a closed run does for its parent and its children.

use std::str::FromStr as _;

use api::enums::v1::ParentClosePolicy;
use engine::{ChildClosed, Input, Outcome, Rejection, RequestCancel, Terminate};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use model::RunId;

use super::{IDENTITY, Source};
use crate::{Execution, History, HistoryError};

/// Most children of one run that are dealt with at once.
const CHILDREN_AT_ONCE_MAX: usize = 16;

/// Most resets of a parent that the news of a child follows.
const RESETS_MAX: usize = 100;

/// The reason in the history of a child that is terminated.
const REASON: &str = "by parent close policy";

/// Tells the parent that its child has closed. One that is gone, or has closed, need not know.
pub(super) async fn report_to_parent(
    history: &History,
    source: &Source,
) -> Result<Outcome, HistoryError> {
    let started = source.state.started.as_ref();
    let parent = started.and_then(|started| started.parent_workflow_execution.clone());
    let parent = parent.and_then(|parent| {
        let run_id = RunId::from_str(&parent.run_id).ok()?;
        Some(Execution::run(parent.workflow_id, run_id))
    });
    let close = source.state.unreported_close.as_ref().and_then(|event| event.attributes.clone());
    let (Some(parent), Some(close)) = (parent, close) else { return Ok(Outcome::ParentInformed) };
    let closed = ChildClosed {
        initiated_event_id: started.map_or(0, |started| started.parent_initiated_event_id),
        execution: source.execution(),
        first_execution_run_id: source.state.first_execution_run_id().to_owned(),
        close,
    };
    let caller = source.caller();
    let mut parent = parent;
    for _ in 0..RESETS_MAX {
        let input = Input::ChildClosed(Box::new(closed.clone()));
        match history.apply_checked(&caller, &parent, "", input).await {
            Err(HistoryError::Rejected(Rejection::WorkflowClosed)) => {}
            Ok(_) | Err(HistoryError::Rejected(_)) => break,
            Err(error) => return Err(error),
        }
        // A child of a run that was reset belongs to the run that a reset made of it.
        let live = history.live_run(&caller.namespace, &parent).await;
        let state = live.ok().and_then(|live| live.durable());
        let reset = state.and_then(|state| RunId::from_str(&state.reset_run_id).ok());
        let Some(run_id) = reset else { break };
        parent = Execution::run(parent.workflow_id, run_id);
    }
    Ok(Outcome::ParentInformed)
}

/// Deals with the children that the run had when it closed.
pub(super) async fn apply_close_policy(
    history: &History,
    source: &Source,
) -> Result<Outcome, HistoryError> {
    let children: Vec<_> = source
        .state
        .children
        .values()
        .filter(|child| child.is_started())
        .filter(|child| child.parent_close_policy() != ParentClosePolicy::Abandon)
        .cloned()
        .collect();
    stream::iter(children)
        .map(|child| async move {
            let policy = child.parent_close_policy();
            close_child(history, source, child.workflow_id(), &child.run_id, policy).await
        })
        .buffer_unordered(CHILDREN_AT_ONCE_MAX)
        .try_collect::<()>()
        .await?;
    Ok(Outcome::ClosePolicyApplied)
}

/// Terminates or cancels the open run of a child's chain, if it has one.
pub(super) async fn close_child(
    history: &History,
    source: &Source,
    workflow_id: &str,
    first_execution_run_id: &str,
    policy: ParentClosePolicy,
) -> Result<(), HistoryError> {
    let parent = Some(source.execution());
    let input = match policy {
        ParentClosePolicy::RequestCancel => Input::RequestCancel(RequestCancel {
            identity: IDENTITY.to_owned(),
            external_workflow_execution: parent.clone(),
            only_child_of: parent,
            ..Default::default()
        }),
        ParentClosePolicy::Terminate
        | ParentClosePolicy::Abandon
        | ParentClosePolicy::Unspecified => Input::Terminate(Terminate {
            reason: REASON.to_owned(),
            identity: IDENTITY.to_owned(),
            only_child_of: parent,
            ..Default::default()
        }),
    };
    let child = Execution::current(workflow_id);
    match history.apply_checked(&source.caller(), &child, first_execution_run_id, input).await {
        Ok(_) | Err(HistoryError::Rejected(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
