//! Completions of operations that a workflow of this server waits for.

use std::sync::Arc;

use audit::Names;
use authz::{Details, Resource};
use bytes::Bytes;
use history::{CallbackToken, NexusCompletion};
use http::Response;
use namespace::Namespace;
use nexus_protocol::{
    CALLBACK_TOKEN, Completion, CompletionEnd, FAILURE_SUPPORT, HandlerError,
    HandlerErrorKind as Kind, read_completion,
};
use prost::Message as _;

use super::{Answer, Request, refusal::to_handler_error};
use crate::{error::ApiError, frontend::Frontend};

/// Longest token that a handler may give an operation, in bytes.
const OPERATION_TOKEN_BYTES_MAX: usize = 4096;

/// Completes an operation. The answer comes after the commit.
pub(super) async fn complete(
    frontend: &Arc<Frontend>,
    namespace_in_path: Option<&str>,
    request: Request,
) -> Answer {
    let is_failure_supported = supports_failures(&request);
    let completed = try_to_complete(frontend, namespace_in_path, request).await;
    completed.unwrap_or_else(|error| error.to_response(is_failure_supported))
}

/// Whether the caller understands Temporal's failures.
pub(super) fn supports_failures(request: &Request) -> bool {
    request.headers().get(FAILURE_SUPPORT).is_some_and(|value| value == "true")
}

async fn try_to_complete(
    frontend: &Arc<Frontend>,
    namespace_in_path: Option<&str>,
    request: Request,
) -> Result<Answer, HandlerError> {
    let bad = |text: &str| HandlerError::new(Kind::BadRequest, text);
    let (parts, body) = request.into_parts();
    let completion = read_completion(&parts.headers, body)?;
    let token = parts.headers.get(CALLBACK_TOKEN).and_then(|token| token.to_str().ok());
    let token = token.and_then(|token| CallbackToken::decode(frontend.token_keys(), token));
    let token = token.ok_or_else(|| bad("invalid callback token"))?;
    let id = token.namespace_id();
    let namespace = frontend.namespaces.by_id(id);
    let name = namespace.as_ref().map_or("", |namespace| &namespace.name);
    let rpc = &authz::COMPLETE_NEXUS_OPERATION;
    let details = Details {
        workflow_id: token.workflow_id().unwrap_or_default(),
        operation_id: token.operation_id().unwrap_or_default(),
        ..Details::default()
    };
    let resource = Resource::in_namespace(name).about(details);
    let permit = frontend.permit_http(rpc, &parts.extensions, resource).await?;
    let namespace = namespace.ok_or_else(|| {
        HandlerError::new(Kind::NotFound, &format!("namespace \"{id}\" not found"))
    })?;
    if namespace_in_path.is_some_and(|name| name != namespace.name) {
        return Err(bad("invalid callback token"));
    }
    let mut names = Names::default();
    names.add("workflow_id", details.workflow_id);
    names.add("operation_id", details.operation_id);
    names.add("run_id", &token.run_id().to_string());
    let admitted = frontend.admit_http(permit, &parts, &namespace, names)?;
    if let Err(error) = check(&namespace, &completion) {
        return Ok(frontend.finish_http(admitted, error.to_response(false)).await);
    }
    let told = frontend
        .history
        .complete_nexus_operation(
            &admitted.permit,
            &namespace,
            &token,
            NexusCompletion::received(completion),
        )
        .await;
    let answer = match told {
        Ok(()) => Response::new(Bytes::new()),
        Err(error) => {
            let error = ApiError::from(error);
            let is_told = error.code() == tonic::Code::NotFound;
            to_handler_error(&error, is_told).to_response(false)
        }
    };
    Ok(frontend.finish_http(admitted, answer).await)
}

/// Checks what a handler may send.
fn check(namespace: &Namespace, completion: &Completion) -> Result<(), HandlerError> {
    let bad = |text: &str| HandlerError::new(Kind::BadRequest, text);
    let token_bytes = completion.operation_token.len();
    if token_bytes > OPERATION_TOKEN_BYTES_MAX {
        return Err(bad(&format!(
            "operation token length exceeds allowed limit \
             ({token_bytes}/{OPERATION_TOKEN_BYTES_MAX})"
        )));
    }
    if let CompletionEnd::Succeeded(Some(payload)) = &completion.end
        && payload.encoded_len() > namespace.limits.blob_bytes_max
    {
        return Err(bad("result exceeds size limit"));
    }
    Ok(())
}
