//! The store.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, Registry};

use crate::{
    MetricsError, names,
    series::{counters, histograms},
};

/// What the committer of a store counts. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    /// Slot batches committed.
    pub commits: IntCounter,
    /// Groups of slot batches that shared one write.
    pub batches: IntCounter,
    /// Waits for the disk.
    pub fsyncs: IntCounter,
    /// Bytes of keys and values given to the store.
    pub bytes_written: IntCounter,
    /// Records that failed their checksum when read.
    pub records_damaged: IntCounter,
    latency: Histogram,
    group_size: Histogram,
}

impl StoreMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            commits: counters(registry, &names::STORE_COMMITS)?.with(&[]),
            batches: counters(registry, &names::STORE_BATCHES)?.with(&[]),
            fsyncs: counters(registry, &names::STORE_FSYNCS)?.with(&[]),
            bytes_written: counters(registry, &names::STORE_BYTES_WRITTEN)?.with(&[]),
            records_damaged: counters(registry, &names::STORE_RECORDS_DAMAGED)?.with(&[]),
            latency: histograms(registry, &names::COMMIT_LATENCY)?.with(&[]),
            group_size: histograms(registry, &names::COMMIT_GROUP_SIZE)?.with(&[]),
        })
    }

    /// Counts one group: so many slot batches, written together and synced once (or not at all,
    /// for a store in memory).
    pub fn group_committed(&self, slot_batches: u32, bytes: u64, fsyncs: u64) {
        self.commits.inc_by(u64::from(slot_batches));
        self.batches.inc();
        self.fsyncs.inc_by(fsyncs);
        self.bytes_written.inc_by(bytes);
        self.group_size.observe(f64::from(slot_batches));
    }

    /// Takes the time from handing a slot batch to the store until it was durable.
    pub fn observe_commit(&self, latency: Duration) {
        self.latency.observe(latency.as_secs_f64());
    }
}

/// Calls of one kind to the store. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct OperationMetrics {
    requests: IntCounter,
    errors: IntCounter,
    latency: Histogram,
}

impl OperationMetrics {
    pub(crate) fn new(requests: IntCounter, errors: IntCounter, latency: Histogram) -> Self {
        Self { requests, errors, latency }
    }

    /// Counts one call that is over.
    pub fn observe(&self, latency: Duration, failed: bool) {
        self.requests.inc();
        self.latency.observe(latency.as_secs_f64());
        if failed {
            self.errors.inc();
        }
    }
}
