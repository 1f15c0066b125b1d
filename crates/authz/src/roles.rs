//! Roles: the reference's, and those that a configuration adds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{Access, Caller, Claims, Ground, Role, Rpc, SYSTEM_NAMESPACE, Scope, methods};

/// What a worker needs besides the methods of workers: it looks at its namespace when it starts,
/// and reads the rest of a history that did not fit into its task.
const WORKER_READS: &[&str] =
    &["DescribeNamespace", "FetchWorkerConfig", "GetWorkflowExecutionHistory"];

/// Methods on the whole cluster that tell a caller nothing beyond its own rights: whoever has
/// credentials may call them. The lists are filtered.
const HARMLESS: &[&str] = &[
    "GetClusterInfo",
    "GetSearchAttributes",
    "ListClusters",
    "ListNamespaces",
    "ListNexusEndpoints",
];

/// True for a method that tells a caller nothing beyond its own rights.
pub(crate) fn is_harmless(rpc: &Rpc) -> bool {
    HARMLESS.contains(&rpc.name)
}

/// How roles are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// The role `worker` alone may do nothing, as in the reference.
    pub worker_is_noop: bool,
    /// The roles beside the reference's.
    pub custom: CustomRoles,
}

/// A role of a configuration: a role of the reference, and some methods more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomRole {
    /// What it includes.
    pub includes: Role,
    /// Bare names of methods; one `*` may stand at the start or the end.
    pub methods: Vec<String>,
}

/// The roles of a configuration, by name. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomRoles(Arc<BTreeMap<String, Resolved>>);

#[derive(Debug, PartialEq, Eq)]
struct Resolved {
    includes: Role,
    methods: BTreeSet<&'static str>,
}

/// A role that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// The name is another role's, or cannot stand in a permission.
    #[error("`{0}` cannot be the name of a role")]
    Name(String),
    /// No method has this name.
    #[error("role `{role}`: no method matches `{pattern}`")]
    NoMethod {
        /// The role.
        role: String,
        /// The name or pattern.
        pattern: String,
    },
}

impl CustomRoles {
    /// The roles of Temporal Cloud's accounts, and those that are given; these win.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn new(roles: impl IntoIterator<Item = (String, CustomRole)>) -> Result<Self, RoleError> {
        let mut all = BTreeMap::new();
        for (name, role) in account_roles().into_iter().chain(roles) {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(fits) || Role::from_name(&name).is_some() {
                return Err(RoleError::Name(name));
            }
            let mut names = BTreeSet::new();
            for pattern in &role.methods {
                let before = names.len();
                let found = methods().map(|rpc| rpc.name).filter(|name| matches(pattern, name));
                let mut any = false;
                names.extend(found.inspect(|_| any = true));
                if !any && names.len() == before {
                    return Err(RoleError::NoMethod { role: name, pattern: pattern.clone() });
                }
            }
            all.insert(name.to_lowercase(), Resolved { includes: role.includes, methods: names });
        }
        Ok(Self(Arc::new(all)))
    }

    /// True for a permission such as `orders:write` whose role is the reference's or one of these.
    pub fn knows(&self, permission: &str) -> bool {
        let mut claims = Claims::default();
        claims.grant_permission(permission)
            && claims.custom.values().flatten().all(|name| self.0.contains_key(name))
    }
}

/// The roles of Temporal Cloud's accounts that are not the reference's already. They are meant for
/// `temporal-system`.
fn account_roles() -> [(String, CustomRole); 3] {
    let role = |includes, methods: &[&str]| CustomRole {
        includes,
        methods: methods.iter().map(|&name| name.to_owned()).collect(),
    };
    [
        ("owner".to_owned(), role(Role::ADMIN, &[])),
        ("developer".to_owned(), role(Role::READER, &["RegisterNamespace", "*NexusEndpoint*"])),
        ("read-only".to_owned(), role(Role::READER, &[])),
    ]
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) if pattern.len() > 1 => {
            let inner = pattern.trim_matches('*');
            name.contains(inner)
        }
        (Some(end), _) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

impl Roles {
    /// The right by which `caller` may call `rpc` in the namespace of this name (empty: in none).
    pub(crate) fn allow(&self, caller: &Caller, rpc: &Rpc, namespace: &str) -> Option<Ground> {
        if rpc.access == Access::Open {
            return Some(Ground::Open);
        }
        if caller.principal().is_anonymous() {
            return None;
        }
        let claims = caller.claims();
        let role = match rpc.scope {
            Scope::Cluster => claims.system,
            Scope::Namespace => claims.on(namespace),
        };
        if self.covers(role, rpc) {
            return Some(Ground::Role);
        }
        let scopes = match rpc.scope {
            Scope::Cluster => [SYSTEM_NAMESPACE, ""],
            Scope::Namespace => [namespace, SYSTEM_NAMESPACE],
        };
        for name in scopes.into_iter().flat_map(|scope| claims.custom_on(scope)) {
            if let Some(custom) = self.custom.0.get(name)
                && (self.covers(custom.includes, rpc) || custom.methods.contains(rpc.name))
            {
                return Some(Ground::CustomRole(name.to_owned()));
            }
        }
        is_harmless(rpc).then_some(Ground::Harmless)
    }

