//! A schedule: starts workflows when its specification says so (fact sheet section 14).
//!
//! It wakes at its next time, buffers a start for each time that has come, and decides by the
//! overlap policies which of them may go out. A start is work that the shell does after the
//! commit; the run that it leads to tells the schedule of its end.

mod buffer;
mod close;
mod input;
mod limits;
mod listing;
mod machine;
mod requests;
mod state;
mod times;
mod work;

pub use input::{Create, Input, Rejection, Reply, Update};
pub use limits::{FUTURE_TIMES_MAX, MATCHING_TIMES_MAX};
pub use listing::{DIVISION, INFO_FIELD, WORKFLOW_ID_PREFIX};
pub use machine::Schedule;
pub use state::{BufferedStart, Pending, PendingStart, State};
pub use work::{Done, StartWork, Work, appended_time};
