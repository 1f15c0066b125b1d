//! Completion callbacks of a chain of runs that has ended.

use api::{
    common::v1::{Callback, Link, callback::Variant, link},
    enums::v1::{EventType, TimeoutType},
    failure::v1::{
        CanceledFailureInfo, Failure, TerminatedFailureInfo, TimeoutFailureInfo,
        failure::FailureInfo,
    },
    history::v1::history_event::Attributes,
};
use engine::{
    CallbackDelivery, CallbackRef, CompleteNexusOperation, Input, NexusOperationEnd, Outcome,
    Rejection, Shared,
};

use super::Source;
use crate::{
    Execution, History, HistoryError,
    context::Caller,
    nexus::{CALLBACK_TOKEN_HEADER, CallbackToken, SYSTEM_CALLBACK_URL, handler_failure},
};

/// The header that names the operation as its handler calls it.
const OPERATION_TOKEN_HEADER: &str = "nexus-operation-token";

/// Delivers a callback once.
pub(super) async fn deliver(
    history: &History,
    source: &Source,
    task: CallbackRef,
) -> Result<Option<Outcome>, HistoryError> {
    let index = usize::try_from(task.index).unwrap_or(usize::MAX);
    let callback = source.state.callbacks.get(index).and_then(|found| found.callback.as_ref());
    let Some(callback) = callback.map(Shared::to_owned_message) else { return Ok(None) };
    let delivery = match completion(source, &callback) {
        Err(failure) => CallbackDelivery::Failed { failure, retryable: false },
        Ok((token, completion)) => tell(history, token, completion).await?,
    };
    Ok(Some(Outcome::Callback { task, delivery }))
}

/// Tells the run that waits for the operation. One that no longer does need not know.
async fn tell(
    history: &History,
    token: CallbackToken,
    completion: CompleteNexusOperation,
) -> Result<CallbackDelivery, HistoryError> {
    let failed = |failure| CallbackDelivery::Failed { failure, retryable: false };
    let namespace = history.node.namespaces.by_id(token.run.workflow.namespace_id);
    let Some(namespace) = namespace else {
        return Ok(failed(handler_failure("NOT_FOUND", "namespace not found")));
    };
    let execution = Execution::run(token.run.workflow.workflow_id, token.run.run_id);
    let input = Input::CompleteNexusOperation(Box::new(completion));
    let caller = Caller::server(&namespace);
    match history.apply_checked(&caller, &execution, "", input).await {
        Ok(_) => Ok(CallbackDelivery::Delivered),
        Err(HistoryError::Rejected(
            rejection @ (Rejection::NexusOperationNotFound
            | Rejection::WorkflowClosed
            | Rejection::WorkflowNotFound { .. }
            | Rejection::RunNotFound { .. }),
        )) => Ok(failed(handler_failure("NOT_FOUND", rejection.to_string()))),
        Err(error) => Err(error),
    }
}

/// What a callback says, and to whom.
fn completion(
    source: &Source,
    callback: &Callback,
) -> Result<(CallbackToken, CompleteNexusOperation), Failure> {
    let refused = |text: &str| handler_failure("BAD_REQUEST", text);
    let Some(Variant::Nexus(nexus)) = &callback.variant else {
        return Err(refused("the callback is of an unknown kind"));
    };
    if nexus.url != SYSTEM_CALLBACK_URL {
        return Err(refused("this server does not call addresses outside of itself yet"));
    }
    let header = |name: &str| {
        let mut found = nexus.header.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    };
    let token = header(CALLBACK_TOKEN_HEADER).and_then(CallbackToken::decode);
    let token = token.ok_or_else(|| refused("the callback token is not one of this server"))?;
    let completion = CompleteNexusOperation {
        scheduled_event_id: token.scheduled_event_id,
        request_id: token.request_id.clone(),
        operation_token: header(OPERATION_TOKEN_HEADER).unwrap_or_default().to_owned(),
        links: vec![started_event_link(source)],
        end: end(source),
    };
    Ok((token, completion))
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
