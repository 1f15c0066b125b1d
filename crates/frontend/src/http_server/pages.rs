//! What the pages of a web UI ask, besides the API.

use authz::{Access, Caller, Resource, Rpc, Scope, authorize, rpcs};
use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
    request::Parts,
};
use serde_json::{Map, Value, json};
use tonic::Status;
use transcoding::{Form, query_value};
use web_ui::Site;

use super::{Answer, Face, call::Failure, connection::Asked};

/// Where the API is when pages have all other paths.
const OWN_PATHS: [&str; 3] = ["/api/", "/ui-api/", "/nexus/"];

const DESCRIPTIONS: [&str; 2] = ["/openapi.yaml", "/swagger.json"];

/// The page that a request is for, if it is for one.
pub(super) fn page(face: &Face, parts: &Parts, encrypted: bool) -> Option<Answer> {
    let path = parts.uri.path();
    let of_api = OWN_PATHS.iter().any(|own| path.starts_with(own)) || DESCRIPTIONS.contains(&path);
    let site = match face {
        Face::Pages(site) if !of_api => site,
        // Paths without `/api/` are of the API, too, unless a browser wants to show one.
        Face::ApiAndPages(site) if !of_api && (is_shown(parts) || !is_call(parts)) => site,
        _ => return None,
    };
    if path == "/healthz" {
        return Some(json_answer(&json!({ "status": "OK" })));
    }
    Some(site.answer(&parts.method, path, &parts.headers, encrypted))
}

fn is_shown(parts: &Parts) -> bool {
    let accepted = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    parts.method == Method::GET && accepted.is_some_and(|text| text.contains("text/html"))
}

fn is_call(parts: &Parts) -> bool {
    transcoding::find(&parts.method, parts.uri.path()).is_ok()
}

/// What the server that a UI is for is like.
pub(super) fn settings(face: &Face, parts: &Parts) -> Option<Answer> {
    let (Face::Pages(site) | Face::ApiAndPages(site)) = face else { return None };
    let asked = parts.method == Method::GET && parts.uri.path() == "/api/v1/settings";
    asked.then(|| json_answer(&serde_json::to_value(Site::settings(site)).unwrap_or_default()))
}

/// What the caller may do in a namespace, or on the cluster, method by method.
///
/// It says what the policy says of the method and the namespace. Rules that look at what a call
/// names, and whoever else is asked, may still refuse a call.
pub(super) async fn permissions(asked: &Asked, parts: &Parts) -> Result<Answer, Failure> {
    let caller = asked.caller(parts).await?;
    let namespace = query_value(parts.uri.query().unwrap_or_default(), "namespace");
    let namespace = namespace.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let namespace = namespace.unwrap_or_default();
    let policy = &asked.calls.frontend().policy;
    let may = |rpc: &'static Rpc| {
        let resource = match rpc {
            Rpc { scope: Scope::Cluster, .. } => Resource::CLUSTER,
            _ => Resource::in_namespace(&namespace),
        };
        authorize(&caller, rpc, resource, policy).is_ok()
    };
    let methods: Map<String, Value> =
        rpcs().map(|rpc| (rpc.name.to_owned(), may(rpc).into())).collect();
    let is_known = !caller.principal().is_anonymous() || !policy.needs_credentials();
    let access = |access: Access| {
        let mut rows = rpcs().filter(|rpc| rpc.scope == Scope::Namespace && rpc.access == access);
        is_known && rows.all(may)
    };
    Ok(json_answer(&json!({
        "namespace": namespace,
        "principal": name(&caller),
        "read": access(Access::Read),
        "write": access(Access::Write),
        "admin": access(Access::Admin),
        "methods": methods,
    })))
}

fn name(caller: &Caller) -> Option<&str> {
    caller.principal().stamp().map(|(_, name)| name)
}

fn json_answer(value: &Value) -> Answer {
    let mut answer = Response::new(Bytes::from(value.to_string()));
    *answer.status_mut() = StatusCode::OK;
    let kind = Form { pretty: false, shorthand: true }.content_type();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
