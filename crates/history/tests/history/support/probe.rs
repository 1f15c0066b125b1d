//! A store that counts, and that can die.

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use model::SlotId;
use parking_lot::Mutex;
use storage::{
    Claim, CommitReceipt, CommitResponder, MetaError, MetaRecord, Record, Scan, SlotBatch, SlotRow,
    Store, StoreError, Table, Write, commit_receipt,
};
use storage_memory::MemoryStore;

#[derive(Debug, Default)]
pub(crate) struct Probe {
    memory: MemoryStore,
    counts: Mutex<Counts>,
    /// Batches that are still taken; afterwards nothing is written or answered.
    left: Mutex<Option<usize>>,
    /// The last batch before the end is written but not acknowledged.
    swallow_last: bool,
    unanswered: Mutex<Vec<CommitResponder>>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) batches: usize,
    pub(crate) rows: Vec<(Table, usize)>,
    pub(crate) bytes: usize,
    pub(crate) reads: usize,
    pub(crate) scans: usize,
}

impl Probe {
    pub(crate) fn new(memory: MemoryStore) -> Self {
        Self { memory, ..Self::default() }
    }

    /// A store that dies with its n-th batch.
    pub(crate) fn dying(memory: MemoryStore, batches: usize, swallow_last: bool) -> Self {
        let left = Mutex::new(Some(batches));
        Self { memory, left, swallow_last, ..Self::default() }
    }

    pub(crate) fn is_dead(&self) -> bool {
        *self.left.lock() == Some(0)
    }

    /// What was done since the last call.
    pub(crate) fn take_counts(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock())
    }

    fn count(&self, batch: &SlotBatch) {
        let mut counts = self.counts.lock();
        counts.batches += 1;
        for write in &batch.writes {
            let (table, bytes) = match write {
                Write::Put { table, key, value, .. } => (*table, key.len() + value.len()),
                Write::Delete { table, key } => (*table, key.len()),
            };
            counts.bytes += bytes;
            match counts.rows.iter_mut().find(|(counted, _)| *counted == table) {
                Some((_, rows)) => *rows += 1,
                None => counts.rows.push((table, 1)),
            }
        }
    }
}

impl Store for Probe {
    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        self.memory.claim()
    }

    fn slot_row(&self, slot: SlotId) -> BoxFuture<'_, Result<SlotRow, StoreError>> {
        self.counts.lock().reads += 1;
        self.memory.slot_row(slot)
    }

    fn submit(&self, batch: SlotBatch) -> CommitReceipt {
        let mut left = self.left.lock();
        let is_last = *left == Some(1);
        match &mut *left {
            None => {}
            Some(0) => {
                let (responder, receipt) = commit_receipt();
                self.unanswered.lock().push(responder);
                return receipt;
            }
            Some(left) => *left -= 1,
        }
        self.count(&batch);
        let receipt = self.memory.submit(batch);
        if is_last && self.swallow_last {
            let (responder, receipt) = commit_receipt();
            self.unanswered.lock().push(responder);
            return receipt;
        }
        receipt
    }

    fn read(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        self.counts.lock().reads += 1;
        self.memory.read(table, key)
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        self.counts.lock().scans += 1;
        self.memory.scan(scan)
    }

    fn read_meta(&self, key: Bytes) -> BoxFuture<'_, Result<Option<MetaRecord>, StoreError>> {
        self.memory.read_meta(key)
    }

    fn scan_meta(
        &self,
        prefix: Bytes,
    ) -> BoxFuture<'_, Result<Vec<(Bytes, MetaRecord)>, StoreError>> {
        self.memory.scan_meta(prefix)
    }

    fn write_meta(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> BoxFuture<'_, Result<(), MetaError>> {
        self.memory.write_meta(key, expect, value)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}
