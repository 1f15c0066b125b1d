//! Which rate limit a queue has.

use std::sync::Arc;

use model::{Span, Time};
use parking_lot::{Mutex, MutexGuard};

use crate::TokenBucket;

/// A worker's limit is forgotten so long after the last poll that named one.
const WORKER_LIMIT_TTL: Span = Span::from_secs(60);

/// Who set the limit that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitSource {
    /// The queue's configuration, set through the API.
    Api,
    /// A worker's `max_tasks_per_second`.
    Worker,
    /// The server's default.
    System,
}

/// The limit in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Tasks per second; 0 stops the queue.
    pub tasks_per_second: f64,
    /// Who set it.
    pub source: RateLimitSource,
}

/// The limit of a queue that all versions of it share.
#[derive(Debug, Clone)]
pub(crate) struct SharedRate(Arc<Mutex<RateLimiter>>);

impl SharedRate {
    pub(crate) fn new(system: f64, now: Time) -> Self {
        Self(Arc::new(Mutex::new(RateLimiter::new(system, now))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, RateLimiter> {
        self.0.lock()
    }
}

/// Chooses the limit in force and enforces it: the API's over the workers' over the default; among
/// workers the latest word counts.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    system: f64,
    api: Option<f64>,
    worker: Option<(f64, Time)>,
    bucket: TokenBucket,
}

impl RateLimiter {
    pub(crate) fn new(system: f64, now: Time) -> Self {
        Self { system, api: None, worker: None, bucket: TokenBucket::new(system, now) }
    }

    /// A poll named a limit. One that is not a number of tasks is ignored.
    pub(crate) fn worker_says(&mut self, tasks_per_second: f64, now: Time) {
        if tasks_per_second >= 0.0 {
            self.worker = Some((tasks_per_second.min(self.system), now));
        }
    }

    /// The API set or cleared a limit.
    pub(crate) fn set_api(&mut self, tasks_per_second: Option<f64>) {
        self.api = tasks_per_second.filter(|rate| *rate >= 0.0);
    }

    /// True while the API's limit must be kept.
    pub(crate) const fn has_api_limit(&self) -> bool {
        self.api.is_some()
    }

    /// The limit in force.
    pub(crate) fn in_force(&self, now: Time) -> RateLimit {
        let (tasks_per_second, source) = match (self.api, self.worker) {
            (Some(rate), _) => (rate, RateLimitSource::Api),
            (None, Some((rate, said))) if now.since(said) < WORKER_LIMIT_TTL => {
                (rate, RateLimitSource::Worker)
            }
            (None, _) => (self.system, RateLimitSource::System),
        };
        RateLimit { tasks_per_second, source }
    }

    /// Takes the right to dispatch one task.
    ///
    /// # Errors
    /// When to ask again; [`Time::MAX`] for when something changes.
    pub(crate) fn take(&mut self, now: Time) -> Result<(), Time> {
        let limit = self.in_force(now);
        self.bucket.set_rate(limit.tasks_per_second, now);
        self.bucket.take(now).map_err(|next| match (limit.source, self.worker) {
            (RateLimitSource::Worker, Some((_, said))) => next.min(said + WORKER_LIMIT_TTL),
            (RateLimitSource::Api | RateLimitSource::Worker | RateLimitSource::System, _) => next,
        })
    }

    /// The task was not dispatched after all.
    pub(crate) fn refund(&mut self) {
        self.bucket.refund();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_nanos(1_700_000_000_000_000_000);

    fn in_force(limiter: &RateLimiter, now: Time) -> (f64, RateLimitSource) {
        let limit = limiter.in_force(now);
        (limit.tasks_per_second, limit.source)
    }

    #[test]
    fn the_latest_worker_wins_over_the_default_and_the_api_over_all() {
        let mut limiter = RateLimiter::new(1000.0, START);
        assert_eq!(in_force(&limiter, START), (1000.0, RateLimitSource::System));
        limiter.worker_says(5.0, START);
        limiter.worker_says(7.0, START);
        limiter.worker_says(f64::NAN, START);
        limiter.worker_says(-1.0, START);
        assert_eq!(in_force(&limiter, START), (7.0, RateLimitSource::Worker));
        limiter.set_api(Some(2.0));
        assert_eq!(in_force(&limiter, START), (2.0, RateLimitSource::Api));
        limiter.set_api(None);
        limiter.worker_says(1e9, START);
        assert_eq!(in_force(&limiter, START), (1000.0, RateLimitSource::Worker));
    }

    #[test]
    fn a_worker_that_stops_the_queue_is_forgotten_after_a_minute() {
        let mut limiter = RateLimiter::new(1000.0, START);
        limiter.worker_says(0.0, START);
        let minute = START + Span::from_secs(60);
        assert_eq!(limiter.take(START), Err(minute));
        assert_eq!(in_force(&limiter, minute), (1000.0, RateLimitSource::System));
        assert!(limiter.take(minute).is_err(), "a stopped queue has saved nothing up");
        assert!(limiter.take(minute + Span::from_millis(1)).is_ok());
    }
}
