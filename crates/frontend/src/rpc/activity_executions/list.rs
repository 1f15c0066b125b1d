//! Lists and counts of activities that no workflow runs.

use api::{
    activity::v1::ActivityExecutionListInfo,
    common::v1::ActivityType,
    enums::v1::{ActivityExecutionStatus, WorkflowExecutionStatus},
    workflowservice::v1::{
        CountActivityExecutionsRequest, CountActivityExecutionsResponse,
        ListActivityExecutionsRequest, ListActivityExecutionsResponse,
        count_activity_executions_response::AggregationGroup,
    },
};
use standalone_activity::DIVISION;
use visibility::Record;

use crate::{
    admission::Call,
    error::ApiResult,
    frontend::Frontend,
    rpc::entity_lists::{Kind, attributes_of},
};

/// What lists of activities are about.
const KIND: Kind = Kind { division: DIVISION, names: &history::ACTIVITY_ATTRIBUTES, stored: &[] };

pub(crate) async fn list_activity_executions(
    frontend: &Frontend,
    call: &Call,
    request: ListActivityExecutionsRequest,
) -> ApiResult<ListActivityExecutionsResponse> {
    let page = KIND
        .list(frontend, call, &request.query, request.page_size, &request.next_page_token)
        .await?;
    Ok(ListActivityExecutionsResponse {
        executions: page.records.into_iter().map(info).collect(),
        next_page_token: page.next_page_token.into(),
    })
}

pub(crate) async fn count_activity_executions(
    frontend: &Frontend,
    call: &Call,
    request: CountActivityExecutionsRequest,
) -> ApiResult<CountActivityExecutionsResponse> {
    let (count, groups) = KIND.count(frontend, call, &request.query).await?;
    let groups = groups.into_iter();
    Ok(CountActivityExecutionsResponse {
        count,
        groups: groups
            .map(|(value, count)| AggregationGroup { group_values: vec![value], count })
            .collect(),
    })
}

fn info(record: Record) -> ActivityExecutionListInfo {
    let is_closed = record.close_time.is_set();
    ActivityExecutionListInfo {
        run_id: record.run_id.to_string(),
        schedule_time: record.start_time.to_proto(),
        close_time: record.close_time.to_proto(),
        status: status(record.status) as i32,
        state_transition_count: if is_closed { record.state_transition_count } else { 0 },
        state_size_bytes: if is_closed { record.history_size_bytes } else { 0 },
        execution_duration: is_closed
            .then(|| record.close_time.since(record.start_time).to_proto()),
        execution_time: record.execution_time.to_proto(),
        search_attributes: Some(attributes_of(record.search_attributes, &KIND)),
        activity_id: record.workflow_id,
        activity_type: Some(ActivityType { name: record.workflow_type }),
        task_queue: record.task_queue,
    }
}

/// The status for which a run's stands in the index.
fn status(number: i32) -> ActivityExecutionStatus {
    match WorkflowExecutionStatus::try_from(number).unwrap_or_default() {
        WorkflowExecutionStatus::Running => ActivityExecutionStatus::Running,
        WorkflowExecutionStatus::Completed => ActivityExecutionStatus::Completed,
        WorkflowExecutionStatus::Failed => ActivityExecutionStatus::Failed,
        WorkflowExecutionStatus::Canceled => ActivityExecutionStatus::Canceled,
        WorkflowExecutionStatus::Terminated => ActivityExecutionStatus::Terminated,
        WorkflowExecutionStatus::TimedOut => ActivityExecutionStatus::TimedOut,
        WorkflowExecutionStatus::Paused => ActivityExecutionStatus::Paused,
        WorkflowExecutionStatus::Unspecified | WorkflowExecutionStatus::ContinuedAsNew => {
            ActivityExecutionStatus::Unspecified
        }
    }
}
