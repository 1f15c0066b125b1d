//! An activity that no workflow runs: started by a client under an id of its own, attempted by
//! workers until one attempt, a time-out or a person closes it.
//!
//! Its attempts are those of a workflow's activity: [`engine::Activity`] holds them, and this crate
//! adds what a workflow would be for it: a life of its own, an outcome, callbacks, retention.

mod attempt;
mod callback;
mod close;
mod describe;
mod input;
mod limits;
mod listing;
mod machine;
mod operations;
mod start;
mod state;

pub use callback::{Completion, Delivered, Work};
pub use input::{
    Complete, Confirm, Fail, Heartbeat, Held, Input, Pause, Rejection, Reply, RequestCancel, Reset,
    SetOptions, Start, Terminate, Unpause,
};
pub use listing::DIVISION;
pub use machine::StandaloneActivity;
pub use state::State;
