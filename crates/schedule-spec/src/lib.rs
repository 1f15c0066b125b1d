//! When a schedule acts.
//!
//! A [`Spec`] is a schedule's specification, checked and in canonical form. [`Spec::next`] is the
//! first time after a given one at which it matches. Pure: the time zones are part of the program
//! or of the specification, never of the machine it runs on.

mod calendar;
mod canonical;
mod civil;
mod cron;
mod duration;
mod fingerprint;
mod integer;
mod interval;
mod ranges;
mod spec;
mod zone;

pub use canonical::clean;
pub use spec::{MatchingTime, Spec, rfc3339_seconds};

/// Why a specification is refused, in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(String);

impl SpecError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Quotes a text as the reference does in its messages.
pub(crate) fn quoted(text: &str) -> String {
    format!("{text:?}")
}
