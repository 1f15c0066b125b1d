//! The reference backend.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use model::SlotId;
use parking_lot::Mutex;
use storage::{
    Claim, CommitError, CommitReceipt, MetaError, MetaRecord, Record, Scan, SlotBatch, SlotRow,
    Store, StoreError, Table, prefix_end,
};

use crate::data::Data;

/// A store in memory. A commit is done when `submit` returns.
#[derive(Debug, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
    closed: AtomicBool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another store on the same records, as if a new process had opened them.
    #[must_use]
    pub fn reopened(&self) -> Self {
        Self { data: Arc::clone(&self.data), closed: AtomicBool::new(false) }
    }

    /// Flips one bit of a stored record, for tests of damage.
    pub fn damage(&self, table: Table, key: &Bytes) {
        self.data.lock().damage(table, key);
    }

    /// Commits a batch.
    pub(crate) fn commit(&self, batch: SlotBatch) -> Result<(), CommitError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(CommitError::Refused { reason: "the store is closed".to_owned() });
        }
        self.data.lock().apply(batch)
    }

    pub(crate) fn row(&self, slot: SlotId) -> SlotRow {
        self.data.lock().fences.row(slot)
    }

    fn compare_and_set(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> Result<(), MetaError> {
        let mut data = self.data.lock();
        let found = read_meta(&data, &key)?;
        match MetaRecord::next(found.as_ref(), expect, value)? {
            Some(record) => data.put(Table::Meta, key, &record.encode()),
            None => data.remove(Table::Meta, &key),
        }
        Ok(())
    }

    fn meta_with_prefix(&self, prefix: Bytes) -> Result<Vec<(Bytes, MetaRecord)>, StoreError> {
        let scan = Scan {
            table: Table::Meta,
            to: prefix_end(&prefix),
            from: prefix,
            reverse: false,
            records_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        let records = self.data.lock().scan(&scan).into_iter();
        records
            .map(|Record { key, value }| {
                let record = MetaRecord::decode(&key, value?)?;
                Ok((key, record))
            })
            .collect()
    }
}

fn read_meta(data: &Data, key: &Bytes) -> Result<Option<MetaRecord>, StoreError> {
    let Some(value) = data.read(Table::Meta, key)? else { return Ok(None) };
    Ok(Some(MetaRecord::decode(key, value)?))
}

impl Store for MemoryStore {
    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        let mut data = self.data.lock();
        let epoch = data.fences.next_epoch();
        ready(Ok(data.fences.claim(epoch))).boxed()
    }

    fn slot_row(&self, slot: SlotId) -> BoxFuture<'_, Result<SlotRow, StoreError>> {
        ready(Ok(self.row(slot))).boxed()
    }

    fn submit(&self, batch: SlotBatch) -> CommitReceipt {
        CommitReceipt::settled(self.commit(batch))
    }

    fn read(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        ready(self.data.lock().read(table, &key)).boxed()
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        ready(Ok(self.data.lock().scan(&scan))).boxed()
    }

    fn read_meta(&self, key: Bytes) -> BoxFuture<'_, Result<Option<MetaRecord>, StoreError>> {
        ready(read_meta(&self.data.lock(), &key)).boxed()
    }

    fn scan_meta(
        &self,
        prefix: Bytes,
    ) -> BoxFuture<'_, Result<Vec<(Bytes, MetaRecord)>, StoreError>> {
        ready(self.meta_with_prefix(prefix)).boxed()
    }

    fn write_meta(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> BoxFuture<'_, Result<(), MetaError>> {
        ready(self.compare_and_set(key, expect, value)).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.closed.store(true, Ordering::Release);
        ready(()).boxed()
    }
}
