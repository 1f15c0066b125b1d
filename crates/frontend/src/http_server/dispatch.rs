//! Requests of callers outside to the handlers of this server: Nexus tasks that no run asked for.

use std::{collections::BTreeMap, sync::Arc};

use api::nexus::v1::{
    CancelOperationRequest, Request as NexusRequest,
    endpoint_target::Variant as Target,
    request::{Capabilities, Variant},
    response,
    start_operation_response::Variant as Started,
};
use audit::Names;
use authz::{Details, Permit, Resource, Rpc};
use history::{HistoryError, NexusTaskAnswer};
use http::HeaderValue;
use model::Span;
use namespace::Namespace;
use nexus_protocol::{
    FAILURE_SOURCE, FAILURE_SUPPORT, Failure, HandlerError, HandlerErrorKind as Kind,
    OperationError, OperationRequest, REQUEST_TIMEOUT, format_duration, read_operation,
    write_canceling, write_started, write_succeeded,
};
use prost::Message;

use super::{Answer, Request, complete::supports_failures, refusal::to_handler_error};
use crate::{error::ApiError, frontend::Frontend};

/// How long a handler has when the caller does not say.
const TIMEOUT_MAX: Span = Span::from_secs(60);

/// The answer goes out so long before the caller gives up.
const MARGIN: Span = Span::from_secs(1);

/// Headers that are between the caller and this server. Its credentials among them, which are no
/// business of a handler's.
const OWN_HEADERS: &[&str] = &[
    "accept-encoding",
    "authorization",
    "connection",
    "cookie",
    "host",
    FAILURE_SUPPORT,
    "transfer-encoding",
    "x-forwarded-for",
    "xdc-redirection",
    "xdc-redirection-api",
];

/// Whom a request is for.
struct Handlers {
    namespace: Arc<Namespace>,
    task_queue: String,
    /// The endpoint's name; empty when the caller named the task queue.
    endpoint: String,
}

/// Asks the workers that an endpoint points at.
pub(super) async fn to_endpoint(
    frontend: &Arc<Frontend>,
    endpoint: &str,
    rest: &str,
    request: Request,
) -> Answer {
    let handlers = handlers_of_endpoint(frontend, endpoint);
    let (namespace, task_queue, endpoint) = match &handlers {
        Ok(found) => {
            (found.namespace.name.clone(), found.task_queue.clone(), found.endpoint.clone())
        }
        Err(_) => Default::default(),
    };
    let details = Details { task_queue: &task_queue, endpoint: &endpoint, ..Details::default() };
    let resource = Resource::in_namespace(&namespace).about(details);
    ask(frontend, (&authz::DISPATCH_BY_ENDPOINT, resource), handlers, rest, request).await
}

/// Asks the workers of a task queue.
pub(super) async fn to_task_queue(
    frontend: &Arc<Frontend>,
    namespace: &str,
    task_queue: String,
    rest: &str,
    request: Request,
) -> Answer {
    let found = frontend.namespaces.by_name(namespace).ok_or_else(|| {
        HandlerError::new(Kind::NotFound, &format!("namespace not found: \"{namespace}\""))
    });
    let queue = task_queue.clone();
    let handlers =
        found.map(|namespace| Handlers { namespace, task_queue, endpoint: String::new() });
    let details = Details { task_queue: &queue, ..Details::default() };
    let resource = Resource::in_namespace(namespace).about(details);
    let decision = (&authz::DISPATCH_BY_NAMESPACE_AND_TASK_QUEUE, resource);
    ask(frontend, decision, handlers, rest, request).await
}

/// Only workers are asked for others: this server is no relay to the world.
fn handlers_of_endpoint(frontend: &Frontend, id: &str) -> Result<Handlers, HandlerError> {
    let endpoint = id.parse().ok().and_then(|id| frontend.endpoints.by_id(id));
    let endpoint = endpoint
        .ok_or_else(|| HandlerError::not_retryable(Kind::NotFound, "nexus endpoint not found"))?;
    let target = endpoint.spec.target.as_ref().and_then(|target| target.variant.as_ref());
    let Some(Target::Worker(worker)) = target else {
        return Err(HandlerError::new(Kind::BadRequest, "invalid endpoint target"));
    };
    let namespace = frontend.namespaces.by_name(&worker.namespace);
    let namespace =
        namespace.ok_or_else(|| HandlerError::new(Kind::NotFound, "invalid endpoint target"))?;
    Ok(Handlers {
        namespace,
        task_queue: worker.task_queue.clone(),
        endpoint: endpoint.name().to_owned(),
    })
}

/// Decides first, whatever was found: who may not ask does not learn what exists.
async fn ask(
    frontend: &Arc<Frontend>,
    (rpc, resource): (&'static Rpc, Resource<'_>),
    handlers: Result<Handlers, HandlerError>,
    rest: &str,
    request: Request,
) -> Answer {
    let is_failure_supported = supports_failures(&request);
    let permit = frontend.permit_http(rpc, request.extensions(), resource).await;
    let asked = match permit.and_then(|permit| Ok((permit, handlers?))) {
        Ok((permit, handlers)) => {
            try_to_ask(frontend, permit, handlers, rest, request, is_failure_supported).await
        }
        Err(error) => Err(error),
    };
    asked.unwrap_or_else(|error| error.to_response(is_failure_supported))
}

