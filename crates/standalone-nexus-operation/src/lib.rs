//! A Nexus operation that no workflow waits for: started by a client under an id of its own, asked
//! of the handler of an endpoint until its answer, a completion, a time-out or a person closes it.
//!
//! Its attempts are those of a workflow's operation: [`engine::NexusOperation`] holds them, and this
//! crate adds what a workflow would be for it: a life of its own, an outcome, callbacks, retention.

mod attempt;
mod callback;
mod cancel;
mod close;
mod describe;
mod input;
mod limits;
mod listing;
mod machine;
mod start;
mod state;
mod work;

pub use callback::Completion;
pub use input::{Complete, Input, Rejection, Reply, RequestCancel, Start, Terminate};
pub use listing::{DIVISION, ENDPOINT, OPERATION, REQUEST_ID, SERVICE};
pub use machine::StandaloneNexusOperation;
pub use state::{Cancel, Outcome, State, outcome};
pub use work::{Done, Work};
