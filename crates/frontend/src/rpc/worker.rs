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
    admission::Call, error::ApiResult, frontend::Frontend, rpc::task_queue::queue_type,
    validation::execution,
};

/// The worker's sticky queue ends at once, so that its runs' next tasks go to the normal queue, and
/// its waiting polls are answered.
pub(crate) async fn shutdown_worker(
    frontend: &Frontend,
    call: &Call,
    request: ShutdownWorkerRequest,
) -> ApiResult<ShutdownWorkerResponse> {
    let namespace_id = call.namespace()?.id;
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
    let instance = request.worker_instance_key.as_str();
    if instance.is_empty() {
        return;
    }
    let complete = |name: &str, task_type| {
        if !name.is_empty() {
            let key = TaskQueueKey::new(namespace_id, name, task_type);
            frontend.matching.complete_worker_polls(&key, instance, &request.identity);
        }
    };
    complete(&request.sticky_task_queue, TaskQueueType::Workflow);
    let mut task_types: Vec<_> = request.task_queue_types().collect();
    if task_types.is_empty() {
        task_types =
            vec![ApiTaskQueueType::Workflow, ApiTaskQueueType::Activity, ApiTaskQueueType::Nexus];
    }
    for task_type in task_types {
        complete(&request.task_queue, queue_type(task_type));
    }
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
