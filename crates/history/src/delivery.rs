//! What matching hands from history to a poll.

use std::{collections::BTreeMap, sync::Arc};

use api::{common::v1::WorkflowExecution, query::v1::WorkflowQuery};
use bytes::Bytes;
use engine::{StartedActivity, StartedWorkflowTask, State};
use model::{NamespaceId, RunId};
use uuid::Uuid;

use crate::{NexusDelivery, RunKey};

/// A task that a worker holds from here on.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// A workflow task, its start already durable.
    WorkflowTask(Box<WorkflowTaskDelivery>),
    /// An activity attempt, its start already durable.
    Activity(Box<ActivityDelivery>),
    /// An attempt of an activity that no workflow runs, its start already durable.
    StandaloneActivity(Box<StandaloneActivityDelivery>),
    /// A query that goes to a worker without a workflow task; nothing of it is stored.
    Query(Box<QueryDelivery>),
    /// A request to a Nexus handler; nothing of it is stored.
    Nexus(Box<NexusDelivery>),
}

/// A started workflow task.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowTaskDelivery {
    /// The run.
    pub run: RunKey,
    /// The task, with its transient events.
    pub task: StartedWorkflowTask,
    /// The first page of its history, from [`StartedWorkflowTask::history_from`]. Later pages are
    /// read by [`crate::History::read_history`]; the transient events come after the last page.
    pub history: HistoryPage,
    /// Queries to answer together with the task, by the ids that the answers carry.
    pub queries: BTreeMap<String, WorkflowQuery>,
    /// The worker polls at its sticky queue.
    pub on_sticky_queue: bool,
}

/// A started activity attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityDelivery {
    /// The run.
    pub run: RunKey,
    /// The attempt.
    pub activity: StartedActivity,
    /// The state after the start, for what else the worker is told.
    pub state: Arc<State>,
}

/// A started attempt of an activity that no workflow runs.
#[derive(Debug, Clone, PartialEq)]
pub struct StandaloneActivityDelivery {
    /// The namespace that it lives in.
    pub namespace_id: NamespaceId,
    /// What tells it from others of its id.
    pub run_id: RunId,
    /// The stamp that the worker's answers name.
    pub stamp: u32,
    /// The attempt.
    pub activity: StartedActivity,
}

/// A query on its way to a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryDelivery {
    /// The run.
    pub run: RunKey,
    /// What the worker's answer names: see [`crate::History::respond_query`].
    pub query_id: Uuid,
    /// The question.
    pub query: WorkflowQuery,
    /// The run's state.
    pub state: Arc<State>,
    /// The run's history; empty when it goes to the worker that caches the run.
    pub history: HistoryPage,
}

/// Consecutive event batches of a run, as they are stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistoryPage {
    /// Encoded `temporal.api.history.v1.History` messages. When read in reverse the last batch
    /// comes first, and the events in each batch are in falling order too.
    pub batches: Vec<Bytes>,
    /// The event that the next page is read from; none after the last page.
    pub next_event_id: Option<i64>,
}

impl RunKey {
    /// As messages carry it.
    pub fn to_execution(&self) -> WorkflowExecution {
        WorkflowExecution {
            workflow_id: self.workflow.workflow_id.clone(),
            run_id: self.run_id.to_string(),
        }
    }
}
