//! Everything that a decision depends on besides state and input.

use api::{common::v1::Principal, rules::v1::WorkflowRule};
use model::{Limits, Span, Time};

/// The sources of difference: time, fresh ids and settings are arguments.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Now.
    pub now: Time,
    /// A fresh run id for a run that follows this one.
    pub new_run_id: String,
    /// The namespace's name, for messages.
    pub namespace: &'a str,
    /// The namespace's limits.
    pub limits: &'a Limits,
    /// How long closed runs of the namespace are kept.
    pub retention: Span,
    /// Who caused the input, stamped on the events; none for clock inputs.
    pub principal: Option<Principal>,
    /// The namespace's rules.
    pub rules: &'a [WorkflowRule],
}
