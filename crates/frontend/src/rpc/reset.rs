//! Resets of workflows.

use api::{
    enums::v1::{ResetReapplyExcludeType, ResetReapplyType},
    workflow::v1::{PostResetOperation, post_reset_operation::Variant},
    workflowservice::v1::{ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse},
};
use history::ResetRequest;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::{check_length, execution},
};

pub(crate) async fn reset_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: ResetWorkflowExecutionRequest,
) -> ApiResult<ResetWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let excludes_signals = excludes_signals(&request);
    let execution = execution(request.workflow_execution)?;
    if request.request_id.is_empty() {
        return Err(ApiError::invalid("RequestId is not set on request."));
    }
    check_length("RequestId", &request.request_id, &namespace.limits)?;
    check_operations(&request.post_reset_operations)?;
    let request = ResetRequest {
        finish_event_id: request.workflow_task_finish_event_id,
        request_id: request.request_id,
        reason: request.reason,
        excludes_signals,
    };
    let run_id =
        frontend.history.reset_workflow(&call.permit, namespace, &execution, request).await?;
    Ok(ResetWorkflowExecutionResponse { run_id: run_id.to_string() })
}

/// Two fields say it: what to leave out, and the older one that says what to take.
fn excludes_signals(request: &ResetWorkflowExecutionRequest) -> bool {
    let reapplied = request.reset_reapply_type();
    reapplied == ResetReapplyType::None
        || request.reset_reapply_exclude_types.contains(&(ResetReapplyExcludeType::Signal as i32))
}

fn check_operations(operations: &[PostResetOperation]) -> ApiResult<()> {
    let Some(operation) = operations.first() else { return Ok(()) };
    let name = match &operation.variant {
        Some(Variant::UpdateWorkflowOptions(_)) => {
            return Err(ApiError::unimplemented(
                "workflow options after a reset are not built yet",
            ));
        }
        Some(Variant::SignalWorkflow(_)) => "*workflow.PostResetOperation_SignalWorkflow_",
        None => "<nil>",
    };
    Err(ApiError::invalid(format!("unsupported post reset operation: {name}")))
}
