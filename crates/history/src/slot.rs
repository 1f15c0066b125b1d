//! A slot: what one writer at a time works on.
//!
//! Whoever holds a slot's lock is its single writer. There is no actor and no queue in front of it:
//! a request locks, decides, submits and unlocks, and then waits for its commit without the lock,
//! so that the next request can decide on a state whose commit is in flight.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use ::entity::EntityKey;
use model::{RunId, SlotId, WorkflowKey};
use parking_lot::Mutex;
use storage::{Epoch, SlotRow};

use crate::{
    HistoryError,
    commit::Outcome,
    entities::CachedEntity,
    ledger::ImmediateLedger,
    refused::RefusedTasks,
    run::CachedRun,
    speculative::SpeculativeTimers,
    timer_ledger::TimerLedger,
    visibility::{FeedOrder, VisibilityLedger, VisibilityTask},
};

/// A slot and its lock.
#[derive(Debug)]
pub(crate) struct SlotCell {
    pub(crate) slot: tokio::sync::Mutex<Slot>,
    /// Immediate tasks that matching had no room for.
    pub(crate) refused: Mutex<RefusedTasks>,
    pub(crate) feed_order: FeedOrder,
}

/// What a slot's writer knows. All of it can be read again from the store.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: SlotId,
    /// Where the slot stands in the store; `None` until it is read, and after a failed commit.
    pub(crate) standing: Option<Standing>,
    pub(crate) runs: BTreeMap<RunId, CachedRun>,
    /// The current run of each workflow that has it in the cache.
    pub(crate) currents: BTreeMap<WorkflowKey, RunId>,
    /// The entities in the cache that are no runs, and their ids.
    pub(crate) entities: BTreeMap<RunId, CachedEntity>,
    pub(crate) entity_ids: BTreeMap<EntityKey, RunId>,
    pub(crate) immediate: ImmediateLedger,
    pub(crate) timers: TimerLedger,
    pub(crate) speculative: SpeculativeTimers,
    pub(crate) visibility: VisibilityLedger,
    /// A task is under way that reads more immediate tasks.
    pub(crate) refilling: bool,
    /// Runs that are being deleted: what the store still has of them does not count.
    pub(crate) deleting: BTreeSet<RunId>,
    /// Nothing has been read yet: the row of the claim still holds.
    pub(crate) fresh: bool,
    /// Visibility tasks that were found in the store and are not with the index yet.
    pub(crate) unfed: Vec<(u64, VisibilityTask)>,
    /// Immediate tasks that were found in the store and are not with matching yet.
    pub(crate) unoffered: Vec<u64>,
    /// From this id on the rows beyond the memory are to be offered, or carried out, too.
    pub(crate) unpassed: Option<u64>,
}

/// Where a slot stands.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Our epoch.
    pub(crate) epoch: Epoch,
    /// What the next batch expects.
    pub(crate) seq: u64,
    /// The next task's id.
    pub(crate) next_task_id: u64,
    /// The time since the slot was last read from the store.
    pub(crate) tenure: Arc<Tenure>,
    /// The last commit that was submitted.
    pub(crate) latest: Option<Outcome>,
}

/// An unbroken chain of commits: each was decided on the outcome of the one before. It ends with
/// the first that fails.
#[derive(Debug, Default)]
pub(crate) struct Tenure {
    ended_at: OnceLock<u64>,
    /// Batches that expected less than this seq are in the store.
    durable: AtomicU64,
}

impl SlotCell {
    pub(crate) fn new(id: SlotId) -> Self {
        Self {
            slot: tokio::sync::Mutex::new(Slot::new(id)),
            refused: Mutex::default(),
            feed_order: FeedOrder::default(),
        }
    }
}

impl Slot {
    fn new(id: SlotId) -> Self {
        Self {
            id,
            standing: None,
            runs: BTreeMap::new(),
            currents: BTreeMap::new(),
            entities: BTreeMap::new(),
            entity_ids: BTreeMap::new(),
            immediate: ImmediateLedger::default(),
            timers: TimerLedger::default(),
            speculative: SpeculativeTimers::default(),
            visibility: VisibilityLedger::default(),
            refilling: false,
            deleting: BTreeSet::new(),
            fresh: true,
            unfed: Vec::new(),
            unoffered: Vec::new(),
            unpassed: None,
        }
    }

    /// Drops everything that is known, and sends those who wait for a run back to the slot.
    pub(crate) fn forget(&mut self) {
        for run in self.runs.values() {
            run.live.lose();
        }
        for entity in self.entities.values() {
            entity.live.lose();
        }
        *self = Self { fresh: false, ..Self::new(self.id) };
    }

    /// Takes a run out of memory.
    pub(crate) fn evict(&mut self, run_id: RunId) {
        let Some(run) = self.runs.remove(&run_id) else { return };
        self.speculative.remove(run_id);
        run.live.lose();
        let workflow = &run.live.key.workflow;
        if self.currents.get(workflow) == Some(&run_id) {
            self.currents.remove(workflow);
        }
    }

    /// Takes an entity out of memory that is no run.
    pub(crate) fn evict_entity(&mut self, instance: RunId) {
        let Some(entity) = self.entities.remove(&instance) else { return };
        entity.live.lose();
        if self.entity_ids.get(&entity.live.key) == Some(&instance) {
            self.entity_ids.remove(&entity.live.key);
        }
    }

    /// When it has something to do next, if ever.
    pub(crate) fn next_due(&self) -> Option<model::Time> {
        [self.timers.next_due(), self.speculative.next_due()].into_iter().flatten().min()
    }

    /// The next task id. Ids of commits that are not made are skipped.
    pub(crate) fn take_task_id(&mut self) -> Result<u64, HistoryError> {
        let standing = self.standing_mut()?;
        let id = standing.next_task_id;
        standing.next_task_id += 1;
        Ok(id)
    }

    pub(crate) fn standing_mut(&mut self) -> Result<&mut Standing, HistoryError> {
        self.standing
            .as_mut()
            .ok_or_else(|| HistoryError::Unavailable("the slot is being read".to_owned()))
    }

    /// The outcome of everything that was submitted so far: what an answer that changed nothing
    /// waits for, since the state it is about may be in flight.
    pub(crate) fn barrier(&self) -> Outcome {
        let latest = self.standing.as_ref().and_then(|standing| standing.latest.clone());
        latest.unwrap_or_else(Outcome::committed)
    }
}

impl Standing {
    pub(crate) fn new(row: &SlotRow) -> Self {
        Self {
            epoch: row.epoch,
            seq: row.seq,
            next_task_id: row.next_task_id,
            tenure: Arc::default(),
            latest: None,
        }
    }
}

impl Tenure {
    /// A batch that expected this seq is in the store, and so are those before it.
    pub(crate) fn stored(&self, expected_seq: u64) {
        self.durable.fetch_max(expected_seq.saturating_add(1), Ordering::AcqRel);
    }

    /// Batches that expected less than this are in the store; later ones may be under way.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Ends the chain: batches that expected less than this seq are in the store, and no others.
    pub(crate) fn end(&self, seq: u64) {
        // A tenure ends once, under the slot's lock.
        let _first = self.ended_at.set(seq);
    }

    /// Whether a batch of an ended chain is in the store; `None` while the chain goes on.
    pub(crate) fn has(&self, expected_seq: u64) -> Option<bool> {
        self.ended_at.get().map(|ended_at| expected_seq < *ended_at)
    }
}
