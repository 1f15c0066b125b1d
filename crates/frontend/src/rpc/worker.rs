//! Workers that go away.

use api::{
    enums::v1::TaskQueueType as ApiTaskQueueType,
    workflowservice::v1::{
        ResetStickyTaskQueueRequest, ResetStickyTaskQueueResponse, ShutdownWorkerRequest,
        ShutdownWorkerResponse,
    },
};
use matching::{TaskQueueKey, TaskQueueType};
use model::NamespaceId;

use crate::{
    admission::Call,
    error::ApiResult,
    frontend::Frontend,
    rpc::task_queue::queue_type,
    validation::{check_length, execution},
};

/// The worker's sticky queue ends at once, so that its runs' next tasks go to the normal queue, and
/// its waiting polls are answered.
pub(crate) async fn shutdown_worker(
    frontend: &Frontend,
    call: &Call,
    request: ShutdownWorkerRequest,
) -> ApiResult<ShutdownWorkerResponse> {
    let namespace = call.namespace()?;
    check_length("WorkerInstanceKey", &request.worker_instance_key, &namespace.limits)?;
    let namespace_id = namespace.id;
    complete_polls(frontend, namespace_id, &request);
    if let Some(heartbeat) = request.worker_heartbeat {
        frontend.workers.record(namespace_id, vec![heartbeat]);
    }
    if !request.sticky_task_queue.is_empty() {
        let sticky = TaskQueueKey::workflow(namespace_id, request.sticky_task_queue);
        let left = frontend.matching.unload(&sticky);
        frontend.history.leave_sticky_queue(left);
    }
    Ok(ShutdownWorkerResponse::default())
}

/// Answers the polls of a worker, at its own queue and at those that it says it polls.
fn complete_polls(frontend: &Frontend, namespace_id: NamespaceId, request: &ShutdownWorkerRequest) {
    let mut task_types: Vec<_> = request.task_queue_types().collect();
    if task_types.is_empty() {
        task_types =
            vec![ApiTaskQueueType::Workflow, ApiTaskQueueType::Activity, ApiTaskQueueType::Nexus];
    }
    let named =
        task_types.into_iter().map(|task_type| (&request.task_queue, queue_type(task_type)));
    let sticky = (&request.sticky_task_queue, TaskQueueType::Workflow);
    let queues: Vec<_> = std::iter::once(sticky)
        .chain(named)
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, task_type)| TaskQueueKey::new(namespace_id, name.as_str(), task_type))
        .collect();
    let instance = &request.worker_instance_key;
    frontend.matching.stop_worker(namespace_id, instance, &request.identity, &queues);
}

pub(crate) async fn reset_sticky_task_queue(
    frontend: &Frontend,
    call: &Call,
    request: ResetStickyTaskQueueRequest,
) -> ApiResult<ResetStickyTaskQueueResponse> {
    let execution = execution(request.execution)?;
    frontend.history.reset_sticky_task_queue(&call.permit, call.namespace()?, &execution).await?;
    Ok(ResetStickyTaskQueueResponse {})
}
