//! Work of a run towards other runs; and the jobs of all entities, see `entities/work.rs`.
//!
//! Such work is a durable task of the run that wants it ([`TaskAction::is_towards_another_run`]).
//! After the task's commit, and again when it is found after a crash, a job of its own carries it
//! out: it reads the durable state of the source, applies the request to the target's slot, and
//! tells the source the [`Outcome`], which makes the task obsolete. What is not acknowledged is
//! done again, so every request is made under an id that is derived from the source's run id and
//! an event id and changes nothing the second time. No job holds two slots.
//!
//! A new kind of such work is an arm of [`perform`], a task action and an outcome.

mod callback;
mod child;
mod closing;
mod destination;
mod external;
mod nexus;
mod update;
mod worker_commands;

use std::{collections::BTreeSet, sync::Arc};

pub(crate) use callback::{News, deliver_news};

use api::common::v1::{Callback, WorkflowExecution, callback::Variant};
use engine::{
    CallbackDelivery, Input, NexusCancellationAnswer, NexusOperationAnswer, Outcome, Rejection,
    State, TaskAction, TaskRecord, is_current, outstanding_tasks,
};
use http_client::AddressError;
use model::{NamespaceId, RunId, SlotId, Span, Time};
use namespace::Namespace;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::sync::Semaphore;

pub use destination::{Destination, DestinationKind};

use self::destination::{Destinations, Visit};
use crate::{
    Execution, History, HistoryError, RunKey, context::Caller, ledger::PendingTask,
    nexus::SYSTEM_CALLBACK_URL, node::Node, recovery::report,
};

/// Most jobs that work at once; the others wait their turn.
const JOBS_AT_ONCE_MAX: usize = 64;

/// Most jobs that wait for workers at once; they take no place of the quick ones.
const WAITING_JOBS_MAX: usize = 4096;

/// Most jobs of a node for work that its slots have no room to know of; the rest of that waits until
/// there is room.
const UNKNOWN_JOBS_MAX: usize = 100_000;

/// How long a job waits after its first failed attempt; the wait doubles from one to the next.
const RETRY_DELAY_MIN: Span = Span::from_millis(50);

/// The longest wait between two attempts.
const RETRY_DELAY_MAX: Span = Span::from_secs(10);

/// Who asks, as other runs' histories name it.
const IDENTITY: &str = "history-service";

/// The jobs of a node.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Tasks that a job has, as they are stored. Bounded by what the slots' ledgers hold, and
    /// [`UNKNOWN_JOBS_MAX`].
    under_way: Mutex<BTreeSet<Vec<u8>>>,
    places: Semaphore,
    waiting_places: Semaphore,
    destinations: Destinations,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
            places: Semaphore::new(JOBS_AT_ONCE_MAX),
            waiting_places: Semaphore::new(WAITING_JOBS_MAX),
            destinations: Destinations::default(),
        }
    }
}

/// The run that wants the work, as it durably is.
#[derive(Debug)]
struct Source {
    key: RunKey,
    state: Arc<State>,
    namespace: Arc<Namespace>,
}

impl Source {
    /// The run as others' histories name it.
    fn execution(&self) -> WorkflowExecution {
        let workflow_id = self.key.workflow.workflow_id.clone();
        WorkflowExecution { workflow_id, run_id: self.key.run_id.to_string() }
    }

    /// On whose behalf its work is done.
    fn caller(&self) -> Caller {
        Caller::server(&self.namespace)
    }

    /// The id of the request that an event of the run stands for.
    fn request_id(&self, event_id: i64) -> RunId {
        self.key.run_id.derived(event_id)
    }
}

