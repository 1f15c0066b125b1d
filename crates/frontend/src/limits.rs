//! How much a namespace may ask of the server.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use api::enums::v1::{ResourceExhaustedCause, ResourceExhaustedScope};
use authz::{Kind, RateClass, Rpc};
use model::{NamespaceId, Span};
use parking_lot::RwLock;

use crate::error::{ApiError, ApiResult};

/// Requests per second, and how many may come at once on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per second; at least one.
    pub per_second: u32,
    /// Requests that may come at once; at least one.
    pub burst: u32,
}

impl RateLimit {
    /// A rate whose burst is worth two seconds.
    pub const fn per_second(per_second: u32) -> Self {
        Self { per_second, burst: per_second.saturating_mul(2) }
    }
}

/// The limits of each namespace. `None` means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Requests that are not of another class.
    pub requests: Option<RateLimit>,
    /// Lists and counts.
    pub visibility: Option<RateLimit>,
    /// Changes of namespaces and of the cluster.
    pub operator: Option<RateLimit>,
    /// Long polls that wait at once.
    pub long_polls_max: usize,
    /// How often a run may skip time until it is told again, unless it names another number.
    /// `None`: runs may not skip time (an experiment of the API, off in the reference).
    pub time_skips_max: Option<i32>,
}

impl RequestLimits {
    /// The reference's defaults.
    pub const PRODUCTION: Self = Self {
        requests: Some(RateLimit::per_second(2400)),
        visibility: Some(RateLimit::per_second(10)),
        operator: Some(RateLimit::per_second(20)),
        long_polls_max: 1200,
        time_skips_max: None,
    };

    /// The development server's: nobody else is to be protected from its user.
    pub const DEVELOPMENT: Self = Self {
        requests: None,
        visibility: None,
        operator: None,
        long_polls_max: 100_000,
        time_skips_max: None,
    };
}

/// A token bucket in one atomic number: the time at which the bucket will be full again.
#[derive(Debug)]
struct Bucket {
    interval_nanos: i64,
    capacity_nanos: i64,
    full_at: AtomicI64,
}

impl Bucket {
    fn new(limit: RateLimit) -> Self {
        let interval_nanos = 1_000_000_000 / i64::from(limit.per_second.max(1));
        Self {
            interval_nanos,
            capacity_nanos: interval_nanos.saturating_mul(i64::from(limit.burst.max(1))),
            full_at: AtomicI64::new(0),
        }
    }

    /// Takes one token; false when there is none.
    fn take(&self, now: Span) -> bool {
        let now = now.nanos();
        let next = |full_at: i64| {
            let next = full_at.max(now).saturating_add(self.interval_nanos);
            (next.saturating_sub(now) <= self.capacity_nanos).then_some(next)
        };
        self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[derive(Debug)]
struct Shares {
    requests: Option<Bucket>,
    visibility: Option<Bucket>,
    operator: Option<Bucket>,
    long_polls: Arc<AtomicUsize>,
}

/// The limits of all namespaces and what is used of them. Requests without a namespace share one
/// set. There is one entry per namespace that exists, so the namespaces' limit is this map's.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: RequestLimits,
    shares: RwLock<BTreeMap<NamespaceId, Arc<Shares>>>,
}

/// A long poll that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct LongPoll {
    waiting: Arc<AtomicUsize>,
}

impl Drop for LongPoll {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Limiter {
    pub(crate) fn new(limits: RequestLimits) -> Self {
        Self { limits, shares: RwLock::default() }
    }

    /// Counts a request, or refuses it.
    pub(crate) fn admit(
        &self,
        rpc: &Rpc,
        namespace: NamespaceId,
        now: Span,
    ) -> ApiResult<Option<LongPoll>> {
        let shares = self.shares(namespace);
        let bucket = match rpc.rate {
            RateClass::System => &None,
            RateClass::Visibility => &shares.visibility,
            RateClass::Operator => &shares.operator,
            RateClass::Progress | RateClass::Change | RateClass::Describe | RateClass::Poll => {
                &shares.requests
            }
        };
        if bucket.as_ref().is_some_and(|bucket| !bucket.take(now)) {
            return Err(ApiError::exhausted(
                ResourceExhaustedCause::RpsLimit,
                ResourceExhaustedScope::Namespace,
                "namespace rate limit exceeded",
            ));
        }
        if rpc.kind != Kind::LongPoll {
            return Ok(None);
        }
        let long_poll = LongPoll { waiting: Arc::clone(&shares.long_polls) };
        if shares.long_polls.fetch_add(1, Ordering::Relaxed) >= self.limits.long_polls_max {
            return Err(ApiError::exhausted(
                ResourceExhaustedCause::ConcurrentLimit,
                ResourceExhaustedScope::Namespace,
                "namespace concurrent poller limit exceeded",
            ));
        }
        Ok(Some(long_poll))
    }

    fn shares(&self, namespace: NamespaceId) -> Arc<Shares> {
        if let Some(shares) = self.shares.read().get(&namespace) {
            return Arc::clone(shares);
        }
        let shares = || {
            Arc::new(Shares {
                requests: self.limits.requests.map(Bucket::new),
                visibility: self.limits.visibility.map(Bucket::new),
                operator: self.limits.operator.map(Bucket::new),
                long_polls: Arc::default(),
            })
        };
        Arc::clone(self.shares.write().entry(namespace).or_insert_with(shares))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rpc(name: &str) -> &'static Rpc {
        authz::rpcs().find(|rpc| rpc.name == name).unwrap()
    }

    #[test]
    fn a_burst_empties_the_bucket_and_time_fills_it() {
        let bucket = Bucket::new(RateLimit { per_second: 10, burst: 3 });
        let at = |millis| bucket.take(Span::from_millis(millis));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert!(!at(99));
        assert!(at(100));
        assert!(!at(100));
        assert_eq!([at(10_000), at(10_000), at(10_000), at(10_000)], [true, true, true, false]);
    }

    #[test]
    fn lists_use_up_their_own_share_only() {
        let limiter = Limiter::new(RequestLimits {
            visibility: Some(RateLimit { per_second: 1, burst: 1 }),
            ..RequestLimits::PRODUCTION
        });
        let namespace = NamespaceId::from_bytes([1; 16]);
        let admit = |name| limiter.admit(rpc(name), namespace, Span::ZERO).is_ok();
        assert!(admit("ListWorkflowExecutions"));
        assert!(!admit("CountWorkflowExecutions"));
        assert!(admit("StartWorkflowExecution"));
        let other = NamespaceId::from_bytes([2; 16]);
        assert!(limiter.admit(rpc("ListWorkflowExecutions"), other, Span::ZERO).is_ok());
    }

    #[test]
    fn a_long_poll_gives_its_place_back() {
        let limiter =
            Limiter::new(RequestLimits { long_polls_max: 1, ..RequestLimits::DEVELOPMENT });
        let namespace = NamespaceId::default();
        let poll = || limiter.admit(rpc("PollWorkflowTaskQueue"), namespace, Span::ZERO);
        let first = poll().unwrap();
        assert!(first.is_some());
        assert!(poll().is_err());
        drop(first);
        assert!(poll().is_ok());
    }
}
