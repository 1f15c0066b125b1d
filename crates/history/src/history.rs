//! The entry: opening, draining, and what every request shares.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, Rejection, Reply, decide};
use matching::{Drained, QueuedTask};
use model::{RunId, SlotId, Span};
use namespace::Namespace;
use token_keys::TokenKeys;

use crate::{
    Execution, HistoryError, Parts,
    commit::{Commit, Outcome},
    context::Caller,
    node::{Node, SlotGuard},
};

/// How long tasks wait that cannot be offered because the store does not answer.
const RETRY_DELAY: Span = Span::from_millis(200);

/// All runs of a store. Methods may be called from any task, and a call that is dropped half-way
/// either has done nothing or completes by itself.
///
/// Every method takes the caller's permit and the namespace that it is for; frontends look the
/// namespace up once per call.
#[derive(Debug)]
pub struct History {
    pub(crate) node: Arc<Node>,
}

/// What a decision led to, and the commit to wait for before anybody is told.
pub(crate) type Decided = (Result<Reply, HistoryError>, Outcome);

impl History {
    /// What tokens are authenticated with.
    pub fn token_keys(&self) -> &TokenKeys {
        &self.node.token_keys
    }

    /// Takes ownership of every slot of the store and begins to serve. Timers and tasks that an
    /// earlier server left are picked up in the background, slot by slot.
    ///
    /// Spawns the timer task and the tasks that feed matching; must be called in a runtime.
    ///
    /// # Errors
    /// When the store cannot be claimed.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, HistoryError> {
        let claim = parts.store.claim().await?;
        let node = Node::new(parts, claim);
        if node.visibility.was_complete() {
            node.count_open_runs().await;
        }
        let tracker = &node.tracker;
        tracker.spawn(Arc::clone(&node).run_timers());
        tracker.spawn(Arc::clone(&node).run_rate_limits());
        tracker.spawn(Arc::clone(&node).offer_when_drained());
        tracker.spawn(Arc::clone(&node).recover(node.claimed_slots()));
        Ok(Arc::new(Self { node }))
    }

    /// Stops timers and refuses requests; commits under way complete and are acted on. Waits for
    /// them, but no longer than the configuration says.
    pub async fn drain(&self) {
        self.node.stopping.cancel();
        self.node.tracker.close();
        let clock = &self.node.environment.clock;
        tokio::select! {
            biased;
            () = self.node.tracker.wait() => {}
            () = clock.sleep_until(clock.now() + self.node.config.drain_timeout) => {
                tracing::warn!("some commits did not complete before the server stopped");
            }
        }
    }

    /// Drains, and closes the store.
    pub async fn shutdown(&self) {
        self.drain().await;
        self.node.store.close().await;
    }

    /// How many runs are in memory, and about how many bytes they take.
    pub fn cache_usage(&self) -> (usize, usize) {
        self.node.cache_usage()
    }

    /// Offers tasks again that a worker's sticky queue held when it was unloaded: they go to the
    /// workflows' normal queues.
    pub fn leave_sticky_queue(&self, tasks: Vec<QueuedTask>) {
        for task in tasks {
            let node = Arc::clone(&self.node);
            self.node.tracker.spawn(node.leave_sticky_queue(task.slot, task.run_id));
        }
    }

    /// The one-input request: load, decide, commit.
    pub(crate) async fn apply(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        input: Input,
    ) -> Result<Reply, HistoryError> {
        let caller = Caller::new(permit, namespace);
        self.apply_checked(&caller, execution, "", input).await
    }

    /// As [`History::apply`], for a run of the chain that began with this run (empty: any).
    pub(crate) async fn apply_checked(
        &self,
        caller: &Caller,
        execution: &Execution,
        first_execution_run_id: &str,
        input: Input,
    ) -> Result<Reply, HistoryError> {
        let applied = self.apply_to(caller, execution, first_execution_run_id, input).await;
        applied.map(|(reply, _)| reply)
    }

    /// As [`History::apply_checked`]; says to which run, too. A chain that is named by its first run
    /// means the run that is open now, whatever run the execution names.
    pub(crate) async fn apply_to(
        &self,
        caller: &Caller,
        execution: &Execution,
        first_execution_run_id: &str,
        input: Input,
    ) -> Result<(Reply, RunId), HistoryError> {
        let workflow = execution.key(caller.namespace_id());
        let slot_id = SlotId::of(&workflow);
        let (run_id, decided, outcome) = {
            let mut slot = self.lock(slot_id).await?;
            let named = execution.run_id.filter(|_| first_execution_run_id.is_empty());
            let run_id = self.node.find_run(&mut slot, &workflow, named).await?;
            let is_other_chain = |run: &crate::run::CachedRun| {
                !first_execution_run_id.is_empty()
                    && run.head.first_execution_run_id() != first_execution_run_id
            };
            if slot.runs.get(&run_id).is_none_or(is_other_chain) {
                return Err(Rejection::ChainNotFound.into());
            }
            let (decided, outcome) = self.decide(&mut slot, caller, run_id, input)?;
            (run_id, decided, outcome)
        };
        outcome.wait().await?;
        Ok((decided?, run_id))
    }

    /// Decides on one input and submits what it leads to. What changes nothing, or is refused,
    /// still waits for the commits that the state depends on.
    pub(crate) fn decide(
        &self,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        run_id: RunId,
        input: Input,
    ) -> Result<Decided, HistoryError> {
        let context = caller.context(&self.node);
        let Some(run) = slot.runs.get(&run_id) else {
            return Err(HistoryError::Unavailable("a run left the cache".to_owned()));
        };
        match decide(&run.head, input, &context) {
            Err(rejection) => Ok((Err(rejection.into()), slot.barrier())),
            Ok(transition) if transition.is_empty() => Ok((Ok(transition.reply), slot.barrier())),
            Ok(transition) => {
                let mut commit = Commit::default();
                let reply = commit.record(&self.node, slot, caller, run_id, transition)?;
                let outcome = commit.submit(&self.node, slot)?;
                Ok((refuse(reply), outcome))
            }
        }
    }

    pub(crate) async fn lock(&self, slot: SlotId) -> Result<SlotGuard<'_>, HistoryError> {
        self.node.check_serving()?;
        self.node.lock(slot).await
    }
}

