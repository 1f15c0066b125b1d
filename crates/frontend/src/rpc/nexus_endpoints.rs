//! Nexus endpoints. Texts are the reference's, looked up in its development server.

use std::sync::Arc;

use api::{
    nexus::v1::{Endpoint as EndpointMessage, EndpointSpec, endpoint_target::Variant},
    operatorservice::v1::{
        CreateNexusEndpointRequest, CreateNexusEndpointResponse, DeleteNexusEndpointRequest,
        DeleteNexusEndpointResponse, GetNexusEndpointRequest, GetNexusEndpointResponse,
        ListNexusEndpointsRequest, ListNexusEndpointsResponse, UpdateNexusEndpointRequest,
        UpdateNexusEndpointResponse,
    },
};
use authz::Ground;
use http::Uri;
use model::NamespaceId;
use nexus::{Endpoint, EndpointError};
use prost::Message;
use uuid::Uuid;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    token::{open_page, seal_page},
};

/// Longest name and URL, and largest description, in bytes, as in the reference.
const NAME_BYTES_MAX: usize = 200;
const URL_BYTES_MAX: usize = 4096;
const DESCRIPTION_BYTES_MAX: usize = 20_000;

/// Longest name of a target's task queue, in bytes.
const TASK_QUEUE_BYTES_MAX: usize = 1000;

/// Default and largest page of the list.
const PAGE_SIZE: usize = 100;
const PAGE_SIZE_MAX: usize = 1000;

pub(crate) async fn create_nexus_endpoint(
    frontend: &Frontend,
    _call: &Call,
    request: CreateNexusEndpointRequest,
) -> ApiResult<CreateNexusEndpointResponse> {
    let spec = checked(frontend, request.spec)?;
    let created = frontend.endpoints.create(spec).await.map_err(|error| match error {
        EndpointError::AlreadyExists(name) => ApiError::already_exists(format!(
            "error creating Nexus endpoint. Endpoint with name {name} already registered"
        )),
        other => refused(other),
    })?;
    Ok(CreateNexusEndpointResponse { endpoint: Some(message(&created)) })
}

pub(crate) async fn get_nexus_endpoint(
    frontend: &Frontend,
    _call: &Call,
    request: GetNexusEndpointRequest,
) -> ApiResult<GetNexusEndpointResponse> {
    let id = request.id;
    if id.is_empty() {
        return Err(ApiError::invalid("endpoint ID not set"));
    }
    let parsed = Uuid::parse_str(&id).map_err(|_| {
        let text = format!("malformed endpoint ID: \"invalid UUID length: {}\"", id.len());
        ApiError::invalid(text)
    })?;
    let found = frontend
        .endpoints
        .by_id(parsed)
        .ok_or_else(|| ApiError::not_found(format!("Nexus endpoint with ID `{id}` not found")))?;
    Ok(GetNexusEndpointResponse { endpoint: Some(message(&found)) })
}

pub(crate) async fn update_nexus_endpoint(
    frontend: &Frontend,
    _call: &Call,
    request: UpdateNexusEndpointRequest,
) -> ApiResult<UpdateNexusEndpointResponse> {
    let spec = checked(frontend, request.spec)?;
    let not_found = || {
        let text = format!("error updating Nexus endpoint. endpoint ID {} not found", request.id);
        ApiError::not_found(text)
    };
    let id = Uuid::parse_str(&request.id).map_err(|_| not_found())?;
    let updated = frontend.endpoints.update(id, request.version, spec).await;
    let updated = updated.map_err(|error| match error {
        EndpointError::NotFound(_) => not_found(),
        EndpointError::AlreadyExists(name) => ApiError::already_exists(format!(
            "error updating Nexus endpoint. Endpoint with name {name} already registered"
        )),
        other => refused(other),
    })?;
    Ok(UpdateNexusEndpointResponse { endpoint: Some(message(&updated)) })
}

