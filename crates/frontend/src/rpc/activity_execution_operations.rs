//! The same operations in their newer form, which names one activity: of a workflow, or one that no
//! workflow runs.

use api::{
    activity::v1::ActivityOptions,
    workflowservice::v1::{
        PauseActivityExecutionRequest, PauseActivityExecutionResponse,
        ResetActivityExecutionRequest, ResetActivityExecutionResponse,
        UnpauseActivityExecutionRequest, UnpauseActivityExecutionResponse,
        UpdateActivityExecutionOptionsRequest, UpdateActivityExecutionOptionsResponse,
    },
};
use engine::{ActivitySelection, PauseActivity, ResetActivity, UnpauseActivity};
use history::Execution;
use model::Span;
use standalone_activity::{Input, Pause, Reply, Reset, SetOptions, Unpause};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::{
        activity_executions::{Named, check_id_length, check_reason, check_timeout},
        activity_operations::options_change,
    },
    validation::{check_priority, normal_queue, run_id},
};

/// The activity that a request names.
enum Meant {
    /// One of a run.
    OfRun(Execution, ActivitySelection),
    /// One that no workflow runs.
    Standalone(Named),
}

pub(crate) async fn pause_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: PauseActivityExecutionRequest,
) -> ApiResult<PauseActivityExecutionResponse> {
    let PauseActivityExecutionRequest { identity, reason, .. } = request;
    let request_id = checked_request_id(frontend, call, request.request_id, &identity)?;
    let meant = meant(call, request.workflow_id, &request.run_id, request.activity_id)?;
    check_reason(call, &reason)?;
    match meant {
        Meant::OfRun(execution, selection) => {
            let pause = PauseActivity { selection, identity, reason, request_id };
            let (history, permit) = (&frontend.history, &call.permit);
            history.pause_activities(permit, call.namespace()?, &execution, pause).await?;
        }
        Meant::Standalone(named) => {
            let pause = Pause { request_id, identity, reason };
            named.ask(frontend, call, Input::Pause(pause)).await?;
        }
    }
    Ok(PauseActivityExecutionResponse {})
}

pub(crate) async fn unpause_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: UnpauseActivityExecutionRequest,
) -> ApiResult<UnpauseActivityExecutionResponse> {
    let request_id = checked_request_id(frontend, call, request.request_id, &request.identity)?;
    let meant = meant(call, request.workflow_id, &request.run_id, request.activity_id)?;
    check_timeout("jitter", request.jitter.as_ref())?;
    let jitter = Span::from_proto(request.jitter.as_ref());
    match meant {
        Meant::OfRun(execution, selection) => {
            let unpause = UnpauseActivity {
                selection,
                resets_attempts: false,
                resets_heartbeat: false,
                jitter,
                seed: 0,
            };
            let (history, permit) = (&frontend.history, &call.permit);
            history.unpause_activities(permit, call.namespace()?, &execution, unpause).await?;
        }
        Meant::Standalone(named) => {
            named.ask(frontend, call, Input::Unpause(Unpause { request_id, jitter })).await?;
        }
    }
    Ok(UnpauseActivityExecutionResponse {})
}

pub(crate) async fn reset_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: ResetActivityExecutionRequest,
) -> ApiResult<ResetActivityExecutionResponse> {
    let request_id = checked_request_id(frontend, call, request.request_id, &request.identity)?;
    let meant = meant(call, request.workflow_id, &request.run_id, request.activity_id)?;
    check_timeout("jitter", request.jitter.as_ref())?;
    let jitter = Span::from_proto(request.jitter.as_ref());
    match meant {
        Meant::OfRun(execution, selection) => {
            let reset = ResetActivity {
                selection,
                resets_heartbeat: request.reset_heartbeat,
                keeps_paused: request.keep_paused,
                restores_options: request.restore_original_options,
                jitter,
                seed: 0,
            };
            let (history, permit) = (&frontend.history, &call.permit);
            history.reset_activities(permit, call.namespace()?, &execution, reset).await?;
        }
        Meant::Standalone(named) => {
            let reset = Reset {
                request_id,
                clears_heartbeat: request.reset_heartbeat,
                keeps_paused: request.keep_paused,
                restores_options: request.restore_original_options,
                jitter,
            };
            named.ask(frontend, call, Input::Reset(reset)).await?;
        }
    }
    Ok(ResetActivityExecutionResponse {})
}

