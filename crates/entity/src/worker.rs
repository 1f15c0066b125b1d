//! Tasks of an entity that workers take.

use api::{common::v1::Priority, deployment::v1::WorkerDeploymentVersion};
use model::Time;

/// A task that waits for a worker at an activity task queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkerTask<'a> {
    /// Tells it from the entity's earlier and later tasks.
    pub stamp: u32,
    /// Where it waits.
    pub task_queue: &'a str,
    /// Its place there.
    pub priority: Option<&'a Priority>,
    /// Since when it waits.
    pub created: Time,
}

/// A worker's poll that takes a task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// Which task.
    pub stamp: u32,
    /// The poll's own id: the same poll may ask twice.
    pub request_id: String,
    /// The worker.
    pub identity: String,
    /// The worker's version, if it has one.
    pub deployment_version: Option<WorkerDeploymentVersion>,
}
