//! The fence of every slot, in memory: one writer per store process checks batches against it.

use std::collections::BTreeMap;

use model::SlotId;

use crate::{Claim, CommitError, Epoch, SlotBatch, SlotRow};

/// Where every slot stands, and who may write.
#[derive(Debug, Clone, Default)]
pub struct Fences {
    epoch: Epoch,
    rows: BTreeMap<SlotId, SlotRow>,
}

impl Fences {
    /// The fences as they were stored.
    pub fn new(epoch: Epoch, rows: impl IntoIterator<Item = (SlotId, SlotRow)>) -> Self {
        Self { epoch, rows: rows.into_iter().collect() }
    }

    /// The epoch of the last claim.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The epoch that the next claim takes.
    pub const fn next_epoch(&self) -> Epoch {
        Epoch(self.epoch.0.saturating_add(1))
    }

    /// Takes ownership of all slots.
    pub fn claim(&mut self, epoch: Epoch) -> Claim {
        self.epoch = epoch;
        let slots = self.rows.keys().map(|slot| (*slot, self.row(*slot))).collect();
        Claim { epoch, slots }
    }

    /// The row of a slot, with the epoch that may write to it.
    pub fn row(&self, slot: SlotId) -> SlotRow {
        let row = self.rows.get(&slot).copied().unwrap_or_default();
        SlotRow { epoch: self.epoch, ..row }
    }

    /// Checks a batch against the fence and advances it. The caller writes the row with the batch,
    /// and forgets these fences if that fails.
    pub fn admit(&mut self, batch: &SlotBatch) -> Result<SlotRow, CommitError> {
        let before = self.row(batch.slot);
        if batch.expect.epoch != before.epoch || batch.expect.seq != before.seq {
            return Err(CommitError::Fenced);
        }
        batch.check()?;
        let row = SlotRow {
            epoch: before.epoch,
            seq: before.seq.saturating_add(1),
            cursors: batch.cursors,
            next_task_id: batch.next_task_id,
        };
        self.rows.insert(batch.slot, row);
        Ok(row)
    }
}