/// A reply that refuses although something changed is an error for the caller.
pub(crate) fn refuse(reply: Reply) -> Result<Reply, HistoryError> {
    match reply {
        Reply::Refused(rejection) => Err(rejection.into()),
        reply => Ok(reply),
    }
}

impl Node {
    async fn run_rate_limits(self: Arc<Self>) {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => {}
            () = self.matching.run() => {}
        }
    }

    /// Offers tasks again once matching has room for them.
    async fn offer_when_drained(self: Arc<Self>) {
        loop {
            let Drained { slots, dropped, .. } = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                drained = self.matching.next_drained() => drained,
            };
            // The slots of dropped tasks are among those named.
            for (slot, task) in dropped {
                self.cell(slot).refused.lock().add(task);
            }
            for slot in slots {
                self.offer_refused(slot).await;
            }
        }
    }

    /// Offers the tasks of a slot again that matching had no room for, or that it gave to a poll
    /// in vain; however long it takes the store to answer.
    pub(crate) async fn offer_refused(self: &Arc<Self>, slot_id: SlotId) {
        let beyond = loop {
            let error = match self.try_offer_refused(slot_id).await {
                Ok(beyond) => break beyond,
                Err(error) => error,
            };
            tracing::warn!(slot = slot_id.number(), %error, "tasks wait for the store");
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = self.environment.clock.sleep_until(self.now() + RETRY_DELAY) => {}
            }
        };
        if beyond {
            Arc::clone(self).restore(slot_id).await;
        }
    }

    /// True when some of them may be beyond the slot's memory: their rows are to be looked for.
    async fn try_offer_refused(self: &Arc<Self>, slot_id: SlotId) -> Result<bool, HistoryError> {
        let mut slot = self.lock(slot_id).await?;
        let refused = std::mem::take(&mut *self.cell(slot_id).refused.lock());
        let mut outcome = Ok(());
        let mut beyond = refused.more;
        for task in refused.tasks {
            let known = slot.immediate.dispatches(&task);
            beyond |= known.is_empty();
            for task_id in known {
                if let Err(error) = self.reoffer(&mut slot, task_id).await {
                    self.cell(slot_id).refused.lock().add(task);
                    outcome = Err(error);
                }
            }
        }
        if refused.more {
            slot.unoffered = slot.immediate.ids();
        }
        if beyond {
            slot.unpassed = slot.immediate.horizon();
        }
        outcome.map(|()| beyond)
    }
}
