//! Completion callbacks: of a chain of runs that has ended, and of updates.

use api::{
    common::v1::{
        Callback, Link,
        callback::{self, Variant},
        link,
    },
    enums::v1::{EventType, TimeoutType},
    failure::v1::{
        ApplicationFailureInfo, CanceledFailureInfo, Failure, TerminatedFailureInfo,
        TimeoutFailureInfo, failure::FailureInfo,
    },
    history::v1::history_event::Attributes,
};
use bytes::Bytes;
use engine::{CallbackDelivery, CallbackRef, NexusOperationEnd, Outcome, Rejection, Shared};
use model::{Span, Time};
use nexus_protocol::{
    CALLBACK_TOKEN, CallFailure, Completion, CompletionEnd, OPERATION_TOKEN,
    read_completion_answer, write_completion,
};

use super::{Source, update};
use crate::{
    History, HistoryError,
    context::Caller,
    nexus::{CallbackToken, NexusCompletion, SYSTEM_CALLBACK_URL, handler_failure, to_nexus_link},
};

/// How long a server may take for its answer.
const REQUEST_TIMEOUT: Span = Span::from_secs(10);

/// Delivers a callback once.
pub(super) async fn deliver(
    history: &History,
    source: &Source,
    task: CallbackRef,
) -> Result<Option<Outcome>, HistoryError> {
    let index = usize::try_from(task.index).unwrap_or(usize::MAX);
    let Some(found) = source.state.callbacks.get(index) else { return Ok(None) };
    let callback = found.callback.as_ref().map(Shared::to_owned_message);
    let Some(callback) = callback else { return Ok(None) };
    let news = if found.update_id.is_empty() {
        News::of(source)
    } else {
        update::news(history, source, found).await?
    };
    let delivery = deliver_news(history, &callback, news).await?;
    Ok(Some(Outcome::Callback { task, delivery }))
}

/// What a callback says.
#[derive(Debug)]
pub(crate) struct News {
    /// How it ended.
    pub(crate) end: NexusOperationEnd,
    /// What has ended.
    pub(crate) link: Link,
    /// When it started.
    pub(crate) start_time: Time,
    /// When it ended.
    pub(crate) close_time: Time,
}

impl News {
    fn of(source: &Source) -> Self {
        let state = &source.state;
        let closed = state.close_event.as_ref().and_then(|event| event.event_time);
        Self {
            end: end(source),
            link: started_event_link(source),
            start_time: state.start_time,
            close_time: Time::from_proto(closed.as_ref()),
        }
    }
}

/// Brings the news to whom a callback names.
pub(crate) async fn deliver_news(
    history: &History,
    callback: &Callback,
    news: News,
) -> Result<CallbackDelivery, HistoryError> {
    let Some(Variant::Nexus(nexus)) = &callback.variant else {
        return Ok(failed(handler_failure("BAD_REQUEST", "the callback is of an unknown kind")));
    };
    if nexus.url == SYSTEM_CALLBACK_URL {
        return deliver_inside(history, nexus, news).await;
    }
    let request = match request_outside(history, nexus, news) {
        Ok(request) => request,
        Err(text) => return Ok(undelivered(CallFailure::call_error(text, true))),
    };
    let answer = history.send_outside(request, REQUEST_TIMEOUT.to_std()).await?;
    Ok(match answer.and_then(|answer| read_completion_answer(&answer)) {
        Ok(()) => CallbackDelivery::Delivered,
        Err(refused) => undelivered(refused),
    })
}

/// Tells a run of this server. One that no longer waits need not know.
async fn deliver_inside(
    history: &History,
    callback: &callback::Nexus,
    news: News,
) -> Result<CallbackDelivery, HistoryError> {
    let token = header(callback, CALLBACK_TOKEN);
    let token = token.and_then(|token| CallbackToken::decode(&history.node.token_keys, token));
    let Some(token) = token else {
        let text = "the callback token is not one of this server";
        return Ok(failed(handler_failure("BAD_REQUEST", text)));
    };
    let Some(namespace) = history.node.namespaces.by_id(token.namespace_id()) else {
        return Ok(failed(handler_failure("NOT_FOUND", "namespace not found")));
    };
    let completion = NexusCompletion {
        operation_token: header(callback, OPERATION_TOKEN).unwrap_or_default().to_owned(),
        links: vec![news.link],
        end: news.end,
    };
    match history.tell_caller(&Caller::server(&namespace), &token, completion).await {
        Ok(()) => Ok(CallbackDelivery::Delivered),
        Err(HistoryError::Rejected(
            rejection @ (Rejection::NexusOperationNotFound
            | Rejection::WorkflowClosed
            | Rejection::WorkflowNotFound { .. }
            | Rejection::RunNotFound { .. }),
        )) => Ok(failed(handler_failure("NOT_FOUND", rejection.to_string()))),
        Err(error) => Err(error),
    }
}

