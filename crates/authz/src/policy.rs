//! The rules that decide.

use crate::{Access, Caller, Claims, Role, Rpc, SYSTEM_NAMESPACE, Scope};

/// The rules of a server. Without any, everything is denied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// Nobody may call anything but the open methods.
    #[default]
    DenyAll,
    /// Everybody may call everything: the development server on loopback, or `noop` by name.
    AllowAll,
    /// The roles in a caller's claims decide, by the reference's table.
    Roles(Roles),
}

/// How roles are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles {
    /// The role `worker` alone may do nothing, as in the reference.
    pub worker_is_noop: bool,
}

/// What a worker needs besides the methods of workers: it looks at its namespace when it starts,
/// and reads the rest of a history that did not fit into its task.
const WORKER_READS: &[&str] =
    &["DescribeNamespace", "FetchWorkerConfig", "GetWorkflowExecutionHistory"];

/// Methods on the whole cluster that tell a caller nothing beyond its own rights: whoever has
/// credentials may call them. The list of namespaces is filtered.
const HARMLESS: &[&str] = &["GetClusterInfo", "GetSearchAttributes", "ListNamespaces"];

impl Policy {
    /// True when `caller` may call `rpc` in the namespace of this name (empty: in none).
    pub(crate) fn allows(&self, caller: &Caller, rpc: &Rpc, namespace: &str) -> bool {
        match (rpc.access, self) {
            (Access::Open, _) | (_, Self::AllowAll) => true,
            (_, Self::DenyAll) => false,
            (_, Self::Roles(roles)) => roles.allow(caller, rpc, namespace),
        }
    }

    /// What lets `caller` call `rpc`, in words.
    pub(crate) fn rule(&self, caller: &Caller, rpc: &Rpc, namespace: &str) -> String {
        match (rpc.access, self) {
            (Access::Open, _) => "the method is open".to_owned(),
            (_, Self::AllowAll) => "everybody may do everything".to_owned(),
            (_, Self::DenyAll) => String::new(),
            (_, Self::Roles(_)) => Roles::rule(caller.claims(), rpc, namespace),
        }
    }

    /// True when `caller` may call a method that has no row in the table, such as reflection.
    pub const fn allows_unlisted(&self) -> bool {
        matches!(self, Self::AllowAll)
    }

    /// True when a caller without credentials can call nothing but open methods, so that its
    /// requests need not even be read.
    pub const fn needs_credentials(&self) -> bool {
        !matches!(self, Self::AllowAll)
    }

    /// True when `claims` let their holder know of a namespace.
    pub(crate) fn shows(&self, claims: &Claims, namespace: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::Roles(roles) => {
                let role = claims.on(namespace);
                role.covers(Role::READER) || (!roles.worker_is_noop && role.includes(Role::WORKER))
            }
        }
    }
}

impl Roles {
    /// The highest role that a caller has where the method asks for one.
    fn rule(claims: &Claims, rpc: &Rpc, namespace: &str) -> String {
        let named = |role: Role| {
            let names = [
                (Role::ADMIN, "admin"),
                (Role::WRITER, "write"),
                (Role::READER, "read"),
                (Role::WORKER, "worker"),
            ];
            names.into_iter().find(|(known, _)| role.includes(*known)).map(|(_, name)| name)
        };
        let system = named(claims.system).map(|name| format!("{SYSTEM_NAMESPACE}:{name}"));
        let own = claims.namespaces.get(namespace).copied().and_then(named);
        let own = own.filter(|_| rpc.scope == Scope::Namespace && claims.system.is_none());
        let own = own.map(|name| format!("{namespace}:{name}"));
        own.or(system).unwrap_or_else(|| "whoever has credentials may".to_owned())
    }

    fn allow(self, caller: &Caller, rpc: &Rpc, namespace: &str) -> bool {
        if caller.principal().is_anonymous() {
            return false;
        }
        let claims = caller.claims();
        let role = match rpc.scope {
            Scope::Cluster => claims.system,
            Scope::Namespace => claims.on(namespace),
        };
        let worker = !self.worker_is_noop && role.includes(Role::WORKER);
        match rpc.access {
            Access::Open => true,
            Access::Read => {
                role.covers(Role::READER)
                    || (worker && WORKER_READS.contains(&rpc.name))
                    || HARMLESS.contains(&rpc.name)
            }
            Access::Worker => role.covers(Role::WRITER) || worker,
            Access::Write => role.covers(Role::WRITER),
            Access::Admin => role.covers(Role::ADMIN),
        }
    }
}
