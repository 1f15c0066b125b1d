//! Durable entities that are not workflow runs (design decision D9).
//!
//! A kind of entity is a pure [`Machine`]: a state, what can happen to it, and what follows from
//! the state: when it wants to go on, what it wants done outside of itself, how lists show it. The
//! shell stores each state as a whole with every transition that changes it. Such states are small
//! and have no history to keep, so that a record of the changes beside a snapshot would cost more
//! than it saves; a workflow run is the kind for which that is not so, and has an engine of its own.
//!
//! Nothing here waits, reads a clock or does I/O.

mod closed;
mod context;
mod key;
mod listing;
mod machine;
mod worker;

pub use closed::{ClosedWorkflow, Watcher};
pub use context::Context;
pub use key::{EntityKey, EntityKind};
pub use listing::Listing;
pub use machine::{Decision, Event, Machine};
pub use worker::{Taken, WorkerTask};
