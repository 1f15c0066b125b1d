//! Those outside who want to know how an operation ended.

use api::{
    common::v1::Callback,
    enums::v1::{CallbackState, NexusOperationExecutionStatus},
};
use engine::{CallbackDelivery, CompletionCallback, Shared, outbound_delay};
use entity::Context;
use model::Time;

use crate::{Outcome, State};

/// The end of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// How it ended.
    pub outcome: Outcome,
    /// It was cancelled.
    pub is_canceled: bool,
    /// When it was scheduled.
    pub schedule_time: Time,
    /// When it ended.
    pub close_time: Time,
}

/// The operation has ended: all are to be told.
pub(crate) fn schedule(state: &mut State) {
    for callback in &mut state.callbacks {
        callback.set_state(CallbackState::Scheduled);
    }
}

/// Those who are to be told now, with their places.
pub(crate) fn scheduled(state: &State) -> impl Iterator<Item = (u64, &CompletionCallback)> {
    let numbered = (0..).zip(&state.callbacks);
    numbered.filter(|(_, callback)| callback.state() == CallbackState::Scheduled)
}

pub(crate) fn work(state: &State, index: u64) -> Option<(Callback, Completion)> {
    let callback = state.callbacks.get(usize::try_from(index).ok()?)?.callback.as_ref()?;
    let completion = Completion {
        outcome: state.end()?,
        is_canceled: state.status() == NexusOperationExecutionStatus::Canceled,
        schedule_time: state.operation.scheduled_time,
        close_time: state.close_time,
    };
    Some((Shared::to_owned_message(callback), completion))
}

/// An attempt to tell somebody has ended.
pub(crate) fn attempted(
    state: &mut State,
    index: u64,
    delivery: CallbackDelivery,
    context: &Context<'_>,
) {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let Some(callback) = state.callbacks.get_mut(index) else { return };
    callback.attempt = callback.attempt.saturating_add(1);
    callback.last_attempt_complete_time = context.now;
    let next = match delivery {
        CallbackDelivery::Delivered => {
            callback.last_attempt_failure = None;
            CallbackState::Succeeded
        }
        CallbackDelivery::Failed { failure, retryable } => {
            callback.last_attempt_failure = Some(Shared::new(failure));
            if retryable {
                callback.next_attempt_time = context.now + outbound_delay(callback.attempt);
                CallbackState::BackingOff
            } else {
                CallbackState::Failed
            }
        }
    };
    callback.set_state(next);
}

/// Those whose back-off is over are told again.
pub(crate) fn end_back_offs(state: &mut State, now: Time) {
    for callback in &mut state.callbacks {
        if callback.state() == CallbackState::BackingOff && callback.next_attempt_time <= now {
            callback.next_attempt_time = Time::UNSET;
            callback.set_state(CallbackState::Scheduled);
        }
    }
}

/// When the next back-off is over.
pub(crate) fn next_time(state: &State) -> Option<Time> {
    let waiting =
        state.callbacks.iter().filter(|callback| callback.state() == CallbackState::BackingOff);
    waiting.map(|callback| callback.next_attempt_time).min()
}

/// True when the operation has ended and nobody is to be told any more.
pub(crate) fn are_over(state: &State) -> bool {
    let is_over = |state: CallbackState| {
        !matches!(state, CallbackState::Scheduled | CallbackState::BackingOff)
    };
    !state.is_open() && state.callbacks.iter().all(|callback| is_over(callback.state()))
}
