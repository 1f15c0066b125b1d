//! What a caller may do, as pages ask it: of this server, or of the one behind the pages.

use authz::rpcs;
use http::{HeaderMap, request::Parts};
use prost::Message;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use transcoding::query_value;

use super::{
    Answer,
    call::{Failure, call},
    connection::Asked,
    pages::json_answer,
};
use crate::permissions::{Decision, GetPermissionsRequest, PATH, Permissions, told};

/// What the caller may do in a namespace, or on the cluster, method by method, with the names of
/// what decides.
pub(super) async fn answer(asked: &Asked, parts: &Parts) -> Result<Answer, Failure> {
    let namespace = query_value(parts.uri.query().unwrap_or_default(), "namespace");
    let namespace = namespace.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let namespace = namespace.unwrap_or_default();
    if let Some(own) = asked.calls.own() {
        let caller = asked.caller(own, parts).await?;
        return Ok(json_answer(&shown(&told(own.frontend(), &caller, &namespace))));
    }
    Ok(json_answer(&match elsewhere(asked, &parts.headers, &namespace).await? {
        // The pages have no way to the log of another server.
        Some(permissions) => shown(&Permissions { audit_log: false, ..permissions }),
        None => unknown(&namespace),
    }))
}

/// What the server behind the pages says that the caller may do. Nothing when it does not say it:
/// one of another make does not know the question.
pub(super) async fn elsewhere(
    asked: &Asked,
    headers: &HeaderMap,
    namespace: &str,
) -> Result<Option<Permissions>, Failure> {
    let request = GetPermissionsRequest { namespace: namespace.to_owned() };
    match call(asked, PATH, headers, &request.encode_to_vec()).await {
        Ok(answer) => Ok(Permissions::decode(answer).ok()),
        Err(failure) => match failure.status.code() {
            Code::Unimplemented | Code::PermissionDenied | Code::NotFound => Ok(None),
            _ => Err(failure),
        },
    }
}

fn unknown(namespace: &str) -> Value {
    json!({
        "namespace": namespace,
        "known": false,
        "principal": null,
        "kind": null,
        "roles": [],
        "auditLog": false,
        "consulted": false,
    })
}

fn shown(permissions: &Permissions) -> Value {
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let one = |it: &Decision| {
        let decision = json!({
            "allowed": it.allowed,
            "rule": given(&it.rule),
            "needs": it.needs,
            "on": it.on,
            "about": it.about,
        });
        (it.method.clone(), decision)
    };
    let decided: Map<String, Value> = permissions.decisions.iter().map(one).collect();
    let may = |name: &str| {
        let allowed = decided.get(name).and_then(|decision| decision.get("allowed"));
        (name.to_owned(), allowed.cloned().unwrap_or(Value::Bool(false)))
    };
    let allowed: Map<String, Value> = rpcs().map(|rpc| may(rpc.name)).collect();
    json!({
        "namespace": permissions.namespace,
        "known": true,
        "principal": given(&permissions.principal),
        "kind": given(&permissions.kind),
        "roles": permissions.roles,
        "read": permissions.read,
        "write": permissions.write,
        "admin": permissions.admin,
        "methods": allowed,
        "decisions": decided,
        "auditLog": permissions.audit_log,
        "consulted": permissions.consulted,
    })
}
