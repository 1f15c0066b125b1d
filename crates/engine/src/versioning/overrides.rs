//! What a user decides about a run's version, over what its workers say.

use api::{
    deployment::v1::WorkerDeploymentVersion,
    history::v1::WorkflowExecutionOptionsUpdatedEventAttributes,
    workflow::v1::{
        VersioningOverride, WorkflowExecutionVersioningInfo, versioning_override::Override,
    },
};

use super::search_attributes;
use crate::State;

/// The override in force.
pub fn current_override(info: &WorkflowExecutionVersioningInfo) -> Option<&Override> {
    info.versioning_override.as_ref().and_then(|chosen| chosen.r#override.as_ref())
}

/// The version that the override in force names.
pub fn override_target(info: &WorkflowExecutionVersioningInfo) -> Option<&WorkerDeploymentVersion> {
    target_of_override(info.versioning_override.as_ref()?)
}

/// The version that an override names.
pub fn target_of_override(chosen: &VersioningOverride) -> Option<&WorkerDeploymentVersion> {
    match chosen.r#override.as_ref()? {
        Override::Pinned(pinned) => pinned.version.as_ref(),
        Override::OneTime(one_time) => one_time.target_deployment_version.as_ref(),
        Override::AutoUpgrade(_) => None,
    }
}

/// Sets or clears the override. One that moves the run ends a transition to elsewhere.
pub(super) fn apply(state: &mut State, chosen: Option<&VersioningOverride>) {
    if chosen.is_none() && state.versioning_info.is_none() {
        return;
    }
    let place =
        |state: &State| (state.effective_versioning_behavior(), state.effective_version().cloned());
    let before = place(state);
    state.edit_versioning().versioning_override = chosen.cloned();
    if place(state) != before {
        state.edit_versioning().version_transition = None;
    }
    let info = state.edit_versioning();
    let named = override_target(info).or(info.deployment_version.as_ref());
    let name = named.map(|version| version.deployment_name.clone());
    if chosen.is_none() || name.is_some() {
        state.worker_deployment_name = name.unwrap_or_default();
    }
}

pub(crate) fn apply_options_updated(
    state: &mut State,
    updated: &WorkflowExecutionOptionsUpdatedEventAttributes,
) {
    if updated.unset_versioning_override {
        apply(state, None);
    } else if let Some(chosen) = &updated.versioning_override {
        apply(state, Some(chosen));
    } else {
        return;
    }
    if state.versioning_info.is_some() {
        search_attributes::update(state, None);
    }
}
