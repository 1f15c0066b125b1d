//! What all actors of a simulation share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use api::enums::v1::VersioningBehavior;
use environment::Clock;
use history::HistoryError;
use model::{Span, Time};

use crate::{
    broken::Broken,
    cluster::{CallError, Cluster, Life},
    dice::Dice,
    entities::{
        Entities,
        rule::{self, InForce},
        schedule,
    },
    fleet::{self, Fleet},
    operation::behind,
    profile::Profile,
    program::Program,
    trace::Trace,
    witness::Witness,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    /// The promise that is broken on purpose.
    pub(crate) broken: Option<Broken>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) trace: Arc<Trace>,
    pub(crate) witness: Witness,
    pub(crate) cluster: Cluster,
    pub(crate) profile: Profile,
    /// What each workflow does.
    pub(crate) programs: BTreeMap<String, Program>,
    pub(crate) entities: Entities,
    /// Whether the rule of the namespace is in force.
    pub(crate) rule: InForce,
    /// Workers with versions, if there are any.
    pub(crate) fleet: Option<Fleet>,
    /// Since which monotonic time nothing fails: not in the store, not in the network, not in workers.
    pub(crate) healed: OnceLock<Span>,
    /// Workers may go home.
    pub(crate) done: AtomicBool,
    /// Resets of workflows, all of which are seen through.
    pub(crate) resets: AtomicUsize,
    /// Workflows, resets and entities whose end has been seen.
    pub(crate) ended: AtomicUsize,
}

impl World {
    /// What a workflow does: one that a client or a schedule started, or a child of one.
    pub(crate) fn program(&self, workflow_id: &str) -> Option<Program> {
        if self.entities.schedules.iter().any(|plan| workflow_id.starts_with(&plan.id)) {
            return Some(schedule::program());
        }
        if let Some(operation) = behind(workflow_id) {
            return Some(Program::behind(operation));
        }
        if workflow_id == rule::WORKFLOW_ID && self.entities.rule {
            return Some(rule::program());
        }
        match workflow_id.split_once('/') {
            None => self.programs.get(workflow_id).cloned(),
            Some((parent, name)) => self.programs.get(parent)?.child(name),
        }
    }

    /// How a workflow chooses its version; none for those whose workers have no versions. Children
    /// are like their parents.
    pub(crate) fn behavior(&self, workflow_id: &str) -> Option<VersioningBehavior> {
        let root = workflow_id.split_once('/').map_or(workflow_id, |(root, _)| root);
        self.programs.get(root)?;
        self.fleet?;
        fleet::behavior(self.seed, root)
    }

    /// The ids of all entities that are no runs, all of which have to end.
    pub(crate) fn entity_ids(&self) -> Vec<String> {
        let fleet = self.fleet.map(|_| fleet::ID.to_owned());
        self.entities.ids().into_iter().chain(fleet).collect()
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(crate) async fn sleep(&self, span: Span) {
        self.cluster.sleep(span).await;
    }

    /// Somebody has seen the end of an entity.
    pub(crate) fn ended(&self, id: &str) {
        self.witness.ended_entity(id);
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn breaks(&self, promise: Broken) -> bool {
        self.broken == Some(promise)
    }

    pub(crate) fn is_healed(&self) -> bool {
        self.healed.get().is_some()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// Calls the node; sometimes the connection breaks first.
    pub(crate) async fn call<T, F>(
        &self,
        dice: &Dice,
        call: impl FnOnce(Arc<Life>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, HistoryError>>,
    {
        let breaks = dice.chance(self.profile.broken_calls_per_mille);
        // Most answers come at once; those of polls may take half a minute.
        let longest = [40, 400, 4_000, 30_000];
        let patience = dice.span(0, dice.pick(&longest).unwrap_or(40));
        let patience = (breaks && !self.is_healed()).then_some(patience);
        self.cluster.call(patience, call).await
    }

    /// Notes what a call led to.
    pub(crate) fn note<T>(&self, who: &str, what: &str, outcome: &Result<T, CallError>) {
        match outcome {
            Ok(_) => self.trace.note(&format!("{who}: {what}: done")),
            Err(error) => self.trace.note(&format!("{who}: {what}: {error}")),
        }
    }
}
