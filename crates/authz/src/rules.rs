//! Rules of the operator's own, beside the roles.

use std::{fmt, sync::Arc};

use crate::{Caller, Denial, Ground, Resource, Rpc};

/// A call that is to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// What.
    pub rpc: &'static Rpc,
    /// About what.
    pub resource: Resource<'a>,
}

/// What rules say of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing.
    Silent,
    /// It may run, says the rule of this name.
    Permits(String),
    /// It may not run, says the rule of this name.
    Forbids(String),
}

/// Rules that may forbid what roles allow, and allow what they do not.
pub trait Rules: fmt::Debug + Send + Sync + 'static {
    /// What they say of a call, without its parts.
    fn judge(&self, question: &Question<'_>) -> Ruling;

    /// Hears of a call that is decided another way without them, while they decide nothing.
    fn differ(&self, question: &Question<'_>, would: &Result<Ground, Denial>);
}

/// Rules, and how far they go.
#[derive(Debug, Clone)]
pub struct Further {
    /// The rules.
    pub rules: Arc<dyn Rules>,
    /// Whether they may allow what no role does. They always may forbid.
    pub may_permit: bool,
    /// Whether they decide nothing, and are only told where they would have.
    pub shadow: bool,
}

impl PartialEq for Further {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rules, &other.rules)
            && (self.may_permit, self.shadow) == (other.may_permit, other.shadow)
    }
}

impl Eq for Further {}
