//! Operations of the server itself, at the endpoint `__temporal_system`: calls of the API that
//! workflows make as Nexus operations, within their own namespace.

use std::{fmt, sync::Arc};

use api::{
    common::v1::{Link, Payload},
    failure::v1::{Failure, ServerFailureInfo, failure::FailureInfo},
    history::v1::NexusOperationScheduledEventAttributes,
    workflowservice::v1::SignalWithStartWorkflowExecutionResponse,
};
use engine::{NexusOperationAnswer, NexusOperationEnd, Rejection};
use namespace::Namespace;
use prost::Message as _;

use super::link::signal_link;
use crate::{History, HistoryError, StartRequest, context::Caller};

/// What the only operation that there is answers with.
const RESPONSE: &str = "temporal.api.workflowservice.v1.SignalWithStartWorkflowExecutionResponse";

/// Reads the requests of these operations, as the frontend reads those of clients.
pub trait SystemOperations: fmt::Debug + Send + Sync {
    /// Reads and checks what the only operation that there is, signal with start, is asked. Its
    /// request id and links are the operation's own.
    ///
    /// # Errors
    /// When there is no such operation, or the request is not one that it takes.
    fn read(
        &self,
        namespace: &Namespace,
        service: &str,
        operation: &str,
        input: Option<&Payload>,
    ) -> Result<StartRequest, SystemRefusal>;
}

/// Why an operation of the server is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemRefusal {
    /// The kind of error, as the reference calls it.
    pub kind: &'static str,
    /// What is wrong.
    pub text: String,
    /// Whether it is known before anything is tried: the command that schedules it is at fault.
    pub is_known_at_once: bool,
}

/// A server that offers no such operations.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSystemOperations;

impl SystemOperations for NoSystemOperations {
    fn read(
        &self,
        _namespace: &Namespace,
        service: &str,
        _operation: &str,
        _input: Option<&Payload>,
    ) -> Result<StartRequest, SystemRefusal> {
        let text = format!("service \"{service}\" not found");
        Err(SystemRefusal { kind: "NotFound", text, is_known_at_once: true })
    }
}

impl History {
    /// Carries out an operation of the server for a workflow. The operation's request id makes it
    /// happen once, however often it is asked.
    pub(super) async fn start_system_operation(
        &self,
        namespace: &Arc<Namespace>,
        scheduled: &NexusOperationScheduledEventAttributes,
        link: &Link,
    ) -> Result<NexusOperationAnswer, HistoryError> {
        let NexusOperationScheduledEventAttributes { service, operation, input, .. } = scheduled;
        let operations = &self.node.system_operations;
        let mut request = match operations.read(namespace, service, operation, input.as_ref()) {
            Ok(request) => request,
            Err(SystemRefusal { kind, text, .. }) => return Ok(refused(kind, &text)),
        };
        let request_id = &scheduled.request_id;
        request.start.request_id.clone_from(request_id);
        request.start.links = vec![link.clone()];
        if let Some(signal) = &mut request.start.signal {
            signal.request_id.clone_from(request_id);
            signal.links = vec![link.clone()];
        }
        let outcome = match self.signal_with_start_by(&Caller::server(namespace), request).await {
            Ok(outcome) => outcome,
            Err(HistoryError::Rejected(rejection)) => {
                return Ok(refused(kind(&rejection), &rejection.to_string()));
            }
            Err(error) => return Err(error),
        };
        let (workflow_id, run_id) = (&outcome.run.workflow.workflow_id, outcome.run.run_id);
        let run_id = run_id.to_string();
        let link = signal_link(&namespace.name, workflow_id, &run_id, request_id);
        let response = SignalWithStartWorkflowExecutionResponse {
            run_id,
            started: outcome.started,
            signal_link: Some(link.clone()),
            ..SignalWithStartWorkflowExecutionResponse::default()
        };
        Ok(NexusOperationAnswer::Ended(NexusOperationEnd::Succeeded {
            result: Some(payload(&response)),
            links: vec![link],
        }))
    }
}

/// The kinds of errors that a start or a signal meets, in the reference's words.
fn kind(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::AlreadyStarted { .. } => "WorkflowExecutionAlreadyStarted",
        Rejection::WorkflowNotFound { .. }
        | Rejection::RunNotFound { .. }
        | Rejection::WorkflowClosed => "NotFound",
        _ => "InvalidArgument",
    }
}

/// Another attempt would end the same way.
fn refused(kind: &str, text: &str) -> NexusOperationAnswer {
    let info = ServerFailureInfo { non_retryable: true };
    let failure = Failure {
        message: format!("{kind}: {text}"),
        failure_info: Some(FailureInfo::ServerFailureInfo(info)),
        ..Failure::default()
    };
    NexusOperationAnswer::HandlerFailed { failure, retryable: false }
}

/// Nothing else says that it is the server's: SDKs of version 1.31 could not read it.
fn payload(response: &SignalWithStartWorkflowExecutionResponse) -> Payload {
    let metadata = [("encoding", "binary/protobuf"), ("messageType", RESPONSE)];
    Payload {
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.into())).into(),
        data: response.encode_to_vec().into(),
        ..Payload::default()
    }
}
