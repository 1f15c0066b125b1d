//! A batch operation: does one thing to many workflows (fact sheet section 15).
//!
//! It goes in steps. A step is a piece of work of the shell: it does the operation on the targets
//! that the step before found, and finds the next ones. Only what a step reports is counted, and a
//! step that is done again after a crash finds its targets as it left them, so that the counts are
//! right whatever happens.

mod input;
mod limits;
mod listing;
mod machine;
mod starter;
mod state;
mod work;

pub use input::{Input, Rejection, Start, Stop};
pub use limits::{OPEN_MAX, OPERATIONS_PER_SECOND, OPERATIONS_PER_SECOND_MAX};
pub use listing::{DIVISION, TYPE_FIELD, is_of_activities, operation_name, operation_type};
pub use machine::BatchOperation;
pub use starter::{Grant, Starter};
pub use state::{State, Target};
pub use work::{Done, Found, Source, Step};
