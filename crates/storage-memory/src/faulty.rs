//! A store that fails on purpose.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use model::SlotId;
use parking_lot::Mutex;
use storage::{
    Claim, CommitError, CommitReceipt, CommitResponder, MetaError, MetaRecord, Record, Scan,
    SlotBatch, SlotRow, Store, StoreError, Table, commit_receipt,
};
use tokio::{
    sync::{Notify, oneshot},
    time::sleep,
};

use crate::{Faults, MemoryStore, Random};

/// A faulty store refuses batches while so many bytes wait in its queue (64 MiB).
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A [`MemoryStore`] with faults. Needs a tokio runtime with time; on a single-threaded runtime
/// with paused time the same random numbers give the same run.
#[derive(Debug)]
pub struct FaultyStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    memory: MemoryStore,
    random: Random,
    state: Mutex<State>,
    work: Notify,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    queue: VecDeque<Job>,
    queue_bytes: usize,
    crashes: u64,
    down: bool,
    closed: bool,
}

#[derive(Debug)]
enum Job {
    Commit(SlotBatch, CommitResponder),
    Row(SlotId, oneshot::Sender<Result<SlotRow, StoreError>>),
}

impl FaultyStore {
    /// Starts a store with these faults on a memory store's records. Must be called within a
    /// runtime.
    pub fn start(memory: MemoryStore, faults: Faults, random: Random) -> Self {
        let state = Mutex::new(State { faults, ..State::default() });
        let shared = Arc::new(Shared { memory, random, state, work: Notify::new() });
        tokio::spawn(commit_loop(Arc::clone(&shared)));
        Self { shared }
    }

    /// Changes the faults from the next operation on; [`Faults::default`] heals the store.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.state.lock().faults = faults;
    }

    /// Crashes and restarts the store: what is in flight is lost, what is committed stays.
    pub fn crash(&self) {
        self.shared.state.lock().crash();
    }

    /// How often the store has crashed.
    pub fn crashes(&self) -> u64 {
        self.shared.state.lock().crashes
    }

    /// The records behind the faults.
    pub fn memory(&self) -> &MemoryStore {
        &self.shared.memory
    }
}

impl Drop for FaultyStore {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_one();
    }
}

impl State {
    /// Drops all that waits: its writers learn that the outcome is unknown.
    fn crash(&mut self) {
        self.crashes += 1;
        self.queue.clear();
        self.queue_bytes = 0;
    }

    fn take_group(&mut self, most: usize) -> Vec<Job> {
        let group: Vec<Job> = self.queue.drain(..most.min(self.queue.len())).collect();
        let bytes: usize = group.iter().map(Job::bytes).sum();
        self.queue_bytes = self.queue_bytes.saturating_sub(bytes);
        group
    }
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Commit(batch, _) => batch.bytes(),
            Self::Row(..) => 0,
        }
    }
}

async fn commit_loop(shared: Arc<Shared>) {
    loop {
        let waiting = {
            let state = shared.state.lock();
            if state.queue.is_empty() && state.closed {
                return;
            }
            state.queue.len()
        };
        if waiting == 0 {
            shared.work.notified().await;
            continue;
        }
        let most = shared.random.up_to(waiting);
        let (group, faults, crashes) = {
            let mut state = shared.state.lock();
            (state.take_group(most), state.faults.clone(), state.crashes)
        };
        pause(shared.random.within(&faults.commit_delay)).await;
        // A crash during the delay took this group with it.
        if shared.state.lock().crashes == crashes {
            shared.commit_group(group, &faults).await;
        }
    }
}

/// Sleeps; for no time at all it does not even yield.
async fn pause(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}

impl Shared {
    async fn commit_group(&self, group: Vec<Job>, faults: &Faults) {
        if self.random.hits(faults.crash_before_per_mille) {
            drop(group);
            return self.restart(faults).await;
        }
        let crash_after = self.random.hits(faults.crash_after_per_mille);
        for job in group {
            match job {
                Job::Commit(batch, responder) => {
                    let outcome = self.commit(batch, faults);
                    if crash_after {
                        drop(responder);
                    } else {
                        responder.respond(outcome);
                    }
                }
                Job::Row(slot, reply) => drop(reply.send(Ok(self.memory.row(slot)))),
            }
        }
        if crash_after {
            self.restart(faults).await;
        }
    }

