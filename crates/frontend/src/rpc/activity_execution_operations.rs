//! The same operations in their newer form, which names one activity of a workflow or a standalone
//! one. There are no standalone activities.

use api::workflowservice::v1::{
    PauseActivityExecutionRequest, PauseActivityExecutionResponse, ResetActivityExecutionRequest,
    ResetActivityExecutionResponse, UnpauseActivityExecutionRequest,
    UnpauseActivityExecutionResponse, UpdateActivityExecutionOptionsRequest,
    UpdateActivityExecutionOptionsResponse,
};
use engine::{ActivitySelection, PauseActivity, ResetActivity, UnpauseActivity};
use history::Execution;
use model::Span;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::activity_operations::options_change,
    validation::{check_length, run_id},
};

pub(crate) async fn pause_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: PauseActivityExecutionRequest,
) -> ApiResult<PauseActivityExecutionResponse> {
    let namespace = call.namespace()?;
    let (execution, selection) = meant(request.workflow_id, &request.run_id, request.activity_id)?;
    check_length("Identity", &request.identity, &namespace.limits)?;
    let pause = PauseActivity {
        selection,
        identity: request.identity,
        reason: request.reason,
        request_id: frontend.request_id(request.request_id),
    };
    frontend.history.pause_activities(&call.permit, namespace, &execution, pause).await?;
    Ok(PauseActivityExecutionResponse {})
}

pub(crate) async fn unpause_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: UnpauseActivityExecutionRequest,
) -> ApiResult<UnpauseActivityExecutionResponse> {
    let (execution, selection) = meant(request.workflow_id, &request.run_id, request.activity_id)?;
    let unpause = UnpauseActivity {
        selection,
        resets_attempts: false,
        resets_heartbeat: false,
        jitter: Span::from_proto(request.jitter.as_ref()),
        seed: 0,
    };
    let namespace = call.namespace()?;
    frontend.history.unpause_activities(&call.permit, namespace, &execution, unpause).await?;
    Ok(UnpauseActivityExecutionResponse {})
}

pub(crate) async fn reset_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: ResetActivityExecutionRequest,
) -> ApiResult<ResetActivityExecutionResponse> {
    let (execution, selection) = meant(request.workflow_id, &request.run_id, request.activity_id)?;
    let reset = ResetActivity {
        selection,
        resets_heartbeat: request.reset_heartbeat,
        keeps_paused: request.keep_paused,
        restores_options: request.restore_original_options,
        jitter: Span::from_proto(request.jitter.as_ref()),
        seed: 0,
    };
    let namespace = call.namespace()?;
    frontend.history.reset_activities(&call.permit, namespace, &execution, reset).await?;
    Ok(ResetActivityExecutionResponse {})
}

pub(crate) async fn update_activity_execution_options(
    frontend: &Frontend,
    call: &Call,
    request: UpdateActivityExecutionOptionsRequest,
) -> ApiResult<UpdateActivityExecutionOptionsResponse> {
    let (execution, selection) = meant(request.workflow_id, &request.run_id, request.activity_id)?;
    let change =
        options_change(request.restore_original, request.activity_options, request.update_mask)?;
    let namespace = call.namespace()?;
    let options = frontend
        .history
        .set_activity_options(&call.permit, namespace, &execution, selection, change)
        .await?;
    Ok(UpdateActivityExecutionOptionsResponse { activity_options: Some(options) })
}

fn meant(
    workflow_id: String,
    run: &str,
    activity_id: String,
) -> ApiResult<(Execution, ActivitySelection)> {
    if activity_id.is_empty() {
        return Err(ApiError::invalid("activity ID is required"));
    }
    let run_id = run_id(run, "invalid run id: must be a valid UUID")?;
    if workflow_id.is_empty() {
        return Err(ApiError::not_found(format!("activity not found for ID: {activity_id}")));
    }
    Ok((Execution { workflow_id, run_id }, ActivitySelection::Id(activity_id)))
}
