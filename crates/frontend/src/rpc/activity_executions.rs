//! Activities that no workflow runs.

mod list;
mod start;

use api::workflowservice::v1::{
    DeleteActivityExecutionRequest, DeleteActivityExecutionResponse,
    DescribeActivityExecutionRequest, DescribeActivityExecutionResponse,
    PollActivityExecutionRequest, PollActivityExecutionResponse,
    RequestCancelActivityExecutionRequest, RequestCancelActivityExecutionResponse,
    TerminateActivityExecutionRequest, TerminateActivityExecutionResponse,
};
use engine::Shared;
use model::{RunId, Time};
use standalone_activity::{Input, Rejection, RequestCancel, StandaloneActivity, State, Terminate};

pub(crate) use self::{
    list::{count_activity_executions, list_activity_executions},
    start::{check_timeout, check_user_metadata, start_activity_execution, untyped},
};
use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::{
        entity_token::{read_token, token},
        named_entity::{NamedEntity, NamedKind},
    },
    validation::run_id,
};

/// An activity as a request names it.
pub(crate) type Named = NamedEntity<StandaloneActivity>;

impl Named {
    /// Checks the ids of a request.
    pub(crate) fn checked(call: &Call, id: String, run: &str) -> ApiResult<Self> {
        let named = Self::checked_id(call, id)?;
        let run_id = run_id(run, "invalid run id: must be a valid UUID")?;
        Ok(Self::known(named.id, run_id))
    }

    fn checked_id(call: &Call, id: String) -> ApiResult<Self> {
        if id.is_empty() {
            return Err(ApiError::invalid("activity ID is required"));
        }
        check_id_length(call, "activity ID", &id)?;
        Ok(Self::known(id, None))
    }
}

impl NamedKind for StandaloneActivity {
    fn not_found(id: &str) -> ApiError {
        ApiError::not_found(format!("activity not found for ID: {id}"))
    }

    fn refused(rejection: Rejection, id: &str) -> ApiError {
        let message = rejection.to_string();
        match rejection {
            // The reference does not tell one from the other.
            Rejection::NotFound | Rejection::TaskNotFound | Rejection::TaskObsolete => {
                Self::not_found(id)
            }
            Rejection::AlreadyStarted { request_id, instance } => {
                ApiError::activity_already_started(message, request_id, instance)
            }
            Rejection::Precondition(_) => ApiError::precondition(message),
            Rejection::Invalid(_) => ApiError::invalid(message),
        }
    }
}

pub(crate) async fn describe_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: DescribeActivityExecutionRequest,
) -> ApiResult<DescribeActivityExecutionResponse> {
    let named = Named::checked_id(call, request.activity_id.clone())?;
    let seen = &request.long_poll_token;
    if !seen.is_empty() && request.run_id.is_empty() {
        let text = "run id is required when long poll token is provided";
        return Err(ApiError::invalid(text));
    }
    let run_id = run_id(&request.run_id, "invalid run id: must be a valid UUID")?;
    let named = Named::known(named.id, run_id);
    let view = if seen.is_empty() {
        named.read(frontend, call).await?
    } else {
        let namespace_id = call.namespace()?.id;
        let seen = read_token(frontend.token_keys(), namespace_id, seen, run_id)?;
        let changed = named.wait(frontend, call, |state| state.transitions > seen).await?;
        let Some(view) = changed else {
            return Ok(DescribeActivityExecutionResponse::default());
        };
        view
    };
    let state = view.state().ok_or_else(|| named.not_found())?;
    let token =
        token(frontend.token_keys(), call.namespace()?.id, view.instance, state.transitions);
    let described = describe(&request, state, view.instance, frontend.now());
    Ok(DescribeActivityExecutionResponse { long_poll_token: token, ..described })
}

