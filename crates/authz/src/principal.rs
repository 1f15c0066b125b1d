//! Who calls.

use std::sync::Arc;

/// An authenticated caller. Made once at the edge; cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    kind: PrincipalKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum PrincipalKind {
    Anonymous,
    Named { kind: Arc<str>, name: Arc<str> },
}

impl Principal {
    /// A caller without credentials.
    pub const fn anonymous() -> Self {
        Self { kind: PrincipalKind::Anonymous }
    }

    /// A caller whose credentials of this kind (such as `jwt`) were checked.
    pub fn named(kind: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { kind: PrincipalKind::Named { kind: kind.into(), name: name.into() } }
    }

    /// True when nothing is known of the caller.
    pub const fn is_anonymous(&self) -> bool {
        matches!(self.kind, PrincipalKind::Anonymous)
    }

    /// Kind and name, as events and the audit log carry them; nothing for an anonymous caller.
    pub fn stamp(&self) -> Option<(&str, &str)> {
        match &self.kind {
            PrincipalKind::Anonymous => None,
            PrincipalKind::Named { kind, name } => Some((kind, name)),
        }
    }
}