/// The news for a server outside, or why it cannot be told. The address was checked when the
/// callback was registered, and is again: the rules may have changed.
fn request_outside(
    history: &History,
    callback: &callback::Nexus,
    news: News,
) -> Result<http::Request<Bytes>, String> {
    let rules = &history.node.outbound.rules;
    rules.check_callback(&callback.url).map_err(|error| error.to_string())?;
    let completion = Completion {
        operation_token: String::new(),
        start_time: news.start_time,
        close_time: news.close_time,
        links: to_nexus_link(&news.link).into_iter().collect(),
        end: match news.end {
            NexusOperationEnd::Succeeded { result, .. } => CompletionEnd::Succeeded(result),
            NexusOperationEnd::Failed(failure) => {
                CompletionEnd::Unsuccessful { failure: Box::new(failure), is_canceled: false }
            }
            NexusOperationEnd::Canceled(failure) => {
                CompletionEnd::Unsuccessful { failure: Box::new(failure), is_canceled: true }
            }
        },
    };
    write_completion(&callback.url, &completion, &callback.header)
        .ok_or_else(|| format!("no address: `{}`", callback.url))
}

/// What a callback keeps of an answer: whose it is, is not its business.
fn undelivered(refused: CallFailure) -> CallbackDelivery {
    let CallFailure { failure, retryable } = refused;
    let message = match &failure.failure_info {
        Some(FailureInfo::NexusHandlerFailureInfo(info)) => {
            let separator = if failure.message.is_empty() { "" } else { ": " };
            format!("handler error ({}){separator}{}", info.r#type, failure.message)
        }
        Some(_) | None => failure.message,
    };
    let info = ApplicationFailureInfo { non_retryable: !retryable, ..Default::default() };
    let failure = Failure {
        message,
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Failure::default()
    };
    CallbackDelivery::Failed { failure, retryable }
}

fn failed(failure: Failure) -> CallbackDelivery {
    CallbackDelivery::Failed { failure, retryable: false }
}

fn header<'a>(callback: &'a callback::Nexus, name: &str) -> Option<&'a str> {
    let mut found = callback.header.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.as_str())
}

/// How the chain ended, as a handler of an operation would say it.
fn end(source: &Source) -> NexusOperationEnd {
    let event = source.state.close_event.as_ref();
    let attributes = event.and_then(|event| event.attributes.clone());
    let failed = |message: &str, info: FailureInfo| Failure {
        message: message.to_owned(),
        failure_info: Some(info),
        ..Failure::default()
    };
    match attributes {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) => {
            let payloads = completed.result.map(|result| result.payloads).unwrap_or_default();
            let result = payloads.into_iter().next();
            NexusOperationEnd::Succeeded { result, links: Vec::new() }
        }
        Some(Attributes::WorkflowExecutionFailedEventAttributes(ended)) => {
            NexusOperationEnd::Failed(ended.failure.unwrap_or_default())
        }
        Some(Attributes::WorkflowExecutionCanceledEventAttributes(canceled)) => {
            let info = CanceledFailureInfo { details: canceled.details, ..Default::default() };
            let info = FailureInfo::CanceledFailureInfo(info);
            NexusOperationEnd::Canceled(failed("operation canceled", info))
        }
        Some(Attributes::WorkflowExecutionTimedOutEventAttributes(_)) => {
            let info = TimeoutFailureInfo {
                timeout_type: TimeoutType::StartToClose as i32,
                ..Default::default()
            };
            let info = FailureInfo::TimeoutFailureInfo(info);
            NexusOperationEnd::Failed(failed("operation exceeded internal timeout", info))
        }
        _ => {
            let info = FailureInfo::TerminatedFailureInfo(TerminatedFailureInfo::default());
            NexusOperationEnd::Failed(failed("operation terminated", info))
        }
    }
}

fn started_event_link(source: &Source) -> Link {
    let execution = source.execution();
    let reference = link::workflow_event::EventReference {
        event_id: 1,
        event_type: EventType::WorkflowExecutionStarted as i32,
    };
    let event = link::WorkflowEvent {
        namespace: source.namespace.name.clone(),
        workflow_id: execution.workflow_id,
        run_id: execution.run_id,
        reference: Some(link::workflow_event::Reference::EventRef(reference)),
    };
    Link { variant: Some(link::Variant::WorkflowEvent(event)) }
}
