//! Search attributes that the server sets itself: what ran a workflow, and what keeps it from going
//! on. No event carries them; they follow from what happened.

use std::collections::BTreeMap;

use api::{
    common::v1::{Payload, SearchAttributes, WorkerVersionStamp},
    enums::v1::{TimeoutType, WorkflowTaskFailedCause},
};
use bytes::Bytes;
use model::Limits;

use crate::{Shared, State, commands::camel_case};

const BUILD_IDS: &str = "BuildIds";
const BINARY_CHECKSUMS: &str = "BinaryChecksums";
const REPORTED_PROBLEMS: &str = "TemporalReportedProblems";

/// How the last workflow task went wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Problem {
    /// It failed.
    Failed(WorkflowTaskFailedCause),
    /// Its time was over.
    TimedOut(TimeoutType),
}

/// A worker of this version has completed a workflow task.
pub(crate) fn note_build_id(state: &mut State, version: Option<&WorkerVersionStamp>) {
    let mut build_ids = read(state, BUILD_IDS);
    let mut note = |build_id: String| {
        let new = !build_ids.contains(&build_id);
        if new {
            build_ids.push(build_id);
        }
        new
    };
    let mut changed = note("unversioned".to_owned());
    if let Some(version) = version.filter(|version| !version.build_id.is_empty()) {
        let kind = if version.use_versioning { "versioned" } else { "unversioned" };
        changed |= note(format!("{kind}:{}", version.build_id));
    }
    if changed {
        let excess = build_ids.len().saturating_sub(Limits::default().reset_points_max);
        build_ids.drain(..excess);
        write(state, BUILD_IDS, &build_ids);
    }
}

/// The run's reset points have changed.
pub(crate) fn note_binary_checksums(state: &mut State) {
    let points = state.reset_points.as_ref().map_or(&[][..], |points| &points.points);
    let checksums = points.iter().map(|point| &point.binary_checksum);
    let checksums: Vec<_> = checksums.filter(|checksum| !checksum.is_empty()).cloned().collect();
    if !checksums.is_empty() {
        write(state, BINARY_CHECKSUMS, &checksums);
    }
}

/// A workflow task went wrong, and others before it. Some in a row are reported.
pub(crate) fn report_problem(state: &mut State, problem: Problem) {
    let threshold = Limits::default().workflow_task_problems_reported_after;
    if state.workflow_task_problems < threshold {
        return;
    }
    let (category, cause) = match problem {
        Problem::Failed(cause) => {
            ("WorkflowTaskFailed", camel_case(cause.as_str_name(), "WORKFLOW_TASK_FAILED_CAUSE_"))
        }
        Problem::TimedOut(kind) => {
            ("WorkflowTaskTimedOut", camel_case(kind.as_str_name(), "TIMEOUT_TYPE_"))
        }
    };
    let values = [format!("category={category}"), format!("cause={category}Cause{cause}")];
    write(state, REPORTED_PROBLEMS, &values);
}

/// A workflow task went well.
pub(crate) fn clear_problems(state: &mut State) {
    let current = state.search_attributes.as_ref();
    if current.is_some_and(|current| current.indexed_fields.contains_key(REPORTED_PROBLEMS)) {
        attributes(state).remove(REPORTED_PROBLEMS);
    }
}

fn attributes(state: &mut State) -> &mut BTreeMap<String, Payload> {
    let current = state
        .search_attributes
        .get_or_insert_with(|| Shared::new(SearchAttributes { indexed_fields: BTreeMap::new() }));
    &mut current.edit().indexed_fields
}

fn read(state: &State, name: &str) -> Vec<String> {
    let current = state.search_attributes.as_ref();
    current
        .and_then(|current| current.indexed_fields.get(name))
        .and_then(|value| serde_json::from_slice(&value.data).ok())
        .unwrap_or_default()
}

fn write(state: &mut State, name: &str, values: &[String]) {
    // Strings always encode.
    let Ok(data) = serde_json::to_vec(values) else { return };
    let metadata = [
        ("encoding".to_owned(), Bytes::from_static(b"json/plain")),
        ("type".to_owned(), Bytes::from_static(b"KeywordList")),
    ];
    let value =
        Payload { metadata: metadata.into(), data: Bytes::from(data), ..Payload::default() };
    attributes(state).insert(name.to_owned(), value);
}
