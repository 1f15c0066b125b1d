//! What the visibility index is told, and how far it has kept up.

use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ::visibility::{Change, Execution, Record};
use api::common::v1::WorkflowExecution;
use bytes::Bytes;
use engine::State;
use model::{NamespaceId, RunId};
use prost::Message;

use crate::{RunKey, indexed_types::write_types, node::Node};

/// A change that the index still has to take, as it is stored. Tags are part of the format.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct VisibilityTask {
    /// The run's 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) run_id: Bytes,
    /// The namespace's 16 bytes; only with a deletion.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) namespace_id: Bytes,
    /// The version up to which the run is deleted; 0: it is put into the index as it stands.
    #[prost(uint64, tag = "3")]
    pub(crate) deleted_version: u64,
}

impl VisibilityTask {
    /// The stored form of a change of a run.
    pub(crate) fn of(run_id: RunId, change: &Change) -> Self {
        let (namespace_id, deleted_version) = match change {
            Change::Delete { namespace_id, version, .. } => {
                (Bytes::copy_from_slice(namespace_id.as_bytes()), *version)
            }
            Change::Upsert(_) | Change::DeleteNamespace(_) | Change::Complete => (Bytes::new(), 0),
        };
        let run_id = Bytes::copy_from_slice(run_id.as_bytes());
        Self { run_id, namespace_id, deleted_version }
    }

    /// The deletion that it stands for, if it is one.
    pub(crate) fn deletion(&self, run_id: RunId) -> Option<Change> {
        let namespace_id = <[u8; 16]>::try_from(self.namespace_id.as_ref()).ok()?;
        let namespace_id = NamespaceId::from_bytes(namespace_id);
        Some(Change::Delete { namespace_id, run_id, version: self.deleted_version })
    }
}

/// The visibility tasks of a slot that are not known to be in the index.
#[derive(Debug, Default)]
pub(crate) struct VisibilityLedger {
    pending: BTreeMap<u64, Place>,
}

/// From which id on the index's flushes cover a change: 0 while it is not in the index's queue.
pub(crate) type Place = Arc<AtomicU64>;

/// The highest task id of a slot that was on its way to the index; commits of a slot may be
/// released out of order.
#[derive(Debug, Default)]
pub(crate) struct FeedOrder(AtomicU64);

impl VisibilityLedger {
    /// Notes a task whose row is part of this commit, or was found in the store.
    pub(crate) fn add(&mut self, task_id: u64) -> Place {
        let place = Place::default();
        self.pending.insert(task_id, Arc::clone(&place));
        place
    }

    /// Drops a task that has nothing left to tell the index.
    pub(crate) fn finish(&mut self, task_id: u64) {
        self.pending.remove(&task_id);
    }

    /// Where a reader of the store starts, when ids below `next_task_id` are in use.
    pub(crate) fn cursor(&mut self, next_task_id: u64, flushed: impl FnOnce() -> u64) -> u64 {
        if self.pending.is_empty() {
            return next_task_id;
        }
        let flushed = flushed();
        while let Some(first) = self.pending.first_entry() {
            let covered_from = first.get().load(Ordering::Acquire);
            if covered_from == 0 || covered_from > flushed {
                return *first.key();
            }
            first.remove();
        }
        next_task_id
    }
}

impl Node {
    /// Puts a change into the index's queue, waiting for room.
    pub(crate) async fn feed_index(&self, task: FeedIndex) {
        let FeedIndex { slot, task_id, change, place } = task;
        let change = self.typed(change);
        let order = &self.cell(slot).feed_order.0;
        order.fetch_max(task_id, Ordering::AcqRel);
        match self.visibility.submit(slot, task_id, change).await {
            Ok(_) => {
                // A later change may have entered the queue first: then only a change after it
                // proves that this one is flushed.
                let highest = order.load(Ordering::Acquire);
                let covered_from = if highest > task_id { highest + 1 } else { task_id };
                place.store(covered_from, Ordering::Release);
            }
            // The row stays in the store: the index gets it when the slot is read again.
            Err(error) => tracing::debug!(%error, "the visibility index takes no changes"),
        }
    }

    /// The change with the types of search attributes that hold in the namespace now.
    pub(crate) fn typed(&self, mut change: Change) -> Change {
        if let Change::Upsert(record) = &mut change
            && !record.search_attributes.is_empty()
            && let Some(namespace) = self.namespaces.by_id(record.namespace_id)
        {
            write_types(&mut record.search_attributes, |name| {
                namespace.search_attribute_type(name)
            });
        }
        change
    }
}

/// A change on its way to the index.
#[derive(Debug)]
pub(crate) struct FeedIndex {
    pub(crate) slot: model::SlotId,
    pub(crate) task_id: u64,
    pub(crate) change: Change,
    pub(crate) place: Place,
}

/// Whether a list of runs shows a difference between two states.
pub(crate) fn differs(before: &State, after: &State) -> bool {
    before.status != after.status
        || before.memo != after.memo
        || before.search_attributes != after.search_attributes
}

/// What the index is told of a run.
pub(crate) fn upsert(key: &RunKey, state: &State) -> Change {
    let started = state.started.as_deref();
    let execution_time = state.execution_time();
    let parent = started.and_then(|started| started.parent_workflow_execution.as_ref());
    let root = started.and_then(|started| started.root_workflow_execution.as_ref());
    Change::Upsert(Box::new(Record {
        namespace_id: key.workflow.namespace_id,
        run_id: key.run_id,
        version: state.version,
        workflow_id: state.workflow_id.clone(),
        workflow_type: state.workflow_type().to_owned(),
        task_queue: state.task_queue().to_owned(),
        status: state.status,
        start_time: state.start_time,
        execution_time,
        close_time: state.close_time,
        history_length: state.last_event_id(),
        history_size_bytes: state.history_bytes,
        state_transition_count: i64::try_from(state.version).unwrap_or(i64::MAX),
        execution_duration: state.close_time.since(execution_time),
        parent: parent.and_then(execution),
        root: root.and_then(execution),
        memo: state.memo.as_ref().map(engine::Shared::to_owned_message),
        search_attributes: state
            .search_attributes
            .as_ref()
            .map(|attributes| attributes.indexed_fields.clone())
            .unwrap_or_default(),
    }))
}

fn execution(execution: &WorkflowExecution) -> Option<Execution> {
    let run_id = RunId::from_str(&execution.run_id).ok()?;
    Some(Execution { workflow_id: execution.workflow_id.clone(), run_id })
}
