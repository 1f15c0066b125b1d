//! Caches.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge, Registry};

use crate::{
    MetricsError, names,
    series::{Counters, Gauges, Histograms, counters, gauges, histograms},
};

/// The handles of one cache. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct CacheMetrics {
    requests: IntCounter,
    misses: IntCounter,
    errors: IntCounter,
    latency: Histogram,
    size: IntGauge,
    usage: IntGauge,
}

impl CacheMetrics {
    /// Counts a look-up that found its entry.
    pub fn hit(&self) {
        self.requests.inc();
    }

    /// Counts a look-up that loaded its entry in this time.
    pub fn miss(&self, latency: Duration) {
        self.requests.inc();
        self.misses.inc();
        self.latency.observe(latency.as_secs_f64());
    }

    /// Counts a look-up that failed.
    pub fn error(&self) {
        self.requests.inc();
        self.errors.inc();
    }

    /// Shows how many entries there are, and how many there may be.
    pub fn filled(&self, entries: usize, entries_max: usize) {
        self.usage.set(i64::try_from(entries).unwrap_or(i64::MAX));
        self.size.set(i64::try_from(entries_max).unwrap_or(i64::MAX));
    }
}

#[derive(Debug)]
pub(crate) struct Caches {
    requests: Counters,
    misses: Counters,
    errors: Counters,
    latency: Histograms,
    size: Gauges,
    usage: Gauges,
}

impl Caches {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            requests: counters(registry, &names::CACHE_REQUESTS)?,
            misses: counters(registry, &names::CACHE_MISS)?,
            errors: counters(registry, &names::CACHE_ERRORS)?,
            latency: histograms(registry, &names::CACHE_LATENCY)?,
            size: gauges(registry, &names::CACHE_SIZE)?,
            usage: gauges(registry, &names::CACHE_USAGE)?,
        })
    }

    pub(crate) fn handle(&self, cache_type: &'static str) -> CacheMetrics {
        CacheMetrics {
            requests: self.requests.with(&[cache_type]),
            misses: self.misses.with(&[cache_type]),
            errors: self.errors.with(&[cache_type]),
            latency: self.latency.with(&[cache_type]),
            size: self.size.with(&[cache_type]),
            usage: self.usage.with(&[cache_type]),
        }
    }
}
