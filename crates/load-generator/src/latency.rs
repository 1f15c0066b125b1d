//! Latency percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// The histogram holds microseconds up to ten minutes with three exact digits.
const HIGHEST_MICROSECONDS: u64 = 600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

/// A histogram that many tasks record into.
#[derive(Debug, Default)]
pub struct Latencies {
    histogram: Mutex<Option<Histogram<u64>>>,
}

impl Latencies {
    /// Counts one latency; longer than the histogram holds counts as its longest.
    pub fn record(&self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(HIGHEST_MICROSECONDS);
        let mut histogram = self.histogram.lock();
        if histogram.is_none() {
            *histogram = Histogram::new_with_max(HIGHEST_MICROSECONDS, SIGNIFICANT_DIGITS).ok();
        }
        if let Some(histogram) = histogram.as_mut() {
            histogram.saturating_record(microseconds);
        }
    }

    /// Forgets everything.
    pub fn reset(&self) {
        *self.histogram.lock() = None;
    }

    /// The latency that this share of all stays under; `None` when nothing was recorded.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let histogram = self.histogram.lock();
        Some(Duration::from_micros(histogram.as_ref()?.value_at_quantile(share)))
    }

    /// The percentiles; `None` when nothing was recorded.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let histogram = self.histogram.lock();
        let histogram = histogram.as_ref()?;
        let milliseconds = |microseconds: u64| microseconds as f64 / 1_000.0;
        Some(Percentiles {
            p50: milliseconds(histogram.value_at_quantile(0.50)),
            p90: milliseconds(histogram.value_at_quantile(0.90)),
            p99: milliseconds(histogram.value_at_quantile(0.99)),
            max: milliseconds(histogram.max()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_one_to_a_hundred_milliseconds() {
        let latencies = Latencies::default();
        assert_eq!(latencies.percentiles(), None);
        for milliseconds in 1..=100 {
            latencies.record(Duration::from_millis(milliseconds));
        }
        let percentiles = latencies.percentiles().unwrap();
        assert!((percentiles.p50 - 50.0).abs() < 1.0, "{percentiles:?}");
        assert!((percentiles.p99 - 99.0).abs() < 1.0, "{percentiles:?}");
        latencies.reset();
        assert_eq!(latencies.percentiles(), None);
    }
}
