//! The store: the contract's operations, handed to the committer or to the engine.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use model::SlotId;
use parking_lot::{Mutex, RwLock};
use storage::{
    Cipher, Claim, CommitError, CommitQueue, CommitReceipt, KEY_BYTES_MAX, MetaError, MetaRecord,
    PushError, Record, Scan, SlotBatch, SlotRow, Store, StoreError, Table, commit_receipt,
    prefix_end,
};
use tokio::sync::{oneshot, watch};

use crate::{
    Settings, Stats,
    committer::Committer,
    directory::DataDirectory,
    engine::Engine,
    explain::explain,
    group::{Job, MetaWrite, read_meta},
    reseal::{ResealPage, Resealed},
    stats::{Counters, add},
};

/// What a job weighs in the queue besides a batch's own bytes.
const JOB_BYTES: usize = 64;

/// A durable store in one directory.
///
/// Reads run on the calling thread: they take microseconds from memory and one or two disk reads
/// otherwise. Dropping the store closes it.
#[derive(Debug)]
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

/// What the committer shares with the callers.
pub(crate) struct Shared {
    pub(crate) queue: CommitQueue<Job>,
    /// Missing while it is opened again, and after the store is closed.
    pub(crate) engine: RwLock<Option<Engine>>,
    pub(crate) counters: Counters,
    pub(crate) availability: watch::Sender<Availability>,
    pub(crate) finished: watch::Sender<bool>,
    refusing: AtomicBool,
    refusal: Mutex<Option<String>>,
    recovery: Mutex<Option<String>>,
}

/// What a read finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Availability {
    /// The engine.
    Open,
    /// No engine for a moment: it is being opened again, and reads wait.
    Opening,
    /// No engine: it could not be opened, or the store is closed.
    Gone,
}

impl EmbeddedStore {
    /// Opens or creates the store in this directory. Blocks until its journal is read again, which
    /// takes up to a second.
    pub fn open(directory: &Path, settings: Settings) -> Result<Self, StoreError> {
        Self::open_with(directory, settings, None)
    }

    /// As [`EmbeddedStore::open`], with what encrypts the values. A directory with a `KEYS` file
    /// opens with a cipher only.
    pub fn open_with(
        directory: &Path,
        settings: Settings,
        cipher: Option<Arc<dyn Cipher>>,
    ) -> Result<Self, StoreError> {
        let directory = DataDirectory::open(directory, cipher.as_deref())?;
        let shared = Arc::new(Shared {
            queue: CommitQueue::new(settings.queue_bytes_max),
            engine: RwLock::new(None),
            counters: Counters::default(),
            availability: watch::Sender::new(Availability::Opening),
            finished: watch::Sender::new(false),
            refusing: AtomicBool::new(false),
            refusal: Mutex::new(None),
            recovery: Mutex::new(None),
        });
        let committer = Committer::open(Arc::clone(&shared), directory, settings, cipher)?;
        let committer = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| StoreError::Unusable(format!("no committer thread: {error}")))?;
        Ok(Self { shared, committer: Mutex::new(Some(committer)) })
    }

    /// What the store has done so far.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats(self.shared.queue.depth())
    }

    /// Why the store refuses writes for the moment, if it does.
    pub fn refusal(&self) -> Option<String> {
        self.shared.refusal()
    }

    /// What was cut off a journal when the store was opened last, if anything: a commit that a power
    /// failure tore apart before it was acknowledged.
    pub fn recovery(&self) -> Option<String> {
        self.shared.recovery.lock().clone()
    }

    /// Goes through a page of a table, for a store that encrypts: values that were sealed with a
    /// former key, or with none, are sealed again. Ask for the next page until there is none.
    ///
    /// # Errors
    /// When the store takes no writes, or a stretch of it is unreadable.
    pub async fn reseal(&self, page: ResealPage) -> Result<Resealed, StoreError> {
        self.ask(page.from.len(), |reply| Job::Reseal(page, reply)).await
    }

    /// Rewrites all tables, so that no file holds values any more that were replaced or removed.
    /// Blocks for as long as that takes; reads and writes go on.
    ///
    /// # Errors
    /// When the engine is closed or cannot write.
    pub fn compact(&self) -> Result<(), StoreError> {
        let engine = self.shared.engine.read();
        let Some(engine) = engine.as_ref() else { return Err(self.shared.unavailable()) };
        engine.compact().map_err(|error| StoreError::Unavailable(explain(&error)))
    }

    /// Reads on the calling thread; waits only while the engine is being opened again.
    fn with_engine<'a, T: Send + 'a>(
        &'a self,
        read: impl Fn(&Engine) -> Result<T, StoreError> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        if let Some(engine) = self.shared.engine.read().as_ref() {
            return ready(read(engine)).boxed();
        }
        async move {
            let mut availability = self.shared.availability.subscribe();
            loop {
                let now = availability.wait_for(|now| *now != Availability::Opening).await;
                let gone = now.map_or(true, |now| *now == Availability::Gone);
                if let Some(engine) = self.shared.engine.read().as_ref() {
                    return read(engine);
                }
                if gone {
                    return Err(self.shared.unavailable());
                }
            }
        }
        .boxed()
    }

    /// Asks the committer and waits for its answer.
    async fn ask<T>(
        &self,
        bytes: usize,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        if let Err(error) = self.shared.queue.push(JOB_BYTES + bytes, job(reply)) {
            return Err(StoreError::Unavailable(not_queued(&error)));
        }
        answer.await.unwrap_or_else(|_| Err(self.shared.unavailable()))
    }

    async fn compare_and_set(&self, write: MetaWrite) -> Result<(), MetaError> {
        if write.key.is_empty() || write.key.len() > KEY_BYTES_MAX {
            let reason = format!("a key has 1 to {KEY_BYTES_MAX} bytes, not {}", write.key.len());
            return Err(CommitError::Refused { reason }.into());
        }
        let (reply, answer) = oneshot::channel();
        let bytes = JOB_BYTES + write.key.len() + write.value.as_ref().map_or(0, Bytes::len);
        if let Err(error) = self.shared.queue.push(bytes, Job::Meta(write, reply)) {
            return Err(CommitError::Refused { reason: not_queued(&error) }.into());
        }
        answer.await.unwrap_or(Err(CommitError::Unknown.into()))
    }
}

