//! Nexus operations that no workflow waits for.

mod list;
mod start;

use api::{
    enums::v1::NexusOperationWaitStage as Stage,
    workflowservice::v1::{
        DeleteNexusOperationExecutionRequest, DeleteNexusOperationExecutionResponse,
        DescribeNexusOperationExecutionRequest, DescribeNexusOperationExecutionResponse,
        PollNexusOperationExecutionRequest, PollNexusOperationExecutionResponse,
        RequestCancelNexusOperationExecutionRequest, RequestCancelNexusOperationExecutionResponse,
        TerminateNexusOperationExecutionRequest, TerminateNexusOperationExecutionResponse,
        describe_nexus_operation_execution_response as described,
        poll_nexus_operation_execution_response as polled,
    },
};
use model::RunId;
use standalone_nexus_operation::{
    Input, Rejection, RequestCancel, StandaloneNexusOperation, State, Terminate, outcome::Value,
};

pub(crate) use self::{
    list::{count_nexus_operation_executions, list_nexus_operation_executions},
    start::start_nexus_operation_execution,
};
use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::{
        activity_executions::check_id_length,
        entity_token::{read_token, token},
        named_entity::{NamedEntity, NamedKind},
    },
    validation::run_id,
};

/// Longest reason of a cancellation or termination, in bytes, as in the reference.
const REASON_BYTES_MAX: usize = 1000;

/// An operation as a request names it.
type Named = NamedEntity<StandaloneNexusOperation>;

impl Named {
    /// Checks the ids of a request.
    fn checked(call: &Call, id: String, run: &str) -> ApiResult<Self> {
        check_operation_id(call, &id)?;
        Ok(Self::known(id, checked_run_id(run)?))
    }
}

impl NamedKind for StandaloneNexusOperation {
    fn not_found(id: &str) -> ApiError {
        ApiError::not_found(format!("operation not found for ID: {id}"))
    }

    fn refused(rejection: Rejection, id: &str) -> ApiError {
        let message = rejection.to_string();
        match rejection {
            Rejection::NotFound => Self::not_found(id),
            Rejection::AlreadyStarted { request_id, instance } => {
                ApiError::nexus_operation_already_started(message, request_id, instance)
            }
            Rejection::Precondition(_) => ApiError::precondition(message),
        }
    }
}

/// Refuses a missing id, or one that is too long.
fn check_operation_id(call: &Call, id: &str) -> ApiResult<()> {
    if id.is_empty() {
        return Err(ApiError::invalid("operation_id is required"));
    }
    check_id_length(call, "operation_id", id)
}

fn checked_run_id(run: &str) -> ApiResult<Option<RunId>> {
    run_id(run, "run_id is not a valid UUID")
}

pub(crate) async fn describe_nexus_operation_execution(
    frontend: &Frontend,
    call: &Call,
    request: DescribeNexusOperationExecutionRequest,
) -> ApiResult<DescribeNexusOperationExecutionResponse> {
    check_operation_id(call, &request.operation_id)?;
    let namespace_id = call.namespace()?.id;
    let seen = &request.long_poll_token;
    if !seen.is_empty() && request.run_id.is_empty() {
        let text = "run_id is required when long_poll_token is provided";
        return Err(ApiError::invalid(text));
    }
    let run_id = checked_run_id(&request.run_id)?;
    let named = Named::known(request.operation_id, run_id);
    let view = if seen.is_empty() {
        named.read(frontend, call).await?
    } else {
        let seen = read_token(frontend.token_keys(), namespace_id, seen, run_id)?;
        let changed = named.wait(frontend, call, |state| state.transitions > seen).await?;
        let Some(view) = changed else {
            return Ok(DescribeNexusOperationExecutionResponse::default());
        };
        view
    };
    let state = view.state().ok_or_else(|| named.not_found())?;
    let outcome = state.end().and_then(|end| end.value).filter(|_| request.include_outcome);
    Ok(DescribeNexusOperationExecutionResponse {
        run_id: view.instance.to_string(),
        info: Some(state.info(&named.id, view.instance, frontend.now())),
        input: state.scheduled().input.clone().filter(|_| request.include_input),
        long_poll_token: token(
            frontend.token_keys(),
            namespace_id,
            view.instance,
            state.transitions,
        ),
        completion_callbacks: state.callback_infos(),
        outcome: outcome.map(|value| match value {
            Value::Result(result) => described::Outcome::Result(result),
            Value::Failure(failure) => described::Outcome::Failure(*failure),
        }),
    })
}

