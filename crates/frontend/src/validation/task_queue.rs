//! Task queues.

use api::{enums::v1::TaskQueueKind, taskqueue::v1::TaskQueue};
use model::Limits;

use crate::error::{ApiError, ApiResult};

/// What the names of a server's own queues start with.
const RESERVED_PREFIX: &str = "/_sys/";

/// The queue that a run or an activity is to use: a normal one.
pub(crate) fn normal_queue(task_queue: Option<TaskQueue>, limits: &Limits) -> ApiResult<TaskQueue> {
    let task_queue = given(task_queue)?;
    check_name(&task_queue.name, limits)?;
    Ok(TaskQueue { kind: TaskQueueKind::Normal as i32, ..task_queue })
}

/// The queue that a worker polls, or that somebody looks at.
pub(crate) fn polled_queue(task_queue: Option<TaskQueue>, limits: &Limits) -> ApiResult<TaskQueue> {
    let task_queue = given(task_queue)?;
    check_name(&task_queue.name, limits)?;
    if task_queue.kind() == TaskQueueKind::Sticky && !task_queue.normal_name.is_empty() {
        check_name(&task_queue.normal_name, limits)?;
    }
    Ok(task_queue)
}

fn given(task_queue: Option<TaskQueue>) -> ApiResult<TaskQueue> {
    task_queue.ok_or_else(|| ApiError::invalid("taskQueue is not set"))
}

fn check_name(name: &str, limits: &Limits) -> ApiResult<()> {
    let refusal = if name.is_empty() {
        "missing task queue name"
    } else if name.len() > limits.id_length_max {
        "taskQueue length exceeds limit"
    } else if name.starts_with(RESERVED_PREFIX) {
        "task queue name cannot start with reserved prefix /_sys/"
    } else {
        return Ok(());
    };
    Err(ApiError::invalid(refusal))
}
