//! What the world outside was told: the promises that a simulation holds the server to.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use api::history::v1::HistoryEvent;
use bytes::Bytes;
use history::RunKey;
use model::{Span, Time};
use parking_lot::{Mutex, MutexGuard};
use prost::Message as _;

use crate::windows::Windows;

/// Promises, and those that were seen broken.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    facts: Mutex<Facts>,
    pauses: Mutex<Windows<()>>,
    timeouts: Mutex<Windows<Span>>,
}

/// See [`Witness`]. Everything is by the run, or by the workflow's id.
#[derive(Debug, Default, Clone)]
pub(crate) struct Facts {
    /// The first runs of workflows, as starts were answered.
    pub(crate) started: BTreeMap<String, RunKey>,
    /// Signals: true once acknowledged.
    pub(crate) signals: BTreeMap<(String, String), bool>,
    /// Completed activities by run and scheduled event.
    pub(crate) activities: BTreeSet<(RunKey, i64)>,
    /// Completed workflow tasks by run, scheduled and started event.
    pub(crate) workflow_tasks: BTreeSet<(RunKey, i64, i64)>,
    /// The latest acknowledged progress of an activity by run and scheduled event.
    pub(crate) progress: BTreeMap<(RunKey, i64), u64>,
    /// What was shown of histories: a digest of each event by run and event id.
    pub(crate) shown: BTreeMap<(RunKey, i64), u64>,
    /// Updates that were answered by their runs.
    pub(crate) updates: BTreeSet<(RunKey, String)>,
    /// Requests with callbacks that accepted updates have, as acknowledged.
    pub(crate) update_requests: BTreeSet<(RunKey, String)>,
    /// Priorities that runs were given, by workflow and fairness key, as acknowledged.
    pub(crate) options: BTreeSet<(String, String)>,
    /// Workflows that somebody tried to terminate: true once acknowledged.
    pub(crate) terminations: BTreeMap<String, bool>,
    /// Workflows that were asked to cancel, as acknowledged.
    pub(crate) cancellations: BTreeSet<String>,
    /// The last run of each workflow and its status, as a client saw it.
    pub(crate) results: BTreeMap<String, (RunKey, i32)>,
    /// Entities whose end was seen.
    pub(crate) ended_entities: BTreeSet<String>,
    /// Activities without a workflow whose completion was acknowledged.
    pub(crate) completed_entities: BTreeSet<String>,
    /// Attempts that workers were told to stop, by the workers' names and the attempts' tokens.
    pub(crate) told_to_stop: BTreeSet<(String, Bytes)>,
    /// Since when workflows go to the last version of the fleet, unless they are pinned.
    pub(crate) routed: Option<Time>,
    /// When schedules were paused: from and to.
    pub(crate) schedule_pauses: BTreeMap<String, (Time, Time)>,
    /// Workers that report themselves: when they were last heard of, and in which life.
    pub(crate) heartbeats: BTreeMap<String, (u64, Span)>,
    /// What must not be.
    pub(crate) violations: Vec<String>,
}

impl Witness {
    /// Notes a broken promise.
    pub(crate) fn accuse(&self, what: String) {
        self.facts.lock().violations.push(what);
    }

    /// Everything that is known.
    pub(crate) fn facts(&self) -> Facts {
        self.facts.lock().clone()
    }

    /// True when a promise was seen broken.
    pub(crate) fn has_violations(&self) -> bool {
        !self.facts.lock().violations.is_empty()
    }

    /// A start was acknowledged with this run.
    pub(crate) fn started(&self, workflow_id: &str, run: &RunKey) {
        let mut facts = self.facts.lock();
        let before = facts.started.insert(workflow_id.to_owned(), run.clone());
        if let Some(before) = before.filter(|before| before != run) {
            facts.violations.push(format!(
                "the start of `{workflow_id}` was answered with runs {} and {}",
                before.run_id, run.run_id
            ));
        }
    }

    /// A signal is about to be sent, or was acknowledged.
    pub(crate) fn signal(&self, workflow_id: &str, signal: &str, acknowledged: bool) {
        let key = (workflow_id.to_owned(), signal.to_owned());
        *self.facts.lock().signals.entry(key).or_default() |= acknowledged;
    }

    /// Whether the start of a workflow was acknowledged.
    pub(crate) fn has_started(&self, workflow_id: &str) -> bool {
        self.facts.lock().started.contains_key(workflow_id)
    }

    /// The end of an entity was seen.
    pub(crate) fn ended_entity(&self, id: &str) {
        self.facts.lock().ended_entities.insert(id.to_owned());
    }

    /// A completion of an activity without a workflow was acknowledged: true for the first one.
    pub(crate) fn completed_entity(&self, id: &str) -> bool {
        self.facts.lock().completed_entities.insert(id.to_owned())
    }

    /// An update was answered.
    pub(crate) fn updated(&self, run: &RunKey, update_id: &str) {
        self.facts.lock().updates.insert((run.clone(), update_id.to_owned()));
    }

    /// A request with callbacks was answered with an update that goes on.
    pub(crate) fn joined(&self, run: &RunKey, request_id: &str) {
        self.facts.lock().update_requests.insert((run.clone(), request_id.to_owned()));
    }

