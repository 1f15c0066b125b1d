//! A store whose process can be killed.

use std::{
    future::pending,
    sync::atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use model::SlotId;
use parking_lot::Mutex;
use storage::{
    Claim, CommitReceipt, CommitResponder, MetaError, MetaRecord, Record, Scan, SlotBatch, SlotRow,
    Store, StoreError, Table, commit_receipt,
};
use storage_memory::FaultyStore;

/// A [`FaultyStore`] as one process sees it: once killed, nothing more is written or answered.
#[derive(Debug)]
pub(crate) struct MortalStore {
    store: FaultyStore,
    dead: AtomicBool,
    /// Keeps the receipts of the dead from being answered.
    unanswered: Mutex<Vec<CommitResponder>>,
}

impl MortalStore {
    pub(crate) fn new(store: FaultyStore) -> Self {
        Self { store, dead: AtomicBool::new(false), unanswered: Mutex::default() }
    }

    /// Ends the process: what is in flight is lost.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.store.crash();
    }

    pub(crate) fn faulty(&self) -> &FaultyStore {
        &self.store
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Lets an answer through while the process lives.
    fn answer<'a, T: Send + 'a>(&'a self, answer: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        async {
            if self.is_dead() {
                return pending().await;
            }
            let answer = answer.await;
            if self.is_dead() { pending().await } else { answer }
        }
        .boxed()
    }
}

impl Store for MortalStore {
    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        self.answer(self.store.claim())
    }

    fn slot_row(&self, slot: SlotId) -> BoxFuture<'_, Result<SlotRow, StoreError>> {
        if self.is_dead() {
            return pending().boxed();
        }
        self.answer(self.store.slot_row(slot))
    }

    fn submit(&self, batch: SlotBatch) -> CommitReceipt {
        if self.is_dead() {
            let (responder, receipt) = commit_receipt();
            self.unanswered.lock().push(responder);
            return receipt;
        }
        self.store.submit(batch)
    }

    fn read(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        self.answer(self.store.read(table, key))
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        self.answer(self.store.scan(scan))
    }

    fn read_meta(&self, key: Bytes) -> BoxFuture<'_, Result<Option<MetaRecord>, StoreError>> {
        self.answer(self.store.read_meta(key))
    }

    fn scan_meta(
        &self,
        prefix: Bytes,
    ) -> BoxFuture<'_, Result<Vec<(Bytes, MetaRecord)>, StoreError>> {
        self.answer(self.store.scan_meta(prefix))
    }

    fn write_meta(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> BoxFuture<'_, Result<(), MetaError>> {
        if self.is_dead() {
            return pending().boxed();
        }
        self.answer(self.store.write_meta(key, expect, value))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        if self.is_dead() {
            return pending().boxed();
        }
        self.answer(self.store.close())
    }
}
