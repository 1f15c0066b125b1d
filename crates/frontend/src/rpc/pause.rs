//! Runs that stand still for a while.

use api::workflowservice::v1::{
    PauseWorkflowExecutionRequest, PauseWorkflowExecutionResponse, UnpauseWorkflowExecutionRequest,
    UnpauseWorkflowExecutionResponse,
};
use engine::PauseRequest;
use history::Execution;
use model::Limits;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::run_id,
};

pub(crate) async fn pause_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: PauseWorkflowExecutionRequest,
) -> ApiResult<PauseWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let PauseWorkflowExecutionRequest { workflow_id, run_id, identity, reason, request_id, .. } =
        request;
    let pause = pause_request(identity, reason, request_id, &namespace.limits)?;
    let execution = execution(workflow_id, &run_id)?;
    frontend.history.pause_workflow(&call.permit, namespace, &execution, pause).await?;
    Ok(PauseWorkflowExecutionResponse {})
}

pub(crate) async fn unpause_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: UnpauseWorkflowExecutionRequest,
) -> ApiResult<UnpauseWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let UnpauseWorkflowExecutionRequest {
        workflow_id, run_id, identity, reason, request_id, ..
    } = request;
    let unpause = pause_request(identity, reason, request_id, &namespace.limits)?;
    let execution = execution(workflow_id, &run_id)?;
    frontend.history.unpause_workflow(&call.permit, namespace, &execution, unpause).await?;
    Ok(UnpauseWorkflowExecutionResponse {})
}

fn execution(workflow_id: String, run: &str) -> ApiResult<Execution> {
    if workflow_id.is_empty() {
        return Err(ApiError::invalid("Can't load workflow execution.  WorkflowId not set."));
    }
    Ok(Execution { workflow_id, run_id: run_id(run, "RunId is not valid UUID.")? })
}

fn pause_request(
    identity: String,
    reason: String,
    request_id: String,
    limits: &Limits,
) -> ApiResult<PauseRequest> {
    for (name, text) in [("reason", &reason), ("request id", &request_id), ("identity", &identity)]
    {
        if text.len() > limits.id_length_max {
            return Err(ApiError::invalid(format!("{name} is too long.")));
        }
    }
    Ok(PauseRequest { identity, reason, request_id })
}
