//! The store under test, and short ways to write to it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use model::{RunId, SlotId};

use crate::{
    CommitReceipt, Cursors, Epoch, Fence, Scan, SlotBatch, SlotRow, Store, Table, Write,
    history_key, history_prefix, prefix_end,
};

/// A store under test, and what only its maker can do to it.
pub trait Subject: Send + Sync {
    /// Opens the store; after [`Store::close`], opens what it left behind.
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// Changes the stored bytes of a record behind the store's back. The store is closed and opened
    /// again afterwards.
    fn damage(&self, table: Table, key: Bytes) -> BoxFuture<'_, ()>;
}

/// The slot with this number.
pub fn slot(number: u16) -> SlotId {
    SlotId::new(number).unwrap()
}

/// The run that the suite writes to.
pub(super) fn run() -> RunId {
    RunId::from_bytes([7; 16])
}

/// A write of one history record of a slot.
pub fn put(slot: SlotId, event: i64, value: impl Into<Bytes>) -> Write {
    Write::Put {
        table: Table::History,
        namespace: None,
        key: history_key(slot, run(), 0, event, 0),
        value: value.into(),
    }
}

/// All history values of a slot, in order.
pub async fn history_of(store: &dyn Store, slot: SlotId) -> Vec<Bytes> {
    let from = history_prefix(slot, run(), 0);
    let to = prefix_end(&from);
    let scan = Scan {
        table: Table::History,
        from,
        to,
        reverse: false,
        records_max: 100_000,
        bytes_max: usize::MAX,
    };
    let records = store.scan(scan).await.unwrap();
    records.into_iter().map(|record| record.value.unwrap()).collect()
}

/// The owner of one slot: counts `seq` as an owner does.
#[derive(Debug, Clone)]
pub struct Writer {
    store: Arc<dyn Store>,
    slot: SlotId,
    pub epoch: Epoch,
    pub seq: u64,
    pub cursors: Cursors,
    pub next_task_id: u64,
}

impl Writer {
    /// Claims the store and owns one slot.
    pub async fn claim(store: &Arc<dyn Store>, slot: SlotId) -> Self {
        let claim = store.claim().await.unwrap();
        Self::of(store, slot, claim.epoch).await
    }

    /// Owns a slot under an epoch that was claimed before.
    pub async fn of(store: &Arc<dyn Store>, slot: SlotId, epoch: Epoch) -> Self {
        let row: SlotRow = store.slot_row(slot).await.unwrap();
        Self {
            store: Arc::clone(store),
            slot,
            epoch,
            seq: row.seq,
            cursors: row.cursors,
            next_task_id: row.next_task_id,
        }
    }

    /// The next batch of the slot.
    pub fn batch(&self, writes: Vec<Write>) -> SlotBatch {
        SlotBatch {
            slot: self.slot,
            expect: Fence { epoch: self.epoch, seq: self.seq },
            cursors: self.cursors,
            next_task_id: self.next_task_id,
            writes,
        }
    }

    /// Submits the next batch and counts it as applied.
    pub fn submit(&mut self, writes: Vec<Write>) -> CommitReceipt {
        let receipt = self.store.submit(self.batch(writes));
        self.seq += 1;
        receipt
    }

    /// Submits the next batch and waits until it is durable.
    pub async fn commit(&mut self, writes: Vec<Write>) {
        self.submit(writes).await.unwrap();
    }
}