async fn try_to_ask(
    frontend: &Arc<Frontend>,
    permit: Permit,
    handlers: Handlers,
    rest: &str,
    request: Request,
    is_failure_supported: bool,
) -> Result<Answer, HandlerError> {
    let (parts, body) = request.into_parts();
    let asked = read_operation(rest, &parts, body)?;
    let Handlers { namespace, task_queue, endpoint } = handlers;
    if let OperationRequest::Start { request, .. } = &asked
        && request.payload.as_ref().map_or(0, Message::encoded_len)
            > namespace.limits.blob_bytes_max
    {
        return Err(HandlerError::new(Kind::BadRequest, "input exceeds size limit"));
    }
    let mut names = Names::default();
    names.add("task_queue", &task_queue);
    names.add("endpoint", &endpoint);
    let admitted = frontend.admit_http(permit, &parts, &namespace, names)?;
    let (variant, header, timeout) = match asked {
        OperationRequest::Start { request, header, timeout } => {
            (Variant::StartOperation(request), header, timeout)
        }
        OperationRequest::Cancel { service, operation, operation_token, header, timeout } => {
            #[expect(deprecated, reason = "older SDKs read the token under its former name")]
            let cancel = CancelOperationRequest {
                service,
                operation,
                operation_id: operation_token.clone(),
                operation_token,
            };
            (Variant::CancelOperation(cancel), header, timeout)
        }
    };
    let now = frontend.now();
    let patience = timeout.unwrap_or(TIMEOUT_MAX).min(TIMEOUT_MAX) - MARGIN;
    let nexus_request = NexusRequest {
        header: handler_header(header, patience),
        scheduled_time: now.to_proto(),
        capabilities: Some(Capabilities { temporal_failure_responses: is_failure_supported }),
        endpoint,
        variant: Some(variant),
    };
    let dispatched = frontend.history.dispatch_nexus_task(
        &admitted.permit,
        &namespace,
        &task_queue,
        nexus_request,
        now + patience,
    );
    let answer = tokio::select! {
        biased;
        () = frontend.stopping.cancelled() => {
            Err(HistoryError::Unavailable("the server is shutting down".to_owned()))
        }
        answer = dispatched => answer,
    };
    let answer = match answer {
        Ok(answer) => to_http(answer, is_failure_supported),
        Err(error) => {
            to_handler_error(&ApiError::from(error), false).to_response(is_failure_supported)
        }
    };
    Ok(frontend.finish_http(admitted, answer).await)
}

fn handler_header(
    mut header: BTreeMap<String, String>,
    patience: Span,
) -> BTreeMap<String, String> {
    header.retain(|name, _| !OWN_HEADERS.contains(&name.as_str()));
    header.insert(REQUEST_TIMEOUT.to_owned(), format_duration(patience));
    header
}

/// The workers' answer, or that there was none.
fn to_http(answer: Option<NexusTaskAnswer>, is_failure_supported: bool) -> Answer {
    let unexpected = || HandlerError::new(Kind::Internal, "empty outcome");
    let refused = |error: HandlerError| from_worker(error.to_response(is_failure_supported));
    let unsuccessful = |is_canceled, cause| {
        let error = OperationError { is_canceled, cause };
        from_worker(error.to_response(is_failure_supported))
    };
    let response = match answer {
        None => return refused(HandlerError::new(Kind::UpstreamTimeout, "upstream timeout")),
        Some(NexusTaskAnswer::Failed(failure)) => return refused(HandlerError::of(&failure)),
        Some(NexusTaskAnswer::Refused(error)) => {
            return refused(HandlerError::of_message(&error));
        }
        Some(NexusTaskAnswer::Completed(response)) => response,
    };
    let started = match response.variant {
        Some(response::Variant::CancelOperation(_)) => return write_canceling(),
        Some(response::Variant::StartOperation(started)) => started.variant,
        None => return refused(unexpected()),
    };
    #[expect(deprecated, reason = "older SDKs answer in these forms")]
    match started {
        Some(Started::SyncSuccess(success)) => {
            write_succeeded(success.payload.as_ref(), &success.links)
        }
        Some(Started::AsyncSuccess(success)) => {
            let token = if success.operation_token.is_empty() {
                success.operation_id
            } else {
                success.operation_token
            };
            write_started(token, &success.links)
        }
        Some(Started::OperationError(error)) => {
            let failure = error.failure.unwrap_or_default();
            unsuccessful(error.operation_state == "canceled", Failure::of_message(&failure))
        }
        Some(Started::Failure(failure)) => {
            unsuccessful(is_canceled(&failure), Failure::of(&failure))
        }
        None => refused(unexpected()),
    }
}

fn is_canceled(failure: &api::failure::v1::Failure) -> bool {
    use api::failure::v1::failure::FailureInfo;
    matches!(failure.failure_info, Some(FailureInfo::CanceledFailureInfo(_)))
}

/// Says that it is not this server's fault.
fn from_worker(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(FAILURE_SOURCE, HeaderValue::from_static("worker"));
    answer
}