fn describe(
    request: &DescribeActivityExecutionRequest,
    state: &State,
    instance: RunId,
    now: Time,
) -> DescribeActivityExecutionResponse {
    let mut info = state.info(&request.activity_id, instance, now);
    if request.include_heartbeat_details {
        let details = state.attempts.heartbeat_details.as_ref();
        info.heartbeat_details = details.map(Shared::to_owned_message);
    }
    if request.include_last_failure {
        info.last_failure = state.attempts.last_failure.as_ref().map(Shared::to_owned_message);
    }
    let outcome = state.outcome.as_ref().filter(|_| request.include_outcome);
    DescribeActivityExecutionResponse {
        run_id: instance.to_string(),
        info: Some(info),
        input: state.scheduled().input.clone().filter(|_| request.include_input),
        outcome: outcome.map(Shared::to_owned_message),
        callbacks: state.callback_infos(),
        ..DescribeActivityExecutionResponse::default()
    }
}

pub(crate) async fn poll_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: PollActivityExecutionRequest,
) -> ApiResult<PollActivityExecutionResponse> {
    let named = Named::checked(call, request.activity_id, &request.run_id)?;
    let closed = named.wait(frontend, call, |state| !state.is_open()).await?;
    let Some(view) = closed else { return Ok(PollActivityExecutionResponse::default()) };
    let state = view.state().ok_or_else(|| named.not_found())?;
    Ok(PollActivityExecutionResponse {
        run_id: view.instance.to_string(),
        outcome: state.outcome.as_ref().map(Shared::to_owned_message),
    })
}

pub(crate) async fn request_cancel_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: RequestCancelActivityExecutionRequest,
) -> ApiResult<RequestCancelActivityExecutionResponse> {
    let id = Named::checked_id(call, request.activity_id)?.id;
    let request_id = frontend.request_id(request.request_id);
    check_id_length(call, "request ID", &request_id)?;
    check_id_length(call, "identity", &request.identity)?;
    let named = Named::checked(call, id, &request.run_id)?;
    check_reason(call, &request.reason)?;
    let cancel = RequestCancel { request_id, identity: request.identity, reason: request.reason };
    named.ask(frontend, call, Input::RequestCancel(cancel)).await?;
    Ok(RequestCancelActivityExecutionResponse {})
}

pub(crate) async fn terminate_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: TerminateActivityExecutionRequest,
) -> ApiResult<TerminateActivityExecutionResponse> {
    let id = Named::checked_id(call, request.activity_id)?.id;
    let request_id = frontend.request_id(request.request_id);
    check_id_length(call, "request ID", &request_id)?;
    check_id_length(call, "identity", &request.identity)?;
    let named = Named::checked(call, id, &request.run_id)?;
    check_reason(call, &request.reason)?;
    let terminate = Terminate { request_id, identity: request.identity, reason: request.reason };
    named.ask(frontend, call, Input::Terminate(terminate)).await?;
    Ok(TerminateActivityExecutionResponse {})
}

pub(crate) async fn delete_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: DeleteActivityExecutionRequest,
) -> ApiResult<DeleteActivityExecutionResponse> {
    let named = Named::checked(call, request.activity_id, &request.run_id)?;
    named.ask(frontend, call, Input::Delete).await?;
    Ok(DeleteActivityExecutionResponse {})
}

/// Refuses an id that is too long.
pub(crate) fn check_id_length(call: &Call, field: &str, id: &str) -> ApiResult<()> {
    let (length, limit) = (id.len(), call.namespace()?.limits.id_length_max);
    if length <= limit {
        return Ok(());
    }
    let text = format!("{field} exceeds length limit. Length={length} Limit={limit}");
    Err(ApiError::invalid(text))
}

/// Refuses a reason that is too long.
pub(crate) fn check_reason(call: &Call, reason: &str) -> ApiResult<()> {
    if reason.len() <= call.namespace()?.limits.blob_bytes_max {
        return Ok(());
    }
    Err(ApiError::invalid("reason exceeds length limit"))
}
