//! What a run that begins again learns of the children that it had started before.

use api::{
    common::v1::WorkflowExecution,
    history::v1::{
        WorkflowExecutionCanceledEventAttributes, WorkflowExecutionCompletedEventAttributes,
        WorkflowExecutionFailedEventAttributes, WorkflowExecutionTerminatedEventAttributes,
        WorkflowExecutionTimedOutEventAttributes, history_event::Attributes,
    },
};

use super::outcome::{Closed, write_start_failed, write_started};
use crate::draft::Draft;

/// True for what a parent hears of a child.
pub(crate) const fn is_news_of_child(attributes: &Attributes) -> bool {
    matches!(
        attributes,
        Attributes::StartChildWorkflowExecutionFailedEventAttributes(_)
            | Attributes::ChildWorkflowExecutionStartedEventAttributes(_)
            | Attributes::ChildWorkflowExecutionCompletedEventAttributes(_)
            | Attributes::ChildWorkflowExecutionFailedEventAttributes(_)
            | Attributes::ChildWorkflowExecutionCanceledEventAttributes(_)
            | Attributes::ChildWorkflowExecutionTimedOutEventAttributes(_)
            | Attributes::ChildWorkflowExecutionTerminatedEventAttributes(_)
    )
}

/// Tells the run the news that it still waits for.
pub(crate) fn reapply(draft: &mut Draft<'_>, attributes: Attributes) {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other events are of other things")]
    match attributes {
        Attributes::StartChildWorkflowExecutionFailedEventAttributes(failed) => {
            if let Some(child) = draft.state().children.get(&failed.initiated_event_id).cloned() {
                write_start_failed(draft, failed.initiated_event_id, &child, failed.cause());
            }
        }
        Attributes::ChildWorkflowExecutionStartedEventAttributes(started) => {
            let child = draft.state().children.get(&started.initiated_event_id).cloned();
            let execution = started.workflow_execution.unwrap_or_default();
            if let Some(child) = child.filter(|child| !child.is_started()) {
                write_started(draft, started.initiated_event_id, &child, execution.run_id);
            }
        }
        Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed) => {
            let close = WorkflowExecutionCompletedEventAttributes {
                result: closed.result,
                ..Default::default()
            };
            let close = Attributes::WorkflowExecutionCompletedEventAttributes(close);
            close_again(draft, closed.initiated_event_id, closed.workflow_execution, close);
        }
        Attributes::ChildWorkflowExecutionFailedEventAttributes(closed) => {
            let close = WorkflowExecutionFailedEventAttributes {
                failure: closed.failure,
                retry_state: closed.retry_state,
                ..Default::default()
            };
            let close = Attributes::WorkflowExecutionFailedEventAttributes(close);
            close_again(draft, closed.initiated_event_id, closed.workflow_execution, close);
        }
        Attributes::ChildWorkflowExecutionCanceledEventAttributes(closed) => {
            let close = WorkflowExecutionCanceledEventAttributes {
                details: closed.details,
                ..Default::default()
            };
            let close = Attributes::WorkflowExecutionCanceledEventAttributes(close);
            close_again(draft, closed.initiated_event_id, closed.workflow_execution, close);
        }
        Attributes::ChildWorkflowExecutionTimedOutEventAttributes(closed) => {
            let close = WorkflowExecutionTimedOutEventAttributes {
                retry_state: closed.retry_state,
                ..Default::default()
            };
            let close = Attributes::WorkflowExecutionTimedOutEventAttributes(close);
            close_again(draft, closed.initiated_event_id, closed.workflow_execution, close);
        }
        Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed) => {
            let close = WorkflowExecutionTerminatedEventAttributes::default();
            let close = Attributes::WorkflowExecutionTerminatedEventAttributes(close);
            close_again(draft, closed.initiated_event_id, closed.workflow_execution, close);
        }
        _ => {}
    }
}

fn close_again(
    draft: &mut Draft<'_>,
    initiated_event_id: i64,
    execution: Option<WorkflowExecution>,
    close: Attributes,
) {
    let Some(child) = draft.state().children.get(&initiated_event_id).cloned() else { return };
    let closed = Closed::new(initiated_event_id, &child, execution.unwrap_or_default());
    if let Some(event) = closed.event(close) {
        draft.event(event);
    }
}
