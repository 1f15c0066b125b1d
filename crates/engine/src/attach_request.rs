//! A start request that was answered with an open run leaves its mark there.

use api::history::v1::{WorkflowExecutionOptionsUpdatedEventAttributes, history_event::Attributes};
use model::Time;

use crate::{
    Rejection, Reply, State, callback,
    draft::{Draft, EventExtras},
    input::AttachRequest,
};

/// Attaches a request to the run; once is enough.
pub(crate) fn attach(draft: &mut Draft<'_>, input: AttachRequest) -> Result<Reply, Rejection> {
    let state = draft.state();
    let AttachRequest { request_id, links, completion_callbacks } = input;
    let known =
        state.start_request_id == request_id || state.attached_requests.contains_key(&request_id);
    if known && !request_id.is_empty() {
        return Ok(Reply::Repeated);
    }
    if !state.is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    if state.attached_requests.len() >= draft.context().limits.attached_requests_max {
        return Err(Rejection::FailedPrecondition(
            "limit for attached request ids is reached".to_owned(),
        ));
    }
    callback::check_total(draft, completion_callbacks.len())?;
    let attributes = WorkflowExecutionOptionsUpdatedEventAttributes {
        attached_request_id: request_id,
        attached_completion_callbacks: completion_callbacks,
        ..Default::default()
    };
    draft.bufferable_event(
        Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(attributes),
        EventExtras { links, ..Default::default() },
    );
    Ok(Reply::Done)
}

/// Remembers the attached request. While the event waits in the buffer it has no id.
pub(crate) fn apply(
    state: &mut State,
    event_id: i64,
    updated: &WorkflowExecutionOptionsUpdatedEventAttributes,
    time: Time,
) {
    let request_id = &updated.attached_request_id;
    // A buffered event comes twice, and a request that is not named brings no callbacks.
    if request_id.is_empty() {
        return;
    }
    if !state.attached_requests.contains_key(request_id) {
        callback::apply_registered(state, &updated.attached_completion_callbacks, time);
    }
    state.attached_requests.insert(request_id.clone(), time);
    state.attached_request_event_ids.insert(request_id.clone(), event_id);
}
