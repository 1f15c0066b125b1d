//! What the handler of an operation is asked, whoever waits for the operation.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    common::v1::{Link, Payload},
    failure::v1::Failure,
    nexus::v1::{
        CancelOperationRequest, Request, StartOperationRequest,
        request::{Capabilities, Variant},
    },
};
use bytes::Bytes;
use engine::{
    NexusCancellationAnswer, NexusOperation, NexusOperationAnswer, SYSTEM_ENDPOINT, Shared,
};
use model::{Span, Time};
use namespace::Namespace;
use nexus_protocol::{CALLBACK_TOKEN, CallFailure};

use super::{CallbackToken, call::NexusTarget, failure::handler_failure, link::to_nexus_link};
use crate::{History, HistoryError};

/// How long a handler may take for one answer.
const REQUEST_TIMEOUT: Span = Span::from_secs(10);

impl History {
    /// Asks the handler of an operation to start it. The token names who waits for the operation,
    /// the link tells people.
    pub(crate) async fn ask_to_start(
        &self,
        caller: &Arc<Namespace>,
        operation: &NexusOperation,
        token: &CallbackToken,
        link: &Link,
    ) -> Result<NexusOperationAnswer, HistoryError> {
        let scheduled = operation.scheduled.as_deref();
        if let Some(scheduled) = scheduled.filter(|asked| asked.endpoint == SYSTEM_ENDPOINT) {
            return self.start_system_operation(caller, scheduled, link).await;
        }
        let target = match self.target_of(operation) {
            Ok(target) => target,
            Err(failure) => {
                return Ok(NexusOperationAnswer::HandlerFailed { failure, retryable: false });
            }
        };
        let Some(callback) = self.callback_url(caller, &target) else {
            return Ok(without_callback());
        };
        let now = self.node.now();
        let deadline = deadline(now, operation);
        let token = token.encode(&self.node.token_keys);
        let request = start_request(operation, callback, token, link, now, deadline);
        self.start_nexus_operation(&target, request, deadline).await
    }

    /// Asks the handler of an operation to cancel it.
    pub(crate) async fn ask_to_cancel(
        &self,
        operation: &NexusOperation,
    ) -> Result<NexusCancellationAnswer, HistoryError> {
        let target = match self.target_of(operation) {
            Ok(target) => target,
            Err(failure) => {
                return Ok(NexusCancellationAnswer::HandlerFailed { failure, retryable: false });
            }
        };
        let now = self.node.now();
        let deadline = deadline(now, operation);
        let request = cancel_request(operation, now, deadline);
        self.cancel_nexus_operation(&target, request, deadline).await
    }

    /// Finds what an operation's endpoint points at.
    fn target_of(&self, operation: &NexusOperation) -> Result<NexusTarget, Failure> {
        let scheduled = operation.scheduled.as_deref();
        // The reference routes by a path, which an empty name breaks.
        let named = scheduled.filter(|scheduled| !scheduled.operation.is_empty());
        let scheduled = named.ok_or_else(|| handler_failure("NOT_FOUND", "not found"))?;
        self.nexus_target(&scheduled.endpoint_id)
    }
}

/// A handler has its time, but no more than the operation has left.
fn deadline(now: Time, operation: &NexusOperation) -> Time {
    let own = now + REQUEST_TIMEOUT;
    let of_operation = operation.deadline();
    if of_operation.is_set() { own.min(of_operation) } else { own }
}

/// Nobody outside could say that the operation has ended. Tried again: an operator may mend it.
fn without_callback() -> NexusOperationAnswer {
    let text = "the server has no address to be called back at: it serves no HTTP, and no \
                template of callback URLs is set";
    let CallFailure { failure, retryable } = CallFailure::call_error(text, true);
    NexusOperationAnswer::HandlerFailed { failure, retryable }
}

fn start_request(
    operation: &NexusOperation,
    callback: String,
    token: String,
    link: &Link,
    now: Time,
    deadline: Time,
) -> Request {
    let scheduled = operation.scheduled.as_ref().map(Shared::to_owned_message).unwrap_or_default();
    let mut header = header(&scheduled.nexus_header, now, deadline);
    if let Some(left) = time_left(operation, now) {
        let left = left.millis().max(0);
        header.entry("operation-timeout".to_owned()).or_insert_with(|| format!("{left}ms"));
    }
    let start = StartOperationRequest {
        service: scheduled.service,
        operation: scheduled.operation,
        request_id: scheduled.request_id,
        callback,
        payload: Some(scheduled.input.unwrap_or_else(null_payload)),
        callback_header: BTreeMap::from([(CALLBACK_TOKEN.to_owned(), token)]),
        links: to_nexus_link(link).into_iter().collect(),
    };
    let variant = Variant::StartOperation(start);
    request(header, operation.scheduled_time, scheduled.endpoint, variant)
}

/// How long a handler that starts an operation now may work on it; none when nothing limits it.
fn time_left(operation: &NexusOperation, now: Time) -> Option<Span> {
    let scheduled = operation.scheduled.as_deref()?;
    let whole = Span::from_proto(scheduled.schedule_to_close_timeout.as_ref());
    let step = Span::from_proto(scheduled.start_to_close_timeout.as_ref());
    let of_whole = (!whole.is_zero()).then(|| (operation.scheduled_time + whole).since(now));
    of_whole.into_iter().chain((!step.is_zero()).then_some(step)).min()
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
    request(header, requested, scheduled.endpoint, Variant::CancelOperation(cancel))
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
    variant: Variant,
) -> Request {
    Request {
        header,
        scheduled_time: scheduled_time.to_proto(),
        // As in the reference: who cannot cancel says so in the older form.
        capabilities: Some(Capabilities {
            temporal_failure_responses: matches!(variant, Variant::StartOperation(_)),
        }),
        endpoint,
        variant: Some(variant),
    }
}
