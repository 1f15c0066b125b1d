//! Polls for activity tasks, and the shape of an activity task on the wire.

use api::{
    common::v1::WorkflowExecution,
    taskqueue::v1::PollerScalingDecision,
    workflowservice::v1::{PollActivityTaskQueueRequest, PollActivityTaskQueueResponse},
};
use engine::{Rejection, StartedActivity};
use history::{
    ActivityDelivery, Delivery, History, HistoryError, RunKey, StandaloneActivityDelivery,
    WorkerPoll,
};
use matching::{Matched, PollRequest, TaskQueueKey};
use telemetry::TaskType;
use token_keys::TokenKeys;

use crate::{
    admission::Call,
    deadline::poll_deadline,
    error::ApiResult,
    frontend::Frontend,
    poll_metrics::CountedPoll,
    rpc::task_queue::{poll_refused, register},
    token::TaskToken,
    validation::{check_length, polled_queue, polling_version},
};

pub(crate) async fn poll_activity_task_queue(
    frontend: &Frontend,
    call: &Call,
    request: PollActivityTaskQueueRequest,
) -> ApiResult<PollActivityTaskQueueResponse> {
    let namespace = call.namespace()?;
    let deadline = poll_deadline(call.received, call.timeout)?;
    check_length("Identity", &request.identity, &namespace.limits)?;
    let control = &request.worker_control_task_queue;
    check_length("WorkerControlTaskQueue", control, &namespace.limits)?;
    let task_queue = polled_queue(request.task_queue, &namespace.limits)?;
    let counted = CountedPoll::begin(frontend, namespace, &task_queue.name, TaskType::Activity);
    let version = polling_version(request.deployment_options.as_ref(), &namespace.limits)?;
    let mut key = TaskQueueKey::activity(namespace.id, task_queue.name);
    register(frontend, version.as_ref(), &key).await?;
    key.version.clone_from(&version);
    let max_tasks_per_second =
        request.task_queue_metadata.and_then(|metadata| metadata.max_tasks_per_second);
    loop {
        let poll = PollRequest {
            identity: request.identity.clone(),
            request_id: frontend.request_id(String::new()),
            worker_instance_key: request.worker_instance_key.clone(),
            worker_control_task_queue: request.worker_control_task_queue.clone(),
            max_tasks_per_second,
            version: version.clone(),
            deadline,
        };
        let worker = WorkerPoll {
            identity: poll.identity.clone(),
            worker_control_task_queue: poll.worker_control_task_queue.clone(),
            request_id: poll.request_id.clone(),
            on_sticky_queue: false,
            version: version.clone(),
        };
        let polled = frontend.matching.poll(&key, poll).await.map_err(poll_refused)?;
        let at_once = !matches!(polled.matched, Matched::Queued(_));
        let delivery = match polled.matched {
            Matched::Started(delivery) => delivery,
            Matched::Queued(queued) => {
                let (history, permit) = (&frontend.history, &call.permit);
                let started = if History::is_of_entity(&queued) {
                    history.take_entity_task(permit, namespace, &queued, worker).await
                } else {
                    let started = history.start_activity(permit, namespace, &queued, worker).await;
                    started.map(|activity| Delivery::Activity(Box::new(activity)))
                };
                match started {
                    Ok(delivery) => delivery,
                    Err(HistoryError::Rejected(
                        Rejection::TaskObsolete
                        | Rejection::ActivityNotFound
                        | Rejection::WorkflowClosed
                        | Rejection::WorkflowNotFound { .. }
                        | Rejection::RunNotFound { .. },
                    )) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            Matched::Empty | Matched::Ready(_) => {
                counted.empty();
                return Ok(PollActivityTaskQueueResponse::default());
            }
        };
        let (task, scheduled_time) = match delivery {
            Delivery::Activity(delivery) => {
                let ActivityDelivery { run, activity, .. } = *delivery;
                let time = activity.attempt_scheduled_time;
                (activity_task(frontend.token_keys(), &namespace.name, &run, activity), time)
            }
            Delivery::StandaloneActivity(started) => {
                let time = started.activity.attempt_scheduled_time;
                (standalone_activity_task(frontend.token_keys(), &namespace.name, *started), time)
            }
            Delivery::WorkflowTask(_) | Delivery::Query(_) | Delivery::Nexus(_) => {
                counted.empty();
                return Ok(PollActivityTaskQueueResponse::default());
            }
        };
        counted.matched(at_once, frontend.now().since(scheduled_time));
        return Ok(PollActivityTaskQueueResponse {
            poller_scaling_decision: polled
                .poller_delta
                .map(|delta| PollerScalingDecision { poll_request_delta_suggestion: delta }),
            ..task
        });
    }
}

/// A started attempt of an activity that no workflow runs, as its worker gets it.
fn standalone_activity_task(
    keys: &TokenKeys,
    namespace: &str,
    started: StandaloneActivityDelivery,
) -> PollActivityTaskQueueResponse {
    let task_token = TaskToken::standalone_activity(keys, &started);
    let StandaloneActivityDelivery { run_id, activity, .. } = started;
    PollActivityTaskQueueResponse {
        task_token,
        workflow_execution: Some(WorkflowExecution::default()),
        activity_run_id: run_id.to_string(),
        ..attempt(namespace, activity)
    }
}

/// A started activity attempt as its worker gets it.
pub(crate) fn activity_task(
    keys: &TokenKeys,
    namespace: &str,
    run: &RunKey,
    started: StartedActivity,
) -> PollActivityTaskQueueResponse {
    let name = started.workflow_type.clone();
    PollActivityTaskQueueResponse {
        task_token: TaskToken::activity(keys, run, started.scheduled_event_id, started.attempt),
        workflow_type: Some(api::common::v1::WorkflowType { name }),
        workflow_execution: Some(run.to_execution()),
        ..attempt(namespace, started)
    }
}

/// What every activity's worker gets.
fn attempt(namespace: &str, started: StartedActivity) -> PollActivityTaskQueueResponse {
    let StartedActivity { scheduled, attempt, .. } = started;
    PollActivityTaskQueueResponse {
        workflow_namespace: namespace.to_owned(),
        activity_type: scheduled.activity_type.clone(),
        activity_id: scheduled.activity_id.clone(),
        header: scheduled.header.clone(),
        input: scheduled.input.clone(),
        heartbeat_details: started.heartbeat_details.map(|details| (*details).clone()),
        scheduled_time: started.scheduled_time.to_proto(),
        current_attempt_scheduled_time: started.attempt_scheduled_time.to_proto(),
        started_time: started.started_time.to_proto(),
        attempt,
        schedule_to_close_timeout: scheduled.schedule_to_close_timeout,
        start_to_close_timeout: scheduled.start_to_close_timeout,
        heartbeat_timeout: scheduled.heartbeat_timeout,
        retry_policy: scheduled.retry_policy.clone(),
        priority: started.priority,
        ..PollActivityTaskQueueResponse::default()
    }
}