/// Does the work once. An error means that it must be tried again.
async fn perform(
    history: &History,
    source: &Source,
    action: &TaskAction,
) -> Result<Option<Outcome>, HistoryError> {
    match action {
        TaskAction::StartChild(task) => {
            child::start(history, source, task.initiated_event_id).await.map(Some)
        }
        TaskAction::SignalExternal(task) => {
            external::signal(history, source, task.initiated_event_id).await
        }
        TaskAction::CancelExternal(task) => {
            external::cancel(history, source, task.initiated_event_id).await
        }
        TaskAction::ReportToParent(_) => closing::report_to_parent(history, source).await.map(Some),
        TaskAction::ApplyParentClosePolicy(_) => {
            closing::apply_close_policy(history, source).await.map(Some)
        }
        TaskAction::StartNexusOperation(task) => nexus::start(history, source, *task).await,
        TaskAction::CancelNexusOperation(task) => nexus::cancel(history, source, *task).await,
        TaskAction::DeliverCallback(task) => callback::deliver(history, source, *task).await,
        TaskAction::SendWorkerCommands(task) => worker_commands::send(history, source, *task).await,
        _ => Ok(None),
    }
}

/// Whether the work waits for a worker or a server outside, and so may take seconds.
fn may_take_long(action: &TaskAction) -> bool {
    matches!(
        action,
        TaskAction::StartNexusOperation(_)
            | TaskAction::CancelNexusOperation(_)
            | TaskAction::DeliverCallback(_)
            | TaskAction::SendWorkerCommands(_)
    )
}

/// Where the request of a piece of work goes; none for what stays inside of the server.
fn destination_of(source: &Source, action: &TaskAction) -> Option<Destination> {
    let endpoint = |scheduled_event_id: i64| {
        let operation = source.state.nexus_operations.get(&scheduled_event_id)?;
        Some(operation.scheduled.as_ref()?.endpoint.clone())
    };
    let (kind, name) = match action {
        TaskAction::StartNexusOperation(task) => {
            (DestinationKind::StartNexusOperation, endpoint(task.scheduled_event_id)?)
        }
        TaskAction::CancelNexusOperation(task) => {
            (DestinationKind::CancelNexusOperation, endpoint(task.scheduled_event_id)?)
        }
        TaskAction::DeliverCallback(task) => {
            let index = usize::try_from(task.index).ok()?;
            let callback = source.state.callbacks.get(index)?.callback.as_ref()?;
            (DestinationKind::Callback, callback_destination(callback)?)
        }
        _ => return None,
    };
    Some(Destination { kind, namespace_id: source.namespace.id, name })
}