    /// The highest role that a caller has where the method asks for one.
    pub(crate) fn named(claims: &Claims, rpc: &Rpc, namespace: &str) -> String {
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
        own.or(system).unwrap_or_else(|| Ground::Harmless.to_string())
    }

    fn covers(&self, role: Role, rpc: &Rpc) -> bool {
        let worker = !self.worker_is_noop && role.includes(Role::WORKER);
        match rpc.access {
            Access::Open => true,
            Access::Read => {
                role.covers(Role::READER) || (worker && WORKER_READS.contains(&rpc.name))
            }
            Access::Worker => role.covers(Role::WRITER) || worker,
            Access::Write => role.covers(Role::WRITER),
            Access::Admin => role.covers(Role::ADMIN),
        }
    }

    /// True when `claims` let their holder know of a namespace.
    pub(crate) fn show(&self, claims: &Claims, namespace: &str) -> bool {
        let shown = |role: Role| {
            role.covers(Role::READER) || (!self.worker_is_noop && role.includes(Role::WORKER))
        };
        let mut custom = claims.custom_on(namespace).chain(claims.custom_on(SYSTEM_NAMESPACE));
        shown(claims.on(namespace))
            || custom.any(|name| self.custom.0.get(name).is_some_and(|role| shown(role.includes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Principal;

    fn roles() -> Roles {
        let deployer = CustomRole {
            includes: Role::READER,
            methods: vec!["*WorkerDeployment*".to_owned(), "UpdateNamespace".to_owned()],
        };
        let custom = CustomRoles::new([("deployer".to_owned(), deployer)]).unwrap();
        Roles { custom, ..Roles::default() }
    }

    fn allowed(permission: &str, name: &str, namespace: &str) -> Option<Ground> {
        let mut claims = Claims::default();
        assert!(claims.grant_permission(permission), "{permission}");
        let caller = Caller::new(Principal::named("jwt", "a"), claims);
        let rpc = methods().find(|rpc| rpc.name == name).unwrap();
        roles().allow(&caller, rpc, namespace)
    }

    #[test]
    fn a_custom_role_allows_its_methods_where_it_was_given() {
        let custom = Some(Ground::CustomRole("deployer".to_owned()));
        for (name, expected) in [
            ("SetWorkerDeploymentCurrentVersion", &custom),
            ("UpdateNamespace", &custom),
            ("ListWorkflowExecutions", &custom),
            ("StartWorkflowExecution", &None),
            ("DeleteNamespace", &None),
        ] {
            assert_eq!(&allowed("orders:deployer", name, "orders"), expected, "{name}");
            assert_eq!(allowed("orders:deployer", name, "other"), None, "{name}");
            assert_eq!(&allowed("temporal-system:Deployer", name, "other"), expected, "{name}");
        }
    }

    #[test]
    fn the_roles_of_accounts_are_there() {
        let cases = [
            ("owner", "CreateNexusEndpoint", true),
            ("owner", "CreateApiKey", true),
            ("developer", "RegisterNamespace", true),
            ("developer", "CreateNexusEndpoint", true),
            ("developer", "ListWorkflowExecutions", true),
            ("developer", "StartWorkflowExecution", false),
            ("developer", "CreateApiKey", false),
            ("read-only", "ListWorkflowExecutions", true),
            ("read-only", "RegisterNamespace", false),
        ];
        for (role, name, expected) in cases {
            let permission = format!("temporal-system:{role}");
            assert_eq!(allowed(&permission, name, "any").is_some(), expected, "{role} {name}");
        }
    }

    #[test]
    fn a_permission_with_a_role_that_nobody_defined_is_not_known() {
        let custom = roles().custom;
        for known in ["orders:write", "orders:Deployer", "temporal-system:owner"] {
            assert!(custom.knows(known), "{known}");
        }
        for unknown in ["orders:wrtie", "orders", ":deployer"] {
            assert!(!custom.knows(unknown), "{unknown}");
        }
    }

    #[test]
    fn a_role_that_nobody_defined_gives_nothing() {
        assert_eq!(allowed("orders:unheard-of", "ListWorkflowExecutions", "orders"), None);
    }

    #[test]
    fn a_role_of_nonsense_is_refused() {
        let of = |name: &str, method: &str| {
            let role = CustomRole { methods: vec![method.to_owned()], ..CustomRole::default() };
            CustomRoles::new([(name.to_owned(), role)]).unwrap_err()
        };
        for name in ["", "Admin", "a:b", "a b"] {
            assert_eq!(of(name, "List*"), RoleError::Name(name.to_owned()));
        }
        let pattern = "Lst*".to_owned();
        assert_eq!(of("x", "Lst*"), RoleError::NoMethod { role: "x".to_owned(), pattern });
    }
}
