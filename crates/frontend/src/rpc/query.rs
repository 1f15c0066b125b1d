//! Queries.

use api::{
    enums::v1::{QueryRejectCondition, QueryResultType},
    query::v1::{QueryRejected, WorkflowQueryResult},
    workflowservice::v1::{
        QueryWorkflowRequest, QueryWorkflowResponse, RespondQueryTaskCompletedRequest,
        RespondQueryTaskCompletedResponse,
    },
};
use engine::Rejection;
use history::{HistoryError, QueryAnswer, QueryRequest};
use model::{Limits, Span};
use prost::Message;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::{check_blob, execution, required},
};

/// Longest wait for a query's answer when the client sets no limit.
const QUERY_MAX: Span = Span::from_secs(60);

pub(crate) async fn query_workflow(
    frontend: &Frontend,
    call: &Call,
    request: QueryWorkflowRequest,
) -> ApiResult<QueryWorkflowResponse> {
    let namespace = call.namespace()?;
    let limits = &namespace.limits;
    let execution = execution(request.execution.clone())?;
    let Some(query) = request.query.clone() else {
        return Err(ApiError::invalid("WorkflowQuery is not set on request."));
    };
    required("QueryType", &query.query_type, limits)?;
    check_blob(query.query_args.as_ref(), limits)?;
    let reject_condition = match request.query_reject_condition() {
        QueryRejectCondition::Unspecified => QueryRejectCondition::None,
        given => given,
    };
    let patience = call.timeout.map_or(QUERY_MAX, |timeout| timeout.min(QUERY_MAX));
    let asked = QueryRequest { query, reject_condition, deadline: call.received + patience };
    match frontend.history.query_workflow(&call.permit, namespace, &execution, asked).await {
        Ok(QueryAnswer::Answered(query_result)) => {
            Ok(QueryWorkflowResponse { query_result, ..QueryWorkflowResponse::default() })
        }
        Ok(QueryAnswer::Failed { message, failure }) => {
            Err(ApiError::query_failed(message, failure))
        }
        Err(HistoryError::Rejected(Rejection::QueryRejected(status))) => {
            Ok(QueryWorkflowResponse {
                query_rejected: Some(QueryRejected { status: status as i32 }),
                ..QueryWorkflowResponse::default()
            })
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn respond_query_task_completed(
    frontend: &Frontend,
    call: &Call,
    request: RespondQueryTaskCompletedRequest,
) -> ApiResult<RespondQueryTaskCompletedResponse> {
    let namespace = call.namespace()?;
    let query_id = call.token()?.held_query()?;
    let answer = WorkflowQueryResult {
        result_type: request.completed_type,
        answer: request.query_result,
        error_message: request.error_message,
        failure: request.failure,
    };
    let mut answer = answer;
    if size(&answer) > namespace.limits.blob_bytes_max {
        answer = failed("Blob data size exceeds limit.".to_owned());
    }
    let answer = QueryAnswer::from(answer);
    if frontend.history.respond_query(&call.permit, &query_id, answer) {
        return Ok(RespondQueryTaskCompletedResponse {});
    }
    Err(ApiError::not_found("query task not found, or already expired"))
}

/// An answer that came with a completed workflow task; one above the limit fails the query.
pub(crate) fn check_answer(result: WorkflowQueryResult, limits: &Limits) -> WorkflowQueryResult {
    let (size, most) = (size(&result), limits.blob_bytes_max);
    if size <= most {
        return result;
    }
    failed(format!("query result size ({size}) exceeds limit ({most})"))
}

fn size(result: &WorkflowQueryResult) -> usize {
    result.answer.as_ref().map_or(0, Message::encoded_len)
}

fn failed(error_message: String) -> WorkflowQueryResult {
    WorkflowQueryResult {
        result_type: QueryResultType::Failed as i32,
        answer: None,
        error_message,
        failure: None,
    }
}
