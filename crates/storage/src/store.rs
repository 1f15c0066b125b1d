//! The trait that a backend implements.

use std::fmt::Debug;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use model::SlotId;

use crate::{
    CommitReceipt, Damage, Epoch, MetaError, MetaRecord, SlotBatch, SlotRow, StoreError, Table,
};

/// A range of one table: `from` inclusive, `to` exclusive (empty: to the end of the table).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The table.
    pub table: Table,
    /// First key.
    pub from: Bytes,
    /// First key after the range.
    pub to: Bytes,
    /// True for the highest keys first.
    pub reverse: bool,
    /// At most so many records.
    pub records_max: usize,
    /// Stop after the record that passes so many bytes of values.
    pub bytes_max: usize,
}

/// A record that a scan found. A damaged one does not hide its neighbours.
#[derive(Debug, Clone)]
pub struct Record {
    /// The key.
    pub key: Bytes,
    /// The plain value.
    pub value: Result<Bytes, Damage>,
}

/// The right to write, and where each slot stands.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The epoch of every claimed slot.
    pub epoch: Epoch,
    /// The rows of the slots that have ever been written; the others are [`SlotRow::default`].
    pub slots: Vec<(SlotId, SlotRow)>,
}

/// A backend.
///
/// Batches of one slot are applied in the order in which they were submitted. When one fails, every
/// later one of the same slot fails with [`crate::CommitError::Fenced`], because its expected
/// `seq` was never reached. Batches of different slots have no order and do not share a fate.
///
/// Reads see every batch that was acknowledged before they began.
pub trait Store: Send + Sync + Debug + 'static {
    /// Takes ownership of all slots: raises the epoch, so that a former owner's batches are fenced.
    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>>;

    /// The committed row of one slot, after every batch that was submitted before this call: what
    /// an owner reads after a failed commit. Its `seq` says which of its batches are in.
    fn slot_row(&self, slot: SlotId) -> BoxFuture<'_, Result<SlotRow, StoreError>>;

    /// Queues a batch and returns at once. The receipt resolves once the batch is durable, or has
    /// failed. A store whose queue is full refuses the batch.
    fn submit(&self, batch: SlotBatch) -> CommitReceipt;

    /// Reads one record. May run on the calling thread: it is short, and mostly served by caches.
    fn read(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>>;

    /// Reads a range; see [`Store::read`]. Keep the limits of the scan small.
    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Record>, StoreError>>;

    /// Reads a meta record.
    fn read_meta(&self, key: Bytes) -> BoxFuture<'_, Result<Option<MetaRecord>, StoreError>>;

    /// Reads all meta records with a key prefix.
    fn scan_meta(
        &self,
        prefix: Bytes,
    ) -> BoxFuture<'_, Result<Vec<(Bytes, MetaRecord)>, StoreError>>;

    /// Writes a meta record if its version is still `expect` (0: it must not exist); durable when
    /// done. `None` removes it.
    fn write_meta(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> BoxFuture<'_, Result<(), MetaError>>;

    /// Stops taking batches, waits for those under way and closes the files.
    fn close(&self) -> BoxFuture<'_, ()>;
}
