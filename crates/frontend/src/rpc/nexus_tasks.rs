//! Nexus tasks: requests to the handlers of Nexus operations, and their answers.

use api::{
    enums::v1::TaskQueueKind,
    failure::v1::{Failure, NexusHandlerFailureInfo, failure::FailureInfo},
    taskqueue::v1::PollerScalingDecision,
    workflowservice::v1::{
        PollNexusTaskQueueRequest, PollNexusTaskQueueResponse, RespondNexusTaskCompletedRequest,
        RespondNexusTaskCompletedResponse, RespondNexusTaskFailedRequest,
        RespondNexusTaskFailedResponse,
    },
};
use history::{Delivery, NexusTaskAnswer};
use matching::{Matched, PollRequest, TaskQueueKey};
use prost::Message;

use crate::{
    admission::Call,
    deadline::poll_deadline,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::task_queue::{poll_refused, register},
    token::TaskToken,
    validation::{check_length, polled_queue, polling_version},
};

pub(crate) async fn poll_nexus_task_queue(
    frontend: &Frontend,
    call: &Call,
    request: PollNexusTaskQueueRequest,
) -> ApiResult<PollNexusTaskQueueResponse> {
    let namespace = call.namespace()?;
    let deadline = poll_deadline(call.received, call.timeout)?;
    check_length("Identity", &request.identity, &namespace.limits)?;
    let task_queue = polled_queue(request.task_queue, &namespace.limits)?;
    if !request.worker_heartbeat.is_empty() {
        frontend.workers.record(namespace.id, request.worker_heartbeat);
    }
    // A queue for commands belongs to one process, whatever its version.
    let version = match task_queue.kind() {
        TaskQueueKind::WorkerCommands => None,
        _ => polling_version(request.deployment_options.as_ref(), &namespace.limits)?,
    };
    let mut key = TaskQueueKey::nexus(namespace.id, task_queue.name);
    register(frontend, version.as_ref(), &key).await?;
    key.version.clone_from(&version);
    let poll = PollRequest {
        identity: request.identity,
        request_id: frontend.request_id(String::new()),
        worker_instance_key: request.worker_instance_key,
        worker_control_task_queue: String::new(),
        max_tasks_per_second: None,
        version,
        deadline,
    };
    let polled = frontend.matching.poll(&key, poll).await.map_err(poll_refused)?;
    let Matched::Ready(Delivery::Nexus(task)) = polled.matched else {
        return Ok(PollNexusTaskQueueResponse::default());
    };
    Ok(PollNexusTaskQueueResponse {
        task_token: TaskToken::nexus(frontend.token_keys(), task.namespace_id, task.task_id),
        request: Some(task.request),
        poller_scaling_decision: polled
            .poller_delta
            .map(|delta| PollerScalingDecision { poll_request_delta_suggestion: delta }),
        ..PollNexusTaskQueueResponse::default()
    })
}

pub(crate) async fn respond_nexus_task_completed(
    frontend: &Frontend,
    call: &Call,
    request: RespondNexusTaskCompletedRequest,
) -> ApiResult<RespondNexusTaskCompletedResponse> {
    let task_id = call.token()?.held_nexus_task()?;
    let Some(response) = request.response else {
        return Err(ApiError::invalid("Response is not set on request."));
    };
    let size = response.encoded_len();
    let answer = if size > call.namespace()?.limits.blob_bytes_max {
        NexusTaskAnswer::Failed(handler_error("BAD_REQUEST", "response exceeds size limit"))
    } else {
        NexusTaskAnswer::Completed(response)
    };
    if frontend.history.respond_nexus_task(&call.permit, &task_id, answer) {
        return Ok(RespondNexusTaskCompletedResponse {});
    }
    Err(not_found())
}

pub(crate) async fn respond_nexus_task_failed(
    frontend: &Frontend,
    call: &Call,
    request: RespondNexusTaskFailedRequest,
) -> ApiResult<RespondNexusTaskFailedResponse> {
    let task_id = call.token()?.held_nexus_task()?;
    #[expect(deprecated, reason = "older SDKs fail tasks in this form")]
    let answer = match (request.failure, request.error) {
        (Some(failure), _) => {
            if !matches!(failure.failure_info, Some(FailureInfo::NexusHandlerFailureInfo(_))) {
                let text = "request Failure must contain a NexusHandlerFailureInfo";
                return Err(ApiError::invalid(text));
            }
            NexusTaskAnswer::Failed(failure)
        }
        (None, Some(error)) => NexusTaskAnswer::Refused(error),
        (None, None) => return Err(ApiError::invalid("request must contain error or failure")),
    };
    if frontend.history.respond_nexus_task(&call.permit, &task_id, answer) {
        return Ok(RespondNexusTaskFailedResponse {});
    }
    Err(not_found())
}

fn not_found() -> ApiError {
    ApiError::not_found("Nexus task not found or already expired")
}

fn handler_error(kind: &str, message: &str) -> Failure {
    let info = NexusHandlerFailureInfo { r#type: kind.to_owned(), ..Default::default() };
    Failure {
        message: message.to_owned(),
        failure_info: Some(FailureInfo::NexusHandlerFailureInfo(info)),
        ..Failure::default()
    }
}
