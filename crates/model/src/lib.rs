//! The words that every crate shares: identifiers, time, slots and limits.
//!
//! This crate depends on nothing of ours, does no I/O and reads no clock.

mod agenda;
mod ids;
mod limits;
mod slot;
mod time;

pub use agenda::Agenda;
pub use ids::{IdError, NamespaceId, RunId, WorkflowKey};
pub use limits::Limits;
pub use slot::{SLOT_COUNT, SlotId};
pub use time::{Span, Time};
