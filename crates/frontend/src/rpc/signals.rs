//! What others do to a run: signal, cancel, terminate, delete.

use api::{
    common::v1::{
        Link,
        link::{self, WorkflowEvent, workflow_event::RequestIdReference},
    },
    enums::v1::EventType,
    workflowservice::v1::{
        DeleteWorkflowExecutionRequest, DeleteWorkflowExecutionResponse,
        RequestCancelWorkflowExecutionRequest, RequestCancelWorkflowExecutionResponse,
        SignalWorkflowExecutionRequest, SignalWorkflowExecutionResponse,
        TerminateWorkflowExecutionRequest, TerminateWorkflowExecutionResponse,
    },
};
use engine::{RequestCancel, Signal, Terminate};
use history::{CancelRequest, TerminateRequest};

use crate::{
    admission::Call,
    error::ApiResult,
    frontend::Frontend,
    validation::{check_blob, check_length, check_links, execution, required},
};

pub(crate) async fn signal_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: SignalWorkflowExecutionRequest,
) -> ApiResult<SignalWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let limits = &namespace.limits;
    let execution = execution(request.workflow_execution)?;
    required("SignalName", &request.signal_name, limits)?;
    check_length("RequestId", &request.request_id, limits)?;
    check_links(&request.links)?;
    check_blob(request.input.as_ref(), limits)?;
    let request_id = request.request_id;
    let signal = Signal {
        signal_name: request.signal_name,
        input: request.input,
        identity: request.identity,
        header: request.header,
        request_id: request_id.clone(),
        external_workflow_execution: None,
        only_child_of: None,
        links: request.links,
    };
    let reached =
        frontend.history.signal_workflow(&call.permit, namespace, &execution, signal).await?;
    call.reached(reached);
    let run_id = reached.to_string();
    let link = signal_link(&namespace.name, &execution.workflow_id, &run_id, request_id);
    Ok(SignalWorkflowExecutionResponse { link: Some(link) })
}

/// A link to the event of a signal, by the request that made it.
pub(crate) fn signal_link(
    namespace: &str,
    workflow_id: &str,
    run_id: &str,
    request_id: String,
) -> Link {
    let event_type = EventType::WorkflowExecutionSignaled;
    request_link(namespace, workflow_id, run_id, request_id, event_type)
}

/// A link to an event by the request that made it.
pub(crate) fn request_link(
    namespace: &str,
    workflow_id: &str,
    run_id: &str,
    request_id: String,
    event_type: EventType,
) -> Link {
    let reference = RequestIdReference { request_id, event_type: event_type as i32 };
    Link {
        variant: Some(link::Variant::WorkflowEvent(WorkflowEvent {
            namespace: namespace.to_owned(),
            workflow_id: workflow_id.to_owned(),
            run_id: run_id.to_owned(),
            reference: Some(link::workflow_event::Reference::RequestIdRef(reference)),
        })),
    }
}

pub(crate) async fn request_cancel_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: RequestCancelWorkflowExecutionRequest,
) -> ApiResult<RequestCancelWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let execution = execution(request.workflow_execution)?;
    check_length("RequestId", &request.request_id, &namespace.limits)?;
    check_links(&request.links)?;
    let cancel = CancelRequest {
        input: RequestCancel {
            reason: request.reason,
            identity: request.identity,
            links: request.links,
            ..RequestCancel::default()
        },
        first_execution_run_id: request.first_execution_run_id,
    };
    let reached =
        frontend.history.request_cancel(&call.permit, namespace, &execution, cancel).await?;
    call.reached(reached);
    Ok(RequestCancelWorkflowExecutionResponse {})
}

pub(crate) async fn terminate_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: TerminateWorkflowExecutionRequest,
) -> ApiResult<TerminateWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let execution = execution(request.workflow_execution)?;
    check_links(&request.links)?;
    check_blob(request.details.as_ref(), &namespace.limits)?;
    let terminate = TerminateRequest {
        input: Terminate {
            reason: if request.reason.is_empty() {
                "terminated by user via frontend".to_owned()
            } else {
                request.reason
            },
            details: request.details,
            identity: if request.identity.is_empty() {
                "frontend-service".to_owned()
            } else {
                request.identity
            },
            links: request.links,
            ..Terminate::default()
        },
        first_execution_run_id: request.first_execution_run_id,
    };
    let reached =
        frontend.history.terminate_workflow(&call.permit, namespace, &execution, terminate).await?;
    call.reached(reached);
    Ok(TerminateWorkflowExecutionResponse {})
}

pub(crate) async fn delete_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: DeleteWorkflowExecutionRequest,
) -> ApiResult<DeleteWorkflowExecutionResponse> {
    let execution = execution(request.workflow_execution)?;
    let history = &frontend.history;
    let reached = history.delete_workflow(&call.permit, call.namespace()?, &execution).await?;
    call.reached(reached);
    Ok(DeleteWorkflowExecutionResponse {})
}
