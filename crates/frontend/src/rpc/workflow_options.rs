//! Other options for a run than it was started with.

use api::{
    workflow::v1::{
        VersioningOverride, WorkflowExecutionOptions,
        versioning_override::{Override, PinnedOverrideBehavior},
    },
    workflowservice::v1::{
        UpdateWorkflowExecutionOptionsRequest, UpdateWorkflowExecutionOptionsResponse,
    },
};
use engine::UpdateOptions;
use history::Execution;
use model::Limits;
use prost_types::FieldMask;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::{
        check_options_mask, check_priority, check_time_skipping, run_id, versioning_override,
    },
};

pub(crate) async fn update_workflow_execution_options(
    frontend: &Frontend,
    call: &Call,
    request: UpdateWorkflowExecutionOptionsRequest,
) -> ApiResult<UpdateWorkflowExecutionOptionsResponse> {
    let namespace = call.namespace()?;
    let run = request.workflow_execution.unwrap_or_default();
    if run.workflow_id.is_empty() {
        return Err(ApiError::invalid("WorkflowId is not set on request."));
    }
    let mask = request.update_mask.ok_or_else(|| ApiError::invalid("UpdateMask is required"))?;
    let options = request
        .workflow_execution_options
        .ok_or_else(|| ApiError::invalid("WorkflowExecutionOptions is required"))?;
    let update = options_update(frontend, options, mask, request.identity, &namespace.limits)?;
    let execution = Execution {
        workflow_id: run.workflow_id,
        run_id: run_id(&run.run_id, "RunId is not valid UUID.")?,
    };
    let options = frontend
        .history
        .update_workflow_options(&call.permit, namespace, &execution, update)
        .await?;
    Ok(UpdateWorkflowExecutionOptionsResponse {
        workflow_execution_options: Some(options),
        update_time: None,
    })
}

/// The options, checked, and the paths of those that change.
pub(super) fn options_update(
    frontend: &Frontend,
    mut options: WorkflowExecutionOptions,
    mask: FieldMask,
    identity: String,
    limits: &Limits,
) -> ApiResult<UpdateOptions> {
    check_options_mask(&mask.paths)?;
    check_priority(options.priority.as_ref())?;
    check_time_skipping(options.time_skipping_config.as_mut(), frontend.time_skips_max)?;
    // A pin without a version keeps the run where it is.
    if !is_pin_to_the_same(options.versioning_override.as_ref()) {
        options.versioning_override = versioning_override(options.versioning_override, limits)?;
    }
    Ok(UpdateOptions { options, paths: mask.paths, identity })
}

fn is_pin_to_the_same(chosen: Option<&VersioningOverride>) -> bool {
    let chosen = chosen.and_then(|chosen| chosen.r#override.as_ref());
    matches!(
        chosen,
        Some(Override::Pinned(pinned))
            if pinned.version.is_none()
                && pinned.behavior() != PinnedOverrideBehavior::Unspecified
    )
}