pub(crate) async fn delete_nexus_endpoint(
    frontend: &Frontend,
    _call: &Call,
    request: DeleteNexusEndpointRequest,
) -> ApiResult<DeleteNexusEndpointResponse> {
    let mut issues = Vec::new();
    if request.id.is_empty() {
        issues.push("endpoint ID not set".to_owned());
    }
    if request.version <= 0 {
        issues.push("endpoint version is non-positive".to_owned());
    }
    check(issues)?;
    let not_found =
        || ApiError::not_found(format!("error deleting nexus endpoint with ID: {}", request.id));
    let id = Uuid::parse_str(&request.id).map_err(|_| not_found())?;
    // The reference wants a version, and does not compare it.
    let deleted = frontend.endpoints.delete(id).await;
    deleted.map_err(|error| match error {
        EndpointError::NotFound(_) => not_found(),
        other => refused(other),
    })?;
    Ok(DeleteNexusEndpointResponse {})
}

pub(crate) async fn list_nexus_endpoints(
    frontend: &Frontend,
    call: &Call,
    request: ListNexusEndpointsRequest,
) -> ApiResult<ListNexusEndpointsResponse> {
    if !request.name.is_empty() {
        let found = frontend.endpoints.by_name(&request.name);
        let found = found.filter(|endpoint| may_see(call, endpoint));
        let endpoints = found.iter().map(|endpoint| message(endpoint)).collect();
        return Ok(ListNexusEndpointsResponse { endpoints, ..Default::default() });
    }
    let page_size = match usize::try_from(request.page_size) {
        Err(_) => return Err(ApiError::invalid("page_size is negative")),
        Ok(0) => PAGE_SIZE,
        Ok(size) if size > PAGE_SIZE_MAX => {
            return Err(ApiError::invalid(format!("page_size exceeds limit of {PAGE_SIZE_MAX}")));
        }
        Ok(size) => size,
    };
    // The token is the id of the last endpoint of the page before.
    let (keys, no_namespace) = (frontend.token_keys(), NamespaceId::default());
    let after = match open_page(keys, no_namespace, &request.next_page_token)? {
        [] => None,
        token => {
            Some(Uuid::from_slice(token).map_err(|_| ApiError::invalid("Invalid NextPageToken."))?)
        }
    };
    let mut page = visible_page(frontend, call, after, page_size + 1);
    let more = page.len() > page_size;
    page.truncate(page_size);
    let last = page.last().filter(|_| more);
    Ok(ListNexusEndpointsResponse {
        next_page_token: last
            .map(|last| seal_page(keys, no_namespace, last.id.as_bytes()))
            .unwrap_or_default(),
        endpoints: page.iter().map(|endpoint| message(endpoint)).collect(),
    })
}

/// Whether an endpoint is shown to a caller: to whoever may list all of them, and to those who may
/// know of the namespace that it leads to.
fn may_see(call: &Call, endpoint: &Endpoint) -> bool {
    if *call.permit.ground() != Ground::Harmless {
        return true;
    }
    let target = endpoint.spec.target.as_ref().and_then(|target| target.variant.as_ref());
    call.permit.may_see(match target {
        Some(Variant::Worker(worker)) => &worker.namespace,
        // What is outside is nobody's but the system's.
        Some(Variant::External(_)) | None => "",
    })
}

/// So many endpoints that the caller may see, after this one.
fn visible_page(
    frontend: &Frontend,
    call: &Call,
    mut after: Option<Uuid>,
    size: usize,
) -> Vec<Arc<Endpoint>> {
    let mut visible = Vec::new();
    loop {
        let page = frontend.endpoints.page(after, PAGE_SIZE_MAX);
        let is_last = page.len() < PAGE_SIZE_MAX;
        after = page.last().map(|last| last.id);
        visible.extend(page.into_iter().filter(|endpoint| may_see(call, endpoint)));
        if is_last || visible.len() >= size {
            visible.truncate(size);
            return visible;
        }
    }
}

