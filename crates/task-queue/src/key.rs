//! What names a task queue.

use std::sync::Arc;

use model::NamespaceId;

use crate::WorkerVersion;

/// The kinds of task that queues of one name keep apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskQueueType {
    /// Workflow tasks.
    Workflow,
    /// Activity tasks.
    Activity,
    /// Nexus tasks.
    Nexus,
}

/// Who shares a task queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskQueueKind {
    /// Any worker.
    #[default]
    Normal,
    /// One worker: the one that has the runs in its cache. Nothing waits here once it is gone.
    Sticky,
}

/// Names one task queue. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskQueueKey {
    /// The namespace that it belongs to.
    pub namespace_id: NamespaceId,
    /// The name that users give it; a sticky queue's is made by the worker.
    pub name: Arc<str>,
    /// What kind of task it holds.
    pub task_type: TaskQueueType,
    /// The version of the workers that poll it; none for workers without one, and for sticky queues.
    /// Queues of one name that differ in it are queues of their own.
    pub version: Option<WorkerVersion>,
}

impl TaskQueueKey {
    /// The key of a queue of workflow tasks.
    pub fn workflow(namespace_id: NamespaceId, name: impl Into<Arc<str>>) -> Self {
        Self::new(namespace_id, name, TaskQueueType::Workflow)
    }

    /// The key of a queue of activity tasks.
    pub fn activity(namespace_id: NamespaceId, name: impl Into<Arc<str>>) -> Self {
        Self::new(namespace_id, name, TaskQueueType::Activity)
    }

    /// The key of a queue of workers without a version.
    pub fn new(
        namespace_id: NamespaceId,
        name: impl Into<Arc<str>>,
        task_type: TaskQueueType,
    ) -> Self {
        Self { namespace_id, name: name.into(), task_type, version: None }
    }

    /// The key of the queue of the same name for workers of another version.
    pub fn with_version(&self, version: Option<WorkerVersion>) -> Self {
        Self { version, ..self.clone() }
    }

    /// The key of a queue of Nexus tasks.
    pub fn nexus(namespace_id: NamespaceId, name: impl Into<Arc<str>>) -> Self {
        Self::new(namespace_id, name, TaskQueueType::Nexus)
    }
}
