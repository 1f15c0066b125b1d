//! What all slots of a node share.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Arc, OnceLock, atomic::AtomicUsize},
};

use engine::{Rejection, State};
use environment::Environment;
use matching::Matching;
use model::{NamespaceId, RunId, SLOT_COUNT, SlotId, Time, WorkflowKey};
use namespace::{Namespace, Namespaces};
use nexus::Endpoints;
use parking_lot::Mutex;
use storage::{Epoch, SlotRow, Store, Table};
use telemetry::Metrics;
use token_keys::TokenKeys;
use tokio::sync::MutexGuard;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    BatchMembers, Config, Delivery, HistoryError, NexusTaskAnswer, QueryAnswer, RunKey,
    SystemOperations,
    answers::Answers,
    completion_pages::CompletionPages,
    current,
    metrics::HistoryMetrics,
    outbound::Outbound,
    outbox::Outbox,
    run_cache::RunCache,
    slot::{Slot, SlotCell},
    timers::Timers,
};

/// What a node's history is made of.
#[derive(Debug)]
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Time and randomness.
    pub environment: Environment,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The task queues.
    pub matching: Arc<Matching<Delivery>>,
    /// The namespaces.
    pub namespaces: Arc<Namespaces>,
    /// The Nexus endpoints.
    pub endpoints: Arc<Endpoints>,
    /// The index behind lists and counts.
    pub visibility: Arc<::visibility::Index>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How requests leave the server.
    pub outbound: Outbound,
    /// Who reads the requests of workflows to the server itself.
    pub system_operations: Arc<dyn SystemOperations>,
    /// What tokens are authenticated with.
    pub token_keys: Arc<TokenKeys>,
    /// Who decides about what batch operations find; none where everybody may do everything.
    pub batch_members: Option<Arc<dyn BatchMembers>>,
}

/// See the module.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) environment: Environment,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) matching: Arc<Matching<Delivery>>,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) visibility: Arc<::visibility::Index>,
    pub(crate) metrics: HistoryMetrics,
    pub(crate) timers: Timers,
    pub(crate) outbox: Outbox,
    pub(crate) outbound: Outbound,
    pub(crate) system_operations: Arc<dyn SystemOperations>,
    pub(crate) token_keys: Arc<TokenKeys>,
    pub(crate) batch_members: Option<Arc<dyn BatchMembers>>,
    pub(crate) direct_queries: Arc<Answers<QueryAnswer>>,
    pub(crate) nexus_tasks: Arc<Answers<NexusTaskAnswer>>,
    pub(crate) completion_pages: CompletionPages,
    /// Every task that is spawned.
    pub(crate) tracker: TaskTracker,
    /// Cancelled when what an earlier server left has been picked up.
    pub(crate) recovered: CancellationToken,
    /// Slots that are being read again after a commit failed.
    pub(crate) restoring: AtomicUsize,
    /// Cancelled when the node drains.
    pub(crate) stopping: CancellationToken,
    epoch: Epoch,
    /// The rows that the claim found, until their slots are read.
    claimed: Mutex<BTreeMap<SlotId, SlotRow>>,
    /// In boxes of their own: most slots of an idle node are never touched.
    slots: Box<[OnceLock<Box<SlotCell>>]>,
    run_cache: RunCache,
}

/// Says nothing of what is in it: whoever prints what has a node in it does not want every run, nor
/// the program the means to print them.
impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Node").finish_non_exhaustive()
    }
}

/// A locked slot that knows where it stands.
pub(crate) type SlotGuard<'a> = MutexGuard<'a, Slot>;

impl Node {
    pub(crate) fn new(parts: Parts, claim: storage::Claim) -> Arc<Self> {
        let slots = (0..SLOT_COUNT).map(|_| OnceLock::new()).collect();
        Arc::new(Self {
            run_cache: RunCache::new(parts.config.cache_bytes_max),
            config: parts.config,
            environment: parts.environment,
            store: parts.store,
            matching: parts.matching,
            namespaces: parts.namespaces,
            endpoints: parts.endpoints,
            visibility: parts.visibility,
            metrics: HistoryMetrics::new(parts.metrics),
            timers: Timers::default(),
            direct_queries: Arc::default(),
            outbox: Outbox::default(),
            outbound: parts.outbound,
            system_operations: parts.system_operations,
            token_keys: parts.token_keys,
            batch_members: parts.batch_members,
            nexus_tasks: Arc::default(),
            completion_pages: CompletionPages::default(),
            tracker: TaskTracker::new(),
            recovered: CancellationToken::new(),
            restoring: AtomicUsize::new(0),
            stopping: CancellationToken::new(),
            epoch: claim.epoch,
            claimed: Mutex::new(claim.slots.into_iter().collect()),
            slots,
        })
    }

    pub(crate) fn now(&self) -> Time {
        self.environment.clock.now()
    }

    /// The slots that hold something, in order.
    pub(crate) fn claimed_slots(&self) -> Vec<SlotId> {
        self.claimed.lock().keys().copied().collect()
    }

    /// A slot's row as the claim found it; a slot that was never written has the default one.
    pub(crate) fn claimed_row(&self, slot: SlotId) -> SlotRow {
        let row = self.claimed.lock().remove(&slot).unwrap_or_default();
        SlotRow { epoch: self.epoch, ..row }
    }

    /// False when another server has taken the store over.
    pub(crate) fn is_ours(&self, row: &SlotRow) -> bool {
        row.epoch == self.epoch
    }

