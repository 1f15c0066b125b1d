//! How much callers and namespaces may ask of the server, once they are known.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use api::enums::v1::{ResourceExhaustedCause, ResourceExhaustedScope};
use authz::{Kind, Principal, RateClass, Rpc};
use listener::{Rate, RateLimit};
use lru::LruCache;
use model::{NamespaceId, Span};
use namespace::Namespace;
use parking_lot::{Mutex, RwLock};

use crate::error::{ApiError, ApiResult};

/// Most callers whose rates are remembered; the one that asked longest ago goes first.
const PRINCIPALS_MAX: NonZeroUsize = match NonZeroUsize::new(10_000) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

/// The limits of a namespace. `None` means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamespaceLimits {
    /// Requests that are not of another class.
    pub requests: Option<RateLimit>,
    /// Lists and counts.
    pub visibility: Option<RateLimit>,
    /// Changes of namespaces and of the cluster.
    pub operator: Option<RateLimit>,
    /// Long polls that wait at once.
    pub long_polls_max: usize,
}

/// What a request may be, before anybody looks into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLimits {
    /// Largest message, in bytes, packed and unpacked.
    pub bytes_max: usize,
    /// How long a client may take to send it.
    pub timeout: Span,
}

impl MessageLimits {
    /// The reference's size; it has no time limit.
    pub const DEFAULT: Self = Self { bytes_max: 4 * 1024 * 1024, timeout: Span::from_secs(30) };
}

/// The limits of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLimits {
    /// Of each message.
    pub messages: MessageLimits,
    /// Of each namespace.
    pub namespace: NamespaceLimits,
    /// Of the namespaces with these names, in place of those of each.
    pub by_name: BTreeMap<String, NamespaceLimits>,
    /// Of the whole server.
    pub server: Option<RateLimit>,
    /// Of each caller with a name.
    pub principal: Option<RateLimit>,
    /// How often a run may skip time until it is told again, unless it names another number.
    /// `None`: runs may not skip time (an experiment of the API, off in the reference).
    pub time_skips_max: Option<i32>,
}

impl NamespaceLimits {
    /// The reference's defaults.
    pub const PRODUCTION: Self = Self {
        requests: Some(RateLimit::per_second(2400)),
        visibility: Some(RateLimit::per_second(10)),
        operator: Some(RateLimit::per_second(20)),
        long_polls_max: 1200,
    };

    /// Next to none.
    pub const DEVELOPMENT: Self =
        Self { requests: None, visibility: None, operator: None, long_polls_max: 100_000 };
}

impl RequestLimits {
    /// Each namespace has the reference's limits; nothing else has any.
    pub const PRODUCTION: Self = Self::of_each(NamespaceLimits::PRODUCTION);

    /// The development server's: nobody else is to be protected from its user.
    pub const DEVELOPMENT: Self = Self::of_each(NamespaceLimits::DEVELOPMENT);

    const fn of_each(namespace: NamespaceLimits) -> Self {
        Self {
            messages: MessageLimits::DEFAULT,
            namespace,
            by_name: BTreeMap::new(),
            server: None,
            principal: None,
            time_skips_max: None,
        }
    }
}

#[derive(Debug)]
struct Shares {
    requests: Option<Rate>,
    visibility: Option<Rate>,
    operator: Option<Rate>,
    long_polls: Arc<AtomicUsize>,
    long_polls_max: usize,
}

