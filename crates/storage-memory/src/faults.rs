//! What may go wrong, and how often.

use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

/// Where the faults' random numbers come from. Equal numbers give equal faults.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Random {
    /// Draws from this function, which must be uniform over all of `u64`.
    pub fn new(draw: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(draw))
    }

    /// True in so many of 1,000 draws. Draws even when the answer is certain, so that a changed
    /// rate does not shift what comes after it.
    pub(crate) fn hits(&self, per_mille: u16) -> bool {
        (self.0)() % 1000 < u64::from(per_mille)
    }

    /// A number from 1 to `most`.
    pub(crate) fn up_to(&self, most: usize) -> usize {
        let drawn = usize::try_from((self.0)() >> 33).unwrap_or(0);
        1 + drawn % most.max(1)
    }

    /// A duration within the range, in steps of a microsecond.
    pub(crate) fn within(&self, range: &RangeInclusive<Duration>) -> Duration {
        let spread = range.end().saturating_sub(*range.start()).as_micros();
        let steps = u64::try_from(spread).unwrap_or(u64::MAX - 1) + 1;
        *range.start() + Duration::from_micros((self.0)() % steps)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Random")
    }
}

/// The faults of a [`crate::FaultyStore`]; the default has none.
#[derive(Debug, Clone)]
pub struct Faults {
    /// How long a group commit takes. Batches that come meanwhile wait for the next one.
    pub commit_delay: RangeInclusive<Duration>,
    /// How long a slow read takes.
    pub slow_read_delay: RangeInclusive<Duration>,
    /// Reads of 1,000 that are slow.
    pub slow_read_per_mille: u16,
    /// Batches of 1,000 that are refused.
    pub refuse_per_mille: u16,
    /// Batches of 1,000 that are written, but whose acknowledgement is lost.
    pub lose_ack_per_mille: u16,
    /// Group commits of 1,000 before which the store crashes: everything in flight is lost.
    pub crash_before_per_mille: u16,
    /// Group commits of 1,000 after which the store crashes: written, but not acknowledged.
    pub crash_after_per_mille: u16,
    /// How long the store is down after a crash: reads fail, batches are refused.
    pub restart_delay: RangeInclusive<Duration>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            commit_delay: Duration::ZERO..=Duration::ZERO,
            slow_read_delay: Duration::ZERO..=Duration::ZERO,
            slow_read_per_mille: 0,
            refuse_per_mille: 0,
            lose_ack_per_mille: 0,
            crash_before_per_mille: 0,
            crash_after_per_mille: 0,
            restart_delay: Duration::ZERO..=Duration::ZERO,
        }
    }
}
