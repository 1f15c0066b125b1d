//! The wish that an operation stops, and how its handler is told.

use engine::{NexusCancellation, NexusCancellationAnswer, Shared, outbound_delay};
use entity::Context;
use model::Time;

use crate::{Cancel, Rejection, RequestCancel, State};

/// Asks an operation to stop. Its handler decides whether and when it does.
pub(crate) fn request(
    state: &mut State,
    request: RequestCancel,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let RequestCancel { request_id, identity, reason } = request;
    let known = state.cancel.as_ref().map(|known| known.request_id.clone());
    if known.as_ref() == Some(&request_id) {
        return Ok(());
    }
    if !state.is_open() {
        return Err(Rejection::Precondition("operation already completed".to_owned()));
    }
    if let Some(known) = known {
        let text = format!("cancellation already requested with request ID {known}");
        return Err(Rejection::Precondition(text));
    }
    state.cancel = Some(Cancel { identity, reason, request_id });
    state.operation.cancellation = Some(NexusCancellation::requested(0, context.now));
    Ok(())
}

/// The handler's answer to the request that cancels the operation.
pub(crate) fn attempted(state: &mut State, answer: NexusCancellationAnswer, context: &Context<'_>) {
    let Some(wish) = &mut state.operation.cancellation else { return };
    match answer {
        NexusCancellationAnswer::Accepted => wish.end(None, context.now),
        NexusCancellationAnswer::HandlerFailed { failure, retryable: false } => {
            wish.end(Some(Shared::new(failure)), context.now);
        }
        NexusCancellationAnswer::HandlerFailed { failure, retryable: true } => {
            let next = context.now + outbound_delay(wish.attempt.saturating_add(1));
            wish.back_off(Some(Shared::new(failure)), context.now, next);
        }
    }
}

/// When the handler is asked again to cancel the operation; unset when it is not.
pub(crate) fn next_time(state: &State) -> Time {
    let wish = state.operation.cancellation.as_ref().filter(|_| state.is_started());
    wish.map_or(Time::UNSET, |wish| wish.next_attempt_time)
}

pub(crate) fn end_back_off(state: &mut State) {
    if let Some(wish) = &mut state.operation.cancellation {
        wish.end_back_off();
    }
}
