//! Resets of workflows.

use api::{
    workflow::v1::{PostResetOperation, post_reset_operation::Variant},
    workflowservice::v1::{ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse},
};
use engine::{ReapplyExclusions, UpdateOptions};
use history::ResetRequest;
use model::Limits;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::workflow_options::options_update,
    validation::{check_length, execution},
};

pub(crate) async fn reset_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: ResetWorkflowExecutionRequest,
) -> ApiResult<ResetWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let excluded = &request.reset_reapply_exclude_types;
    let exclusions = ReapplyExclusions::new(request.reset_reapply_type(), excluded);
    if request.request_id.is_empty() {
        return Err(ApiError::invalid("RequestId is not set on request."));
    }
    check_length("RequestId", &request.request_id, &namespace.limits)?;
    let execution = execution(request.workflow_execution)?;
    let options = post_reset_options(frontend, request.post_reset_operations, &namespace.limits)?;
    let request = ResetRequest {
        finish_event_id: request.workflow_task_finish_event_id,
        request_id: request.request_id,
        reason: request.reason,
        exclusions,
        options,
    };
    let run_id =
        frontend.history.reset_workflow(&call.permit, namespace, &execution, request).await?;
    call.reached(run_id);
    Ok(ResetWorkflowExecutionResponse { run_id: run_id.to_string() })
}

/// What a reset does to the new run in the end: only options can be changed.
pub(super) fn post_reset_options(
    frontend: &Frontend,
    operations: Vec<PostResetOperation>,
    limits: &Limits,
) -> ApiResult<Vec<UpdateOptions>> {
    let options = operations.into_iter().map(|operation| match operation.variant {
        Some(Variant::UpdateWorkflowOptions(update)) => options_update(
            frontend,
            update.workflow_execution_options.unwrap_or_default(),
            update.update_mask.unwrap_or_default(),
            String::new(),
            limits,
        ),
        Some(Variant::SignalWorkflow(_)) => Err(ApiError::invalid(
            "unsupported post reset operation: *workflow.PostResetOperation_SignalWorkflow_",
        )),
        None => Err(ApiError::invalid("unsupported post reset operation: <nil>")),
    });
    options.collect()
}
