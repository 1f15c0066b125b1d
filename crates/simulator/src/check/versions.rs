//! Pinned runs stay with their version, and the others go where they are sent.

use std::collections::BTreeSet;

use api::{
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::VersioningBehavior,
    history::v1::{HistoryEvent, history_event::Attributes},
    workflow::v1::{VersioningOverride, versioning_override::Override},
};
use model::{RunId, Time};

use crate::{
    check::{
        ensure,
        snapshot::{Snapshot, StoredRun},
    },
    fleet,
    world::World,
};

/// Reads which version each workflow task went to.
pub(crate) fn check(world: &World, snapshot: &Snapshot) -> Result<(), String> {
    let routed = world.witness.facts().routed;
    for (run_id, run) in &snapshot.runs {
        // Times of a clock that is set, or of a run's own, say nothing about what came first.
        let keeps_time = !world.profile.clock_jumps && run.state.time_skipping.is_none();
        let mut reader = Reader { routed: routed.filter(|_| keeps_time), ..Reader::default() };
        for event in &run.events {
            reader.read(event).map_err(|what| {
                let workflow_id = &run.state.workflow_id;
                format!("event {} of run {run_id} of `{workflow_id}`: {what}", event.event_id)
            })?;
        }
    }
    Ok(())
}

/// The open runs that are pinned to a version.
pub(crate) fn pinned(snapshot: &Snapshot, build_id: &str) -> BTreeSet<RunId> {
    let is_pinned = |run: &StoredRun| {
        let mut reader = Reader::default();
        // What is wrong here shows in the end.
        let _read: Result<(), String> = run.events.iter().try_for_each(|event| reader.read(event));
        run.state.is_running() && reader.pinned() == Some(&fleet::version(build_id))
    };
    let runs = snapshot.runs.iter().filter(|(_, run)| is_pinned(run));
    runs.map(|(run_id, _)| *run_id).collect()
}

/// What a history says about the version of its run.
#[derive(Default)]
struct Reader {
    /// Since when everything that is not pinned goes to the last version.
    routed: Option<Time>,
    /// Its task queue is the one of the workers with versions.
    is_of_fleet: bool,
    behavior: VersioningBehavior,
    version: Option<WorkerDeploymentVersion>,
    chosen: Option<VersioningOverride>,
    scheduled: Time,
    started: Time,
    completed: Time,
    /// A workflow task was scheduled since one completed: the run may be on its way to a version.
    may_move: bool,
    /// An override came on that way. The way is gone to its end first, as in the reference.
    comes_late: bool,
    /// What the run was pinned to when its workflow task started.
    pinned_at_start: Option<WorkerDeploymentVersion>,
}

impl Reader {
    fn pinned(&self) -> Option<&WorkerDeploymentVersion> {
        match self.chosen.as_ref().and_then(|chosen| chosen.r#override.as_ref()) {
            Some(Override::Pinned(pinned)) => pinned.version.as_ref(),
            Some(Override::OneTime(one_time)) => one_time.target_deployment_version.as_ref(),
            Some(Override::AutoUpgrade(_)) => None,
            None => {
                let is_pinned = self.behavior == VersioningBehavior::Pinned;
                self.version.as_ref().filter(|_| is_pinned)
            }
        }
    }

    fn read(&mut self, event: &HistoryEvent) -> Result<(), String> {
        let time = Time::from_proto(event.event_time.as_ref());
        let Some(attributes) = &event.attributes else { return Ok(()) };
        match attributes {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                let queue = started.task_queue.as_ref();
                self.is_of_fleet = queue.is_some_and(|queue| queue.name == fleet::QUEUE);
                self.chosen.clone_from(&started.versioning_override);
                if let Some(pinned) = &started.inherited_pinned_version {
                    self.behavior = VersioningBehavior::Pinned;
                    self.version = Some(pinned.clone());
                }
            }
            Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(updated) => {
                let is_free = self.behavior != VersioningBehavior::Pinned;
                self.comes_late |= is_free && self.may_move;
                if updated.unset_versioning_override {
                    self.chosen = None;
                } else if updated.versioning_override.is_some() {
                    self.chosen.clone_from(&updated.versioning_override);
                }
            }
            Attributes::WorkflowTaskScheduledEventAttributes(_) => {
                self.scheduled = time;
                self.may_move = true;
            }
            Attributes::WorkflowTaskStartedEventAttributes(_) => {
                self.started = time;
                self.pinned_at_start = self.pinned().cloned();
            }
            Attributes::WorkflowTaskCompletedEventAttributes(completed) => {
                let worker = completed.deployment_version.as_ref();
                self.check_task(worker)?;
                self.completed = time;
                self.may_move = false;
                self.comes_late = false;
                self.behavior = completed.versioning_behavior();
                self.version = worker.cloned();
            }
            _ => {}
        }
        Ok(())
    }

    fn check_task(&self, worker: Option<&WorkerDeploymentVersion>) -> Result<(), String> {
        let name = |version: Option<&WorkerDeploymentVersion>| match version {
            Some(version) => format!("version {}", version.build_id),
            None => "workers without a version".to_owned(),
        };
        if self.comes_late {
            return Ok(());
        }
        if let Some(pinned) = &self.pinned_at_start {
            let is_there = worker == Some(pinned);
            ensure!(is_there, "went to {}, and is pinned to {pinned:?}", name(worker));
            return Ok(());
        }
        // A worker may get the next task with its answer, wherever others go.
        let is_inline = self.completed.is_set() && self.started == self.completed;
        let is_late = self.routed.is_some_and(|routed| self.scheduled > routed);
        ensure!(
            !is_late
                || is_inline
                || !self.is_of_fleet
                || worker == Some(&fleet::version(fleet::LAST)),
            "went to {}, although workflows go to version {}",
            name(worker),
            fleet::LAST
        );
        Ok(())
    }
}
