//! The store.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge, Registry};

use crate::{
    MetricsError, names,
    series::{counters, gauges, histograms},
};

/// What a store has done since it was opened, and what waits in it. Stores count for themselves;
/// see [`Metrics::watch_store`](crate::Metrics::watch_store).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreTotals {
    /// Slot batches that were acknowledged.
    pub batches: u64,
    /// Group commits that were written.
    pub commits: u64,
    /// Syncs of the journal.
    pub fsyncs: u64,
    /// Bytes of keys and values that were written.
    pub bytes_written: u64,
    /// Slot batches that were refused.
    pub refused: u64,
    /// Slot batches that were fenced.
    pub fenced: u64,
    /// Group commits that failed.
    pub failures: u64,
    /// Slot batches that wait for the committer.
    pub queue_entries: u64,
    /// Bytes that wait for the committer.
    pub queue_bytes: u64,
}

/// The handles of the store. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    /// Records that failed their checksum when read.
    pub records_damaged: IntCounter,
    latency: Histogram,
    batches: IntCounter,
    commits: IntCounter,
    fsyncs: IntCounter,
    bytes_written: IntCounter,
    refused: IntCounter,
    fenced: IntCounter,
    failures: IntCounter,
    queue_entries: IntGauge,
    queue_bytes: IntGauge,
}

impl StoreMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        let counter = |family| Ok::<_, MetricsError>(counters(registry, family)?.with(&[]));
        let gauge = |family| Ok::<_, MetricsError>(gauges(registry, family)?.with(&[]));
        Ok(Self {
            records_damaged: counter(&names::STORE_RECORDS_DAMAGED)?,
            latency: histograms(registry, &names::COMMIT_LATENCY)?.with(&[]),
            batches: counter(&names::STORE_BATCHES)?,
            commits: counter(&names::STORE_COMMITS)?,
            fsyncs: counter(&names::STORE_FSYNCS)?,
            bytes_written: counter(&names::STORE_BYTES_WRITTEN)?,
            refused: counter(&names::STORE_REFUSED)?,
            fenced: counter(&names::STORE_FENCED)?,
            failures: counter(&names::STORE_FAILURES)?,
            queue_entries: gauge(&names::STORE_QUEUE_ENTRIES)?,
            queue_bytes: gauge(&names::STORE_QUEUE_BYTES)?,
        })
    }

    /// Takes the time from handing a slot batch to the store until it was durable.
    pub fn observe_commit(&self, latency: Duration) {
        self.latency.observe(latency.as_secs_f64());
    }

    /// Shows a store's totals. Counters only grow: a total below the one shown changes nothing.
    pub(crate) fn show(&self, totals: &StoreTotals) {
        for (counter, total) in [
            (&self.batches, totals.batches),
            (&self.commits, totals.commits),
            (&self.fsyncs, totals.fsyncs),
            (&self.bytes_written, totals.bytes_written),
            (&self.refused, totals.refused),
            (&self.fenced, totals.fenced),
            (&self.failures, totals.failures),
        ] {
            counter.inc_by(total.saturating_sub(counter.get()));
        }
        self.queue_entries.set(i64::try_from(totals.queue_entries).unwrap_or(i64::MAX));
        self.queue_bytes.set(i64::try_from(totals.queue_bytes).unwrap_or(i64::MAX));
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::Metrics;

    #[test]
    fn totals_are_read_when_somebody_looks_and_never_go_back() {
        let metrics = Metrics::new().unwrap();
        let fsyncs = Arc::new(AtomicU64::new(7));
        let source = Arc::clone(&fsyncs);
        metrics.watch_store(move || StoreTotals {
            fsyncs: source.load(Ordering::Relaxed),
            queue_entries: 3,
            ..StoreTotals::default()
        });
        let shows = |line: &str| metrics.encode().unwrap().lines().any(|got| got == line);
        assert!(shows("longtide_store_fsyncs 7") && shows("longtide_store_queue_entries 3"));
        fsyncs.store(9, Ordering::Relaxed);
        assert!(shows("longtide_store_fsyncs 9"));
        fsyncs.store(8, Ordering::Relaxed);
        assert!(shows("longtide_store_fsyncs 9"));
    }
}
