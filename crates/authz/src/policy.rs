//! The rules that decide.

use crate::{
    Access, Caller, Claims, Denial, Further, Ground, Question, Resource, Roles, Rpc, ruled,
};

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
    /// The roles decide, and then rules of the operator's own.
    Ruled(Roles, Further),
    /// Whoever has credentials may call everything, as far as this policy goes: somebody else
    /// decides before the call runs. Lists show what roles show.
    Elsewhere(Roles),
}

impl Policy {
    /// Why a call may run.
    ///
    /// # Errors
    /// When it may not.
    pub(crate) fn decide(
        &self,
        caller: &Caller,
        rpc: &'static Rpc,
        resource: Resource<'_>,
    ) -> Result<Ground, Denial> {
        let namespace = resource.namespace;
        let no_rule = || Denial::NoRule { rpc: rpc.name, namespace: namespace.to_owned() };
        match (rpc.access, self) {
            (Access::Open, _) => Ok(Ground::Open),
            (_, Self::AllowAll) => Ok(Ground::Everybody),
            (_, Self::DenyAll) => Err(no_rule()),
            (_, Self::Roles(roles)) => roles.allow(caller, rpc, namespace).ok_or_else(no_rule),
            (_, Self::Ruled(roles, further)) => {
                ruled::decide(roles, further, &Question { caller, rpc, resource })
            }
            (_, Self::Elsewhere(_)) => {
                let known = !caller.principal().is_anonymous();
                known.then_some(Ground::Elsewhere).ok_or_else(no_rule)
            }
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
            Self::Roles(roles) | Self::Ruled(roles, _) | Self::Elsewhere(roles) => {
                roles.show(claims, namespace)
            }
        }
    }
}
