//! Those outside who want to know how an activity ended.

use api::{
    activity::v1::ActivityExecutionOutcome,
    common::v1::Callback,
    enums::v1::{ActivityExecutionStatus, CallbackState},
};
use engine::{CallbackDelivery, Shared, outbound_delay};
use entity::{Context, EntityKey};
use model::Time;

use crate::State;

/// Attempts of one callback that have numbers of their own.
const ATTEMPTS_MAX: u64 = 1 << 32;

/// Tell somebody outside how the activity ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Whom.
    pub callback: Callback,
    /// What.
    pub completion: Completion,
}

/// The end of an activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// How it ended.
    pub outcome: ActivityExecutionOutcome,
    /// It was cancelled.
    pub is_canceled: bool,
    /// When it was started.
    pub schedule_time: Time,
    /// When it ended.
    pub close_time: Time,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered(pub CallbackDelivery);

/// The activity has ended: all are to be told.
pub(crate) fn schedule(state: &mut State) {
    for callback in &mut state.callbacks {
        callback.set_state(CallbackState::Scheduled);
    }
}

/// The numbers of the deliveries that are to be made: they tell callback and attempt.
pub(crate) fn outstanding(state: &State) -> Vec<u64> {
    let numbered = (0..).zip(&state.callbacks);
    numbered
        .filter(|(_, callback)| callback.state() == CallbackState::Scheduled)
        .map(|(index, callback)| number(index, callback.attempt))
        .collect()
}

fn number(index: u64, attempt: i32) -> u64 {
    (index + 1) * ATTEMPTS_MAX + u64::from(attempt.unsigned_abs())
}

fn index_of(state: &State, number: u64) -> Option<usize> {
    outstanding(state)
        .contains(&number)
        .then(|| usize::try_from((number / ATTEMPTS_MAX).saturating_sub(1)).ok())?
}

pub(crate) fn work(state: &State, number: u64, _key: &EntityKey) -> Option<Work> {
    let callback = state.callbacks.get(index_of(state, number)?)?.callback.as_ref()?;
    let outcome = state.outcome.as_ref().map(Shared::to_owned_message)?;
    Some(Work {
        callback: callback.to_owned_message(),
        completion: Completion {
            outcome,
            is_canceled: state.status() == ActivityExecutionStatus::Canceled,
            schedule_time: state.schedule_time,
            close_time: state.close_time,
        },
    })
}

/// An attempt to tell somebody has ended.
pub(crate) fn attempted(
    state: &mut State,
    number: u64,
    delivered: Delivered,
    context: &Context<'_>,
) {
    let Some(callback) = index_of(state, number).and_then(|index| state.callbacks.get_mut(index))
    else {
        return;
    };
    callback.attempt = callback.attempt.saturating_add(1);
    callback.last_attempt_complete_time = context.now;
    let Delivered(delivery) = delivered;
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

/// True when the activity has ended and nobody is to be told any more.
pub(crate) fn are_over(state: &State) -> bool {
    let is_over = |state: CallbackState| {
        !matches!(state, CallbackState::Scheduled | CallbackState::BackingOff)
    };
    !state.is_open() && state.callbacks.iter().all(|callback| is_over(callback.state()))
}
