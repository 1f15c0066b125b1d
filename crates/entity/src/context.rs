//! Everything that a decision depends on besides state and event.

use api::common::v1::Principal;
use model::{Limits, RunId, Span, Time};

use crate::EntityKey;

/// The sources of difference: time, ids and settings are arguments.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Now.
    pub now: Time,
    /// The entity.
    pub key: &'a EntityKey,
    /// What tells it from earlier and later entities of the same id.
    pub instance: RunId,
    /// A fresh id.
    pub fresh_id: RunId,
    /// The namespace's name, for messages.
    pub namespace: &'a str,
    /// The namespace's limits.
    pub limits: &'a Limits,
    /// How long closed things of the namespace are kept.
    pub retention: Span,
    /// Who caused the event; none for what the server does by itself.
    pub principal: Option<Principal>,
}