/// The scheme and the host that a callback goes to; none when it stays inside.
pub(crate) fn callback_destination(callback: &Callback) -> Option<String> {
    let Some(Variant::Nexus(nexus)) = &callback.variant else { return None };
    let (scheme, rest) = nexus.url.split_once("://")?;
    if nexus.url == SYSTEM_CALLBACK_URL {
        return None;
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some(format!("{scheme}://{host}"))
}

/// Whether the destination answered, whatever it said.
fn has_answered(outcome: &Outcome) -> bool {
    !matches!(
        outcome,
        Outcome::NexusOperation {
            answer: NexusOperationAnswer::HandlerFailed { retryable: true, .. },
            ..
        } | Outcome::NexusCancellation {
            answer: NexusCancellationAnswer::HandlerFailed { retryable: true, .. },
            ..
        } | Outcome::Callback { delivery: CallbackDelivery::Failed { retryable: true, .. }, .. }
    )
}

/// What came of an attempt that was not in vain.
enum Attempt {
    /// Nothing is left to do.
    Done,
    /// The source wants more of the same task, for instance because it has closed.
    Again,
    /// The destination is left alone until then.
    NotBefore(Time),
}

/// Whether a run still owes something to another one.
fn owes_others(state: &State) -> bool {
    outstanding_tasks(state).iter().any(|task| task.action.is_towards_another_run())
}

impl History {
    /// Checks the address of a completion callback that a client registers.
    ///
    /// # Errors
    /// When it may not be called.
    pub fn check_callback_address(&self, url: &str) -> Result<(), AddressError> {
        self.node.outbound.rules.check_callback(url)
    }

    /// Whether requests to a destination wait because it has not answered for a while.
    pub fn is_blocked(&self, destination: &Destination) -> bool {
        self.node.outbox.destinations.is_blocked(destination)
    }

    /// The destination of a completion callback; none when it stays inside of the server.
    pub fn callback_destination(
        &self,
        namespace_id: NamespaceId,
        callback: &Callback,
    ) -> Option<Destination> {
        let name = callback_destination(callback)?;
        Some(Destination { kind: DestinationKind::Callback, namespace_id, name })
    }
}

impl Node {
    /// Carries out a task whose commit was acknowledged, unless a job has it already. What is not
    /// known to its slot may be left alone: it is read again.
    pub(crate) fn carry_out(self: &Arc<Self>, slot: SlotId, task: PendingTask, is_known: bool) {
        let run_id = task.run_id.as_bytes().to_vec().into();
        let name = TaskRecord { run_id, action: Some(task.action) }.encode_to_vec();
        {
            let mut under_way = self.outbox.under_way.lock();
            let has_room = is_known || under_way.len() < UNKNOWN_JOBS_MAX;
            if !has_room || !under_way.insert(name.clone()) {
                return;
            }
        }
        let node = Arc::clone(self);
        self.tracker.spawn(async move {
            node.carry_out_patiently(slot, &task).await;
            // The state that says that nothing is left to do is durable: no wake-up is missed.
            node.outbox.under_way.lock().remove(&name);
        });
    }

    async fn carry_out_patiently(self: &Arc<Self>, slot: SlotId, task: &PendingTask) {
        let mut delay = RETRY_DELAY_MIN;
        loop {
            let mut again = self.now() + delay;
            match self.attempt(slot, task).await {
                None | Some(Ok(Attempt::Done)) => return,
                Some(Ok(Attempt::Again)) => {}
                Some(Ok(Attempt::NotBefore(time))) => again = again.max(time),
                Some(Err(error)) => {
                    tracing::debug!(slot = slot.number(), %error, "work for another run waits");
                }
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = self.environment.clock.sleep_until(again) => {}
            }
            delay = (delay + delay).min(RETRY_DELAY_MAX);
        }
    }

    /// One attempt when it is this one's turn; none when the server stops.
    async fn attempt(
        self: &Arc<Self>,
        slot: SlotId,
        task: &PendingTask,
    ) -> Option<Result<Attempt, HistoryError>> {
        let destination = match task.action {
            TaskAction::EntityWork(work) => {
                match self.entity_destination(slot, task.run_id, work.number).await {
                    Err(error) => return Some(Err(error)),
                    Ok(destination) => destination,
                }
            }
            _ if !may_take_long(&task.action) => None,
            _ => match self.read_source(slot, task).await {
                Err(error) => return Some(Err(error)),
                Ok(None) => return Some(Ok(Attempt::Done)),
                Ok(Some(source)) => destination_of(&source, &task.action),
            },
        };
        if destination.is_none() && !may_take_long(&task.action) {
            let _place = self.outbox.places.acquire().await.ok()?;
            return Some(self.try_to_carry_out(slot, task, None).await);
        }
        let visitor = match destination.map(|found| self.outbox.destinations.visitor(found)) {
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(visitor)) => Some(visitor),
            None => None,
        };
        // Before the place that all share: a slow destination holds its own places only.
        let visit = match &visitor {
            Some(visitor) => match visitor.enter(|| self.now()).await? {
                Ok(visit) => Some(visit),
                Err(time) => return Some(Ok(Attempt::NotBefore(time))),
            },
            None => None,
        };
        let _place = self.outbox.waiting_places.acquire().await.ok()?;
        Some(self.try_to_carry_out(slot, task, visit).await)
    }

    async fn try_to_carry_out(
        self: &Arc<Self>,
        slot: SlotId,
        task: &PendingTask,
        visit: Option<Visit<'_>>,
    ) -> Result<Attempt, HistoryError> {
        match task.action {
            TaskAction::EntityWork(_) | TaskAction::NotifyClosed(_) => {
                let has_answered = self.carry_out_for_entity(slot, task).await?;
                if let Some(visit) = visit {
                    visit.leave(has_answered, self.now());
                }
                return Ok(Attempt::Done);
            }
            _ => {}
        }
        let history = History { node: Arc::clone(self) };
        let Some(source) = self.read_source(slot, task).await? else { return Ok(Attempt::Done) };
        let Some(outcome) = perform(&history, &source, &task.action).await? else {
            return Ok(Attempt::Done);
        };
        if let Some(visit) = visit {
            visit.leave(has_answered(&outcome), self.now());
        }
        let workflow_id = source.key.workflow.workflow_id.clone();
        let execution = Execution::run(workflow_id, source.key.run_id);
        let input = Input::Outcome(outcome);
        match history.apply_checked(&source.caller(), &execution, "", input).await {
            Ok(_) => match self.read_source(slot, task).await? {
                None => Ok(Attempt::Done),
                Some(_) => Ok(Attempt::Again),
            },
            Err(HistoryError::Rejected(Rejection::RunNotFound { .. })) => Ok(Attempt::Done),
            Err(error) => Err(error),
        }
    }

    /// The source of a task, if the task has something left to do.
    async fn read_source(
        &self,
        slot_id: SlotId,
        task: &PendingTask,
    ) -> Result<Option<Source>, HistoryError> {
        let mut slot = self.lock(slot_id).await?;
        let found = match self.load_run(&mut slot, task.run_id).await {
            Err(HistoryError::Damaged(damage)) => {
                report(&damage);
                false
            }
            other => other?,
        };
        let run = slot.runs.get(&task.run_id).filter(|_| found);
        let durable = run.and_then(|run| Some((run.live.key.clone(), run.live.durable()?)));
        let Some((key, state)) = durable else {
            finish(&mut slot, task);
            return Ok(None);
        };
        if !is_current(&state, &task.action) {
            finish(&mut slot, task);
            return Ok(None);
        }
        let namespace = self.namespace_of(&state)?;
        Ok(Some(Source { key, state, namespace }))
    }

    /// Waits until a run owes nothing to others. Forever, while their slots do not answer.
    pub(crate) async fn wait_until_others_know(
        &self,
        slot_id: SlotId,
        run_id: RunId,
    ) -> Result<(), HistoryError> {
        loop {
            let live = {
                let mut slot = self.lock(slot_id).await?;
                if !self.load_run(&mut slot, run_id).await? {
                    return Ok(());
                }
                let Some(run) = slot.runs.get(&run_id) else { return Ok(()) };
                Arc::clone(&run.live)
            };
            let changed = live.changed();
            if live.durable().is_some_and(|state| !owes_others(&state)) {
                return Ok(());
            }
            if live.is_lost() {
                continue;
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(HistoryError::stopping()),
                () = changed => {}
            }
        }
    }

    /// Whether a run of a slot still owes something to others, as far as is durable.
    pub(crate) async fn is_owing(
        &self,
        slot_id: SlotId,
        run_id: RunId,
    ) -> Result<bool, HistoryError> {
        let mut slot = self.lock(slot_id).await?;
        if !self.load_run(&mut slot, run_id).await? {
            return Ok(false);
        }
        let run = slot.runs.get(&run_id);
        Ok(run.and_then(|run| run.live.durable()).is_some_and(|state| owes_others(&state)))
    }
}

fn finish(slot: &mut crate::slot::Slot, task: &PendingTask) {
    if let Some(task_id) = slot.immediate.find(task) {
        slot.immediate.finish(task_id);
    }
}
