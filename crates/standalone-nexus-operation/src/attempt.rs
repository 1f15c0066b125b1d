//! Attempts to start an operation, its completion, and its times.

use api::{
    enums::v1::TimeoutType,
    failure::v1::{Failure, TimeoutFailureInfo, failure::FailureInfo},
};
use engine::{NexusOperationAnswer, NexusOperationEnd, Shared, outbound_delay};
use entity::Context;
use model::Time;

use crate::{Complete, Rejection, State, callback, cancel, close, limits::LINKS_MAX};

/// The handler's answer to the request that starts the operation.
pub(crate) fn attempted(state: &mut State, answer: NexusOperationAnswer, context: &Context<'_>) {
    match answer {
        NexusOperationAnswer::Started { operation_token, links } => {
            add_links(state, links);
            state.operation.start(&operation_token, context.now);
        }
        NexusOperationAnswer::Ended(end) => close::end(state, end, true, context),
        NexusOperationAnswer::HandlerFailed { failure, retryable: false } => {
            close::end(state, NexusOperationEnd::Failed(failure), true, context);
        }
        NexusOperationAnswer::HandlerFailed { failure, retryable: true } => {
            let next = context.now + outbound_delay(state.operation.attempt.saturating_add(1));
            let failure = Some(Shared::new(failure));
            state.operation.back_off(failure, context.now, next);
        }
    }
}

/// The handler says that it has done it. That may overtake its answer to the start.
pub(crate) fn complete(
    state: &mut State,
    complete: Complete,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Complete { request_id, operation_token, links, end } = complete;
    if !state.is_open() || state.operation.request_id() != request_id {
        return Err(Rejection::NotFound);
    }
    if !state.operation.is_started() {
        add_links(state, links);
        state.operation.start(&operation_token, context.now);
    }
    close::end(state, end, false, context);
    Ok(())
}

/// More links than there may be are left out: they only help people.
pub(crate) fn add_links(state: &mut State, links: Vec<api::common::v1::Link>) {
    state.links.extend(links);
    state.links.truncate(LINKS_MAX);
}

/// When the operation is looked at next.
pub(crate) fn next_time(state: &State) -> Option<Time> {
    if !state.is_open() {
        let next = callback::next_time(state);
        return next.or_else(|| callback::are_over(state).then_some(state.forget_time));
    }
    let operation = &state.operation;
    let times = [operation.next_attempt_time, operation.deadline(), cancel::next_time(state)];
    times.into_iter().filter(|time| time.is_set()).min()
}

/// Goes on where the time has come; true when the operation is to be forgotten.
pub(crate) fn due(state: &mut State, context: &Context<'_>) -> bool {
    let now = context.now;
    let is_over = |time: Time| time.is_set() && time <= now;
    if !state.is_open() {
        callback::end_back_offs(state, now);
        return callback::are_over(state) && state.forget_time <= now;
    }
    if let Some((_, kind)) = state.operation.earliest_timeout().filter(|(due, _)| is_over(*due)) {
        close::time_out(state, timeout_failure(kind), context);
        return false;
    }
    if is_over(state.operation.next_attempt_time) {
        state.operation.end_back_off();
    }
    if is_over(cancel::next_time(state)) {
        cancel::end_back_off(state);
    }
    false
}

fn timeout_failure(kind: TimeoutType) -> Failure {
    let info = TimeoutFailureInfo { timeout_type: kind as i32, ..TimeoutFailureInfo::default() };
    Failure {
        message: "operation timed out".to_owned(),
        failure_info: Some(FailureInfo::TimeoutFailureInfo(info)),
        ..Failure::default()
    }
}
