//! Lists and counts of runs.

use std::collections::BTreeMap;

use api::{
    common::v1::{Payload, SearchAttributes, WorkflowExecution, WorkflowType},
    enums::v1::WorkflowExecutionStatus,
    filter::v1::StartTimeFilter,
    workflow::v1::WorkflowExecutionInfo,
    workflowservice::v1::{
        CountWorkflowExecutionsRequest, CountWorkflowExecutionsResponse,
        ListArchivedWorkflowExecutionsRequest, ListArchivedWorkflowExecutionsResponse,
        ListClosedWorkflowExecutionsRequest, ListClosedWorkflowExecutionsResponse,
        ListOpenWorkflowExecutionsRequest, ListOpenWorkflowExecutionsResponse,
        ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse,
        ScanWorkflowExecutionsRequest, ScanWorkflowExecutionsResponse,
        count_workflow_executions_response::AggregationGroup,
        list_closed_workflow_executions_request, list_open_workflow_executions_request,
    },
};
use bytes::Bytes;
use model::{Span, Time};
use namespace::Namespace;
use visibility::{Execution, Record};
use visibility_query::{
    Comparison, Condition, Predicate, Query, SystemAttribute, Test, Value, parse, status_name,
};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    token::{open_page, seal_page},
};

/// Longest that a list waits for the index to catch up with what was committed before it.
const CATCH_UP_MAX: Span = Span::from_secs(2);

pub(crate) async fn list_workflow_executions(
    frontend: &Frontend,
    call: &Call,
    request: ListWorkflowExecutionsRequest,
) -> ApiResult<ListWorkflowExecutionsResponse> {
    let namespace = call.namespace()?;
    let query = filter(frontend, &request.query, namespace)?;
    let (executions, next_page_token) =
        list(frontend, namespace, &query, request.page_size, &request.next_page_token).await?;
    Ok(ListWorkflowExecutionsResponse { executions, next_page_token })
}

pub(crate) async fn scan_workflow_executions(
    frontend: &Frontend,
    call: &Call,
    request: ScanWorkflowExecutionsRequest,
) -> ApiResult<ScanWorkflowExecutionsResponse> {
    let namespace = call.namespace()?;
    let query = filter(frontend, &request.query, namespace)?;
    let (executions, next_page_token) =
        list(frontend, namespace, &query, request.page_size, &request.next_page_token).await?;
    Ok(ScanWorkflowExecutionsResponse { executions, next_page_token })
}

pub(crate) async fn list_open_workflow_executions(
    frontend: &Frontend,
    call: &Call,
    request: ListOpenWorkflowExecutionsRequest,
) -> ApiResult<ListOpenWorkflowExecutionsResponse> {
    use list_open_workflow_executions_request::Filters;
    let mut conditions = vec![status(Comparison::Equal, WorkflowExecutionStatus::Running)];
    conditions.extend(start_time(request.start_time_filter)?);
    conditions.extend(match request.filters {
        Some(Filters::ExecutionFilter(given)) => {
            vec![
                keyword(SystemAttribute::WorkflowId, given.workflow_id),
                keyword(SystemAttribute::RunId, given.run_id),
            ]
        }
        Some(Filters::TypeFilter(given)) => {
            vec![keyword(SystemAttribute::WorkflowType, given.name)]
        }
        None => Vec::new(),
    });
    let (size, token) = (request.maximum_page_size, request.next_page_token);
    let query = Query { filter: plain(conditions), ..Query::default() };
    let (executions, next_page_token) =
        list(frontend, call.namespace()?, &query, size, &token).await?;
    Ok(ListOpenWorkflowExecutionsResponse { executions, next_page_token })
}

pub(crate) async fn list_closed_workflow_executions(
    frontend: &Frontend,
    call: &Call,
    request: ListClosedWorkflowExecutionsRequest,
) -> ApiResult<ListClosedWorkflowExecutionsResponse> {
    use list_closed_workflow_executions_request::Filters;
    let mut conditions = vec![status(Comparison::NotEqual, WorkflowExecutionStatus::Running)];
    conditions.extend(start_time(request.start_time_filter)?);
    conditions.extend(match request.filters {
        Some(Filters::ExecutionFilter(given)) => {
            vec![
                keyword(SystemAttribute::WorkflowId, given.workflow_id),
                keyword(SystemAttribute::RunId, given.run_id),
            ]
        }
        Some(Filters::TypeFilter(given)) => {
            vec![keyword(SystemAttribute::WorkflowType, given.name)]
        }
        Some(Filters::StatusFilter(given)) => vec![closed_status(given.status)?],
        None => Vec::new(),
    });
    let (size, token) = (request.maximum_page_size, request.next_page_token);
    let query = Query { filter: plain(conditions), ..Query::default() };
    let (executions, next_page_token) =
        list(frontend, call.namespace()?, &query, size, &token).await?;
    Ok(ListClosedWorkflowExecutionsResponse { executions, next_page_token })
}

