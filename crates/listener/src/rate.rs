//! How often something may happen.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::time::Instant;

/// So many per second, and how many may come at once on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// So many per second; at least one.
    pub per_second: u32,
    /// So many at once; at least one.
    pub burst: u32,
}

impl RateLimit {
    /// A rate whose burst is worth two seconds.
    pub const fn per_second(per_second: u32) -> Self {
        Self { per_second, burst: per_second.saturating_mul(2) }
    }

    /// The same for a number in which zero stands for no limit.
    pub const fn unless_zero(per_second: u32) -> Option<Self> {
        if per_second == 0 { None } else { Some(Self::per_second(per_second)) }
    }
}

/// A rate limit and what is used of it: a token bucket in one atomic number, the time at which the
/// bucket will be full again. Time is the runtime's, which tests and the simulator turn by hand.
#[derive(Debug)]
pub struct Rate {
    interval_nanos: i64,
    capacity_nanos: i64,
    full_at: AtomicI64,
    began: Instant,
}

impl Rate {
    /// Nothing is used yet.
    pub fn new(limit: RateLimit) -> Self {
        let interval_nanos = 1_000_000_000 / i64::from(limit.per_second.max(1));
        Self {
            interval_nanos,
            capacity_nanos: interval_nanos.saturating_mul(i64::from(limit.burst.max(1))),
            full_at: AtomicI64::new(0),
            began: Instant::now(),
        }
    }

    /// Uses it once; false when it is used up.
    pub fn take(&self) -> bool {
        let now = i64::try_from(self.began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let next = |full_at: i64| {
            let next = full_at.max(now).saturating_add(self.interval_nanos);
            (next.saturating_sub(now) <= self.capacity_nanos).then_some(next)
        };
        self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_empties_it_and_time_fills_it() {
        let rate = Rate::new(RateLimit { per_second: 10, burst: 3 });
        let four = || [rate.take(), rate.take(), rate.take(), rate.take()];
        assert_eq!(four(), [true, true, true, false]);
        tokio::time::advance(Duration::from_millis(99)).await;
        assert!(!rate.take());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(rate.take());
        assert!(!rate.take());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(four(), [true, true, true, false]);
    }

    #[test]
    fn zero_stands_for_no_limit_where_it_is_said() {
        assert_eq!(RateLimit::unless_zero(0), None);
        assert_eq!(RateLimit::unless_zero(5).unwrap().burst, 10);
    }
}
