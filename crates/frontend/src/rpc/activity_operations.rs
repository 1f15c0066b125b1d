//! What people do to pending activities.

use api::{
    activity::v1::ActivityOptions,
    common::v1::WorkflowExecution,
    workflowservice::v1::{
        PauseActivityRequest, PauseActivityResponse, ResetActivityRequest, ResetActivityResponse,
        UnpauseActivityRequest, UnpauseActivityResponse, UpdateActivityOptionsRequest,
        UpdateActivityOptionsResponse, pause_activity_request, reset_activity_request,
        unpause_activity_request, update_activity_options_request,
    },
};
use engine::{ActivitySelection, PauseActivity, ResetActivity, UnpauseActivity};
use history::Execution;
use model::Span;
use prost_types::FieldMask;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::{check_length, run_id, snake_case},
};

pub(crate) async fn pause_activity(
    frontend: &Frontend,
    call: &Call,
    request: PauseActivityRequest,
) -> ApiResult<PauseActivityResponse> {
    use pause_activity_request::Activity;

    let namespace = call.namespace()?;
    let selection = match request.activity {
        Some(Activity::Id(id)) => ActivitySelection::Id(id),
        Some(Activity::Type(activity_type)) => ActivitySelection::Type(activity_type),
        None => return Err(nothing_selected()),
    };
    let execution = execution(request.execution)?;
    check_length("Identity", &request.identity, &namespace.limits)?;
    let pause = PauseActivity {
        selection,
        identity: request.identity,
        reason: request.reason,
        request_id: frontend.request_id(request.request_id),
    };
    frontend.history.pause_activities(&call.permit, namespace, &execution, pause).await?;
    Ok(PauseActivityResponse {})
}

pub(crate) async fn unpause_activity(
    frontend: &Frontend,
    call: &Call,
    request: UnpauseActivityRequest,
) -> ApiResult<UnpauseActivityResponse> {
    use unpause_activity_request::Activity;

    let selection = match request.activity {
        Some(Activity::Id(id)) => ActivitySelection::Id(id),
        Some(Activity::Type(activity_type)) => ActivitySelection::Type(activity_type),
        Some(Activity::UnpauseAll(_)) => ActivitySelection::All,
        None => return Err(nothing_selected()),
    };
    let execution = execution(request.execution)?;
    let unpause = UnpauseActivity {
        selection,
        resets_attempts: request.reset_attempts,
        resets_heartbeat: request.reset_heartbeat,
        jitter: Span::from_proto(request.jitter.as_ref()),
        seed: 0,
    };
    let namespace = call.namespace()?;
    frontend.history.unpause_activities(&call.permit, namespace, &execution, unpause).await?;
    Ok(UnpauseActivityResponse {})
}

pub(crate) async fn reset_activity(
    frontend: &Frontend,
    call: &Call,
    request: ResetActivityRequest,
) -> ApiResult<ResetActivityResponse> {
    use reset_activity_request::Activity;

    let selection = match request.activity {
        Some(Activity::Id(id)) => ActivitySelection::Id(id),
        Some(Activity::Type(activity_type)) => ActivitySelection::Type(activity_type),
        Some(Activity::MatchAll(_)) => ActivitySelection::All,
        None => return Err(nothing_selected()),
    };
    let execution = execution(request.execution)?;
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
    Ok(ResetActivityResponse {})
}

pub(crate) async fn update_activity_options(
    frontend: &Frontend,
    call: &Call,
    request: UpdateActivityOptionsRequest,
) -> ApiResult<UpdateActivityOptionsResponse> {
    use update_activity_options_request::Activity;

    let selection = match request.activity {
        Some(Activity::Id(id)) => ActivitySelection::Id(id),
        Some(Activity::Type(activity_type)) => ActivitySelection::Type(activity_type),
        Some(Activity::MatchAll(_)) => ActivitySelection::All,
        None => return Err(nothing_selected()),
    };
    let execution = execution(request.execution)?;
    let change =
        options_change(request.restore_original, request.activity_options, request.update_mask)?;
    let namespace = call.namespace()?;
    let options = frontend
        .history
        .set_activity_options(&call.permit, namespace, &execution, selection, change)
        .await?;
    Ok(UpdateActivityOptionsResponse { activity_options: Some(options) })
}

/// The options to change and the paths of those that do; none to give activities their own back.
pub(super) fn options_change(
    restore_original: bool,
    options: Option<ActivityOptions>,
    mask: Option<FieldMask>,
) -> ApiResult<Option<(ActivityOptions, Vec<String>)>> {
    if restore_original {
        // Clients send an empty mask, too.
        if mask.is_some_and(|mask| !mask.paths.is_empty()) {
            return Err(ApiError::invalid("Both UpdateMask and RestoreOriginal are provided"));
        }
        return Ok(None);
    }
    let options = options.ok_or_else(|| ApiError::invalid("ActivityOptions are not provided"))?;
    let mask = mask.ok_or_else(|| ApiError::invalid("UpdateMask is not provided"))?;
    Ok(Some((options, mask.paths.iter().map(|path| snake_case(path)).collect())))
}

fn nothing_selected() -> ApiError {
    ApiError::invalid("Either Activity.Id or Activity.Type should be set on request.")
}

fn execution(execution: Option<WorkflowExecution>) -> ApiResult<Execution> {
    let WorkflowExecution { workflow_id, run_id: run } = execution.unwrap_or_default();
    if workflow_id.is_empty() {
        return Err(ApiError::invalid("WorkflowId is not set on request."));
    }
    Ok(Execution { workflow_id, run_id: run_id(&run, "RunId is not valid UUID.")? })
}
