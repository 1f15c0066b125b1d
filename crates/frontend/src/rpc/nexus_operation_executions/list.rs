//! Lists and counts of Nexus operations that no workflow waits for.

use std::collections::BTreeMap;

use api::{
    common::v1::Payload,
    enums::v1::{NexusOperationExecutionStatus, WorkflowExecutionStatus},
    nexus::v1::NexusOperationExecutionListInfo,
    workflowservice::v1::{
        CountNexusOperationExecutionsRequest, CountNexusOperationExecutionsResponse,
        ListNexusOperationExecutionsRequest, ListNexusOperationExecutionsResponse,
        count_nexus_operation_executions_response::AggregationGroup,
    },
};
use standalone_nexus_operation::{DIVISION, ENDPOINT, OPERATION, REQUEST_ID, SERVICE};
use visibility::Record;
use visibility_query::SystemAttribute;

use crate::{
    admission::Call,
    error::ApiResult,
    frontend::Frontend,
    rpc::entity_lists::{Kind, attributes_of},
};

/// What lists of operations are about.
const KIND: Kind = Kind {
    division: DIVISION,
    names: &[("OperationId", SystemAttribute::WorkflowId)],
    stored: &[
        ("Endpoint", ENDPOINT),
        ("Service", SERVICE),
        ("Operation", OPERATION),
        ("RequestId", REQUEST_ID),
    ],
};

pub(crate) async fn list_nexus_operation_executions(
    frontend: &Frontend,
    call: &Call,
    request: ListNexusOperationExecutionsRequest,
) -> ApiResult<ListNexusOperationExecutionsResponse> {
    let page = KIND
        .list(frontend, call, &request.query, request.page_size, &request.next_page_token)
        .await?;
    Ok(ListNexusOperationExecutionsResponse {
        operations: page.records.into_iter().map(info).collect(),
        next_page_token: page.next_page_token.into(),
    })
}

pub(crate) async fn count_nexus_operation_executions(
    frontend: &Frontend,
    call: &Call,
    request: CountNexusOperationExecutionsRequest,
) -> ApiResult<CountNexusOperationExecutionsResponse> {
    let (count, groups) = KIND.count(frontend, call, &request.query).await?;
    let groups = groups.into_iter();
    Ok(CountNexusOperationExecutionsResponse {
        count,
        groups: groups
            .map(|(value, count)| AggregationGroup { group_values: vec![value], count })
            .collect(),
    })
}

fn info(record: Record) -> NexusOperationExecutionListInfo {
    let is_closed = record.close_time.is_set();
    let when_closed = |number: i64| if is_closed { number } else { 0 };
    NexusOperationExecutionListInfo {
        run_id: record.run_id.to_string(),
        endpoint: text(&record.search_attributes, ENDPOINT),
        service: text(&record.search_attributes, SERVICE),
        operation: text(&record.search_attributes, OPERATION),
        schedule_time: record.start_time.to_proto(),
        close_time: record.close_time.to_proto(),
        status: status(record.status) as i32,
        state_transition_count: when_closed(record.state_transition_count),
        state_size_bytes: when_closed(record.history_size_bytes),
        execution_duration: is_closed
            .then(|| record.close_time.since(record.start_time).to_proto()),
        search_attributes: Some(attributes_of(record.search_attributes, &KIND)),
        operation_id: record.workflow_id,
    }
}

/// A text that is stored as a search attribute.
fn text(attributes: &BTreeMap<String, Payload>, name: &str) -> String {
    let stored = attributes.get(name);
    stored.and_then(|payload| serde_json::from_slice(&payload.data).ok()).unwrap_or_default()
}

/// The status for which a run's stands in the index.
fn status(number: i32) -> NexusOperationExecutionStatus {
    match WorkflowExecutionStatus::try_from(number).unwrap_or_default() {
        WorkflowExecutionStatus::Running => NexusOperationExecutionStatus::Running,
        WorkflowExecutionStatus::Completed => NexusOperationExecutionStatus::Completed,
        WorkflowExecutionStatus::Failed => NexusOperationExecutionStatus::Failed,
        WorkflowExecutionStatus::Canceled => NexusOperationExecutionStatus::Canceled,
        WorkflowExecutionStatus::Terminated => NexusOperationExecutionStatus::Terminated,
        WorkflowExecutionStatus::TimedOut => NexusOperationExecutionStatus::TimedOut,
        WorkflowExecutionStatus::Unspecified
        | WorkflowExecutionStatus::ContinuedAsNew
        | WorkflowExecutionStatus::Paused => NexusOperationExecutionStatus::Unspecified,
    }
}
