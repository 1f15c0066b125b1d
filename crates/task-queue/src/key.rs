//! What names a task queue.

use std::sync::Arc;

use model::NamespaceId;

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
}

impl TaskQueueKey {
    /// The key of a queue of workflow tasks.
    pub fn workflow(namespace_id: NamespaceId, name: impl Into<Arc<str>>) -> Self {
        Self { namespace_id, name: name.into(), task_type: TaskQueueType::Workflow }
    }

    /// The key of a queue of activity tasks.
    pub fn activity(namespace_id: NamespaceId, name: impl Into<Arc<str>>) -> Self {
        Self { namespace_id, name: name.into(), task_type: TaskQueueType::Activity }
    }

    /// The key of a queue of Nexus tasks.
    pub fn nexus(namespace_id: NamespaceId, name: impl Into<Arc<str>>) -> Self {
        Self { namespace_id, name: name.into(), task_type: TaskQueueType::Nexus }
    }
}
