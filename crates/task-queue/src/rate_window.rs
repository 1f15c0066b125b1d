//! Events per second over the last half minute.

use model::{Span, Time};

const BUCKETS: usize = 6;
const BUCKET: Span = Span::from_secs(5);

/// Counts events in buckets of five seconds and forgets them after thirty.
#[derive(Debug, Clone)]
pub(crate) struct RateWindow {
    started: Time,
    /// The number of the newest bucket, counted from the epoch.
    newest: i64,
    counts: [u64; BUCKETS],
}

impl RateWindow {
    pub(crate) fn new(now: Time) -> Self {
        Self { started: now, newest: bucket_number(now), counts: [0; BUCKETS] }
    }

    /// Counts an event.
    pub(crate) fn record(&mut self, now: Time) {
        self.advance(now);
        let place = place(self.newest);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
    }

    /// Events per second.
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub(crate) fn per_second(&self, now: Time) -> f64 {
        let mut window = self.clone();
        window.advance(now);
        let oldest = window.newest - BUCKETS as i64 + 1;
        let from = Time::from_nanos(oldest.saturating_mul(BUCKET.nanos())).max(self.started);
        let covered = now.since(from).max(Span::from_secs(1));
        let events: u64 = window.counts.iter().sum();
        events as f64 * 1e9 / covered.nanos() as f64
    }

    /// Moves to the bucket of `now`. A clock that went back stays in the newest bucket.
    fn advance(&mut self, now: Time) {
        let current = bucket_number(now);
        let first_stale = self.newest.max(current - BUCKETS as i64) + 1;
        for number in first_stale..=current {
            if let Some(count) = self.counts.get_mut(place(number)) {
                *count = 0;
            }
        }
        self.newest = self.newest.max(current);
    }
}

const fn bucket_number(now: Time) -> i64 {
    now.nanos().div_euclid(BUCKET.nanos())
}

#[expect(clippy::cast_possible_truncation, reason = "below BUCKETS")]
const fn place(number: i64) -> usize {
    number.rem_euclid(BUCKETS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_nanos(1_700_000_000_000_000_000) + Span::from_millis(millis)
    }

    #[test]
    fn a_steady_rate_is_measured_and_forgotten() {
        let mut window = RateWindow::new(at(0));
        for tick in 0..1000 {
            window.record(at(tick * 100));
        }
        let rate = window.per_second(at(100_000));
        assert!((9.0..=11.0).contains(&rate), "{rate}");
        assert!(window.per_second(at(115_000)) < 6.0);
        assert_eq!(window.per_second(at(140_000)), 0.0);
    }

    #[test]
    fn a_young_window_divides_by_its_age() {
        let mut window = RateWindow::new(at(1));
        for _ in 0..10 {
            window.record(at(500));
        }
        assert_eq!(window.per_second(at(501)), 10.0);
        assert_eq!(window.per_second(at(2001)), 5.0);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let mut window = RateWindow::new(at(0));
        window.record(at(20_000));
        window.record(at(-40_000));
        assert!(window.per_second(at(20_000)) > 0.0);
    }
}
