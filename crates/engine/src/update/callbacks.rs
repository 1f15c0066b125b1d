//! Completion callbacks of updates: who outside wants to know how an update ended.
//!
//! They come with a request and count from the event on that tells of it: the update's acceptance,
//! or, for another request, an event of its own. When the update has an outcome, or its run closes
//! without one, they are delivered as those of the run are.

use api::{
    common::v1::{Callback, Link},
    enums::v1::{CallbackState, EventType},
    failure::v1::Failure,
    history::v1::{
        HistoryEvent, WorkflowExecutionOptionsUpdatedEventAttributes, history_event::Attributes,
        workflow_execution_options_updated_event_attributes::WorkflowUpdateOptionsUpdate,
    },
    update::v1::Request,
};
use model::Time;

use super::{Update, admit::update_id};
use crate::{
    CompletionCallback, Mutation, Rejection, Shared, State, UpdateJoined, callback,
    draft::{Draft, EventExtras},
};

/// The event that tells of a request for an update.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct UpdateRequestEvent {
    /// Its id; 0 while it waits in the buffer.
    #[prost(int64, tag = "1")]
    pub event_id: i64,
    /// Its type.
    #[prost(enumeration = "EventType", tag = "2")]
    pub event_type: i32,
}

/// Another request for an update that the run has: its callbacks join the others. What has
/// completed needs none: the answer to the request says how.
pub(super) fn join(draft: &mut Draft<'_>, request: Request) -> Result<(), Rejection> {
    let update_id = update_id(&request).to_owned();
    let Some(update) = draft.state().updates.get(&update_id) else { return Ok(()) };
    let is_durable = update.is_durable();
    if request.completion_callbacks.is_empty()
        || is_known(draft.state(), &update_id, &request.request_id)
        || waits_already(update, &request.request_id)
    {
        return Ok(());
    }
    callback::check_total(draft, request.completion_callbacks.len())?;
    let options = WorkflowUpdateOptionsUpdate {
        update_id,
        attached_request_id: request.request_id,
        attached_completion_callbacks: request.completion_callbacks,
    };
    if is_durable {
        write(draft, options);
    } else {
        draft.mutate(Mutation::UpdateJoined(UpdateJoined { options: Some(Shared::new(options)) }));
    }
    Ok(())
}

/// Whether a request is one of those that wait, in memory, for the update's acceptance.
fn waits_already(update: &Update, request_id: &str) -> bool {
    update.request.as_ref().is_some_and(|first| first.request_id == request_id)
        || update.joined.iter().any(|joined| joined.attached_request_id == request_id)
}

/// Writes the event that tells of a further request.
pub(super) fn write(draft: &mut Draft<'_>, options: WorkflowUpdateOptionsUpdate) {
    let attributes = WorkflowExecutionOptionsUpdatedEventAttributes {
        workflow_update_options: vec![options],
        ..Default::default()
    };
    draft.bufferable_event(
        Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(attributes),
        EventExtras::default(),
    );
}

/// The requests that waited with the first one, now that it is accepted.
pub(super) fn write_joined(draft: &mut Draft<'_>, joined: &[Shared<WorkflowUpdateOptionsUpdate>]) {
    for options in joined {
        write(draft, options.to_owned_message());
    }
}

/// The links of the callbacks that a request brings: its event has them, too.
pub(super) fn links(request: &Request) -> Vec<Link> {
    let callbacks = request.completion_callbacks.iter();
    callbacks.flat_map(|callback| &callback.links).cloned().collect()
}

/// Callbacks that in-memory updates will bring.
pub(crate) fn waiting(state: &State) -> usize {
    let volatile = state.updates.values().filter(|update| !update.is_durable());
    volatile.map(|update| of_update(update)).sum()
}

fn of_update(update: &Update) -> usize {
    let first = update.request.as_ref().map_or(0, |first| first.completion_callbacks.len());
    let others = update.joined.iter().map(|joined| joined.attached_completion_callbacks.len());
    first + others.sum::<usize>()
}

