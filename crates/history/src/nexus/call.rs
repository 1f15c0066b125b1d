//! Calls of the handlers of Nexus operations: workers of this server, or servers outside.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api::{
    failure::v1::Failure,
    nexus::v1::{Request, endpoint_target::Variant as Target, request::Variant},
};
use bytes::Bytes;
use engine::{NexusCancellationAnswer, NexusOperationAnswer, NexusOperationEnd};
use http_client::CallError;
use model::Time;
use namespace::Namespace;
use nexus_protocol::{
    CallFailure, FAILURE_SUPPORT, StartAnswer, cancel_request, read_cancel_answer,
    read_start_answer, start_request,
};

use super::{
    answer::{to_cancellation_answer, to_operation_answer},
    failure::handler_failure,
    link::to_common_links,
    token::SYSTEM_CALLBACK_URL,
};
use crate::{History, HistoryError};

/// Longest token that a handler may give an operation, in bytes.
const OPERATION_TOKEN_BYTES_MAX: usize = 4096;

/// What a server outside answered.
pub(crate) type CallAnswer = Result<http::Response<Bytes>, CallFailure>;

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum NexusTarget {
    /// To the workers of a task queue.
    Worker {
        /// The namespace that they work for.
        namespace: Arc<Namespace>,
        /// The queue.
        task_queue: String,
    },
    /// To a server.
    External {
        /// The base of its addresses.
        url: String,
    },
}

impl History {
    /// Finds what an endpoint points at.
    pub(crate) fn nexus_target(&self, endpoint_id: &str) -> Result<NexusTarget, Failure> {
        let endpoint = endpoint_id
            .parse()
            .ok()
            .and_then(|id| self.node.endpoints.by_id(id))
            .ok_or_else(|| handler_failure("NOT_FOUND", "endpoint not registered"))?;
        match endpoint.spec.target.as_ref().and_then(|target| target.variant.as_ref()) {
            Some(Target::Worker(worker)) => {
                let namespace = self.node.namespaces.by_name(&worker.namespace);
                let namespace =
                    namespace.ok_or_else(|| handler_failure("NOT_FOUND", "namespace not found"))?;
                Ok(NexusTarget::Worker { namespace, task_queue: worker.task_queue.clone() })
            }
            Some(Target::External(external)) => {
                Ok(NexusTarget::External { url: external.url.clone() })
            }
            None => Err(handler_failure("NOT_FOUND", "the endpoint has no target")),
        }
    }

    /// Where the target of a caller's request says that the operation has ended; none when there
    /// is no way.
    pub(crate) fn callback_url(&self, caller: &Namespace, target: &NexusTarget) -> Option<String> {
        match target {
            NexusTarget::Worker { .. } => Some(SYSTEM_CALLBACK_URL.to_owned()),
            NexusTarget::External { .. } => self.node.outbound.callback_url(caller),
        }
    }

    /// Asks a handler to start an operation.
    pub(crate) async fn start_nexus_operation(
        &self,
        target: &NexusTarget,
        request: Request,
        deadline: Time,
    ) -> Result<NexusOperationAnswer, HistoryError> {
        match target {
            NexusTarget::Worker { namespace, task_queue } => {
                let answer =
                    self.ask_nexus_workers(namespace, task_queue, request, deadline).await?;
                Ok(to_operation_answer(answer))
            }
            NexusTarget::External { url } => {
                let header = external_header(request.header);
                let Some(Variant::StartOperation(start)) = request.variant else {
                    return Ok(refused(CallFailure::call_error("not a start", false)));
                };
                let built = start_request(url, &start, &header);
                let answer = self.call_outside(url, built, deadline).await?;
                Ok(answer.and_then(read_start_answer).map_or_else(refused, within_limits))
            }
        }
    }