impl Shared {
    pub(crate) fn refuse(&self, reason: Option<String>) {
        let mut refusal = self.refusal.lock();
        self.refusing.store(reason.is_some(), Ordering::Release);
        *refusal = reason;
    }

    pub(crate) fn refusal(&self) -> Option<String> {
        if !self.refusing.load(Ordering::Acquire) {
            return None;
        }
        self.refusal.lock().clone()
    }

    pub(crate) fn note_recovery(&self, note: String) {
        *self.recovery.lock() = Some(note);
    }

    pub(crate) fn unavailable(&self) -> StoreError {
        let reason = self.refusal().unwrap_or_else(|| "the store is closed".to_owned());
        StoreError::Unavailable(reason)
    }

    fn refused(&self, reason: String) -> CommitReceipt {
        add(&self.counters.refused, 1);
        CommitReceipt::settled(Err(CommitError::Refused { reason }))
    }
}

fn not_queued<T>(error: &PushError<T>) -> String {
    match error {
        PushError::Full(_) => "too many bytes wait to be committed".to_owned(),
        PushError::Closed(_) => "the store is closed".to_owned(),
    }
}

impl Store for EmbeddedStore {
    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        self.ask(0, Job::Claim).boxed()
    }

    fn slot_row(&self, slot: SlotId) -> BoxFuture<'_, Result<SlotRow, StoreError>> {
        // Queued at once, so that it is answered after the batches that were submitted before.
        let (reply, answer) = oneshot::channel();
        let queued = self.shared.queue.push(JOB_BYTES, Job::Row(slot, reply));
        async move {
            match queued {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(self.shared.unavailable())),
                Err(error) => Err(StoreError::Unavailable(not_queued(&error))),
            }
        }
        .boxed()
    }

    fn submit(&self, batch: SlotBatch) -> CommitReceipt {
        if let Some(reason) = self.shared.refusal() {
            return self.shared.refused(reason);
        }
        let (responder, receipt) = commit_receipt();
        match self.shared.queue.push(batch.bytes(), Job::Commit(batch, responder)) {
            Ok(()) => receipt,
            Err(error) => self.shared.refused(not_queued(&error)),
        }
    }

    fn read(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        self.with_engine(move |engine| engine.read(table, &key))
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        self.with_engine(move |engine| engine.scan(&scan))
    }

    fn read_meta(&self, key: Bytes) -> BoxFuture<'_, Result<Option<MetaRecord>, StoreError>> {
        self.with_engine(move |engine| read_meta(engine, &key))
    }

    fn scan_meta(
        &self,
        prefix: Bytes,
    ) -> BoxFuture<'_, Result<Vec<(Bytes, MetaRecord)>, StoreError>> {
        let scan = Scan {
            table: Table::Meta,
            to: prefix_end(&prefix),
            from: prefix,
            reverse: false,
            records_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        self.with_engine(move |engine| {
            let decode = |record: Record| {
                let decoded = MetaRecord::decode(&record.key, record.value?)?;
                Ok((record.key, decoded))
            };
            engine.scan(&scan)?.into_iter().map(decode).collect()
        })
    }

    fn write_meta(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> BoxFuture<'_, Result<(), MetaError>> {
        self.compare_and_set(MetaWrite { key, expect, value }).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.shared.queue.close();
        let mut finished = self.shared.finished.subscribe();
        async move { drop(finished.wait_for(|finished| *finished).await) }.boxed()
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(committer) = self.committer.lock().take() {
            // A committer that panicked has nothing left to close.
            drop(committer.join());
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("queue", &self.queue)
            .field("refusal", &self.refusal())
            .finish_non_exhaustive()
    }
}