pub(crate) fn apply_joined(state: &mut State, joined: &UpdateJoined) {
    let Some(options) = &joined.options else { return };
    if let Some(update) = state.updates.get_mut(&options.update_id) {
        update.edit().joined.push(options.clone());
    }
}

/// The update of a request is in the history: so are its callbacks. One that a reset admits again
/// comes without them when it is accepted.
pub(super) fn apply_request(state: &mut State, request: &Request, event: &HistoryEvent) {
    let (update_id, request_id) = (update_id(request), &request.request_id);
    register(state, update_id, request_id, &request.completion_callbacks, event);
}

pub(crate) fn apply_options_updated(
    state: &mut State,
    updated: &WorkflowExecutionOptionsUpdatedEventAttributes,
    event: &HistoryEvent,
) {
    for options in &updated.workflow_update_options {
        let callbacks = &options.attached_completion_callbacks;
        register(state, &options.update_id, &options.attached_request_id, callbacks, event);
    }
}

/// A buffered event comes twice; a request counts once, and from its first event on.
fn register(
    state: &mut State,
    update_id: &str,
    request_id: &str,
    callbacks: &[Callback],
    event: &HistoryEvent,
) {
    if !request_id.is_empty() {
        let told = UpdateRequestEvent { event_id: event.event_id, event_type: event.event_type };
        state.update_requests.insert(request_id.to_owned(), told);
    }
    if is_known(state, update_id, request_id) {
        return;
    }
    // It may have completed while the event waited.
    let is_over = !state.updates.contains_key(update_id);
    let first = if is_over { CallbackState::Scheduled } else { CallbackState::Standby };
    for callback in callbacks.iter().filter(|callback| !callback::is_internal(callback)) {
        state.callbacks.push(Shared::new(CompletionCallback {
            callback: Some(Shared::new(callback.clone())),
            registration_time: Time::from_proto(event.event_time.as_ref()),
            stamp: 1,
            state: first as i32,
            update_id: update_id.to_owned(),
            request_id: request_id.to_owned(),
            ..CompletionCallback::default()
        }));
    }
}

/// Whether the callbacks of a request are registered.
pub(crate) fn is_known(state: &State, update_id: &str, request_id: &str) -> bool {
    let mut callbacks = state.callbacks.iter();
    callbacks.any(|known| known.update_id == update_id && known.request_id == request_id)
}

/// Which updates a further request joined with this event, and by what request ids.
pub(crate) fn joined_requests(event: &HistoryEvent) -> Vec<(String, String)> {
    let Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(updated)) =
        &event.attributes
    else {
        return Vec::new();
    };
    let options = updated.workflow_update_options.iter();
    options.map(|it| (it.update_id.clone(), it.attached_request_id.clone())).collect()
}

/// Emits the tasks of requests that joined updates which are over by now.
pub(crate) fn emit_overdue(draft: &mut Draft<'_>, joined: &[(String, String)]) {
    for (update_id, request_id) in joined {
        callback::emit_of_update(draft, update_id, |known| known.request_id == *request_id);
    }
}

/// The update is over: with an outcome in the history, or with this failure.
pub(super) fn settle(state: &mut State, update_id: &str, rejection: Option<&Failure>) {
    for callback in state.callbacks.iter_mut().filter(|callback| waits_for(callback, update_id)) {
        let callback = callback.edit();
        callback.state = CallbackState::Scheduled as i32;
        callback.rejection = rejection.cloned().map(Shared::new);
    }
}

/// Whether somebody outside waits for an update.
pub(super) fn is_watched(state: &State, update_id: &str) -> bool {
    state.callbacks.iter().any(|callback| waits_for(callback, update_id))
}

fn waits_for(callback: &CompletionCallback, update_id: &str) -> bool {
    callback.update_id == update_id && callback.state() == CallbackState::Standby
}
