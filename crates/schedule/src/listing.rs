//! How lists show a schedule.

use api::{
    common::v1::{Memo, Payload},
    enums::v1::WorkflowExecutionStatus,
    schedule::v1::ScheduleListInfo,
};
use entity::{EntityKey, Listing};
use model::Time;
use prost::Message as _;

use crate::{
    State,
    limits::{LISTED_MAX, LISTED_SPECS_MAX},
    times::Times,
};

/// The namespace division of schedules.
pub const DIVISION: &str = "TemporalScheduler";

/// What stands before a schedule's id where lists have the workflow id.
pub const WORKFLOW_ID_PREFIX: &str = "temporal-sys-scheduler:";

/// The memo field with the [`ScheduleListInfo`].
pub const INFO_FIELD: &str = "ScheduleInfo";

/// What the visibility index is told.
pub(crate) fn listing(state: &State, key: &EntityKey) -> Listing {
    let mut memo = state.memo.clone().unwrap_or_default();
    let info = Payload {
        metadata: [("encoding".to_owned(), "binary/plain".into())].into(),
        data: info(state, key).encode_to_vec().into(),
        ..Payload::default()
    };
    memo.fields.insert(INFO_FIELD.to_owned(), info);
    let attributes = state.search_attributes.clone().unwrap_or_default();
    let mut search_attributes = attributes.indexed_fields;
    let paused = Payload {
        metadata: [
            ("encoding".to_owned(), "json/plain".into()),
            ("type".to_owned(), "Bool".into()),
        ]
        .into(),
        data: state.settings().paused.to_string().into(),
        ..Payload::default()
    };
    search_attributes.insert("TemporalSchedulePaused".to_owned(), paused);
    Listing {
        division: DIVISION,
        workflow_id: format!("{WORKFLOW_ID_PREFIX}{}", key.id),
        workflow_type: "temporal-sys-scheduler-workflow".to_owned(),
        task_queue: "temporal-sys-per-ns-tq".to_owned(),
        status: WorkflowExecutionStatus::Running as i32,
        start_time: state.create_time,
        memo: Some(Memo { fields: memo.fields }),
        search_attributes,
        ..Listing::default()
    }
}

fn info(state: &State, key: &EntityKey) -> ScheduleListInfo {
    let mut spec = state.spec();
    spec.timezone_data.clear();
    spec.exclude_structured_calendar.truncate(LISTED_SPECS_MAX);
    spec.interval.truncate(LISTED_SPECS_MAX);
    spec.structured_calendar.truncate(LISTED_SPECS_MAX);
    let older = state.recent_actions.len().saturating_sub(LISTED_MAX);
    let settings = state.settings();
    let future = Times::of(state, key).future(state, LISTED_MAX);
    ScheduleListInfo {
        spec: Some(spec),
        workflow_type: state.workflow().and_then(|workflow| workflow.workflow_type.clone()),
        notes: settings.notes,
        paused: settings.paused,
        recent_actions: state.recent_actions.iter().skip(older).cloned().collect(),
        future_action_times: future.into_iter().filter_map(Time::to_proto).collect(),
        ..ScheduleListInfo::default()
    }
}
