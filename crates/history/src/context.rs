//! On whose behalf, and with which settings, the engine decides.

use std::sync::Arc;

use api::common::v1::Principal;
use authz::Permit;
use engine::Context;
use environment::Environment;
use model::{NamespaceId, RunId, Span};
use namespace::Namespace;

use crate::node::Node;

/// The namespace that a decision is made in, and who caused it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) namespace: Arc<Namespace>,
    principal: Option<Principal>,
}

impl Caller {
    /// A caller with a permit.
    pub(crate) fn new(permit: &Permit, namespace: &Arc<Namespace>) -> Self {
        Self::earlier(permit.principal(), namespace)
    }

    /// A caller that asked before, in whose name something is done now.
    pub(crate) fn earlier(principal: &authz::Principal, namespace: &Arc<Namespace>) -> Self {
        let principal = principal
            .stamp()
            .map(|(kind, name)| Principal { r#type: kind.to_owned(), name: name.to_owned() });
        Self { namespace: Arc::clone(namespace), principal }
    }

    /// The server itself: a time has come, or a worker was waiting.
    pub(crate) fn server(namespace: &Arc<Namespace>) -> Self {
        Self { namespace: Arc::clone(namespace), principal: None }
    }

    pub(crate) fn namespace_id(&self) -> NamespaceId {
        self.namespace.id
    }

    /// What the engine is told besides state and input.
    pub(crate) fn context(&self, node: &Node) -> Context<'_> {
        let new_run_id = fresh_run_id(&node.environment);
        Context {
            now: node.environment.clock.now(),
            new_run_id: new_run_id.to_string(),
            namespace: &self.namespace.name,
            limits: &self.namespace.limits,
            retention: self.namespace.retention + jitter(node.config.retention_jitter, new_run_id),
            principal: self.principal.clone(),
            rules: &self.namespace.rules,
        }
    }
}

/// A span below a limit, by the random part of an id.
fn jitter(limit: Span, id: RunId) -> Span {
    let [.., a, b, c, d, e, f] = *id.as_bytes();
    let random = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    Span::from_nanos(random.checked_rem(limit.nanos()).unwrap_or(0))
}

/// A run id. It starts with the time, so that runs of one time are neighbours in every index.
pub(crate) fn fresh_run_id(environment: &Environment) -> RunId {
    RunId::new(environment.entropy.uuid_v7(environment.clock.now()))
}
