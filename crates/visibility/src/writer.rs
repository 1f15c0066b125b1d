//! The thread that writes.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use model::{SLOT_COUNT, SlotId};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::watch;

use crate::{
    Error,
    apply::Applier,
    change::{Submission, Ticket},
    purge,
    queue::{Queue, Taken},
};

/// Changes in one transaction.
pub(crate) const BATCH_MAX: usize = 4_000;

/// The log is written back after so many changes: 20 to 100 MB of log.
const CHECKPOINT_CHANGES: usize = 20_000;

/// ... or when nothing has arrived for so long.
const CHECKPOINT_IDLE: Duration = Duration::from_millis(500);

/// How long the writer waits after a failure that may pass, such as a full disk.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How far the writer is; shared with those who wait for it.
#[derive(Debug)]
pub(crate) struct Progress {
    visible: watch::Sender<Ticket>,
    /// By slot: the last `seq` that a power failure leaves in the index.
    durable: Vec<AtomicU64>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let durable = (0..SLOT_COUNT).map(|_| AtomicU64::new(0)).collect();
        Self { visible: watch::Sender::new(Ticket(0)), durable }
    }

    pub(crate) fn visible(&self) -> watch::Receiver<Ticket> {
        self.visible.subscribe()
    }

    pub(crate) fn durable_through(&self, slot: SlotId) -> u64 {
        self.durable.get(usize::from(slot.number())).map_or(0, |seq| seq.load(Ordering::Acquire))
    }
}

/// Applies changes and keeps track of what is visible and what is durable.
#[derive(Debug)]
pub(crate) struct Writer {
    connection: Arc<Mutex<Connection>>,
    progress: Arc<Progress>,
    applier: Applier,
    /// Nothing outlives the process: visible is durable.
    in_memory: bool,
    /// Committed, but a power failure may take it back.
    volatile: HashMap<SlotId, u64>,
    volatile_changes: usize,
}

impl Writer {
    pub(crate) fn new(
        connection: Arc<Mutex<Connection>>,
        progress: Arc<Progress>,
        in_memory: bool,
    ) -> Result<Self, Error> {
        let purges = purge::pending(&connection.lock())?;
        let applier = Applier::new(purges);
        Ok(Self {
            connection,
            progress,
            applier,
            in_memory,
            volatile: HashMap::new(),
            volatile_changes: 0,
        })
    }

    /// Until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue) {
        loop {
            let patience = if self.applier.purges {
                Some(Duration::ZERO)
            } else if self.volatile.is_empty() {
                None
            } else {
                Some(CHECKPOINT_IDLE)
            };
            match queue.take(BATCH_MAX, patience) {
                Taken::Batch(batch) => {
                    while let Err(error) = self.apply(&batch) {
                        if !may_pass(&error) {
                            self.apply_each(&batch);
                            break;
                        }
                        tracing::warn!(%error, source = ?error, "writing visibility failed");
                        if queue.pause(RETRY_AFTER) {
                            return;
                        }
                    }
                    if self.volatile_changes >= CHECKPOINT_CHANGES {
                        self.checkpoint();
                    }
                }
                Taken::Idle if self.applier.purges => self.purge(),
                Taken::Idle => self.checkpoint(),
                Taken::Closed => {
                    self.checkpoint();
                    return;
                }
            }
        }
    }

    /// Applies a batch at once, on the caller's thread.
    pub(crate) fn apply(&mut self, batch: &[Submission]) -> Result<(), Error> {
        self.applier.apply(&mut self.connection.lock(), batch)?;
        self.committed(batch);
        Ok(())
    }

    /// One by one, when something in the batch cannot be written whatever happens: the rest of
    /// the batch must not be lost with it.
    fn apply_each(&mut self, batch: &[Submission]) {
        for submission in batch {
            let one = std::slice::from_ref(submission);
            let result = self.applier.apply(&mut self.connection.lock(), one);
            if let Err(error) = result {
                tracing::error!(%error, source = ?error, "a change of visibility is lost");
            }
        }
        self.committed(batch);
    }

    fn committed(&mut self, batch: &[Submission]) {
        for submission in batch {
            let seq = self.volatile.entry(submission.slot).or_default();
            *seq = submission.seq.max(*seq);
        }
        self.volatile_changes += batch.len();
        if self.in_memory {
            self.durable();
        }
        if let Some(last) = batch.last() {
            self.progress.visible.send_replace(last.ticket);
        }
    }

    fn durable(&mut self) {
        for (slot, seq) in self.volatile.drain() {
            if let Some(durable) = self.progress.durable.get(usize::from(slot.number())) {
                durable.fetch_max(seq, Ordering::AcqRel);
            }
        }
        self.volatile_changes = 0;
    }

    /// Writes the log back. In this journal mode only that syncs to disk.
    fn checkpoint(&mut self) {
        if self.in_memory {
            return;
        }
        let result =
            self.connection.lock().query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
        match result {
            // Complete: every frame of the log is in the file.
            Ok((0, frames, written)) if frames == written => self.durable(),
            // A reader holds an older state; the next checkpoint comes after its end.
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a checkpoint of visibility failed"),
        }
    }

    /// Removes all rows of deleted namespaces.
    pub(crate) fn purge_all(&mut self) {
        while self.applier.purges {
            self.purge();
        }
    }

    /// Removes some rows of deleted namespaces.
    fn purge(&mut self) {
        let result = self.applier.purge(&mut self.connection.lock());
        if let Err(error) = result {
            // It is tried again when the next namespace is deleted or the index is opened.
            tracing::warn!(%error, "removing a deleted namespace failed");
            self.applier.purges = false;
        }
    }
}

/// True for failures of the surroundings, false for those of the change itself.
fn may_pass(error: &Error) -> bool {
    let Error::Sqlite(error) = error else { return false };
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
        )
    )
}
