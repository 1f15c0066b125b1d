//! Who calls, with what rights.

use std::sync::{Arc, LazyLock};

use crate::{Claims, Entry, Principal, entry::WayIn};

/// A caller whose credentials were checked, or one without any. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: Principal,
    claims: Arc<Claims>,
    way_in: WayIn,
}

impl Caller {
    /// A caller with these rights.
    pub fn new(principal: Principal, claims: Claims) -> Self {
        Self { principal, claims: Arc::new(claims), way_in: WayIn::default() }
    }

    /// A caller without credentials.
    pub fn anonymous() -> Self {
        static ANONYMOUS: LazyLock<Caller> = LazyLock::new(|| Caller::from(Principal::anonymous()));
        ANONYMOUS.clone()
    }

    /// The same, over a connection that may not enter every namespace.
    #[must_use]
    pub fn by(self, entry: Arc<dyn Entry>) -> Self {
        Self { way_in: WayIn(Some(entry)), ..self }
    }

    /// False when the connection may not enter a namespace, whatever the rights are; the empty name
    /// stands for what is in none.
    pub fn may_enter(&self, namespace: &str) -> bool {
        self.way_in.admits(namespace)
    }

    /// Who it is.
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What it may do.
    pub fn claims(&self) -> &Arc<Claims> {
        &self.claims
    }
}

impl From<Principal> for Caller {
    /// A caller of whose rights nothing is known.
    fn from(principal: Principal) -> Self {
        Self::new(principal, Claims::default())
    }
}
