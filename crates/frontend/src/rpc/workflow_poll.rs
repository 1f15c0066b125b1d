//! Polls for workflow tasks, and the shape of a workflow task on the wire.

use api::{
    RawHistory,
    common::v1::WorkflowType,
    enums::v1::TaskQueueKind as ApiTaskQueueKind,
    taskqueue::v1::{PollerScalingDecision, TaskQueue},
    workflowservice::v1::{PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse},
};
use bytes::Bytes;
use engine::{HeldWorkflowTask, Rejection};
use history::{
    Delivery, HistoryError, HistoryPage, QueryDelivery, RunKey, WorkerPoll, WorkflowTaskDelivery,
};
use matching::{Matched, PollRequest, TaskQueueKey};
use telemetry::TaskType;
use token_keys::TokenKeys;

use crate::{
    admission::Call,
    deadline::poll_deadline,
    error::ApiResult,
    frontend::Frontend,
    poll_metrics::{CountedPoll, waited},
    rpc::task_queue::{poll_refused, register},
    token::{HistoryToken, TaskToken},
    validation::{check_length, polled_queue, polling_version},
};

pub(crate) async fn poll_workflow_task_queue(
    frontend: &Frontend,
    call: &Call,
    request: PollWorkflowTaskQueueRequest,
) -> ApiResult<PollWorkflowTaskQueueResponse> {
    let namespace = call.namespace()?;
    let deadline = poll_deadline(call.received, call.timeout)?;
    check_length("Identity", &request.identity, &namespace.limits)?;
    let control = &request.worker_control_task_queue;
    check_length("WorkerControlTaskQueue", control, &namespace.limits)?;
    let task_queue = polled_queue(request.task_queue, &namespace.limits)?;
    let on_sticky_queue = task_queue.kind() == ApiTaskQueueKind::Sticky;
    let counted_as = if on_sticky_queue { &task_queue.normal_name } else { &task_queue.name };
    let counted = CountedPoll::begin(frontend, namespace, counted_as, TaskType::Workflow);
    let version = polling_version(request.deployment_options.as_ref(), &namespace.limits)?;
    let mut key = TaskQueueKey::workflow(namespace.id, task_queue.name);
    // A sticky queue belongs to one worker, whatever its version.
    if !on_sticky_queue {
        register(frontend, version.as_ref(), &key).await?;
        key.version.clone_from(&version);
    }
    loop {
        let poll = PollRequest {
            identity: request.identity.clone(),
            request_id: frontend.request_id(String::new()),
            worker_instance_key: request.worker_instance_key.clone(),
            worker_control_task_queue: request.worker_control_task_queue.clone(),
            max_tasks_per_second: None,
            version: version.clone(),
            deadline,
        };
        let worker = WorkerPoll {
            identity: poll.identity.clone(),
            worker_control_task_queue: poll.worker_control_task_queue.clone(),
            request_id: poll.request_id.clone(),
            on_sticky_queue,
            version: version.clone(),
        };
        let polled = frontend.matching.poll(&key, poll).await.map_err(poll_refused)?;
        let at_once = !matches!(polled.matched, Matched::Queued(_));
        let mut response = match polled.matched {
            Matched::Started(Delivery::WorkflowTask(task)) => {
                workflow_task(frontend.token_keys(), *task)
            }
            Matched::Ready(Delivery::Query(query)) => query_task(frontend.token_keys(), *query),
            Matched::Queued(queued) => {
                let started = frontend
                    .history
                    .start_workflow_task(&call.permit, namespace, &queued, worker)
                    .await;
                match started {
                    Ok(task) => workflow_task(frontend.token_keys(), task),
                    Err(HistoryError::Rejected(
                        Rejection::TaskObsolete
                        | Rejection::WorkflowNotFound { .. }
                        | Rejection::RunNotFound { .. },
                    )) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            Matched::Empty | Matched::Started(_) | Matched::Ready(_) => {
                counted.empty();
                return Ok(PollWorkflowTaskQueueResponse::default());
            }
        };
        counted.matched(at_once, waited(frontend.now(), response.scheduled_time.as_ref()));
        response.backlog_count_hint = polled.backlog_count_hint;
        response.poller_scaling_decision = polled
            .poller_delta
            .map(|delta| PollerScalingDecision { poll_request_delta_suggestion: delta });
        return Ok(response);
    }
}

/// A started workflow task as its worker gets it.
pub(crate) fn workflow_task(
    keys: &TokenKeys,
    delivery: WorkflowTaskDelivery,
) -> PollWorkflowTaskQueueResponse {
    let WorkflowTaskDelivery { run, task, history, queries, .. } = delivery;
    let held = HeldWorkflowTask {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        started_time: task.started_time,
    };
    let next_page_token = next_page_token(keys, &run, &history);
    let mut batches = history.batches;
    if next_page_token.is_empty() && !task.transient_events.is_empty() {
        batches.push(RawHistory::from(task.transient_events).encoded().clone());
    }
    PollWorkflowTaskQueueResponse {
        task_token: TaskToken::workflow_task(keys, &run, &held),
        workflow_execution: Some(run.to_execution()),
        workflow_type: Some(WorkflowType { name: task.workflow_type }),
        previous_started_event_id: task.previous_started_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        history: Some(joined(batches)),
        next_page_token,
        workflow_execution_task_queue: Some(normal(task.task_queue)),
        scheduled_time: task.scheduled_time.to_proto(),
        started_time: task.started_time.to_proto(),
        queries,
        messages: task.messages,
        ..PollWorkflowTaskQueueResponse::default()
    }
}

/// A query that comes alone, as its worker gets it.
fn query_task(keys: &TokenKeys, delivery: QueryDelivery) -> PollWorkflowTaskQueueResponse {
    let QueryDelivery { run, query_id, query, state, history } = delivery;
    PollWorkflowTaskQueueResponse {
        task_token: TaskToken::query(keys, &run, query_id),
        workflow_execution: Some(run.to_execution()),
        workflow_type: Some(WorkflowType { name: state.workflow_type().to_owned() }),
        previous_started_event_id: state.previous_started_event_id,
        attempt: 1,
        next_page_token: next_page_token(keys, &run, &history),
        history: Some(joined(history.batches)),
        query: Some(query),
        workflow_execution_task_queue: Some(normal(state.task_queue().to_owned())),
        ..PollWorkflowTaskQueueResponse::default()
    }
}

/// Where the worker reads on: up to what the history has by then, because the end of a task that
/// is over by then may be there no more.
fn next_page_token(keys: &TokenKeys, run: &RunKey, page: &HistoryPage) -> Bytes {
    let token = page.next_event_id.map(|next_event_id| HistoryToken {
        run_id: run.run_id,
        next_event_id,
        reverse: false,
    });
    token.map(|token| token.encode(keys, run.workflow.namespace_id)).unwrap_or_default()
}

/// Stored batches as one history; a single one is passed on without a copy.
pub(crate) fn joined(mut batches: Vec<Bytes>) -> RawHistory {
    match batches.pop() {
        Some(only) if batches.is_empty() => RawHistory::from_encoded(only),
        Some(last) => {
            batches.push(last);
            RawHistory::concatenate(&batches)
        }
        None => RawHistory::default(),
    }
}

fn normal(name: String) -> TaskQueue {
    TaskQueue { name, kind: ApiTaskQueueKind::Normal as i32, ..TaskQueue::default() }
}
