//! What a run that follows another, or that another starts, takes over of its version.

use api::{
    deployment::v1::{InheritedAutoUpgradeInfo, WorkerDeploymentVersion},
    enums::v1::{ContinueAsNewVersioningBehavior, VersioningBehavior},
    history::v1::DeclinedTargetVersionUpgrade,
    workflow::v1::{VersioningOverride, versioning_override::Override},
};

use super::current_override;
use crate::State;

/// What a new run's start event says of versions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inherited {
    /// The version that the run stays on until its worker says otherwise.
    pub pinned_version: Option<WorkerDeploymentVersion>,
    /// Where a run that follows the current version comes from.
    pub auto_upgrade: Option<InheritedAutoUpgradeInfo>,
    /// The override of the run before.
    pub versioning_override: Option<VersioningOverride>,
    /// The newer version that the run before was told of and did not move to.
    pub declined_target_version_upgrade: Option<DeclinedTargetVersionUpgrade>,
}

impl Inherited {
    /// For a run that continues this one. `serves` says whether the run's version serves the queue
    /// of the new one.
    pub fn by_continuation(
        state: &State,
        serves: bool,
        initial: ContinueAsNewVersioningBehavior,
    ) -> Self {
        let chooses = initial != ContinueAsNewVersioningBehavior::Unspecified;
        let behavior = state.effective_versioning_behavior();
        let pinned = behavior == VersioningBehavior::Pinned;
        let versioning_override = pinned_override(state).filter(|_| serves);
        let mut inherited = Self { versioning_override, ..Self::default() };
        if pinned && !chooses {
            inherited.pinned_version = state.effective_version().filter(|_| serves).cloned();
            inherited.declined_target_version_upgrade = state
                .notified_target_version
                .clone()
                .filter(|_| inherited.pinned_version.is_some());
        } else if behavior == VersioningBehavior::AutoUpgrade || (pinned && chooses) {
            inherited.auto_upgrade = auto_upgrade(state, serves, initial);
        }
        inherited
    }

    /// For a child of this run.
    pub fn by_child(state: &State, serves: bool) -> Self {
        let unspecified = ContinueAsNewVersioningBehavior::Unspecified;
        let mut inherited = Self::by_continuation(state, serves, unspecified);
        inherited.declined_target_version_upgrade = None;
        inherited
    }

    /// For a run that retries this one: it takes over only what this one had taken over itself.
    pub fn by_retry(state: &State) -> Self {
        let Some(started) = &state.started else { return Self::default() };
        let inherited = started.inherited_pinned_version.clone();
        Self {
            pinned_version: inherited,
            auto_upgrade: started.inherited_auto_upgrade_info.clone(),
            versioning_override: pinned_override(state),
            declined_target_version_upgrade: state
                .notified_target_version
                .clone()
                .or_else(|| started.declined_target_version_upgrade.clone()),
        }
    }
}

fn pinned_override(state: &State) -> Option<VersioningOverride> {
    let info = state.versioning_info.as_ref()?;
    let pinned = matches!(current_override(info), Some(Override::Pinned(_)));
    info.versioning_override.clone().filter(|_| pinned)
}

fn auto_upgrade(
    state: &State,
    serves: bool,
    initial: ContinueAsNewVersioningBehavior,
) -> Option<InheritedAutoUpgradeInfo> {
    let version = state.effective_version().filter(|_| serves)?;
    let revision_number = state.versioning_info.as_ref()?.revision_number;
    (revision_number != 0).then(|| InheritedAutoUpgradeInfo {
        source_deployment_version: Some(version.clone()),
        source_deployment_revision_number: revision_number,
        continue_as_new_initial_versioning_behavior: initial as i32,
    })
}
