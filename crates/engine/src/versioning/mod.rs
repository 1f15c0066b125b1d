//! Which version of the workers runs a workflow (fact sheet section 17).
//!
//! A run is *pinned* to the version of its workers, follows the current version of its task queue
//! (*auto-upgrade*), or has no version at all; its workers say which with every workflow task, and
//! an override of the user stands above them. When a run that is not pinned is handed to another
//! version, a *transition* begins: until a workflow task completes there, its activities wait.

mod inherit;
mod overrides;
mod search_attributes;
mod transition;

pub use inherit::Inherited;
pub(crate) use overrides::apply_options_updated;
pub use overrides::{current_override, override_target, target_of_override};
pub(crate) use transition::{
    begin, check, finish, move_to_override, notify, place, schedule_elsewhere,
};

use api::{
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::VersioningBehavior,
    history::v1::{WorkflowExecutionStartedEventAttributes, WorkflowTaskCompletedEventAttributes},
    workflow::v1::{WorkflowExecutionVersioningInfo, versioning_override::Override},
};

use crate::{Shared, State, TargetVersionNotified, VersionTransitionSet};

/// How a task came to its worker, as far as versions go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dispatch {
    /// The worker's version; none for a worker without one.
    pub version: Option<WorkerDeploymentVersion>,
    /// Where the run's workflow tasks go at this moment, unless they are pinned; none where nobody
    /// has looked.
    pub target: Option<TargetVersion>,
}

/// A version that a task queue's routing chooses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetVersion {
    /// The version; none for workers without one.
    pub version: Option<WorkerDeploymentVersion>,
    /// The routing's revision.
    pub revision_number: i64,
}

impl State {
    /// True while the run moves to another version: its activities wait.
    pub fn is_in_version_transition(&self) -> bool {
        self.versioning().is_some_and(|info| info.version_transition.is_some())
    }

    /// How the run chooses its version, overrides and transitions included.
    pub fn effective_versioning_behavior(&self) -> VersioningBehavior {
        let Some(info) = self.versioning() else { return VersioningBehavior::Unspecified };
        if info.version_transition.is_some() {
            return VersioningBehavior::AutoUpgrade;
        }
        match current_override(info) {
            Some(Override::AutoUpgrade(_)) => VersioningBehavior::AutoUpgrade,
            Some(Override::Pinned(_) | Override::OneTime(_)) => VersioningBehavior::Pinned,
            None => info.behavior(),
        }
    }

    /// The version that the run's tasks go to when nothing changes; none for workers without one.
    pub fn effective_version(&self) -> Option<&WorkerDeploymentVersion> {
        let info = self.versioning()?;
        if let Some(transition) = &info.version_transition {
            return transition.deployment_version.as_ref();
        }
        if let Some(target) = override_target(info) {
            return Some(target);
        }
        let has_version = self.effective_versioning_behavior() != VersioningBehavior::Unspecified;
        info.deployment_version.as_ref().filter(|_| has_version)
    }

    /// The version that the run is pinned to.
    pub fn pinned_version(&self) -> Option<&WorkerDeploymentVersion> {
        let pinned = self.effective_versioning_behavior() == VersioningBehavior::Pinned;
        self.effective_version().filter(|_| pinned)
    }

    fn versioning(&self) -> Option<&WorkflowExecutionVersioningInfo> {
        self.versioning_info.as_deref()
    }

    fn edit_versioning(&mut self) -> &mut WorkflowExecutionVersioningInfo {
        self.versioning_info
            .get_or_insert_with(|| Shared::new(WorkflowExecutionVersioningInfo::default()))
            .edit()
    }
}

pub(crate) fn apply_started(state: &mut State, started: &WorkflowExecutionStartedEventAttributes) {
    let auto_upgrade = started.inherited_auto_upgrade_info.as_ref();
    if let Some(pinned) = &started.inherited_pinned_version {
        let info = state.edit_versioning();
        info.deployment_version = Some(pinned.clone());
        info.set_behavior(VersioningBehavior::Pinned);
        state.worker_deployment_name.clone_from(&pinned.deployment_name);
    } else if let Some(inherited) = auto_upgrade {
        let info = state.edit_versioning();
        info.deployment_version.clone_from(&inherited.source_deployment_version);
        info.set_behavior(VersioningBehavior::AutoUpgrade);
        info.revision_number = inherited.source_deployment_revision_number;
        info.continue_as_new_initial_versioning_behavior =
            inherited.continue_as_new_initial_versioning_behavior;
        if let Some(version) = &inherited.source_deployment_version {
            state.worker_deployment_name.clone_from(&version.deployment_name);
        }
    }
    if let Some(chosen) = &started.versioning_override {
        overrides::apply(state, Some(chosen));
    }
    if state.versioning_info.is_some() {
        search_attributes::update(state, None);
    }
}

/// The worker's word counts from its completed workflow task on.
pub(crate) fn apply_completed(state: &mut State, completed: &WorkflowTaskCompletedEventAttributes) {
    let worker = completed.deployment_version.as_ref();
    let has_behavior = completed.versioning_behavior() != VersioningBehavior::Unspecified;
    let name = &completed.worker_deployment_name;
    let is_news = has_behavior || worker.is_some() || state.worker_deployment_name != *name;
    if state.versioning_info.is_none() && !is_news {
        return;
    }
    state.worker_deployment_name.clone_from(name);
    if state.versioning_info.is_some() || has_behavior {
        let info = state.edit_versioning();
        let arrived = |transition: &api::workflow::v1::DeploymentVersionTransition| {
            transition.deployment_version.as_ref() == worker
        };
        if info.version_transition.as_ref().is_some_and(arrived) {
            info.version_transition = None;
        }
        info.behavior = completed.versioning_behavior;
        info.deployment_version = worker.cloned().filter(|_| has_behavior);
        let one_time = matches!(current_override(info), Some(Override::OneTime(_)));
        if one_time && override_target(info) == worker {
            info.versioning_override = None;
        }
    }
    search_attributes::update(state, worker);
}

pub(crate) fn apply_transition(state: &mut State, set: &VersionTransitionSet) {
    let info = state.edit_versioning();
    info.version_transition.clone_from(&set.transition);
    info.revision_number = set.revision_number;
}

pub(crate) fn apply_notified(state: &mut State, notified: &TargetVersionNotified) {
    state.notified_target_version.clone_from(&notified.target);
}
