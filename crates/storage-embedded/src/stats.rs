//! Counters of an embedded store.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the store has done since it was opened, and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Batches that were acknowledged.
    pub batches: u64,
    /// Group commits that were written.
    pub commits: u64,
    /// Syncs of the journal for the sake of a commit. The engine's own are not counted.
    pub fsyncs: u64,
    /// Bytes of keys and sealed values that were written.
    pub bytes_written: u64,
    /// Batches that were refused.
    pub refused: u64,
    /// Batches that were fenced.
    pub fenced: u64,
    /// Group commits that failed.
    pub failures: u64,
    /// Batches that wait for the committer.
    pub queue_entries: u64,
    /// Bytes that wait for the committer.
    pub queue_bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) batches: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) fsyncs: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) fenced: AtomicU64,
    pub(crate) failures: AtomicU64,
}

impl Counters {
    pub(crate) fn stats(&self, (queue_entries, queue_bytes): (usize, usize)) -> Stats {
        Stats {
            batches: self.batches.load(Relaxed),
            commits: self.commits.load(Relaxed),
            fsyncs: self.fsyncs.load(Relaxed),
            bytes_written: self.bytes_written.load(Relaxed),
            refused: self.refused.load(Relaxed),
            fenced: self.fenced.load(Relaxed),
            failures: self.failures.load(Relaxed),
            queue_entries: queue_entries as u64,
            queue_bytes: queue_bytes as u64,
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Relaxed);
}