    /// Asks a handler to cancel an operation.
    pub(crate) async fn cancel_nexus_operation(
        &self,
        target: &NexusTarget,
        request: Request,
        deadline: Time,
    ) -> Result<NexusCancellationAnswer, HistoryError> {
        match target {
            NexusTarget::Worker { namespace, task_queue } => {
                let answer =
                    self.ask_nexus_workers(namespace, task_queue, request, deadline).await?;
                Ok(to_cancellation_answer(answer))
            }
            NexusTarget::External { url } => {
                let header = external_header(request.header);
                let built = match request.variant {
                    Some(Variant::CancelOperation(cancel)) => cancel_request(
                        url,
                        &cancel.service,
                        &cancel.operation,
                        &cancel.operation_token,
                        &header,
                    ),
                    Some(Variant::StartOperation(_)) | None => None,
                };
                let answer = self.call_outside(url, built, deadline).await?;
                let answer = answer.and_then(|response| read_cancel_answer(&response));
                Ok(match answer {
                    Ok(()) => NexusCancellationAnswer::Accepted,
                    Err(CallFailure { failure, retryable }) => {
                        NexusCancellationAnswer::HandlerFailed { failure, retryable }
                    }
                })
            }
        }
    }

    /// Sends a request to a server that an operator named.
    async fn call_outside(
        &self,
        url: &str,
        request: Option<http::Request<Bytes>>,
        deadline: Time,
    ) -> Result<CallAnswer, HistoryError> {
        // Tried again: an operator may allow the address.
        let refused = |text: String| Ok(Err(CallFailure::call_error(text, true)));
        if let Err(error) = self.node.outbound.rules.check_endpoint(url) {
            return refused(error.to_string());
        }
        let Some(request) = request else { return refused(format!("no address: `{url}`")) };
        let patience = deadline.since(self.node.now()).to_std();
        self.send_outside(request, patience).await
    }

    /// Sends a request. The caller has checked the address.
    pub(crate) async fn send_outside(
        &self,
        request: http::Request<Bytes>,
        patience: Duration,
    ) -> Result<CallAnswer, HistoryError> {
        let sent = tokio::select! {
            biased;
            () = self.node.stopping.cancelled() => return Err(HistoryError::stopping()),
            sent = self.node.outbound.client.send(request, patience) => sent,
        };
        Ok(sent.map_err(|error| {
            let retryable = error != CallError::TooLarge;
            CallFailure::call_error(error.to_string(), retryable)
        }))
    }
}

fn external_header(mut header: BTreeMap<String, String>) -> BTreeMap<String, String> {
    header.insert(FAILURE_SUPPORT.to_owned(), "true".to_owned());
    header
}

fn refused(refused: CallFailure) -> NexusOperationAnswer {
    let CallFailure { failure, retryable } = refused;
    NexusOperationAnswer::HandlerFailed { failure, retryable }
}

fn within_limits(answer: StartAnswer) -> NexusOperationAnswer {
    match answer {
        StartAnswer::Succeeded { payload, links } => {
            NexusOperationAnswer::Ended(NexusOperationEnd::Succeeded {
                result: Some(payload),
                links: to_common_links(links),
            })
        }
        StartAnswer::Started { operation_token, .. }
            if operation_token.len() > OPERATION_TOKEN_BYTES_MAX =>
        {
            let text = format!(
                "invalid operation token: length exceeds allowed limit \
                 ({}/{OPERATION_TOKEN_BYTES_MAX})",
                operation_token.len()
            );
            refused(CallFailure::call_error(text, false))
        }
        StartAnswer::Started { operation_token, links } => {
            NexusOperationAnswer::Started { operation_token, links: to_common_links(links) }
        }
        StartAnswer::Unsuccessful { failure, is_canceled: true } => {
            NexusOperationAnswer::Ended(NexusOperationEnd::Canceled(failure))
        }
        StartAnswer::Unsuccessful { failure, is_canceled: false } => {
            NexusOperationAnswer::Ended(NexusOperationEnd::Failed(failure))
        }
    }
}
