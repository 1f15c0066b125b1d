//! Requests to cancel a workflow, and the command that follows one.

use api::history::v1::{
    WorkflowExecutionCancelRequestedEventAttributes, history_event::Attributes,
};

use crate::{
    Rejection, Reply, State,
    draft::{Draft, EventExtras},
    input::RequestCancel,
    workflow_task,
};

/// Asks the workflow to cancel. Asking again, or after the close, changes nothing.
pub(crate) fn request_cancel(
    draft: &mut Draft<'_>,
    input: RequestCancel,
) -> Result<Reply, Rejection> {
    let state = draft.state();
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if !state.is_running() || state.cancel_requested {
        return Ok(Reply::Repeated);
    }
    // Only a run that would take the request is looked at more closely, as the reference does.
    state.check_parent(input.only_child_of.as_ref())?;
    let RequestCancel {
        reason,
        identity,
        external_initiated_event_id,
        external_workflow_execution,
        only_child_of: _,
        links,
    } = input;
    let attributes = WorkflowExecutionCancelRequestedEventAttributes {
        cause: reason,
        external_initiated_event_id,
        external_workflow_execution,
        identity,
    };
    draft.bufferable_event(
        Attributes::WorkflowExecutionCancelRequestedEventAttributes(attributes),
        EventExtras { links, ..Default::default() },
    );
    workflow_task::schedule_unless_delayed(draft);
    Ok(Reply::Done)
}

pub(crate) fn apply_requested(state: &mut State) {
    state.cancel_requested = true;
}