pub(crate) async fn list_archived_workflow_executions(
    _frontend: &Frontend,
    _call: &Call,
    _request: ListArchivedWorkflowExecutionsRequest,
) -> ApiResult<ListArchivedWorkflowExecutionsResponse> {
    Err(ApiError::invalid("Cluster is not configured for visibility archival."))
}

pub(crate) async fn count_workflow_executions(
    frontend: &Frontend,
    call: &Call,
    request: CountWorkflowExecutionsRequest,
) -> ApiResult<CountWorkflowExecutionsResponse> {
    let namespace = call.namespace()?;
    let Query { filter, group_by, .. } = filter(frontend, &request.query, namespace)?;
    catch_up(frontend).await;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let Some(group_by) = group_by else {
        let count = frontend.visibility.count(namespace.id, &filter).await.map_err(failed)?;
        return Ok(CountWorkflowExecutionsResponse { count: number(count), groups: Vec::new() });
    };
    let counts =
        frontend.visibility.count_by(namespace.id, &filter, &group_by).await.map_err(failed)?;
    let groups: Vec<AggregationGroup> = counts
        .into_iter()
        .map(|(value, count)| AggregationGroup {
            group_values: vec![keyword_payload(&group_name(&value))],
            count: number(count),
        })
        .collect();
    let count = groups.iter().map(|group| group.count).sum();
    Ok(CountWorkflowExecutionsResponse { count, groups })
}

fn filter(frontend: &Frontend, query: &str, namespace: &Namespace) -> ApiResult<Query> {
    let mut query = parse(query, &namespace.schema, frontend.now())
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    if !query.filter.mentions(SystemAttribute::TemporalNamespaceDivision) {
        query.filter = plain(vec![query.filter]);
    }
    Ok(query)
}

/// All of the conditions, and nothing but plain workflows: schedules and the like are left out.
fn plain(mut conditions: Vec<Predicate>) -> Predicate {
    let test = Test::Null { negated: false };
    conditions.push(condition(SystemAttribute::TemporalNamespaceDivision, test));
    Predicate::all(conditions)
}

fn condition(attribute: SystemAttribute, test: Test) -> Predicate {
    Predicate::Condition(Condition { attribute: attribute.into(), test })
}

/// A condition on a text that the request may leave open.
fn keyword(attribute: SystemAttribute, text: String) -> Predicate {
    if text.is_empty() {
        return Predicate::everything();
    }
    condition(attribute, Test::Compare(Comparison::Equal, Value::String(text)))
}

fn status(comparison: Comparison, status: WorkflowExecutionStatus) -> Predicate {
    let value = Value::Int(i64::from(status as i32));
    condition(SystemAttribute::ExecutionStatus, Test::Compare(comparison, value))
}

/// The status that a closed run is asked for.
fn closed_status(number: i32) -> ApiResult<Predicate> {
    match WorkflowExecutionStatus::try_from(number) {
        Ok(WorkflowExecutionStatus::Unspecified | WorkflowExecutionStatus::Running) => {
            Err(ApiError::invalid("StatusFilter must be specified and must be not Running."))
        }
        Ok(known) => Ok(status(Comparison::Equal, known)),
        Err(_) => Err(ApiError::invalid(format!(
            "invalid query: invalid expression: invalid ExecutionStatus value '{number}'"
        ))),
    }
}

fn start_time(range: Option<StartTimeFilter>) -> ApiResult<Vec<Predicate>> {
    let Some(StartTimeFilter { earliest_time, latest_time }) = range else {
        return Ok(Vec::new());
    };
    let earliest = Time::from_proto(earliest_time.as_ref());
    let latest = Time::from_proto(latest_time.as_ref());
    if latest.is_set() && earliest > latest {
        return Err(ApiError::invalid(
            "EarliestTime in StartTimeFilter should not be larger than LatestTime.",
        ));
    }
    let bounds = [(Comparison::GreaterOrEqual, earliest), (Comparison::LessOrEqual, latest)];
    let conditions = bounds
        .into_iter()
        .filter(|(_, time)| time.is_set())
        .map(|(comparison, time)| {
            condition(SystemAttribute::StartTime, Test::Compare(comparison, Value::Time(time)))
        })
        .collect();
    Ok(conditions)
}

