//! Workers that go away.

use api::workflowservice::v1::{
    ResetStickyTaskQueueRequest, ResetStickyTaskQueueResponse, ShutdownWorkerRequest,
    ShutdownWorkerResponse,
};
use matching::{TaskQueueKey, TaskQueueType};

use crate::{admission::Call, error::ApiResult, frontend::Frontend, validation::execution};

/// The worker's sticky queue ends at once, so that its runs' next tasks go to the normal queue, and
/// its waiting polls are answered.
pub(crate) async fn shutdown_worker(
    frontend: &Frontend,
    call: &Call,
    request: ShutdownWorkerRequest,
) -> ApiResult<ShutdownWorkerResponse> {
    let namespace = call.namespace()?;
    let key = |name: &str, task_type| TaskQueueKey::new(namespace.id, name, task_type);
    let sticky = request.sticky_task_queue.as_str();
    let instance = request.worker_instance_key.as_str();
    if !instance.is_empty() {
        for task_type in [TaskQueueType::Workflow, TaskQueueType::Activity, TaskQueueType::Nexus] {
            for name in [sticky, request.task_queue.as_str()] {
                if !name.is_empty() {
                    frontend.matching.complete_worker_polls(&key(name, task_type), instance);
                }
            }
        }
    }
    if !sticky.is_empty() {
        let sticky = key(sticky, TaskQueueType::Workflow);
        let left = frontend.matching.unload(&sticky);
        frontend.history.leave_sticky_queue(left);
    }
    Ok(ShutdownWorkerResponse::default())
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
