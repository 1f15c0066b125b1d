//! Signals.

use api::history::v1::{WorkflowExecutionSignaledEventAttributes, history_event::Attributes};

use crate::{
    Rejection, Reply, State,
    draft::{Draft, EventExtras},
    input::Signal,
    workflow_task,
};

/// Takes a signal. A repeated request id is no new signal, even after the run has closed.
pub(crate) fn signal(draft: &mut Draft<'_>, input: Signal) -> Result<Reply, Rejection> {
    let state = draft.state();
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if !input.request_id.is_empty() && state.signal_request_ids.contains_key(&input.request_id) {
        return Ok(Reply::Repeated);
    }
    if !state.is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    refuse_while_closing(state)?;
    state.check_parent(input.only_child_of.as_ref())?;
    if signals(state) >= draft.context().limits.signals_per_run_max {
        return Err(Rejection::invalid("exceeded workflow execution limit for signal events"));
    }
    append(draft, input);
    workflow_task::schedule_unless_delayed(draft);
    Ok(Reply::Done)
}

/// Adds the event of a signal.
pub(crate) fn append(draft: &mut Draft<'_>, input: Signal) {
    let Signal {
        signal_name,
        input,
        identity,
        header,
        request_id,
        external_workflow_execution,
        only_child_of: _,
        links,
    } = input;
    let attributes = WorkflowExecutionSignaledEventAttributes {
        signal_name,
        input,
        identity,
        header,
        request_id,
        external_workflow_execution,
        ..Default::default()
    };
    draft.bufferable_event(
        Attributes::WorkflowExecutionSignaledEventAttributes(attributes),
        EventExtras { links, ..Default::default() },
    );
}

/// While the workflow task after an unhandled closing command runs, others stand back, so that a
/// stream of signals cannot keep a workflow from closing.
pub(crate) fn refuse_while_closing(state: &State) -> Result<(), Rejection> {
    if state.closing && state.has_started_workflow_task() {
        return Err(Rejection::BusyWorkflow(
            "workflow operation can not be applied because workflow is closing".to_owned(),
        ));
    }
    Ok(())
}

fn signals(state: &State) -> i64 {
    let buffered = state.buffered_events.iter().filter(|event| {
        matches!(event.attributes, Some(Attributes::WorkflowExecutionSignaledEventAttributes(_)))
    });
    state.signal_count.saturating_add(i64::try_from(buffered.count()).unwrap_or(i64::MAX))
}

pub(crate) fn apply_signaled(
    state: &mut State,
    signaled: &WorkflowExecutionSignaledEventAttributes,
) {
    if !signaled.request_id.is_empty() {
        state.signal_request_ids.insert(signaled.request_id.clone(), true);
    }
}