/// The limits and what is used of them. Requests without a namespace share one set. There is one
/// entry per namespace that exists, so the namespaces' limit is this map's.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: RequestLimits,
    server: Option<Rate>,
    shares: RwLock<BTreeMap<NamespaceId, Arc<Shares>>>,
    principals: Mutex<LruCache<Principal, Rate>>,
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
        Self {
            server: limits.server.map(Rate::new),
            limits,
            shares: RwLock::default(),
            principals: Mutex::new(LruCache::new(PRINCIPALS_MAX)),
        }
    }

    /// Counts a request, or refuses it. What the narrowest limit refuses uses nothing of the wider
    /// ones: nobody's haste is at the cost of others.
    pub(crate) fn admit(
        &self,
        rpc: &Rpc,
        namespace: Option<&Namespace>,
        principal: &Principal,
    ) -> ApiResult<Option<LongPoll>> {
        let shares = self.shares(namespace);
        self.admit_principal(principal)?;
        if rpc.rate != RateClass::System {
            shares.admit(rpc.rate)?;
            if !self.server.as_ref().is_none_or(Rate::take) {
                return Err(too_many(
                    ResourceExhaustedScope::System,
                    "service rate limit exceeded",
                ));
            }
        }
        if rpc.kind != Kind::LongPoll {
            return Ok(None);
        }
        let long_poll = LongPoll { waiting: Arc::clone(&shares.long_polls) };
        if shares.long_polls.fetch_add(1, Ordering::Relaxed) >= shares.long_polls_max {
            return Err(ApiError::exhausted(
                ResourceExhaustedCause::ConcurrentLimit,
                ResourceExhaustedScope::Namespace,
                "namespace concurrent poller limit exceeded",
            ));
        }
        Ok(Some(long_poll))
    }

    fn admit_principal(&self, principal: &Principal) -> ApiResult<()> {
        let Some(limit) = self.limits.principal else { return Ok(()) };
        if principal.is_anonymous() {
            return Ok(());
        }
        let mut principals = self.principals.lock();
        let rate = match principals.get(principal) {
            Some(rate) => rate,
            None => principals.get_or_insert(principal.clone(), || Rate::new(limit)),
        };
        if rate.take() {
            return Ok(());
        }
        Err(too_many(ResourceExhaustedScope::System, "principal rate limit exceeded"))
    }

    fn shares(&self, namespace: Option<&Namespace>) -> Arc<Shares> {
        let id = namespace.map_or(NamespaceId::default(), |namespace| namespace.id);
        if let Some(shares) = self.shares.read().get(&id) {
            return Arc::clone(shares);
        }
        let named = namespace.and_then(|namespace| self.limits.by_name.get(&namespace.name));
        let limits = named.unwrap_or(&self.limits.namespace);
        let shares = || Arc::new(Shares::new(limits));
        Arc::clone(self.shares.write().entry(id).or_insert_with(shares))
    }

    /// A namespace is gone.
    pub(crate) fn forget_namespace(&self, id: NamespaceId) {
        self.shares.write().remove(&id);
    }
}

impl Shares {
    fn new(limits: &NamespaceLimits) -> Self {
        Self {
            requests: limits.requests.map(Rate::new),
            visibility: limits.visibility.map(Rate::new),
            operator: limits.operator.map(Rate::new),
            long_polls: Arc::default(),
            long_polls_max: limits.long_polls_max,
        }
    }

    fn admit(&self, class: RateClass) -> ApiResult<()> {
        let rate = match class {
            RateClass::System => &None,
            RateClass::Visibility => &self.visibility,
            RateClass::Operator => &self.operator,
            RateClass::Progress | RateClass::Change | RateClass::Describe | RateClass::Poll => {
                &self.requests
            }
        };
        if rate.as_ref().is_none_or(Rate::take) {
            return Ok(());
        }
        Err(too_many(ResourceExhaustedScope::Namespace, "namespace rate limit exceeded"))
    }
}

fn too_many(scope: ResourceExhaustedScope, text: &str) -> ApiError {
    ApiError::exhausted(ResourceExhaustedCause::RpsLimit, scope, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: Option<RateLimit> = Some(RateLimit { per_second: 1, burst: 1 });

    fn rpc(name: &str) -> &'static Rpc {
        authz::rpcs().find(|rpc| rpc.name == name).unwrap()
    }

    fn admit(limiter: &Limiter, name: &str, who: &str) -> Result<Option<LongPoll>, String> {
        let principal = Principal::named("jwt", who);
        let admitted = limiter.admit(rpc(name), None, &principal);
        admitted.map_err(|error| error.message().to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn lists_use_up_their_own_share_only() {
        let namespace = NamespaceLimits { visibility: ONCE, ..NamespaceLimits::PRODUCTION };
        let limiter = Limiter::new(RequestLimits { namespace, ..RequestLimits::PRODUCTION });
        assert!(admit(&limiter, "ListWorkflowExecutions", "a").is_ok());
        assert_eq!(
            admit(&limiter, "CountWorkflowExecutions", "a").unwrap_err(),
            "namespace rate limit exceeded"
        );
        assert!(admit(&limiter, "StartWorkflowExecution", "a").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hasty_caller_uses_up_nothing_but_its_own_rate() {
        let server = Some(RateLimit { per_second: 1, burst: 2 });
        let limits = RequestLimits { server, principal: ONCE, ..RequestLimits::DEVELOPMENT };
        let limiter = Limiter::new(limits);
        let start = |who| admit(&limiter, "StartWorkflowExecution", who);
        assert!(start("hasty").is_ok());
        for _ in 0..100 {
            assert_eq!(start("hasty").unwrap_err(), "principal rate limit exceeded");
        }
        assert!(start("other").is_ok());
        assert_eq!(start("third").unwrap_err(), "service rate limit exceeded");
        assert!(admit(&limiter, "GetSystemInfo", "fourth").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_poll_gives_its_place_back() {
        let namespace = NamespaceLimits { long_polls_max: 1, ..NamespaceLimits::DEVELOPMENT };
        let limiter = Limiter::new(RequestLimits { namespace, ..RequestLimits::DEVELOPMENT });
        let poll = || admit(&limiter, "PollWorkflowTaskQueue", "a");
        let first = poll().unwrap();
        assert!(first.is_some());
        assert!(poll().is_err());
        drop(first);
        assert!(poll().is_ok());
    }
}
