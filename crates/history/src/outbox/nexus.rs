//! Requests of a run to the handlers of its Nexus operations.

use std::collections::BTreeMap;

use api::{
    common::v1::Payload,
    failure::v1::Failure,
    nexus::v1::{
        CancelOperationRequest, Request, StartOperationRequest,
        request::{self, Capabilities},
    },
};
use bytes::Bytes;
use engine::{
    NexusCancellationAnswer, NexusOperation, NexusOperationAnswer, NexusOperationRef, Outcome,
    Shared,
};
use model::{Span, Time};
use nexus_protocol::{CALLBACK_TOKEN, CallFailure};

use super::Source;
use crate::{
    History, HistoryError,
    nexus::{CallbackToken, NexusTarget, handler_failure, scheduled_event_link, to_nexus_link},
};

/// How long a handler may take for one answer.
const REQUEST_TIMEOUT: Span = Span::from_secs(10);

/// Asks a handler to start an operation.
pub(super) async fn start(
    history: &History,
    source: &Source,
    task: NexusOperationRef,
) -> Result<Option<Outcome>, HistoryError> {
    let found = source.state.nexus_operations.get(&task.scheduled_event_id);
    let Some(operation) = found.filter(|operation| operation.stamp == task.stamp) else {
        return Ok(None);
    };
    let answer = match target(history, operation) {
        Err(failure) => NexusOperationAnswer::HandlerFailed { failure, retryable: false },
        Ok(target) => match history.callback_url(&source.namespace, &target) {
            None => without_callback(),
            Some(callback) => {
                let now = history.node.now();
                let deadline = deadline(now, operation);
                let id = task.scheduled_event_id;
                let request = start_request(source, id, operation, callback, now, deadline);
                history.start_nexus_operation(&target, request, deadline).await?
            }
        },
    };
    Ok(Some(Outcome::NexusOperation { task, answer }))
}

/// Asks a handler to cancel an operation.
pub(super) async fn cancel(
    history: &History,
    source: &Source,
    task: NexusOperationRef,
) -> Result<Option<Outcome>, HistoryError> {
    let Some(operation) = source.state.nexus_operations.get(&task.scheduled_event_id) else {
        return Ok(None);
    };
    let answer = match target(history, operation) {
        Err(failure) => NexusCancellationAnswer::HandlerFailed { failure, retryable: false },
        Ok(target) => {
            let now = history.node.now();
            let deadline = deadline(now, operation);
            let request = cancel_request(operation, now, deadline);
            history.cancel_nexus_operation(&target, request, deadline).await?
        }
    };
    Ok(Some(Outcome::NexusCancellation { task, answer }))
}

/// A handler has its time, but no more than the operation has left.
fn deadline(now: Time, operation: &NexusOperation) -> Time {
    let own = now + REQUEST_TIMEOUT;
    let of_operation = operation.deadline();
    if of_operation.is_set() { own.min(of_operation) } else { own }
}

/// Finds what an operation's endpoint points at.
fn target(history: &History, operation: &NexusOperation) -> Result<NexusTarget, Failure> {
    let scheduled = operation.scheduled.as_ref().map(Shared::to_owned_message).unwrap_or_default();
    // The reference routes by a path, which an empty name breaks.
    if scheduled.operation.is_empty() {
        return Err(handler_failure("NOT_FOUND", "not found"));
    }
    history.nexus_target(&scheduled.endpoint_id)
}

/// Nobody outside could say that the operation has ended. Tried again: an operator may mend it.
fn without_callback() -> NexusOperationAnswer {
    let text = "the server has no address to be called back at: it serves no HTTP, and no \
                template of callback URLs is set";
    let CallFailure { failure, retryable } = CallFailure::call_error(text, true);
    NexusOperationAnswer::HandlerFailed { failure, retryable }
}

fn start_request(
    source: &Source,
    scheduled_event_id: i64,
    operation: &NexusOperation,
    callback: String,
    now: Time,
    deadline: Time,
) -> Request {
    let scheduled = operation.scheduled.as_ref().map(Shared::to_owned_message).unwrap_or_default();
    let execution = source.execution();
    let link = scheduled_event_link(
        &source.namespace.name,
        &execution.workflow_id,
        &execution.run_id,
        scheduled_event_id,
    );
    let token = CallbackToken {
        run: source.key.clone(),
        scheduled_event_id,
        request_id: scheduled.request_id.clone(),
    };
    let mut header = header(&scheduled.nexus_header, now, deadline);
    let start_to_close = Span::from_proto(scheduled.start_to_close_timeout.as_ref());
    let schedule_to_close = Span::from_proto(scheduled.schedule_to_close_timeout.as_ref());
    let expiration = operation.scheduled_time + schedule_to_close;
    let left = (!schedule_to_close.is_zero()).then(|| expiration.since(now).max(Span::ZERO));
    let own = (!start_to_close.is_zero()).then_some(start_to_close);
    if let Some(left) = left.into_iter().chain(own).min() {
        let left = left.millis();
        header.entry("operation-timeout".to_owned()).or_insert_with(|| format!("{left}ms"));
    }
    let start = StartOperationRequest {
        service: scheduled.service,
        operation: scheduled.operation,
        request_id: scheduled.request_id,
        callback,
        payload: Some(scheduled.input.unwrap_or_else(null_payload)),
        callback_header: BTreeMap::from([(CALLBACK_TOKEN.to_owned(), token.encode())]),
        links: to_nexus_link(&link).into_iter().collect(),
    };
    request(
        header,
        operation.scheduled_time,
        scheduled.endpoint,
        request::Variant::StartOperation(start),
    )
}

/// What a handler gets when the caller gives it nothing.
fn null_payload() -> Payload {
    let metadata = [("encoding".to_owned(), Bytes::from_static(b"binary/null"))];
    Payload { metadata: metadata.into(), ..Payload::default() }
}

fn cancel_request(operation: &NexusOperation, now: Time, deadline: Time) -> Request {
    let scheduled = operation.scheduled.as_ref().map(Shared::to_owned_message).unwrap_or_default();
    let header = header(&scheduled.nexus_header, now, deadline);
    let requested = operation
        .cancellation
        .as_ref()
        .map_or(operation.scheduled_time, |wish| wish.requested_time);
    #[expect(deprecated, reason = "older SDKs read the token under its former name")]
    let cancel = CancelOperationRequest {
        service: scheduled.service,
        operation: scheduled.operation,
        operation_id: operation.operation_token.clone(),
        operation_token: operation.operation_token.clone(),
    };
    request(header, requested, scheduled.endpoint, request::Variant::CancelOperation(cancel))
}

fn header(given: &BTreeMap<String, String>, now: Time, deadline: Time) -> BTreeMap<String, String> {
    let mut header = given.clone();
    let left = deadline.since(now).millis().max(0);
    header.insert("request-timeout".to_owned(), format!("{left}ms"));
    header
}

fn request(
    header: BTreeMap<String, String>,
    scheduled_time: Time,
    endpoint: String,
    variant: request::Variant,
) -> Request {
    Request {
        header,
        scheduled_time: scheduled_time.to_proto(),
        // As in the reference: who cannot cancel says so in the older form.
        capabilities: Some(Capabilities {
            temporal_failure_responses: matches!(variant, request::Variant::StartOperation(_)),
        }),
        endpoint,
        variant: Some(variant),
    }
}
