//! A store whose process can be killed.

use std::{
    future::{pending, ready},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
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
use tokio_util::sync::CancellationToken;

use crate::{
    broken::{Broken, changed_record},
    fleet::DEPLOYMENTS,
};

/// The commit with which a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doom {
    /// So many commits come before it.
    pub(crate) commits: u64,
    /// It is written, but nobody hears of that; otherwise it is lost.
    pub(crate) is_written: bool,
}

/// A [`FaultyStore`] as one process sees it: once killed, nothing more is written or answered.
#[derive(Debug)]
pub(crate) struct MortalStore {
    store: FaultyStore,
    this: Weak<Self>,
    broken: Option<Broken>,
    /// Commits and reads that could be spoiled.
    spoilable: AtomicU64,
    dead: AtomicBool,
    death: CancellationToken,
    doom: Mutex<Option<Doom>>,
    /// Its last commit is being written.
    dying: AtomicBool,
    /// Keeps the receipts of the dead from being answered.
    unanswered: Mutex<Vec<CommitResponder>>,
}

impl MortalStore {
    pub(crate) fn new(store: FaultyStore, broken: Option<Broken>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            store,
            this: Weak::clone(this),
            broken,
            spoilable: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            death: CancellationToken::new(),
            doom: Mutex::default(),
            dying: AtomicBool::new(false),
            unanswered: Mutex::default(),
        })
    }

    /// Ends the process with a commit to come.
    pub(crate) fn set_doom(&self, doom: Doom) {
        *self.doom.lock() = Some(doom);
    }

    /// Lets the process live; false when it is too late.
    pub(crate) fn spare(&self) -> bool {
        *self.doom.lock() = None;
        !self.dying.load(Ordering::Relaxed) && !self.is_dead()
    }

    /// Cancelled when the process has ended.
    pub(crate) fn death(&self) -> CancellationToken {
        self.death.clone()
    }

    /// Ends the process: what is in flight is lost.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.store.crash();
        self.death.cancel();
    }

    /// Counts a commit; the doom that it meets.
    fn meets_doom(&self) -> Option<Doom> {
        let mut doom = self.doom.lock();
        match doom.as_mut()? {
            Doom { commits: 0, .. } => doom.take(),
            Doom { commits, .. } => {
                *commits -= 1;
                None
            }
        }
    }

    fn is_next_spoiled(&self, broken: Broken) -> bool {
        broken.hits(self.spoilable.fetch_add(1, Ordering::Relaxed))
    }

    fn spoil(&self, broken: Broken, batch: &mut SlotBatch) {
        let mut spoiled = batch.clone();
        broken.spoil(&mut spoiled);
        if spoiled != *batch && self.is_next_spoiled(broken) {
            *batch = spoiled;
        }
    }

    /// What a read of histories gives.
    fn read_back(&self, scan: &Scan, records: Vec<Record>) -> Vec<Record> {
        let changes = self.broken == Some(Broken::ChangesHistories) && scan.table == Table::History;
        if !changes {
            return records;
        }
        let change = |record: Record| Record {
            value: record.value.map(|value| changed_record(value, |event| event.task_id += 1)),
            ..record
        };
        records.into_iter().map(change).collect()
    }

    /// A receipt that is never answered.
    fn unanswered(&self) -> CommitReceipt {
        let (responder, receipt) = commit_receipt();
        self.unanswered.lock().push(responder);
        receipt
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

    fn submit(&self, mut batch: SlotBatch) -> CommitReceipt {
        if self.is_dead() {
            return self.unanswered();
        }
        if let Some(broken) = self.broken {
            self.spoil(broken, &mut batch);
            if broken == Broken::AnswersNoCommits && self.is_next_spoiled(broken) {
                return self.unanswered();
            }
        }
        match self.meets_doom() {
            None => return self.store.submit(batch),
            Some(Doom { is_written: false, .. }) => self.kill(),
            Some(Doom { is_written: true, .. }) => {
                let written = self.store.submit(batch);
                self.dying.store(true, Ordering::Relaxed);
                let this = Weak::clone(&self.this);
                tokio::spawn(async move {
                    // Whatever became of it: from here on there is no process.
                    drop(written.await);
                    if let Some(this) = this.upgrade() {
                        this.kill();
                    }
                });
            }
        }
        self.unanswered()
    }

    fn read(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        self.answer(self.store.read(table, key))
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        let records = self.store.scan(scan.clone());
        let read_back = async move { Ok(self.read_back(&scan, records.await?)) };
        self.answer(read_back.boxed())
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
        if self.broken == Some(Broken::ForgetsDeployments) && key.starts_with(DEPLOYMENTS) {
            return ready(Ok(())).boxed();
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