    pub(crate) fn cell(&self, slot: SlotId) -> &SlotCell {
        // Every slot number is below the number of cells; the first stands in for what cannot be.
        static SPARE: OnceLock<Box<SlotCell>> = OnceLock::new();
        let cell = self.slots.get(usize::from(slot.number())).unwrap_or(&SPARE);
        cell.get_or_init(|| Box::new(SlotCell::new(slot)))
    }

    /// Locks a slot, and reads where it stands if that is not known.
    pub(crate) async fn lock(&self, slot: SlotId) -> Result<SlotGuard<'_>, HistoryError> {
        let mut guard = self.cell(slot).slot.lock().await;
        if guard.standing.is_none() {
            self.read_slot(&mut guard).await?;
        }
        Ok(guard)
    }

    /// Fails once the node drains.
    pub(crate) fn check_serving(&self) -> Result<(), HistoryError> {
        if self.stopping.is_cancelled() { Err(HistoryError::stopping()) } else { Ok(()) }
    }

    /// The namespace of a run, for what the server does by itself.
    pub(crate) fn namespace_of(&self, state: &State) -> Result<Arc<Namespace>, HistoryError> {
        NamespaceId::from_str(&state.namespace_id)
            .ok()
            .and_then(|id| self.namespaces.by_id(id))
            .ok_or_else(|| {
                HistoryError::Unavailable(format!(
                    "namespace {} of workflow `{}` is unknown",
                    state.namespace_id, state.workflow_id
                ))
            })
    }

    /// Finds and loads the run that a request means.
    pub(crate) async fn find_run(
        &self,
        slot: &mut Slot,
        workflow: &WorkflowKey,
        run_id: Option<RunId>,
    ) -> Result<RunId, HistoryError> {
        let found = match run_id {
            Some(run_id) => self.load_run(slot, run_id).await?.then_some(run_id),
            None => self.find_current(slot, workflow).await?,
        };
        found
            .filter(|run_id| {
                slot.runs.get(run_id).is_some_and(|run| run.live.key.workflow == *workflow)
            })
            .ok_or_else(|| match run_id {
                None => not_found(workflow),
                Some(run_id) => Rejection::RunNotFound {
                    workflow_id: workflow.workflow_id.clone(),
                    run_id: run_id.to_string(),
                }
                .into(),
            })
    }

    /// Finds and loads the current run of a workflow, if it has one.
    pub(crate) async fn find_current(
        &self,
        slot: &mut Slot,
        workflow: &WorkflowKey,
    ) -> Result<Option<RunId>, HistoryError> {
        if let Some(run_id) = slot.currents.get(workflow).copied()
            && slot.runs.contains_key(&run_id)
        {
            self.metrics.cache_hit();
            return Ok(Some(run_id));
        }
        let key = current::key(slot.id, workflow);
        let Some(value) = self.store.read(Table::Current, key).await? else { return Ok(None) };
        let Some(run_id) = current::read(slot.id, workflow, value)? else { return Ok(None) };
        if !self.load_run(slot, run_id).await? {
            return Ok(None);
        }
        slot.currents.insert(workflow.clone(), run_id);
        Ok(Some(run_id))
    }

    /// Notes that a run is used, and lets go of those that have not been for long.
    pub(crate) fn note_use(&self, slot: &mut Slot, run_id: RunId, weight: usize, closed: bool) {
        let victims = self.run_cache.touch((slot.id, run_id), weight, closed);
        if victims.is_empty() {
            return;
        }
        for ((victim_slot, victim), weight) in victims {
            if victim_slot == slot.id {
                self.evict(slot, victim);
            } else if let Ok(mut other) = self.cell(victim_slot).slot.try_lock() {
                self.evict(&mut other, victim);
            } else {
                self.run_cache.restore((victim_slot, victim), weight);
            }
        }
        let (runs, bytes) = self.run_cache.usage();
        self.metrics.cache_filled(runs, bytes, self.config.cache_bytes_max);
    }

    fn evict(&self, slot: &mut Slot, run_id: RunId) {
        if let Some(entity) = slot.entities.get(&run_id) {
            if entity.is_in_use() {
                self.run_cache.restore((slot.id, run_id), entity.weight());
            } else {
                slot.evict_entity(run_id);
            }
            return;
        }
        let Some(run) = slot.runs.get_mut(&run_id) else { return };
        if run.is_in_use() {
            self.run_cache.restore((slot.id, run_id), run.weight());
        } else {
            slot.evict(run_id);
        }
    }

    /// Takes a run that no longer exists out of memory.
    pub(crate) fn drop_run(&self, slot: &mut Slot, run_id: RunId) {
        slot.evict(run_id);
        self.run_cache.remove(&(slot.id, run_id));
    }

    /// Runs in memory, and what they weigh in bytes.
    pub(crate) fn cache_usage(&self) -> (usize, usize) {
        self.run_cache.usage()
    }
}

/// The answer when a workflow has no such run.
pub(crate) fn not_found(workflow: &WorkflowKey) -> HistoryError {
    Rejection::WorkflowNotFound { workflow_id: workflow.workflow_id.clone() }.into()
}

impl RunKey {
    /// The run that a state belongs to; `None` when its ids are not valid.
    pub(crate) fn of(state: &State) -> Option<Self> {
        let namespace_id = NamespaceId::from_str(&state.namespace_id).ok()?;
        let run_id = RunId::from_str(&state.run_id).ok()?;
        let workflow_id = state.workflow_id.clone();
        Some(Self { workflow: WorkflowKey { namespace_id, workflow_id }, run_id })
    }
}
