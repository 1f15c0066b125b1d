//! Ending a run at once.

use api::history::v1::{WorkflowExecutionTerminatedEventAttributes, history_event::Attributes};

use crate::{
    Rejection, Reply, close,
    draft::{Draft, EventExtras},
    input::Terminate,
    workflow_task,
};

/// Terminates a run.
pub(crate) fn terminate(draft: &mut Draft<'_>, input: Terminate) -> Result<Reply, Rejection> {
    let state = draft.state();
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if !state.is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    state.check_parent(input.only_child_of.as_ref())?;
    append(draft, input);
    Ok(Reply::Done)
}

/// Ends a running run: its started workflow task first, then what waited, then the run.
pub(crate) fn append(draft: &mut Draft<'_>, input: Terminate) {
    let Terminate { reason, details, identity, only_child_of: _, links } = input;
    workflow_task::force_close(draft);
    draft.event_with(
        Attributes::WorkflowExecutionTerminatedEventAttributes(
            WorkflowExecutionTerminatedEventAttributes { reason, details, identity },
        ),
        EventExtras { links, ..Default::default() },
    );
    close::emit_tasks(draft);
}

/// Ends a run whose history has grown past the limit.
pub(crate) fn enforce_history_limits(draft: &mut Draft<'_>) {
    let (state, limits) = (draft.state(), draft.context().limits);
    if !state.is_running() {
        return;
    }
    let reason = if state.last_event_id() > limits.history_events_max {
        "Workflow history count exceeds limit."
    } else if state.history_bytes > limits.history_bytes_max {
        "Workflow history size exceeds limit."
    } else {
        return;
    };
    append(
        draft,
        Terminate {
            reason: reason.to_owned(),
            identity: "history-service".to_owned(),
            ..Default::default()
        },
    );
}
