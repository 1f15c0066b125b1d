//! How an activity ends.

use std::collections::BTreeMap;

use api::{
    activity::v1::{ActivityExecutionOutcome, activity_execution_outcome::Value},
    common::v1::{Payload, Payloads},
    enums::v1::{ActivityExecutionStatus, RetryState},
    failure::v1::{CanceledFailureInfo, Failure, TerminatedFailureInfo, failure::FailureInfo},
};
use engine::Shared;
use entity::Context;

use crate::{
    Confirm, Rejection, RequestCancel, State, Terminate, attempt::check_held, callback,
    state::Cancel,
};

/// Ends an activity: from here on it is kept for its readers only.
pub(crate) fn close(
    state: &mut State,
    status: ActivityExecutionStatus,
    outcome: ActivityExecutionOutcome,
    context: &Context<'_>,
) {
    state.set_status(status);
    state.outcome = Some(Shared::new(outcome));
    state.close_time = context.now;
    state.forget_time = context.now + context.retention;
    callback::schedule(state);
}

pub(crate) fn failed_with(failure: Failure, retry_state: RetryState) -> ActivityExecutionOutcome {
    ActivityExecutionOutcome {
        retry_state: retry_state as i32,
        value: Some(Value::Failure(failure)),
    }
}

/// Asks an activity to stop. One that no worker holds has stopped at once; a running one learns of
/// it from its next heartbeat.
pub(crate) fn request_cancel(
    state: &mut State,
    request: RequestCancel,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let RequestCancel { request_id, identity, reason } = request;
    if let Some(known) = &state.cancel
        && !request_id.is_empty()
        && known.request_id == request_id
    {
        return Ok(());
    }
    if !state.is_open() {
        let name = state.state_name();
        let text = format!("activity is in terminal state {name}");
        return Err(Rejection::Precondition(text));
    }
    if let Some(known) = &state.cancel {
        let text = format!("cancellation already requested with request ID {}", known.request_id);
        return Err(Rejection::Precondition(text));
    }
    let details = json_text(&reason);
    let is_held = state.is_held();
    // It takes precedence over a reset.
    state.reset = None;
    state.cancel = Some(Cancel { identity, reason, request_id, time: context.now });
    if !is_held {
        cancel(state, Some(details), context);
    }
    Ok(())
}

/// A worker has stopped as it was asked to.
pub(crate) fn confirm(
    state: &mut State,
    confirm: Confirm,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    check_held(state, confirm.held)?;
    if state.cancel.is_none() {
        return Err(Rejection::Invalid(
            "unable to mark activity as canceled without activity being request canceled first"
                .to_owned(),
        ));
    }
    cancel(state, confirm.details, context);
    Ok(())
}

fn cancel(state: &mut State, details: Option<Payloads>, context: &Context<'_>) {
    let identity = state.cancel.as_ref().map(|cancel| cancel.identity.clone());
    let info = CanceledFailureInfo { details, identity: identity.unwrap_or_default() };
    let failure = Failure {
        message: "Activity canceled".to_owned(),
        failure_info: Some(FailureInfo::CanceledFailureInfo(info)),
        ..Failure::default()
    };
    let outcome = failed_with(failure, RetryState::Unspecified);
    close(state, ActivityExecutionStatus::Canceled, outcome, context);
}

/// Ends an activity whatever its worker does.
pub(crate) fn terminate(
    state: &mut State,
    terminate: Terminate,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Terminate { request_id, identity, reason } = terminate;
    if state.status() == ActivityExecutionStatus::Terminated {
        if state.terminate_request_id == request_id {
            return Ok(());
        }
        let text = format!("already terminated with request ID {}", state.terminate_request_id);
        return Err(Rejection::Precondition(text));
    }
    if !state.is_open() {
        return Err(already_closed(state));
    }
    state.terminate_request_id = request_id;
    let info = TerminatedFailureInfo { identity };
    let failure = Failure {
        message: reason,
        failure_info: Some(FailureInfo::TerminatedFailureInfo(info)),
        ..Failure::default()
    };
    let outcome = failed_with(failure, RetryState::Unspecified);
    close(state, ActivityExecutionStatus::Terminated, outcome, context);
    Ok(())
}

/// The refusal of an end after the end.
pub(crate) fn already_closed(state: &State) -> Rejection {
    Rejection::Precondition(format!("invalid transition from {}", state.state_name()))
}

/// Ends an activity and forgets it, once those know who asked for it.
pub(crate) fn delete(state: &mut State, context: &Context<'_>) {
    if state.is_open() {
        let reason = "Delete activity execution".to_owned();
        let terminated = terminate(state, Terminate { reason, ..Terminate::default() }, context);
        debug_assert!(terminated.is_ok(), "an open activity can be terminated");
    }
    state.is_deleted = true;
}

/// A text as a payload.
fn json_text(text: &str) -> Payloads {
    let metadata = BTreeMap::from([("encoding".to_owned(), "json/plain".into())]);
    let data = serde_json::Value::from(text).to_string().into();
    Payloads { payloads: vec![Payload { metadata, data, ..Payload::default() }] }
}
