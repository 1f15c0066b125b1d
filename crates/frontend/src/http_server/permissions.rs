//! What a caller may do, and why.

use authz::{Access, Denial, Permit, Resource, ResourceKind, Rpc, Scope, authorize, methods, rpcs};
use http::request::Parts;
use serde_json::{Map, Value, json};
use tonic::Status;
use transcoding::query_value;

use super::{Answer, call::Failure, connection::Asked, pages::json_answer};

/// What the caller may do in a namespace, or on the cluster, method by method, with the names of
/// what decides.
///
/// It says what the policy says of the method and the namespace. Rules that look at what a call
/// names, and whoever else is asked, may still refuse a call.
pub(super) async fn answer(asked: &Asked, parts: &Parts) -> Result<Answer, Failure> {
    let Some(own) = asked.calls.own() else {
        return Err(Status::unimplemented("the server behind these pages does not say it").into());
    };
    let caller = asked.caller(own, parts).await?;
    let namespace = query_value(parts.uri.query().unwrap_or_default(), "namespace");
    let namespace = namespace.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let namespace = namespace.unwrap_or_default();
    let frontend = own.frontend();
    let policy = &frontend.policy;
    let decide = |rpc: &'static Rpc| {
        let resource = match rpc.scope {
            Scope::Cluster => Resource::CLUSTER,
            Scope::Namespace => Resource::in_namespace(&namespace),
        };
        authorize(&caller, rpc, resource, policy)
    };
    let decided: Map<String, Value> =
        methods().map(|rpc| (rpc.name.to_owned(), decision(rpc, &decide(rpc)))).collect();
    let may = |rpc: &Rpc| {
        let decision = decided.get(rpc.name).and_then(|decision| decision.get("allowed"));
        decision.and_then(Value::as_bool).unwrap_or_default()
    };
    let allowed: Map<String, Value> =
        rpcs().map(|rpc| (rpc.name.to_owned(), may(rpc).into())).collect();
    let is_known = !caller.principal().is_anonymous() || !policy.needs_credentials();
    let access = |access: Access| {
        let mut rows = rpcs().filter(|rpc| rpc.scope == Scope::Namespace && rpc.access == access);
        is_known && rows.all(may)
    };
    let (kind, name) = caller.principal().stamp().unzip();
    Ok(json_answer(&json!({
        "namespace": namespace,
        "principal": name,
        "kind": kind,
        "roles": caller.claims().permissions(),
        "read": access(Access::Read),
        "write": access(Access::Write),
        "admin": access(Access::Admin),
        "methods": allowed,
        "decisions": decided,
        "auditLog": frontend.audit.as_ref().is_some_and(|log| log.is_searchable()),
        // What is allowed here, somebody outside may still refuse.
        "consulted": frontend.consult.is_some(),
    })))
}

/// A decision, and the role or the rule that made it; without one nothing allows the call.
fn decision(rpc: &Rpc, decided: &Result<Permit, Denial>) -> Value {
    let rule = match decided {
        Ok(permit) => Some(permit.rule()),
        Err(Denial::Forbidden { rule, .. }) => Some(rule.clone()),
        Err(_) => None,
    };
    json!({
        "allowed": decided.is_ok(),
        "rule": rule,
        "needs": match rpc.access {
            Access::Open => "nothing",
            Access::Read => "read",
            Access::Worker => "worker",
            Access::Write => "write",
            Access::Admin => "admin",
        },
        "on": match rpc.scope {
            Scope::Cluster => "cluster",
            Scope::Namespace => "namespace",
        },
        "about": about(rpc.resource),
    })
}

const fn about(resource: ResourceKind) -> &'static str {
    match resource {
        ResourceKind::Cluster => "cluster",
        ResourceKind::Namespace => "namespaces",
        ResourceKind::Workflow | ResourceKind::Executions => "workflows",
        ResourceKind::Activity => "activities",
        ResourceKind::TaskQueue => "task queues",
        ResourceKind::Worker => "workers",
        ResourceKind::Deployment => "worker deployments",
        ResourceKind::Schedule => "schedules",
        ResourceKind::Batch => "batch operations",
        ResourceKind::Rule => "workflow rules",
        ResourceKind::NexusOperation | ResourceKind::NexusEndpoint => "Nexus",
        ResourceKind::SearchAttributes => "search attributes",
        ResourceKind::ApiKey => "API keys",
    }
}

#[cfg(test)]
mod tests {
    use authz::{Caller, Claims, Policy, Principal, Roles};

    use super::*;

    #[test]
    fn a_decision_names_what_made_it() {
        let mut claims = Claims::default();
        claims.grant_permission("orders:read");
        let caller = Caller::new(Principal::named("jwt", "alice"), claims);
        let policy = Policy::Roles(Roles::default());
        let told = |name| {
            let rpc = authz::method(name).unwrap();
            decision(rpc, &authorize(&caller, rpc, Resource::in_namespace("orders"), &policy))
        };
        assert_eq!(
            told("ListWorkflowExecutions"),
            json!({
                "allowed": true, "rule": "orders:read", "needs": "read", "on": "namespace",
                "about": "workflows",
            })
        );
        assert_eq!(
            told("CreateNexusEndpoint"),
            json!({
                "allowed": false, "rule": null, "needs": "admin", "on": "cluster",
                "about": "Nexus",
            })
        );
    }
}