pub(crate) async fn poll_nexus_operation_execution(
    frontend: &Frontend,
    call: &Call,
    request: PollNexusOperationExecutionRequest,
) -> ApiResult<PollNexusOperationExecutionResponse> {
    let stage = match Stage::try_from(request.wait_stage) {
        Ok(Stage::Unspecified | Stage::Closed) => Stage::Closed,
        Ok(Stage::Started) => Stage::Started,
        Err(_) => {
            let text = format!("unsupported wait_stage: {}", request.wait_stage);
            return Err(ApiError::invalid(text));
        }
    };
    let named = Named::checked(call, request.operation_id, &request.run_id)?;
    let is_reached =
        |state: &State| !state.is_open() || (stage == Stage::Started && state.is_started());
    let Some(view) = named.wait(frontend, call, is_reached).await? else {
        return Ok(PollNexusOperationExecutionResponse::default());
    };
    let state = view.state().ok_or_else(|| named.not_found())?;
    let reached = if state.is_open() { Stage::Started } else { Stage::Closed };
    let outcome = state.end().and_then(|end| end.value);
    Ok(PollNexusOperationExecutionResponse {
        run_id: view.instance.to_string(),
        wait_stage: reached as i32,
        operation_token: state.operation.operation_token.clone(),
        outcome: outcome.map(|value| match value {
            Value::Result(result) => polled::Outcome::Result(result),
            Value::Failure(failure) => polled::Outcome::Failure(*failure),
        }),
    })
}

pub(crate) async fn request_cancel_nexus_operation_execution(
    frontend: &Frontend,
    call: &Call,
    request: RequestCancelNexusOperationExecutionRequest,
) -> ApiResult<RequestCancelNexusOperationExecutionResponse> {
    let request_id = frontend.request_id(request.request_id);
    check_id_length(call, "request_id", &request_id)?;
    let named = Named::checked(call, request.operation_id, &request.run_id)?;
    check_id_length(call, "identity", &request.identity)?;
    check_reason(&request.reason)?;
    let cancel = RequestCancel { request_id, identity: request.identity, reason: request.reason };
    named.ask(frontend, call, Input::RequestCancel(cancel)).await?;
    Ok(RequestCancelNexusOperationExecutionResponse {})
}

pub(crate) async fn terminate_nexus_operation_execution(
    frontend: &Frontend,
    call: &Call,
    request: TerminateNexusOperationExecutionRequest,
) -> ApiResult<TerminateNexusOperationExecutionResponse> {
    let request_id = frontend.request_id(request.request_id);
    check_id_length(call, "request_id", &request_id)?;
    let named = Named::checked(call, request.operation_id, &request.run_id)?;
    check_id_length(call, "identity", &request.identity)?;
    check_reason(&request.reason)?;
    let terminate = Terminate { request_id, identity: request.identity, reason: request.reason };
    named.ask(frontend, call, Input::Terminate(terminate)).await?;
    Ok(TerminateNexusOperationExecutionResponse {})
}

pub(crate) async fn delete_nexus_operation_execution(
    frontend: &Frontend,
    call: &Call,
    request: DeleteNexusOperationExecutionRequest,
) -> ApiResult<DeleteNexusOperationExecutionResponse> {
    let named = Named::checked(call, request.operation_id, &request.run_id)?;
    named.ask(frontend, call, Input::Delete).await?;
    Ok(DeleteNexusOperationExecutionResponse {})
}

/// Refuses a reason that is too long.
fn check_reason(reason: &str) -> ApiResult<()> {
    let length = reason.len();
    if length <= REASON_BYTES_MAX {
        return Ok(());
    }
    let text = format!("reason exceeds length limit. Length={length} Limit={REASON_BYTES_MAX}");
    Err(ApiError::invalid(text))
}