async fn list(
    frontend: &Frontend,
    namespace: &Namespace,
    query: &Query,
    page_size: i32,
    page_token: &Bytes,
) -> ApiResult<(Vec<WorkflowExecutionInfo>, Bytes)> {
    catch_up(frontend).await;
    let page_size = usize::try_from(page_size).unwrap_or(0);
    let keys = frontend.token_keys();
    let page_token = open_page(keys, namespace.id, page_token)?;
    let page = frontend
        .visibility
        .list_sorted(namespace.id, &query.filter, &query.order_by, page_size, page_token)
        .await
        .map_err(failed)?;
    let next_page_token = seal_page(keys, namespace.id, &page.next_page_token);
    Ok((page.records.into_iter().map(info).collect(), next_page_token))
}

/// How many runs a query finds.
pub(crate) async fn count(
    frontend: &Frontend,
    namespace: &Namespace,
    query: &str,
) -> ApiResult<u64> {
    let Query { filter, .. } = filter(frontend, query, namespace)?;
    catch_up(frontend).await;
    frontend.visibility.count(namespace.id, &filter).await.map_err(failed)
}

/// Waits until the index shows what was committed before; not for ever.
pub(crate) async fn catch_up(frontend: &Frontend) {
    let submitted = frontend.visibility.submitted();
    let deadline = frontend.environment.clock.sleep_until(frontend.now() + CATCH_UP_MAX);
    tokio::select! {
        biased;
        _ = frontend.visibility.wait_for(submitted) => {}
        () = deadline => tracing::warn!("the visibility index is behind; a list may be stale"),
    }
}

pub(crate) fn failed(error: visibility::Error) -> ApiError {
    match error {
        visibility::Error::PageToken => ApiError::invalid("Invalid NextPageToken."),
        visibility::Error::TooManyValues { .. } => ApiError::invalid(error.to_string()),
        visibility::Error::Busy | visibility::Error::Closed => {
            ApiError::unavailable(error.to_string())
        }
        other => ApiError::internal(&other),
    }
}

fn info(record: Record) -> WorkflowExecutionInfo {
    let run_id = record.run_id.to_string();
    let this = WorkflowExecution { workflow_id: record.workflow_id, run_id };
    let closed = record.close_time.is_set();
    let execution = |found: Execution| WorkflowExecution {
        workflow_id: found.workflow_id,
        run_id: found.run_id.to_string(),
    };
    // Sizes are known for closed runs only; a described run has them while it is open.
    let when_closed = |number: i64| if closed { number } else { 0 };
    WorkflowExecutionInfo {
        r#type: Some(WorkflowType { name: record.workflow_type }),
        start_time: record.start_time.to_proto(),
        close_time: record.close_time.to_proto(),
        status: record.status,
        history_length: when_closed(record.history_length),
        parent_execution: record.parent.map(execution),
        execution_time: record.execution_time.to_proto(),
        memo: Some(record.memo.unwrap_or_default()),
        search_attributes: Some(SearchAttributes {
            indexed_fields: shown(record.search_attributes),
        }),
        task_queue: record.task_queue,
        state_transition_count: when_closed(record.state_transition_count),
        history_size_bytes: when_closed(record.history_size_bytes),
        execution_duration: closed.then(|| record.execution_duration.to_proto()),
        root_execution: Some(record.root.map_or_else(|| this.clone(), execution)),
        execution: Some(this),
        ..WorkflowExecutionInfo::default()
    }
}

/// Null and an empty list are no values, and are not listed.
pub(crate) fn shown(mut attributes: BTreeMap<String, Payload>) -> BTreeMap<String, Payload> {
    attributes.retain(|_, payload| !matches!(payload.data.as_ref(), b"" | b"null" | b"[]"));
    attributes
}

/// A group by status is named by the status; by division, by the division.
pub(crate) fn group_name(value: &Value) -> String {
    match value {
        Value::Int(number) => {
            status_name(*number).map_or_else(|| number.to_string(), str::to_owned)
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(crate) fn keyword_payload(text: &str) -> Payload {
    let metadata = [
        ("encoding".to_owned(), Bytes::from_static(b"json/plain")),
        ("type".to_owned(), Bytes::from_static(b"Keyword")),
    ];
    Payload {
        metadata: metadata.into(),
        data: serde_json::Value::from(text).to_string().into(),
        ..Payload::default()
    }
}
