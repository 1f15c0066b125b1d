//! The index of runs behind list and count.
//!
//! It is derived: history submits a [`Change`] after each commit, outside of the acknowledgement
//! path, and can rebuild the whole index from the runs. Changes carry a version per run, so that
//! nothing goes back in time however often they are replayed. One thread writes SQLite in large
//! batches; lists and counts run beside it on connections of their own.
//!
//! The crate reads no clock. What is bounded in time (how long a list waits for the index) is
//! bounded by the caller.

mod apply;
mod attributes;
mod change;
mod compile;
mod counters;
mod database;
mod error;
mod id_set;
mod ids;
mod index;
mod listing;
mod page;
mod plan;
mod purge;
mod queue;
mod read;
mod readers;
mod record;
mod rows;
mod run_index;
mod sort;
mod tally;
mod tombstones;
mod value_order;
mod walk;
mod writer;

pub use change::{Change, Ticket};
pub use error::Error;
pub use index::{Index, Location, QUEUE_CHANGES_MAX};
pub use page::{PAGE_SIZE_MAX, Page};
pub use plan::Effort;
pub use record::{Execution, NAMESPACE_DIVISION, Record};