fn refused(error: EndpointError) -> ApiError {
    match error {
        EndpointError::NotFound(_) => ApiError::not_found(error.to_string()),
        EndpointError::AlreadyExists(_) => ApiError::already_exists(error.to_string()),
        EndpointError::VersionMismatch { .. } => ApiError::precondition(error.to_string()),
        EndpointError::TooMany(_) => ApiError::precondition(error.to_string()),
        EndpointError::Unavailable(_) => ApiError::unavailable(error.to_string()),
        EndpointError::Damaged(_) => ApiError::internal(&error),
    }
}

fn message(endpoint: &Endpoint) -> EndpointMessage {
    EndpointMessage {
        version: endpoint.version,
        id: endpoint.id.to_string(),
        spec: Some(endpoint.spec.clone()),
        created_time: endpoint.created_time.to_proto(),
        last_modified_time: endpoint.last_modified_time.to_proto(),
        url_prefix: format!("/nexus/endpoints/{}/services", endpoint.id),
    }
}

/// Checks a specification; everything that is wrong with it is said at once.
fn checked(frontend: &Frontend, spec: Option<EndpointSpec>) -> ApiResult<EndpointSpec> {
    let spec = spec.unwrap_or_default();
    let mut issues = Vec::new();
    issues.extend(wrong_with_name(&spec.name));
    if spec.description.as_ref().is_some_and(|text| text.encoded_len() > DESCRIPTION_BYTES_MAX) {
        issues.push(format!("description size exceeds limit of {DESCRIPTION_BYTES_MAX}"));
    }
    let target = spec.target.as_ref().and_then(|target| target.variant.as_ref());
    match target {
        None => issues.push("empty target variant".to_owned()),
        Some(Variant::External(external)) => issues.extend(wrong_with_url(&external.url)),
        Some(Variant::Worker(worker)) => {
            if worker.namespace.is_empty() {
                issues.push("target namespace not set".to_owned());
            }
            let wrong = wrong_with_task_queue(&worker.task_queue);
            issues.extend(wrong.map(|wrong| format!("invalid target task queue: \"{wrong}\"")));
        }
    }
    check(issues)?;
    if let Some(Variant::Worker(worker)) = target
        && frontend.namespaces.by_name(&worker.namespace).is_none()
    {
        return Err(ApiError::precondition(format!(
            "could not verify namespace referenced by target exists: Namespace {} is not found.",
            worker.namespace
        )));
    }
    Ok(spec)
}

fn check(issues: Vec<String>) -> ApiResult<()> {
    if issues.is_empty() { Ok(()) } else { Err(ApiError::invalid(issues.join(", "))) }
}

fn wrong_with_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("endpoint name not set".to_owned());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("endpoint name exceeds length limit of {NAME_BYTES_MAX}"));
    }
    let fits = name.len() >= 2
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.ends_with(|last: char| last.is_ascii_alphanumeric())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    (!fits).then(|| {
        r#"endpoint name must match the regex: "^[a-zA-Z][a-zA-Z0-9\\-]*[a-zA-Z0-9]$""#.to_owned()
    })
}

fn wrong_with_url(url: &str) -> Option<String> {
    if url.is_empty() {
        return Some("empty target URL".to_owned());
    }
    if url.len() > URL_BYTES_MAX {
        return Some(format!("target URL length exceeds limit of {URL_BYTES_MAX}"));
    }
    match url.parse::<Uri>() {
        Err(error) => Some(format!("invalid target URL: {error}")),
        Ok(uri) => match uri.scheme_str().unwrap_or_default() {
            "http" | "https" => None,
            scheme => {
                Some(format!("invalid target URL scheme: \"{scheme}\", expected http or https"))
            }
        },
    }
}

fn wrong_with_task_queue(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("taskQueue is not set")
    } else if name.len() > TASK_QUEUE_BYTES_MAX {
        Some("taskQueue length exceeds limit")
    } else if name.starts_with("/_sys/") {
        Some("task queue name cannot start with reserved prefix /_sys/")
    } else {
        None
    }
}