    fn commit(&self, batch: SlotBatch, faults: &Faults) -> Result<(), CommitError> {
        let refused = self.random.hits(faults.refuse_per_mille);
        let ack_lost = self.random.hits(faults.lose_ack_per_mille);
        if refused {
            return Err(CommitError::Refused { reason: "the disk is full".to_owned() });
        }
        let outcome = self.memory.commit(batch);
        if ack_lost { Err(CommitError::Unknown) } else { outcome }
    }

    async fn restart(&self, faults: &Faults) {
        let delay = self.random.within(&faults.restart_delay);
        {
            let mut state = self.state.lock();
            state.crash();
            state.down = true;
        }
        pause(delay).await;
        self.state.lock().down = false;
    }

    fn push(&self, job: Job) -> Result<(), Job> {
        let mut state = self.state.lock();
        if state.down || state.closed || state.queue_bytes >= QUEUE_BYTES_MAX {
            return Err(job);
        }
        state.queue_bytes += job.bytes();
        state.queue.push_back(job);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// What every read goes through before it reaches the records.
    async fn before_read(&self) -> Result<(), StoreError> {
        let faults = self.state.lock().faults.clone();
        if self.random.hits(faults.slow_read_per_mille) {
            pause(self.random.within(&faults.slow_read_delay)).await;
        }
        if self.state.lock().down {
            return Err(StoreError::Unavailable("the store restarts".to_owned()));
        }
        Ok(())
    }

    async fn write_meta(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> Result<(), MetaError> {
        self.before_read().await?;
        let faults = self.state.lock().faults.clone();
        pause(self.random.within(&faults.commit_delay)).await;
        if self.random.hits(faults.refuse_per_mille) {
            let reason = "the disk is full".to_owned();
            return Err(CommitError::Refused { reason }.into());
        }
        let ack_lost = self.random.hits(faults.lose_ack_per_mille);
        let outcome = self.memory.write_meta(key, expect, value).await;
        // Whoever goes away meanwhile does not know that it is in.
        pause(self.random.within(&faults.commit_delay)).await;
        if ack_lost { Err(CommitError::Unknown.into()) } else { outcome }
    }
}

impl Store for FaultyStore {
    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        async {
            self.shared.before_read().await?;
            self.shared.memory.claim().await
        }
        .boxed()
    }

    fn slot_row(&self, slot: SlotId) -> BoxFuture<'_, Result<SlotRow, StoreError>> {
        let (reply, row) = oneshot::channel();
        let queued = self.shared.push(Job::Row(slot, reply));
        async {
            let unavailable = || StoreError::Unavailable("the store restarts".to_owned());
            queued.map_err(|_| unavailable())?;
            row.await.unwrap_or_else(|_| Err(unavailable()))
        }
        .boxed()
    }

    fn submit(&self, batch: SlotBatch) -> CommitReceipt {
        let (responder, receipt) = commit_receipt();
        match self.shared.push(Job::Commit(batch, responder)) {
            Ok(()) => receipt,
            Err(_) => CommitReceipt::settled(Err(CommitError::Refused {
                reason: "the store is down or its queue is full".to_owned(),
            })),
        }
    }

    fn read(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        async move {
            self.shared.before_read().await?;
            self.shared.memory.read(table, key).await
        }
        .boxed()
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        async move {
            self.shared.before_read().await?;
            self.shared.memory.scan(scan).await
        }
        .boxed()
    }

    fn read_meta(&self, key: Bytes) -> BoxFuture<'_, Result<Option<MetaRecord>, StoreError>> {
        async move {
            self.shared.before_read().await?;
            self.shared.memory.read_meta(key).await
        }
        .boxed()
    }

    fn scan_meta(
        &self,
        prefix: Bytes,
    ) -> BoxFuture<'_, Result<Vec<(Bytes, MetaRecord)>, StoreError>> {
        async move {
            self.shared.before_read().await?;
            self.shared.memory.scan_meta(prefix).await
        }
        .boxed()
    }

    fn write_meta(
        &self,
        key: Bytes,
        expect: u64,
        value: Option<Bytes>,
    ) -> BoxFuture<'_, Result<(), MetaError>> {
        self.shared.write_meta(key, expect, value).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        // A slot's row is answered after every batch that was queued before it.
        let (reply, row) = oneshot::channel();
        let queued = SlotId::new(0).map(|slot| self.shared.push(Job::Row(slot, reply)));
        self.shared.state.lock().closed = true;
        self.shared.work.notify_one();
        async move {
            if matches!(queued, Some(Ok(()))) {
                drop(row.await);
            }
            self.shared.memory.close().await;
        }
        .boxed()
    }
}
