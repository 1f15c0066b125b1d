//! What history submits.

use model::{NamespaceId, RunId, SlotId};

use crate::Record;

/// A change of the index.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Puts a run into the index or replaces what the index has of it.
    Upsert(Box<Record>),
    /// Takes a run out.
    Delete {
        /// The namespace of the run.
        namespace_id: NamespaceId,
        /// The run.
        run_id: RunId,
        /// At least the version of every record of this run.
        version: u64,
    },
    /// Takes a namespace with all its runs out. Its runs are gone from lists at once; their rows
    /// are removed bit by bit.
    DeleteNamespace(NamespaceId),
    /// All runs were submitted before this: the index need not be filled again.
    Complete,
}

/// The place of a change in the order of submission, over all slots; from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub(crate) u64);

/// A change on its way to the writer.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) ticket: Ticket,
    pub(crate) slot: SlotId,
    pub(crate) seq: u64,
    pub(crate) change: Change,
}
