//! Beginning, and what becomes of an id that was used before.

use api::{
    common::v1::Callback,
    enums::v1::{
        CallbackState, NexusOperationExecutionStatus as Status,
        NexusOperationIdConflictPolicy as ConflictPolicy,
        NexusOperationIdReusePolicy as ReusePolicy,
    },
};
use engine::{CompletionCallback, NexusOperation, Shared};
use entity::{Context, Decision};
use model::RunId;

use crate::{
    Rejection, Reply, StandaloneNexusOperation, Start, State,
    limits::{CALLBACKS_MAX, LINKS_MAX, REQUESTS_MAX},
};

/// What the id of the request to the handler is derived from, beside the instance.
const HANDLER_REQUEST: i64 = -1;

/// The first operation of an id.
pub(crate) fn first(
    start: Start,
    context: &Context<'_>,
) -> Result<Decision<StandaloneNexusOperation>, Rejection> {
    let state = begin(start, context.instance, context)?;
    Ok(Decision::answered(Some(state), started(context.instance, true)))
}

/// A start under an id that an operation has or had.
pub(crate) fn again(
    mut state: State,
    start: Start,
    context: &Context<'_>,
) -> Result<Decision<StandaloneNexusOperation>, Rejection> {
    let known = |state| Decision::answered(Some(state), started(context.instance, false));
    let is_repeated = state.start_request_id == start.request_id
        || state.attached_requests.contains(&start.request_id);
    if is_repeated {
        return Ok(known(state));
    }
    let already_started = || Rejection::AlreadyStarted {
        request_id: state.start_request_id.clone(),
        instance: context.instance.to_string(),
    };
    if state.is_open() {
        if start.conflict != ConflictPolicy::UseExisting {
            return Err(already_started());
        }
        attach(&mut state, start, context)?;
        return Ok(known(state));
    }
    let may_follow = match start.reuse {
        ReusePolicy::Unspecified | ReusePolicy::AllowDuplicate => true,
        ReusePolicy::AllowDuplicateFailedOnly => state.status() != Status::Completed,
        ReusePolicy::RejectDuplicate => false,
    };
    if !may_follow {
        return Err(already_started());
    }
    let successor = begin(start, context.fresh_id, context)?;
    let reply = started(context.fresh_id, true);
    Ok(Decision { state: Some(state), successor: Some(successor), reply })
}

fn started(instance: RunId, is_new: bool) -> Reply {
    Reply::Started { instance, is_new }
}

fn begin(start: Start, instance: RunId, context: &Context<'_>) -> Result<State, Rejection> {
    let mut scheduled = start.scheduled;
    scheduled.request_id = instance.derived(HANDLER_REQUEST).to_string();
    let mut state = State {
        operation: NexusOperation::scheduled_at(scheduled, context.now),
        status: Status::Running as i32,
        start_request_id: start.request_id,
        identity: start.identity,
        user_metadata: start.user_metadata.map(Shared::new),
        search_attributes: start.search_attributes.map(Shared::new),
        untyped_attributes: start.untyped_attributes,
        links: start.links,
        transitions: 1,
        ..State::default()
    };
    register(&mut state, start.callbacks, context)?;
    Ok(state)
}

/// What a start brings that finds the operation running.
fn attach(state: &mut State, start: Start, context: &Context<'_>) -> Result<(), Rejection> {
    let Start { request_id, callbacks, links, attaches_callbacks, attaches_links, .. } = start;
    let attaches_callbacks = attaches_callbacks && !callbacks.is_empty();
    let attaches_links = attaches_links && !links.is_empty();
    if !attaches_callbacks && !attaches_links {
        return Ok(());
    }
    if attaches_callbacks {
        register(state, callbacks, context)?;
    }
    if attaches_links {
        let count = state.links.len();
        if count + links.len() > LINKS_MAX {
            return Err(Rejection::Precondition(format!(
                "cannot attach more than {LINKS_MAX} links to a Nexus operation ({count} links \
                 already attached)"
            )));
        }
        state.links.extend(links);
    }
    state.attached_requests.push(request_id);
    if state.attached_requests.len() > REQUESTS_MAX {
        state.attached_requests.remove(0);
    }
    state.transitions += 1;
    Ok(())
}

fn register(
    state: &mut State,
    callbacks: Vec<Callback>,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let count = state.callbacks.len();
    if count + callbacks.len() > CALLBACKS_MAX {
        return Err(Rejection::Precondition(format!(
            "cannot attach more than {CALLBACKS_MAX} callbacks to a Nexus operation ({count} \
             callbacks already attached)"
        )));
    }
    state.callbacks.extend(callbacks.into_iter().map(|callback| CompletionCallback {
        callback: Some(Shared::new(callback)),
        registration_time: context.now,
        state: CallbackState::Standby as i32,
        ..CompletionCallback::default()
    }));
    Ok(())
}
