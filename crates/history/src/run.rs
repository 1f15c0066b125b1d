//! A run in memory: what has been decided, and what of it may be shown.

use std::{collections::BTreeMap, sync::Arc};

use api::query::v1::WorkflowQuery;
use engine::{HistoryAncestor, State};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    RunKey,
    batches::{Batch, RecentBatches},
    queries::BufferedQuery,
    updates::UpdateHandle,
};

/// What a run weighs in the cache besides its histories and start event, in bytes.
const RUN_OVERHEAD_BYTES: usize = 2048;

/// What a pending activity, a buffered event and a timer weigh in the cache, in bytes.
const ACTIVITY_BYTES: usize = 1024;
const BUFFERED_EVENT_BYTES: usize = 512;
const TIMER_BYTES: usize = 128;

/// A snapshot is written when the records since the last one weigh this much (64 KiB), and at
/// least as much as that one.
const SNAPSHOT_DELTA_BYTES: usize = 64 * 1024;

/// A run as its slot sees it. Behind the slot's lock.
#[derive(Debug)]
pub(crate) struct CachedRun {
    /// The state that the next decision is made on; its commit may be in flight.
    pub(crate) head: Arc<State>,
    /// What may be shown of it.
    pub(crate) live: Arc<LiveRun>,
    /// Queries that wait for a workflow task.
    pub(crate) queries: Vec<BufferedQuery>,
    /// Updates that somebody waits for.
    pub(crate) updates: BTreeMap<String, UpdateHandle>,
    /// Bytes of records since the last snapshot.
    delta_bytes: usize,
    /// Bytes of the last snapshot; 0 before the first.
    snapshot_bytes: usize,
    /// Bytes of the start event.
    started_bytes: usize,
}

/// The durable side of a run, shared with those who wait for it. Waiting takes no slot lock.
///
/// Whoever holds a reference keeps the run in the cache.
#[derive(Debug)]
pub(crate) struct LiveRun {
    /// Which run.
    pub(crate) key: RunKey,
    /// Whose records hold the events before its own.
    pub(crate) ancestors: Vec<HistoryAncestor>,
    published: Mutex<Published>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Published {
    /// The latest durable state.
    state: Option<Arc<State>>,
    /// Decided batches; those past the durable state's last event may not be shown.
    recent: RecentBatches,
    /// The slot lost its memory: ask it again.
    lost: bool,
}

impl CachedRun {
    /// A run that was loaded (its state durable) or is about to start.
    pub(crate) fn new(live: Arc<LiveRun>, head: Arc<State>, delta: usize, snapshot: usize) -> Self {
        let started_bytes = head.started.as_ref().map_or(0, prost::Message::encoded_len);
        Self {
            head,
            live,
            queries: Vec::new(),
            updates: BTreeMap::new(),
            delta_bytes: delta,
            snapshot_bytes: snapshot,
            started_bytes,
        }
    }

    /// A run that a reset is about to make of `past`; its first record comes with a snapshot,
    /// because its other records do not begin at the beginning.
    pub(crate) fn branch(live: Arc<LiveRun>, past: Arc<State>) -> Self {
        Self::new(live, past, SNAPSHOT_DELTA_BYTES, 0)
    }

    /// Counts a record; true when a snapshot should be written with it.
    pub(crate) fn wants_snapshot(&mut self, record_bytes: usize) -> bool {
        self.delta_bytes += record_bytes;
        self.head.is_running() && self.delta_bytes > SNAPSHOT_DELTA_BYTES.max(self.snapshot_bytes)
    }

    /// Notes that a snapshot is part of the commit.
    pub(crate) fn snapshot_written(&mut self, bytes: usize) {
        self.snapshot_bytes = bytes;
        self.delta_bytes = 0;
    }

    /// About how much memory it takes.
    pub(crate) fn weight(&self) -> usize {
        RUN_OVERHEAD_BYTES
            + self.started_bytes
            + self.head.activities.len() * ACTIVITY_BYTES
            + self.head.buffered_events.len() * BUFFERED_EVENT_BYTES
            + self.head.timers.len() * TIMER_BYTES
            + self.live.published.lock().recent.bytes()
    }

    /// The queries that go with a workflow task.
    pub(crate) fn attached_queries(&self) -> BTreeMap<String, WorkflowQuery> {
        let waiting = self.queries.iter().filter(|query| !query.is_abandoned());
        waiting.map(|query| (query.id.clone(), query.query.clone())).collect()
    }

    /// True while a commit is in flight or somebody waits for the run.
    pub(crate) fn is_in_use(&mut self) -> bool {
        self.queries.retain(|query| !query.is_abandoned());
        self.updates.retain(|_, update| update.is_awaited());
        let task = self.head.workflow_task.as_ref();
        Arc::strong_count(&self.live) > 1
            || !self.queries.is_empty()
            || !self.updates.is_empty()
            || task.is_some_and(engine::WorkflowTask::is_speculative)
    }
}

impl LiveRun {
    /// A run with nothing to show yet, or with a durable state.
    pub(crate) fn new(key: RunKey, state: Option<Arc<State>>) -> Arc<Self> {
        let ancestors =
            state.as_ref().map_or_else(Vec::new, |state| state.history_ancestors.clone());
        let published = Mutex::new(Published { state, ..Published::default() });
        Arc::new(Self { key, ancestors, published, changed: Notify::new() })
    }

    /// A run with nothing to show yet whose past is in the records of others.
    pub(crate) fn branch(key: RunKey, ancestors: Vec<HistoryAncestor>) -> Arc<Self> {
        Arc::new(Self { key, ancestors, published: Mutex::default(), changed: Notify::new() })
    }

    /// Adds batches that were decided on.
    pub(crate) fn decided(&self, batches: Vec<Batch>) {
        self.published.lock().recent.extend(batches);
    }

    /// Shows a state that has become durable, and wakes those who wait.
    pub(crate) fn publish(&self, state: Arc<State>) {
        {
            let mut published = self.published.lock();
            if published.state.as_ref().is_some_and(|shown| shown.version >= state.version) {
                return;
            }
            published.state = Some(state);
        }
        self.changed.notify_waiters();
    }

    /// Sends those who wait back to the slot.
    pub(crate) fn lose(&self) {
        self.published.lock().lost = true;
        self.changed.notify_waiters();
    }

    /// The latest durable state; none before the first commit.
    pub(crate) fn durable(&self) -> Option<Arc<State>> {
        self.published.lock().state.clone()
    }

    /// True when the slot knows nothing of this object any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.published.lock().lost
    }

    /// The next change, of those that happen after this call.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// Batches in memory that hold events below `to`, at most so many, the last one first.
    pub(crate) fn recent_before(&self, to: i64, batches_max: usize) -> Vec<Batch> {
        let published = self.published.lock();
        published.recent.before(to).take(batches_max).cloned().collect()
    }

    /// Batches in memory that hold the events from `from` up to, not including, `to`; `None` when
    /// some of them are not in memory.
    pub(crate) fn recent(&self, from: i64, to: i64) -> Option<Vec<Batch>> {
        let published = self.published.lock();
        Some(published.recent.range(from, to)?.cloned().collect())
    }
}
