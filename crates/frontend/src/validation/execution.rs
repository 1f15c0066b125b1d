//! Which run a request means.

use api::common::v1::WorkflowExecution;
use history::Execution;
use model::RunId;

use crate::error::{ApiError, ApiResult};

/// Reads an execution; an empty run id means the current run.
pub(crate) fn execution(execution: Option<WorkflowExecution>) -> ApiResult<Execution> {
    let Some(WorkflowExecution { workflow_id, run_id }) = execution else {
        return Err(ApiError::invalid("Execution is not set on request."));
    };
    if workflow_id.is_empty() {
        return Err(ApiError::invalid("WorkflowId is not set on request."));
    }
    Ok(Execution { workflow_id, run_id: self::run_id(&run_id, "Invalid RunId.")? })
}

/// Reads a run id; an empty one is none.
pub(crate) fn run_id(text: &str, refusal: &str) -> ApiResult<Option<RunId>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| ApiError::invalid(refusal))
}
