//! Starts of Nexus operations that no workflow waits for.

use std::collections::BTreeMap;

use api::{
    enums::v1::{NexusOperationIdConflictPolicy, NexusOperationIdReusePolicy},
    history::v1::NexusOperationScheduledEventAttributes,
    workflowservice::v1::{
        StartNexusOperationExecutionRequest, StartNexusOperationExecutionResponse,
    },
};
use model::Span;
use prost::Message as _;
use prost_types::Duration;
use standalone_nexus_operation::{Input, Reply, Start};

use super::{Named, check_operation_id};
use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::activity_executions::{check_id_length, check_user_metadata, untyped},
    validation::{check_callbacks, check_link_count, typed_search_attributes},
};

/// Longest name of a service or an operation, in bytes, as in the reference.
const NAME_BYTES_MAX: usize = 1000;

/// Largest header, keys and values, in bytes, as in the reference.
const HEADER_BYTES_MAX: usize = 8192;

/// Headers that the server sets itself.
const DISALLOWED_HEADERS: &[&str] = &["request-timeout"];

pub(crate) async fn start_nexus_operation_execution(
    frontend: &Frontend,
    call: &Call,
    request: StartNexusOperationExecutionRequest,
) -> ApiResult<StartNexusOperationExecutionResponse> {
    let named = Named::known(request.operation_id.clone(), None);
    let start = checked(frontend, call, request)?;
    let reply = named.ask(frontend, call, Input::Start(Box::new(start))).await?;
    let Reply::Started { instance, is_new } = reply else {
        return Err(ApiError::internal(&"a start was answered as something else"));
    };
    call.reached(instance);
    Ok(StartNexusOperationExecutionResponse { run_id: instance.to_string(), started: is_new })
}

/// Checks a start in the reference's order, and fills in what it leaves open.
fn checked(
    frontend: &Frontend,
    call: &Call,
    request: StartNexusOperationExecutionRequest,
) -> ApiResult<Start> {
    let namespace = call.namespace()?;
    let request_id = frontend.request_id(request.request_id);
    check_id_length(call, "request_id", &request_id)?;
    check_operation_id(call, &request.operation_id)?;
    check_id_length(call, "identity", &request.identity)?;
    if request.endpoint.is_empty() {
        return Err(ApiError::invalid("endpoint is required"));
    }
    check_name("service", &request.service)?;
    check_name("operation", &request.operation)?;
    let whole = timeout("schedule_to_close_timeout", request.schedule_to_close_timeout)?;
    let to_start = timeout("schedule_to_start_timeout", request.schedule_to_start_timeout)?;
    let to_close = timeout("start_to_close_timeout", request.start_to_close_timeout)?;
    let size = request.input.as_ref().map_or(0, |input| input.encoded_len());
    let limit = namespace.limits.blob_bytes_max;
    if size > limit {
        let text = format!("input exceeds size limit. Length={size} Limit={limit}");
        return Err(ApiError::invalid(text));
    }
    check_user_metadata(call, request.user_metadata.as_ref())?;
    let nexus_header = checked_header(request.nexus_header)?;
    let untyped_attributes = untyped(request.search_attributes.as_ref());
    let search_attributes = typed_search_attributes(request.search_attributes, namespace)?;
    let mut callbacks = request.completion_callbacks;
    check_callbacks(&frontend.history, &mut callbacks)?;
    check_link_count(request.links.len())?;
    let options = request.on_conflict_options.unwrap_or_default();
    let endpoint = frontend.endpoints.by_name(&request.endpoint).ok_or_else(|| {
        let text = format!("could not find Nexus endpoint by name: {}", request.endpoint);
        ApiError::not_found(text)
    })?;
    let scheduled = NexusOperationScheduledEventAttributes {
        endpoint: request.endpoint,
        endpoint_id: endpoint.id.to_string(),
        service: request.service,
        operation: request.operation,
        input: request.input,
        schedule_to_close_timeout: whole,
        schedule_to_start_timeout: within(to_start, whole),
        start_to_close_timeout: within(to_close, whole),
        nexus_header,
        ..NexusOperationScheduledEventAttributes::default()
    };
    Ok(Start {
        request_id,
        scheduled,
        identity: request.identity,
        search_attributes,
        untyped_attributes,
        user_metadata: request.user_metadata,
        callbacks,
        links: request.links,
        // As in the reference, a policy that nobody knows is the usual one.
        reuse: NexusOperationIdReusePolicy::try_from(request.id_reuse_policy).unwrap_or_default(),
        conflict: NexusOperationIdConflictPolicy::try_from(request.id_conflict_policy)
            .unwrap_or_default(),
        attaches_callbacks: options.attach_completion_callbacks,
        attaches_links: options.attach_links,
    })
}

fn check_name(field: &str, name: &str) -> ApiResult<()> {
    let length = name.len();
    if length == 0 {
        return Err(ApiError::invalid(format!("{field} is required")));
    }
    if length > NAME_BYTES_MAX {
        return Err(ApiError::invalid(format!(
            "{field} exceeds length limit. Length={length} Limit={NAME_BYTES_MAX}"
        )));
    }
    Ok(())
}

/// A time-out; zero is none.
fn timeout(field: &str, given: Option<Duration>) -> ApiResult<Option<Duration>> {
    let Some(Duration { seconds, nanos }) = given else { return Ok(None) };
    let fault = if (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0) {
        "duration has seconds and nanos with different signs"
    } else if seconds < 0 || nanos < 0 {
        "negative duration"
    } else {
        return Ok(given.filter(|given| !Span::from_proto(Some(given)).is_zero()));
    };
    Err(ApiError::invalid(format!("{field} is invalid: {fault}")))
}

/// No step takes longer than the whole.
fn within(step: Option<Duration>, whole: Option<Duration>) -> Option<Duration> {
    let limit = Span::from_proto(whole.as_ref());
    if limit.is_zero() || Span::from_proto(step.as_ref()) <= limit { step } else { whole }
}

/// The header with its keys in lower case, in which they are compared.
fn checked_header(header: BTreeMap<String, String>) -> ApiResult<BTreeMap<String, String>> {
    let mut checked = BTreeMap::new();
    let mut bytes = 0;
    for (given, value) in header {
        let key = given.to_lowercase();
        bytes += key.len() + value.len();
        if DISALLOWED_HEADERS.contains(&key.as_str()) {
            let text = format!("nexus_header contains a disallowed key: \"{given}\"");
            return Err(ApiError::invalid(text));
        }
        checked.insert(key, value);
    }
    if bytes > HEADER_BYTES_MAX {
        return Err(ApiError::invalid("nexus_header exceeds size limit"));
    }
    Ok(checked)
}
