//! Where a caller's connection lets it in, whatever its rights are.

use std::{fmt, sync::Arc};

/// Knows which namespaces a connection may enter: some have certificate authorities of their own.
pub trait Entry: fmt::Debug + Send + Sync + 'static {
    /// False when it may not enter the namespace of this name; the empty one stands for what is in
    /// no namespace.
    fn admits(&self, namespace: &str) -> bool;
}

/// The way in of a caller. Without anybody who knows better it leads everywhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct WayIn(pub(crate) Option<Arc<dyn Entry>>);

impl WayIn {
    pub(crate) fn admits(&self, namespace: &str) -> bool {
        self.0.as_ref().is_none_or(|entry| entry.admits(namespace))
    }
}

impl PartialEq for WayIn {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for WayIn {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Caller, Claims, Policy, Principal, Resource, Roles, authorize, rpcs, table};

    /// Lets nobody in but here.
    #[derive(Debug)]
    struct Only(&'static str);

    impl Entry for Only {
        fn admits(&self, namespace: &str) -> bool {
            namespace == self.0
        }
    }

    fn administrator(entry: Option<Arc<dyn Entry>>) -> Caller {
        let mut claims = Claims::default();
        claims.grant_permission("temporal-system:admin");
        let caller = Caller::new(Principal::named("jwt", "root"), claims);
        entry.into_iter().fold(caller, Caller::by)
    }

    #[test]
    fn no_right_leads_into_a_namespace_that_the_connection_may_not_enter() {
        let caller = administrator(Some(Arc::new(Only("orders"))));
        for policy in [Policy::AllowAll, Policy::Roles(Roles::default())] {
            let may = |name, namespace| {
                let resource = Resource::in_namespace(namespace);
                authorize(&caller, table::method(name).unwrap(), resource, &policy)
            };
            let permit = may("ListWorkflowExecutions", "orders").unwrap();
            assert!(permit.may_see("orders") && !permit.may_see("billing"));
            let denial = may("ListWorkflowExecutions", "billing").unwrap_err();
            assert_eq!(
                denial.to_string(),
                "the connection's certificate does not count in `billing`"
            );
            assert!(may("CreateNexusEndpoint", "").is_err());
            // What tells nothing beyond the caller's own rights.
            assert!(may("ListNamespaces", "").is_ok() && may("GetSystemInfo", "").is_ok());
        }
    }

    #[test]
    fn without_a_way_in_of_its_own_a_caller_is_judged_by_its_rights_alone() {
        let caller = administrator(None);
        let policy = Policy::Roles(Roles::default());
        for rpc in rpcs() {
            assert!(authorize(&caller, rpc, Resource::in_namespace("a"), &policy).is_ok());
        }
    }
}
