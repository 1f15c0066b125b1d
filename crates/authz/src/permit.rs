//! The decision and its proof.

use std::{fmt, sync::Arc};

use crate::{Access, Caller, Policy, Principal, Resource, Roles, Rpc, roles::is_harmless};

/// Why a call may run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ground {
    /// Everybody may call it, always.
    Open,
    /// Everybody may call everything.
    Everybody,
    /// Whoever has credentials may call it.
    Harmless,
    /// A role of the reference's.
    Role,
    /// A role of the configuration's, by its name.
    CustomRole(String),
    /// A rule of the operator's, by its name.
    Rule(String),
    /// Somebody else decides.
    Elsewhere,
}

impl fmt::Display for Ground {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => formatter.write_str("the method is open"),
            Self::Everybody => formatter.write_str("everybody may do everything"),
            Self::Harmless => formatter.write_str("whoever has credentials may"),
            Self::Role => formatter.write_str("a role"),
            Self::CustomRole(name) => write!(formatter, "role `{name}`"),
            Self::Rule(name) => write!(formatter, "rule `{name}`"),
            Self::Elsewhere => formatter.write_str("the webhook"),
        }
    }
}

/// The proof that a call was authorised. What history and matching do for a caller takes a
/// `&Permit`, so a path that forgot to ask does not compile:
///
/// ```compile_fail,E0451
/// let permit = authz::Permit {
///     rpc: authz::rpc("/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo").unwrap(),
///     caller: authz::Caller::anonymous(),
///     policy: authz::Policy::AllowAll,
///     namespace: "default".into(),
///     ground: authz::Ground::Open,
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    rpc: &'static Rpc,
    caller: Caller,
    policy: Policy,
    namespace: Arc<str>,
    ground: Ground,
}

impl Permit {
    /// The method that may run.
    pub const fn rpc(&self) -> &'static Rpc {
        self.rpc
    }

    /// Who asked.
    pub const fn principal(&self) -> &Principal {
        self.caller.principal()
    }

    /// Who asked, with what rights.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Why it may run.
    pub const fn ground(&self) -> &Ground {
        &self.ground
    }

    /// The name of the namespace that the permit is for; empty for the cluster.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The rule that allowed the call, in words: the audit log has it.
    pub fn rule(&self) -> String {
        match &self.ground {
            Ground::Role => Roles::named(self.caller.claims(), self.rpc, &self.namespace),
            ground => ground.to_string(),
        }
    }

    /// True when the caller may know that a namespace exists: lists show no others.
    pub fn may_see(&self, namespace: &str) -> bool {
        self.caller.may_enter(namespace) && self.policy.shows(self.caller.claims(), namespace)
    }

    /// Decides about another call that comes with this one, such as a command towards another
    /// namespace.
    ///
    /// # Errors
    /// A [`Denial`] when no rule of the policy allows it.
    pub fn also(&self, rpc: &'static Rpc, resource: Resource<'_>) -> Result<Self, Denial> {
        authorize(&self.caller, rpc, resource, &self.policy)
    }
}

/// Why a call may not run. Operators read it, and callers who ask what they may do; the answer to a
/// call says only that it may not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// No rule allows it.
    #[error("no rule allows `{rpc}` on `{namespace}`")]
    NoRule {
        /// The method's bare name.
        rpc: &'static str,
        /// The namespace's name; empty for the cluster.
        namespace: String,
    },
    /// A rule forbids it.
    #[error("rule `{rule}` forbids `{rpc}` on `{namespace}`")]
    Forbidden {
        /// The method's bare name.
        rpc: &'static str,
        /// The namespace's name; empty for the cluster.
        namespace: String,
        /// The rule's name.
        rule: String,
    },
    /// The connection may not enter, whatever the caller's rights are.
    #[error("the connection's certificate does not count in `{namespace}`")]
    NoEntry {
        /// The namespace's name; empty for the cluster.
        namespace: String,
    },
}

/// Decides whether `caller` may call `rpc` on `resource`.
///
/// # Errors
/// A [`Denial`] when no rule of the policy allows it, or one forbids it, or the caller's connection
/// may not enter the namespace.
pub fn authorize(
    caller: &Caller,
    rpc: &'static Rpc,
    resource: Resource<'_>,
    policy: &Policy,
) -> Result<Permit, Denial> {
    let namespace = resource.namespace;
    if rpc.access != Access::Open && !is_harmless(rpc) && !caller.may_enter(namespace) {
        return Err(Denial::NoEntry { namespace: namespace.to_owned() });
    }
    let ground = policy.decide(caller, rpc, resource)?;
    let (caller, policy) = (caller.clone(), policy.clone());
    Ok(Permit { rpc, caller, policy, namespace: namespace.into(), ground })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpcs;

    #[test]
    fn without_a_policy_only_open_methods_run() {
        let open: Vec<&str> = rpcs()
            .filter(|rpc| {
                let caller = Caller::from(Principal::named("jwt", "alice"));
                let resource = Resource::in_namespace("default");
                authorize(&caller, rpc, resource, &Policy::default()).is_ok()
            })
            .map(|rpc| rpc.name)
            .collect();
        assert_eq!(open, ["GetSystemInfo"]);
    }

    #[test]
    fn the_development_policy_permits_everything_and_says_who_asked() {
        let caller = Caller::anonymous();
        for rpc in rpcs() {
            let permit =
                authorize(&caller, rpc, Resource::in_namespace("default"), &Policy::AllowAll)
                    .unwrap();
            assert_eq!(permit.rpc(), rpc);
            assert_eq!(permit.namespace(), "default");
            assert_eq!(permit.principal().stamp(), None);
        }
    }

    #[test]
    fn a_denial_names_the_method_and_the_namespace() {
        let rpc = rpcs().find(|rpc| rpc.name == "TerminateWorkflowExecution").unwrap();
        let resource = Resource::in_namespace("billing");
        let denial = authorize(&Caller::anonymous(), rpc, resource, &Policy::DenyAll).unwrap_err();
        assert_eq!(denial.to_string(), "no rule allows `TerminateWorkflowExecution` on `billing`");
    }
}
