//! Who calls, with what rights.

use std::sync::Arc;

use crate::{Claims, Principal};

/// A caller whose credentials were checked, or one without any. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: Principal,
    claims: Arc<Claims>,
}

impl Caller {
    /// A caller with these rights.
    pub fn new(principal: Principal, claims: Claims) -> Self {
        Self { principal, claims: Arc::new(claims) }
    }

    /// A caller without credentials.
    pub fn anonymous() -> Self {
        Self::from(Principal::anonymous())
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
