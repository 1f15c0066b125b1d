//! How lists show a standalone Nexus operation.

use std::collections::BTreeMap;

use api::{
    common::v1::Payload,
    enums::v1::{NexusOperationExecutionStatus as Status, WorkflowExecutionStatus},
};
use entity::{EntityKey, Listing};

use crate::State;

/// The namespace division of standalone Nexus operations: the number that the reference has for
/// them.
pub const DIVISION: &str = "131748067";

/// The name under which its endpoint is listed.
pub const ENDPOINT: &str = "TemporalNexusOperationEndpoint";

/// The name under which its service is listed.
pub const SERVICE: &str = "TemporalNexusOperationService";

/// The name under which the operation's own name is listed.
pub const OPERATION: &str = "TemporalNexusOperationName";

/// The name under which the id of the request to its handler is listed.
pub const REQUEST_ID: &str = "TemporalNexusOperationRequestId";

/// What the visibility index is told: what a list shows, not each attempt.
pub(crate) fn listing(state: &State, key: &EntityKey) -> Listing {
    let scheduled = state.scheduled();
    let attributes = state.search_attributes.as_ref();
    let mut search_attributes =
        attributes.map(|attributes| attributes.indexed_fields.clone()).unwrap_or_default();
    let own = [
        (ENDPOINT, &scheduled.endpoint),
        (SERVICE, &scheduled.service),
        (OPERATION, &scheduled.operation),
        (REQUEST_ID, &scheduled.request_id),
    ];
    search_attributes.extend(own.map(|(name, text)| (name.to_owned(), keyword(text))));
    Listing {
        division: DIVISION,
        workflow_id: key.id.clone(),
        workflow_type: String::new(),
        task_queue: String::new(),
        status: listed_status(state.status()) as i32,
        start_time: state.operation.scheduled_time,
        close_time: state.close_time,
        transitions: if state.is_open() { 0 } else { state.transitions },
        size_bytes: if state.is_open() { 0 } else { state.size_bytes() },
        search_attributes,
        ..Listing::default()
    }
}

fn keyword(text: &str) -> Payload {
    let metadata = BTreeMap::from([
        ("encoding".to_owned(), "json/plain".into()),
        ("type".to_owned(), "Keyword".into()),
    ]);
    let data = serde_json::Value::from(text).to_string().into();
    Payload { metadata, data, ..Payload::default() }
}

/// The status of a run that stands for an operation's.
const fn listed_status(status: Status) -> WorkflowExecutionStatus {
    match status {
        Status::Unspecified => WorkflowExecutionStatus::Unspecified,
        Status::Running => WorkflowExecutionStatus::Running,
        Status::Completed => WorkflowExecutionStatus::Completed,
        Status::Failed => WorkflowExecutionStatus::Failed,
        Status::Canceled => WorkflowExecutionStatus::Canceled,
        Status::Terminated => WorkflowExecutionStatus::Terminated,
        Status::TimedOut => WorkflowExecutionStatus::TimedOut,
    }
}
