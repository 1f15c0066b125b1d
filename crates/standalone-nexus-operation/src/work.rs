//! What is to be done outside: to ask the handler, and to tell those who want to know.

use api::common::v1::Callback;
use engine::{CallbackDelivery, NexusCancellationAnswer, NexusOperation, NexusOperationAnswer};
use entity::Context;

use crate::{Completion, State, attempt, callback, cancel};

/// Attempts of one kind of work that have numbers of their own.
const ATTEMPTS_MAX: u64 = 1 << 32;

/// What the numbers of each kind of work begin with. Callbacks come last: there are several.
const START: u64 = 0;
const CANCEL: u64 = 1;
const CALLBACKS: u64 = 2;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Ask the handler to start the operation.
    Start(Box<NexusOperation>),
    /// Ask the handler to cancel it.
    Cancel(Box<NexusOperation>),
    /// Tell somebody outside how it ended.
    Tell(Box<(Callback, Completion)>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// The handler's answer to the request that starts the operation.
    Started(NexusOperationAnswer),
    /// Its answer to the request that cancels it.
    Canceled(NexusCancellationAnswer),
    /// Whether somebody was told.
    Told(CallbackDelivery),
}

fn number(kind: u64, attempts: i32) -> u64 {
    kind * ATTEMPTS_MAX + u64::from(attempts.unsigned_abs())
}

/// The numbers tell what is done, and in which attempt.
pub(crate) fn outstanding(state: &State) -> Vec<u64> {
    let operation = &state.operation;
    let start = state.is_asked_for().then(|| number(START, operation.attempt));
    let wish = operation.cancellation.as_ref().filter(|_| state.is_cancel_asked_for());
    let cancel = wish.map(|wish| number(CANCEL, wish.attempt));
    let callbacks = callback::scheduled(state)
        .map(|(index, callback)| number(CALLBACKS + index, callback.attempt));
    start.into_iter().chain(cancel).chain(callbacks).collect()
}

pub(crate) fn work(state: &State, number: u64) -> Option<Work> {
    if !outstanding(state).contains(&number) {
        return None;
    }
    Some(match number / ATTEMPTS_MAX {
        START => Work::Start(Box::new(state.operation.clone())),
        CANCEL => Work::Cancel(Box::new(state.operation.clone())),
        callback => Work::Tell(Box::new(callback::work(state, callback - CALLBACKS)?)),
    })
}

/// A piece of work was done, unless it was no longer wanted.
pub(crate) fn done(state: &mut State, number: u64, done: Done, context: &Context<'_>) {
    if !outstanding(state).contains(&number) {
        return;
    }
    let kind = number / ATTEMPTS_MAX;
    match (kind, done) {
        (START, Done::Started(answer)) => attempt::attempted(state, answer, context),
        (CANCEL, Done::Canceled(answer)) => cancel::attempted(state, answer, context),
        (_, Done::Told(delivery)) if kind >= CALLBACKS => {
            callback::attempted(state, kind - CALLBACKS, delivery, context);
        }
        // The shell answers a piece of work with what came of it.
        (_, Done::Started(_) | Done::Canceled(_) | Done::Told(_)) => {}
    }
}
