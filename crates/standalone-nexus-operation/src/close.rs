//! How an operation ends.

use std::collections::BTreeMap;

use api::{
    common::v1::Payload,
    enums::v1::NexusOperationExecutionStatus as Status,
    failure::v1::{Failure, TerminatedFailureInfo, failure::FailureInfo},
};
use engine::{NexusOperationEnd, Shared};
use entity::Context;

use crate::{Outcome, Rejection, State, Terminate, attempt::add_links, callback, outcome::Value};

/// Its handler has ended it: by its answer to the request that starts it, or by a completion.
pub(crate) fn end(
    state: &mut State,
    end: NexusOperationEnd,
    by_attempt: bool,
    context: &Context<'_>,
) {
    let (status, failure) = match end {
        NexusOperationEnd::Succeeded { result, links } => {
            if by_attempt {
                add_links(state, links);
            }
            // Clients wait until there is an outcome: no result is one, too.
            let result = result.unwrap_or_else(null_payload);
            let outcome = Outcome { value: Some(Value::Result(result)) };
            return close(state, Status::Completed, Some(outcome), context);
        }
        NexusOperationEnd::Failed(failure) => (Status::Failed, failure),
        NexusOperationEnd::Canceled(failure) => (Status::Canceled, failure),
    };
    end_with(state, status, failure, by_attempt, context);
}

/// One of its time-outs has passed. Until the operation has started, that is how its last attempt
/// ended, as on the reference, even where there was none.
pub(crate) fn time_out(state: &mut State, failure: Failure, context: &Context<'_>) {
    let by_attempt = !state.operation.is_started();
    end_with(state, Status::TimedOut, failure, by_attempt, context);
}

fn end_with(
    state: &mut State,
    status: Status,
    failure: Failure,
    by_attempt: bool,
    context: &Context<'_>,
) {
    if by_attempt {
        state.operation.last_attempt_complete_time = context.now;
        state.operation.last_attempt_failure = Some(Shared::new(failure));
        close(state, status, None, context);
    } else {
        close(state, status, Some(failed(failure)), context);
    }
}

fn null_payload() -> Payload {
    let metadata = BTreeMap::from([("encoding".to_owned(), "binary/null".into())]);
    Payload { metadata, ..Payload::default() }
}

fn failed(failure: Failure) -> Outcome {
    Outcome { value: Some(Value::Failure(Box::new(failure))) }
}

/// Ends an operation: from here on it is kept for its readers only.
fn close(state: &mut State, status: Status, outcome: Option<Outcome>, context: &Context<'_>) {
    if state.is_asked_for() {
        // The attempt that is under way is over, whatever comes of it.
        state.operation.attempt = state.operation.attempt.saturating_add(1);
    }
    state.operation.end_back_off();
    state.set_status(status);
    state.outcome = outcome;
    state.close_time = context.now;
    state.forget_time = context.now + context.retention;
    callback::schedule(state);
}

/// Ends an operation whatever its handler does.
pub(crate) fn terminate(
    state: &mut State,
    terminate: Terminate,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Terminate { request_id, identity, reason } = terminate;
    if state.status() == Status::Terminated {
        if state.terminate_request_id == request_id {
            return Ok(());
        }
        let text = format!("already terminated with request ID {}", state.terminate_request_id);
        return Err(Rejection::Precondition(text));
    }
    if !state.is_open() {
        let text = format!("invalid transition from {}", status_name(state.status()));
        return Err(Rejection::Precondition(text));
    }
    state.terminate_request_id = request_id;
    let info = TerminatedFailureInfo { identity };
    let failure = Failure {
        message: reason,
        failure_info: Some(FailureInfo::TerminatedFailureInfo(info)),
        ..Failure::default()
    };
    close(state, Status::Terminated, Some(failed(failure)), context);
    Ok(())
}

/// A status as the reference's errors have it.
const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Unspecified => "Unspecified",
        Status::Running => "Scheduled",
        Status::Completed => "Succeeded",
        Status::Failed => "Failed",
        Status::Canceled => "Canceled",
        Status::Terminated => "Terminated",
        Status::TimedOut => "TimedOut",
    }
}

/// Ends an operation and forgets it, once those know who asked for it.
pub(crate) fn delete(state: &mut State, context: &Context<'_>) {
    if state.is_open() {
        let reason = "Delete nexus operation execution".to_owned();
        let terminated = terminate(state, Terminate { reason, ..Terminate::default() }, context);
        debug_assert!(terminated.is_ok(), "an open operation can be terminated");
    }
    state.is_deleted = true;
}