    /// A priority was set.
    pub(crate) fn options_set(&self, workflow_id: &str, fairness_key: &str) {
        let key = (workflow_id.to_owned(), fairness_key.to_owned());
        self.facts.lock().options.insert(key);
    }

    /// The workflows all of whose activities are paused.
    pub(crate) fn pauses(&self) -> MutexGuard<'_, Windows<()>> {
        self.pauses.lock()
    }

    /// The workflows all of whose activities have this time-out.
    pub(crate) fn timeouts(&self) -> MutexGuard<'_, Windows<Span>> {
        self.timeouts.lock()
    }

    /// A worker has reported itself; none when it has shut down.
    pub(crate) fn heard(&self, key: &str, when: Option<(u64, Span)>) {
        let mut facts = self.facts.lock();
        match when {
            Some(when) => facts.heartbeats.insert(key.to_owned(), when),
            None => facts.heartbeats.remove(key),
        };
    }

    /// A schedule was paused meanwhile.
    pub(crate) fn schedule_paused(&self, id: &str, from: Time, to: Time) {
        self.facts.lock().schedule_pauses.insert(id.to_owned(), (from, to));
    }

    /// From here on workflows go to the last version of the fleet.
    pub(crate) fn routed(&self, now: Time) {
        self.facts.lock().routed = Some(now);
    }

    /// How many signals of a workflow are acknowledged.
    pub(crate) fn signals_acknowledged(&self, workflow_id: &str) -> usize {
        let facts = self.facts.lock();
        let of_workflow = facts.signals.iter().filter(|((id, _), _)| id == workflow_id);
        of_workflow.filter(|(_, acknowledged)| **acknowledged).count()
    }

    /// A completion of an activity was acknowledged.
    pub(crate) fn activity_completed(&self, run: &RunKey, scheduled_event_id: i64) {
        let mut facts = self.facts.lock();
        if !facts.activities.insert((run.clone(), scheduled_event_id)) {
            let run_id = run.run_id;
            facts.violations.push(format!(
                "two completions of activity {scheduled_event_id} of run {run_id} were acknowledged"
            ));
        }
    }

    /// A completion of a workflow task was acknowledged.
    pub(crate) fn workflow_task_completed(&self, run: &RunKey, scheduled: i64, started: i64) {
        let mut facts = self.facts.lock();
        if !facts.workflow_tasks.insert((run.clone(), scheduled, started)) {
            let run_id = run.run_id;
            facts.violations.push(format!(
                "two completions of workflow task {scheduled} of run {run_id} were acknowledged"
            ));
        }
    }

    /// A report of progress was acknowledged.
    pub(crate) fn progressed(&self, run: &RunKey, scheduled_event_id: i64, progress: u64) {
        let mut facts = self.facts.lock();
        let latest = facts.progress.entry((run.clone(), scheduled_event_id)).or_default();
        *latest = progress.max(*latest);
    }

    /// The progress of an activity that is safe.
    pub(crate) fn progress(&self, run: &RunKey, scheduled_event_id: i64) -> u64 {
        let key = (run.clone(), scheduled_event_id);
        self.facts.lock().progress.get(&key).copied().unwrap_or(0)
    }

    /// Somebody was shown events of a run: from here on they are facts.
    pub(crate) fn shown(&self, run: &RunKey, events: &[HistoryEvent]) {
        let mut facts = self.facts.lock();
        for event in events {
            let digest = digest(event);
            let before = facts.shown.insert((run.clone(), event.event_id), digest);
            if before.is_some_and(|before| before != digest) {
                let (run_id, event_id) = (run.run_id, event.event_id);
                facts.violations.push(format!("event {event_id} of run {run_id} has changed"));
            }
        }
    }

    /// A worker was told to stop an attempt.
    pub(crate) fn told_to_stop(&self, identity: &str, token: Bytes) {
        self.facts.lock().told_to_stop.insert((identity.to_owned(), token));
    }

    /// Whether a worker was told to stop an attempt.
    pub(crate) fn is_told_to_stop(&self, identity: &str, token: &Bytes) -> bool {
        self.facts.lock().told_to_stop.contains(&(identity.to_owned(), token.clone()))
    }

    /// A termination is about to be asked for, or was acknowledged.
    pub(crate) fn termination(&self, workflow_id: &str, acknowledged: bool) {
        let mut facts = self.facts.lock();
        *facts.terminations.entry(workflow_id.to_owned()).or_default() |= acknowledged;
    }

    /// A request to cancel was acknowledged.
    pub(crate) fn cancelled(&self, workflow_id: &str) {
        self.facts.lock().cancellations.insert(workflow_id.to_owned());
    }

    /// A client saw the end of a workflow.
    pub(crate) fn ended(&self, workflow_id: &str, run: &RunKey, status: i32) {
        self.facts.lock().results.insert(workflow_id.to_owned(), (run.clone(), status));
    }
}

/// Tells two events of one id apart.
pub(crate) fn digest(event: &HistoryEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.encode_to_vec().hash(&mut hasher);
    hasher.finish()
}