pub(crate) async fn update_activity_execution_options(
    frontend: &Frontend,
    call: &Call,
    request: UpdateActivityExecutionOptionsRequest,
) -> ApiResult<UpdateActivityExecutionOptionsResponse> {
    let request_id = checked_request_id(frontend, call, request.request_id, &request.identity)?;
    let meant = meant(call, request.workflow_id, &request.run_id, request.activity_id)?;
    let change =
        options_change(request.restore_original, request.activity_options, request.update_mask)?;
    if let Some((options, paths)) = &change {
        check_options(call, options, paths)?;
    }
    let options = match meant {
        Meant::OfRun(execution, selection) => {
            let (history, permit) = (&frontend.history, &call.permit);
            let namespace = call.namespace()?;
            history.set_activity_options(permit, namespace, &execution, selection, change).await?
        }
        Meant::Standalone(named) => {
            let set = SetOptions { request_id, change };
            match named.ask(frontend, call, Input::SetOptions(Box::new(set))).await? {
                Reply::Options(options) => *options,
                _ => return Err(ApiError::internal(&"options were answered as something else")),
            }
        }
    };
    Ok(UpdateActivityExecutionOptionsResponse { activity_options: Some(options) })
}

fn checked_request_id(
    frontend: &Frontend,
    call: &Call,
    request_id: String,
    identity: &str,
) -> ApiResult<String> {
    let request_id = frontend.request_id(request_id);
    check_id_length(call, "request ID", &request_id)?;
    check_id_length(call, "identity", identity)?;
    Ok(request_id)
}

/// The options that may be changed.
const PATHS: [&str; 15] = [
    "task_queue.name",
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "heartbeat_timeout",
    "priority",
    "priority.priority_key",
    "priority.fairness_key",
    "priority.fairness_weight",
    "retry_policy",
    "retry_policy.initial_interval",
    "retry_policy.backoff_coefficient",
    "retry_policy.maximum_interval",
    "retry_policy.maximum_attempts",
    "start_delay",
];

/// Checks the options that a request changes.
fn check_options(call: &Call, options: &ActivityOptions, paths: &[String]) -> ApiResult<()> {
    if paths.is_empty() {
        return Err(ApiError::invalid("UpdateMask must specify at least one path"));
    }
    if let Some(path) = paths.iter().find(|path| !PATHS.contains(&path.as_str())) {
        return Err(ApiError::invalid(format!("unsupported update_mask path: {path:?}")));
    }
    let changes = |path: &str| paths.iter().any(|changed| changed == path);
    if changes("task_queue.name") {
        normal_queue(options.task_queue.clone(), &call.namespace()?.limits)?;
    }
    for (path, field, duration) in [
        ("schedule_to_close_timeout", "ScheduleToCloseTimeout", &options.schedule_to_close_timeout),
        ("schedule_to_start_timeout", "ScheduleToStartTimeout", &options.schedule_to_start_timeout),
        ("start_to_close_timeout", "StartToCloseTimeout", &options.start_to_close_timeout),
        ("heartbeat_timeout", "HeartbeatTimeout", &options.heartbeat_timeout),
        ("start_delay", "StartDelay", &options.start_delay),
    ] {
        if changes(path) {
            check_timeout(field, duration.as_ref())?;
        }
    }
    if paths.iter().any(|path| path.starts_with("priority")) {
        check_priority(options.priority.as_ref())?;
    }
    Ok(())
}

fn meant(call: &Call, workflow_id: String, run: &str, activity_id: String) -> ApiResult<Meant> {
    if workflow_id.is_empty() {
        return Named::checked(call, activity_id, run).map(Meant::Standalone);
    }
    if activity_id.is_empty() {
        return Err(ApiError::invalid("activity ID is required"));
    }
    check_id_length(call, "activity ID", &activity_id)?;
    let run_id = run_id(run, "invalid run id: must be a valid UUID")?;
    let execution = Execution { workflow_id, run_id };
    Ok(Meant::OfRun(execution, ActivitySelection::Id(activity_id)))
}
