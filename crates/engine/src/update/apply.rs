//! How the events and mutations of updates change a state.

use api::history::v1::{
    HistoryEvent, WorkflowExecutionUpdateAcceptedEventAttributes,
    WorkflowExecutionUpdateAdmittedEventAttributes,
    WorkflowExecutionUpdateCompletedEventAttributes,
};

use crate::{Shared, State, UpdateAdmitted, UpdatesDropped, UpdatesSent};

use super::{CompletedUpdates, Update, admit::update_id, callbacks};

pub(crate) fn apply_admitted(state: &mut State, admitted: &UpdateAdmitted) {
    let last = state.updates.values().map(|update| update.admission).max().unwrap_or(0);
    let update =
        Update { request: admitted.request.clone(), admission: last + 1, ..Update::default() };
    state.updates.insert(admitted.update_id.clone(), Shared::new(update));
}

pub(crate) fn apply_admitted_event(
    state: &mut State,
    event: &HistoryEvent,
    admitted: &WorkflowExecutionUpdateAdmittedEventAttributes,
) {
    let Some(request) = &admitted.request else { return };
    let event_id = event.event_id;
    let admission = u64::try_from(event_id).unwrap_or(0);
    let update = Update { admission, admitted_event_id: event_id, ..Update::default() };
    state.updates.insert(update_id(request).to_owned(), Shared::new(update));
    callbacks::apply_request(state, request, event);
}

pub(crate) fn apply_sent(state: &mut State, sent: &UpdatesSent) {
    for update_id in &sent.update_ids {
        if let Some(update) = state.updates.get_mut(update_id) {
            update.edit().sent = true;
        }
    }
}

pub(crate) fn apply_dropped(state: &mut State, dropped: &UpdatesDropped) {
    for update_id in &dropped.update_ids {
        state.updates.remove(update_id);
        callbacks::settle(state, update_id, dropped.rejection.as_deref());
    }
}

/// What is left of an accepted update does not depend on how it was admitted: a state that is read
/// from the store knows only the event.
pub(crate) fn apply_accepted(
    state: &mut State,
    event: &HistoryEvent,
    accepted: &WorkflowExecutionUpdateAcceptedEventAttributes,
) {
    let update = Update { accepted_event_id: event.event_id, ..Update::default() };
    state.updates.insert(accepted.protocol_instance_id.clone(), Shared::new(update));
    if let Some(request) = &accepted.accepted_request {
        callbacks::apply_request(state, request, event);
    }
}

pub(crate) fn apply_completed(
    state: &mut State,
    event_id: i64,
    completed: &WorkflowExecutionUpdateCompletedEventAttributes,
) {
    let Some(meta) = &completed.meta else { return };
    state.updates.remove(&meta.update_id);
    let updates =
        state.completed_updates.get_or_insert_with(|| Shared::new(CompletedUpdates::default()));
    updates.edit().event_ids.insert(meta.update_id.clone(), event_id);
    callbacks::settle(state, &meta.update_id, None);
}
