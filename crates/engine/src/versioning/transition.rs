//! A run on its way from one version of its workers to another.

use api::{
    deployment::v1::WorkerDeploymentVersion, enums::v1::VersioningBehavior,
    history::v1::DeclinedTargetVersionUpgrade, workflow::v1::DeploymentVersionTransition,
};

use super::Dispatch;
use crate::{
    Mutation, Rejection, State, TargetVersionNotified, Task, TaskAction, VersionTransitionSet,
    activity, draft::Draft, workflow_task,
};

/// Whether a worker may have a task of the run: a pinned run stays with its version.
pub(crate) fn check(state: &State, worker: &Dispatch) -> Result<(), Rejection> {
    let pinned = state.pinned_version();
    if pinned.is_some() && pinned != worker.version.as_ref() {
        return Err(Rejection::TaskObsolete);
    }
    Ok(())
}

/// The run's workflow task was handed to a worker: if that has another version, the run moves there.
pub(crate) fn begin(draft: &mut Draft<'_>, worker: &Dispatch) {
    let state = draft.state();
    let elsewhere = state.effective_version() != worker.version.as_ref();
    if elsewhere && state.pinned_version().is_none() {
        set(draft, worker.version.clone(), revision(worker));
    }
}

/// An activity was about to go to another version than its run has. If the run's workflow tasks go
/// there too, the run moves first, and the activity waits; true then.
pub(crate) fn schedule_elsewhere(draft: &mut Draft<'_>, worker: &Dispatch) -> bool {
    let state = draft.state();
    let follows = worker.target.as_ref().is_some_and(|target| target.version == worker.version);
    let pinned = state.effective_versioning_behavior() == VersioningBehavior::Pinned;
    if pinned || !follows || state.effective_version() == worker.version.as_ref() {
        return false;
    }
    set(draft, worker.version.clone(), revision(worker));
    let pending =
        draft.state().workflow_task.as_ref().map(|task| (task.is_started(), task.reference()));
    match pending {
        None => workflow_task::schedule(draft),
        Some((false, reference)) => {
            draft.task(Task::now(TaskAction::DispatchWorkflowTask(reference)));
        }
        Some((true, _)) => {}
    }
    true
}

/// The run's version may have changed: activities that wait for a worker are placed again. A task
/// that completed elsewhere than where the run is moving to is followed by another; true then.
pub(crate) fn finish(
    draft: &mut Draft<'_>,
    before: &(VersioningBehavior, Option<WorkerDeploymentVersion>, bool),
) -> bool {
    let state = draft.state();
    if *before != place(state) {
        activity::place_again(draft);
    }
    draft.state().is_in_version_transition()
}

/// Where a run is: what decides the place of its tasks.
pub(crate) fn place(state: &State) -> (VersioningBehavior, Option<WorkerDeploymentVersion>, bool) {
    let version = state.effective_version().cloned();
    (state.effective_versioning_behavior(), version, state.is_in_version_transition())
}

/// Notes that a pinned run's task queue has moved on, so that the worker is told; true when it is.
pub(crate) fn notify(draft: &mut Draft<'_>, worker: &Dispatch) -> bool {
    let state = draft.state();
    let overridden =
        state.versioning_info.as_ref().is_some_and(|info| info.versioning_override.is_some());
    let pinned = state.effective_versioning_behavior() == VersioningBehavior::Pinned;
    if let Some(target) = worker.target.as_ref().filter(|_| pinned || overridden) {
        let declined = state
            .started
            .as_ref()
            .and_then(|started| started.declined_target_version_upgrade.as_ref())
            .is_some_and(|declined| target.revision_number <= declined.revision_number);
        let there = state.effective_version() == target.version.as_ref();
        let notified = (!overridden && !there && !declined).then(|| DeclinedTargetVersionUpgrade {
            deployment_version: target.version.clone(),
            revision_number: target.revision_number,
        });
        if notified != state.notified_target_version {
            let notified = TargetVersionNotified { target: notified };
            draft.mutate(Mutation::TargetVersionNotified(notified));
        }
    }
    pinned && draft.state().notified_target_version.is_some()
}

fn set(draft: &mut Draft<'_>, version: Option<WorkerDeploymentVersion>, revision_number: i64) {
    let transition =
        Some(DeploymentVersionTransition { deployment_version: version, ..Default::default() });
    let set = VersionTransitionSet { transition, revision_number };
    draft.mutate(Mutation::VersionTransitionSet(set));
    if draft.state().sticky.is_some() {
        workflow_task::forget_sticky_queue(draft);
    }
}

fn revision(worker: &Dispatch) -> i64 {
    worker.target.as_ref().map_or(0, |target| target.revision_number)
}

/// An override may have moved the run: its worker's cache is of no use then, and what waits for a
/// worker is placed again; true when it has.
pub(crate) fn move_to_override(
    draft: &mut Draft<'_>,
    before: &(VersioningBehavior, Option<WorkerDeploymentVersion>, bool),
) -> bool {
    if *before == place(draft.state()) {
        return false;
    }
    if draft.state().sticky.is_some() {
        workflow_task::forget_sticky_queue(draft);
    }
    activity::place_again(draft);
    true
}
