//! The search attributes that tell which version runs a workflow.

use std::collections::BTreeMap;

use api::{
    common::v1::{Payload, SearchAttributes},
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::VersioningBehavior,
    workflow::v1::{WorkflowExecutionVersioningInfo, versioning_override::Override},
};
use bytes::Bytes;
use model::Limits;

use super::{current_override, override_target};
use crate::{Shared, State};

const BEHAVIOR: &str = "TemporalWorkflowVersioningBehavior";
const DEPLOYMENT: &str = "TemporalWorkerDeployment";
const VERSION: &str = "TemporalWorkerDeploymentVersion";
const USED_VERSIONS: &str = "TemporalUsedWorkerDeploymentVersions";
const BUILD_IDS: &str = "BuildIds";

/// What the entry of `BuildIds` starts with that names the version of a pinned run.
const PINNED: &str = "pinned:";

/// Makes the attributes tell what the run's versioning is; `used` has completed a workflow task.
pub(super) fn update(state: &mut State, used: Option<&WorkerDeploymentVersion>) {
    let none = WorkflowExecutionVersioningInfo::default();
    let info = state.versioning_info.as_deref().unwrap_or(&none);
    // Unlike routing, the attributes show where a run stays, not where it is just moving.
    let behavior = match current_override(info) {
        Some(Override::AutoUpgrade(_)) => VersioningBehavior::AutoUpgrade,
        Some(Override::Pinned(_) | Override::OneTime(_)) => VersioningBehavior::Pinned,
        None => info.behavior(),
    };
    let named = override_target(info).or(info.deployment_version.as_ref());
    let version = named.map(text).unwrap_or_default();
    let deployment = match named {
        Some(version) => version.deployment_name.clone(),
        None => state.worker_deployment_name.clone(),
    };
    let behavior_text = match behavior {
        VersioningBehavior::Unspecified => "",
        VersioningBehavior::Pinned => "Pinned",
        VersioningBehavior::AutoUpgrade => "AutoUpgrade",
    };
    let pinned = (behavior == VersioningBehavior::Pinned).then(|| format!("{PINNED}{version}"));
    set_keyword(state, BEHAVIOR, behavior_text);
    set_keyword(state, DEPLOYMENT, &deployment);
    set_keyword(state, VERSION, &version);
    let others = keyword_list(state, BUILD_IDS).into_iter().filter(|id| !id.starts_with(PINNED));
    let others = others.filter(|id| id != "unversioned" || behavior_text.is_empty());
    let build_ids: Vec<String> = pinned.into_iter().chain(others).collect();
    set_keyword_list(state, BUILD_IDS, &build_ids);
    add_used(state, used);
}

/// The versions that have run the workflow, oldest first; the oldest make room.
fn add_used(state: &mut State, used: Option<&WorkerDeploymentVersion>) {
    let Some(used) = used.map(text) else { return };
    let mut versions = keyword_list(state, USED_VERSIONS);
    if versions.contains(&used) {
        return;
    }
    versions.push(used);
    // The number is part of how histories fold: not a namespace's choice.
    let bytes_max = Limits::default().search_attribute_value_bytes_max;
    while versions.len() > 1 && json(&versions).len() > bytes_max {
        versions.remove(0);
    }
    set_keyword_list(state, USED_VERSIONS, &versions);
}

fn text(version: &WorkerDeploymentVersion) -> String {
    format!("{}:{}", version.deployment_name, version.build_id)
}

fn set_keyword(state: &mut State, name: &str, value: &str) {
    let payload = (!value.is_empty()).then(|| payload("Keyword", quoted(value)));
    set(state, name, payload);
}

fn set_keyword_list(state: &mut State, name: &str, values: &[String]) {
    let payload = (!values.is_empty()).then(|| payload("KeywordList", json(values)));
    set(state, name, payload);
}

fn set(state: &mut State, name: &str, value: Option<Payload>) {
    let found = state.search_attributes.as_ref();
    if found.and_then(|attributes| attributes.indexed_fields.get(name)) == value.as_ref() {
        return;
    }
    let attributes = state
        .search_attributes
        .get_or_insert_with(|| Shared::new(SearchAttributes { indexed_fields: BTreeMap::new() }));
    match value {
        Some(value) => attributes.edit().indexed_fields.insert(name.to_owned(), value),
        None => attributes.edit().indexed_fields.remove(name),
    };
}

fn keyword_list(state: &State, name: &str) -> Vec<String> {
    let fields = state.search_attributes.as_ref().map(|attributes| &attributes.indexed_fields);
    fields
        .and_then(|fields| fields.get(name))
        .and_then(|payload| serde_json::from_slice(&payload.data).ok())
        .unwrap_or_default()
}

fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn json(values: &[String]) -> String {
    serde_json::Value::from(values).to_string()
}

fn payload(kind: &'static str, data: String) -> Payload {
    Payload {
        metadata: [
            ("encoding".to_owned(), Bytes::from_static(b"json/plain")),
            ("type".to_owned(), Bytes::from_static(kind.as_bytes())),
        ]
        .into(),
        data: data.into(),
        ..Payload::default()
    }
}
