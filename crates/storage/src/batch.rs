//! What a slot commits.

use bytes::Bytes;
use model::{NamespaceId, SlotId};

use crate::{CommitError, Cursors, Epoch, Table};

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Insert or replace.
    Put {
        /// The table.
        table: Table,
        /// Whose data the value is: a store that encrypts has a key for each namespace, and one
        /// for what is of none.
        namespace: Option<NamespaceId>,
        /// The key, with the batch's slot as prefix.
        key: Bytes,
        /// The plain value; the store seals it.
        value: Bytes,
    },
    /// Remove, if present.
    Delete {
        /// The table.
        table: Table,
        /// The key, with the batch's slot as prefix.
        key: Bytes,
    },
}

/// Everything that one step changes in one slot: applied as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotBatch {
    /// The slot that every key belongs to.
    pub slot: SlotId,
    /// The slot row as it must be before: same epoch, same seq.
    pub expect: Fence,
    /// Cursors to store with the batch.
    pub cursors: Cursors,
    /// The task id counter to store with the batch.
    pub next_task_id: u64,
    /// The changes, in order.
    pub writes: Vec<Write>,
}

/// The fence that a batch expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fence {
    /// The writer's epoch.
    pub epoch: Epoch,
    /// The slot's seq before the batch; afterwards it is one higher.
    pub seq: u64,
}

impl Write {
    /// The table that is written.
    pub const fn table(&self) -> Table {
        match self {
            Self::Put { table, .. } | Self::Delete { table, .. } => *table,
        }
    }

    /// The key that is written.
    pub const fn key(&self) -> &Bytes {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => key,
        }
    }
}

/// Longest key of a record, in bytes.
pub const KEY_BYTES_MAX: usize = 2048;

/// What a batch weighs besides its keys and values, in bytes: its slot row and bookkeeping.
const BATCH_OVERHEAD_BYTES: usize = 128;

impl SlotBatch {
    /// What the batch weighs in a queue or a group, in bytes.
    pub fn bytes(&self) -> usize {
        let writes = self.writes.iter().map(|write| match write {
            Write::Put { key, value, .. } => key.len() + value.len(),
            Write::Delete { key, .. } => key.len(),
        });
        BATCH_OVERHEAD_BYTES + writes.sum::<usize>()
    }

    /// Refuses a batch that writes outside its slot, into a table that the store keeps itself, or
    /// under a key longer than [`KEY_BYTES_MAX`].
    pub fn check(&self) -> Result<(), CommitError> {
        let prefix = self.slot.number().to_be_bytes();
        let stray = self.writes.iter().find(|write| {
            matches!(write.table(), Table::Slot | Table::Meta)
                || !write.key().starts_with(&prefix)
                || write.key().len() > KEY_BYTES_MAX
        });
        match stray {
            None => Ok(()),
            Some(write) => Err(CommitError::Refused {
                reason: format!(
                    "a batch of slot {} may not write a key of {} bytes to table `{}`",
                    self.slot.number(),
                    write.key().len(),
                    write.table().name()
                ),
            }),
        }
    }
}
