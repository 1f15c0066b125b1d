//! What a caller may do, and why: for the pages of a web UI, wherever they are.
//!
//! It says what the policy says of the method and the namespace. Rules that look at what a call
//! names, and whoever else is asked, may still refuse a call.

use std::sync::Arc;

use api::Wire;
use authz::{
    Access, Caller, Denial, Permit, Resource, ResourceKind, Rpc, Scope, authorize, methods, rpcs,
};
use bytes::Bytes;
use prost::Message;
use tonic::{Request, Response, Status, body::Body, server::Grpc};
use tower::service_fn;

use crate::{
    frontend::Frontend,
    rpc::{decode, encode},
    server::HttpRequest,
};

/// The method's name.
pub(crate) const METHOD: &str = "GetPermissions";

/// Its path.
pub(crate) const PATH: &str = "/longtide.admin.v1.AdminService/GetPermissions";

/// Largest request, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Asks what the caller may do. Servers of other releases read it: never reuse a tag.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetPermissionsRequest {
    /// Empty for the whole server.
    #[prost(string, tag = "1")]
    pub(crate) namespace: String,
}

/// What the caller may do.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Permissions {
    #[prost(string, tag = "1")]
    pub(crate) namespace: String,
    /// The caller's name; empty for somebody who is not known.
    #[prost(string, tag = "2")]
    pub(crate) principal: String,
    /// How the caller proved who it is.
    #[prost(string, tag = "3")]
    pub(crate) kind: String,
    #[prost(string, repeated, tag = "4")]
    pub(crate) roles: Vec<String>,
    /// One for each method.
    #[prost(message, repeated, tag = "5")]
    pub(crate) decisions: Vec<Decision>,
    /// Whether all of the API is open that needs the right to read, to write, to administer.
    #[prost(bool, tag = "6")]
    pub(crate) read: bool,
    #[prost(bool, tag = "7")]
    pub(crate) write: bool,
    #[prost(bool, tag = "8")]
    pub(crate) admin: bool,
    /// There is an audit log that can be looked into.
    #[prost(bool, tag = "9")]
    pub(crate) audit_log: bool,
    /// What is allowed here, somebody outside may still refuse.
    #[prost(bool, tag = "10")]
    pub(crate) consulted: bool,
}

/// What is decided of a method.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Decision {
    #[prost(string, tag = "1")]
    pub(crate) method: String,
    #[prost(bool, tag = "2")]
    pub(crate) allowed: bool,
    /// The role or the rule that decided; empty when nothing allows the call.
    #[prost(string, tag = "3")]
    pub(crate) rule: String,
    /// The least right that the method needs, and where.
    #[prost(string, tag = "4")]
    pub(crate) needs: String,
    #[prost(string, tag = "5")]
    pub(crate) on: String,
    /// What the method works on.
    #[prost(string, tag = "6")]
    pub(crate) about: String,
}

/// What a caller may do in a namespace, and on the cluster.
pub(crate) fn told(frontend: &Frontend, caller: &Caller, namespace: &str) -> Permissions {
    let policy = &frontend.policy;
    let decide = |rpc: &'static Rpc| {
        let resource = match rpc.scope {
            Scope::Cluster => Resource::CLUSTER,
            Scope::Namespace => Resource::in_namespace(namespace),
        };
        authorize(caller, rpc, resource, policy)
    };
    let decisions: Vec<Decision> = methods().map(|rpc| decision(rpc, &decide(rpc))).collect();
    let may = |rpc: &Rpc| decisions.iter().any(|it| it.allowed && it.method == rpc.name);
    let is_known = !caller.principal().is_anonymous() || !policy.needs_credentials();
    let access = |access: Access| {
        let mut rows = rpcs().filter(|rpc| rpc.scope == Scope::Namespace && rpc.access == access);
        is_known && rows.all(may)
    };
    let (kind, principal) = caller.principal().stamp().unzip();
    Permissions {
        read: access(Access::Read),
        write: access(Access::Write),
        admin: access(Access::Admin),
        namespace: namespace.to_owned(),
        principal: principal.map(Into::into).unwrap_or_default(),
        kind: kind.map(Into::into).unwrap_or_default(),
        roles: caller.claims().permissions(),
        decisions,
        audit_log: frontend.audit.as_ref().is_some_and(|log| log.is_searchable()),
        consulted: frontend.consult.is_some(),
    }
}

/// Answers the call.
pub(crate) async fn called(
    frontend: &Arc<Frontend>,
    caller: &Caller,
    request: HttpRequest,
) -> http::Response<Body> {
    let method = service_fn(|asked: Request<Bytes>| async move {
        let asked: GetPermissionsRequest = decode(asked.into_inner())?;
        let told = told(frontend, caller, &asked.namespace);
        Ok::<_, Status>(Response::new(encode(&told)))
    });
    Grpc::new(Wire).max_decoding_message_size(MESSAGE_BYTES_MAX).unary(method, request).await
}

/// A decision, and the role or the rule that made it; without one nothing allows the call.
fn decision(rpc: &Rpc, decided: &Result<Permit, Denial>) -> Decision {
    let rule = match decided {
        Ok(permit) => permit.rule(),
        Err(Denial::Forbidden { rule, .. }) => rule.clone(),
        Err(_) => String::new(),
    };
    let needs = match rpc.access {
        Access::Open => "nothing",
        Access::Read => "read",
        Access::Worker => "worker",
        Access::Write => "write",
        Access::Admin => "admin",
    };
    let on = match rpc.scope {
        Scope::Cluster => "cluster",
        Scope::Namespace => "namespace",
    };
    Decision {
        method: rpc.name.to_owned(),
        allowed: decided.is_ok(),
        rule,
        needs: needs.to_owned(),
        on: on.to_owned(),
        about: about(rpc.resource).to_owned(),
    }
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
    use authz::{Claims, Policy, Principal, Roles};

    use super::*;

    #[test]
    fn a_decision_names_what_made_it() {
        let mut claims = Claims::default();
        claims.grant_permission("orders:read");
        let caller = Caller::new(Principal::named("jwt", "alice"), claims);
        let policy = Policy::Roles(Roles::default());
        let told = |name| {
            let rpc = authz::method(name).unwrap();
            let it =
                decision(rpc, &authorize(&caller, rpc, Resource::in_namespace("orders"), &policy));
            (it.allowed, it.rule, it.needs, it.on, it.about)
        };
        let texts = |allowed, rule: &str, needs: &str, on: &str, about: &str| {
            (allowed, rule.to_owned(), needs.to_owned(), on.to_owned(), about.to_owned())
        };
        assert_eq!(
            told("ListWorkflowExecutions"),
            texts(true, "orders:read", "read", "namespace", "workflows")
        );
        assert_eq!(told("CreateNexusEndpoint"), texts(false, "", "admin", "cluster", "Nexus"));
    }

    #[test]
    fn the_method_has_its_row() {
        assert_eq!(authz::rpc(PATH).unwrap().name, METHOD);
    }
}
