//! What an address does, and how much of it.
//!
//! Everything here happens before anybody is identified, so it is cheap and its memory is bounded:
//! an address has one record, however many connections it makes.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{AddressLimits, Rate, Repute, Turn, turn::Turns};

/// Most addresses that are remembered. Past it, only new ones are turned away.
const ADDRESSES_MAX: usize = 100_000;

/// An address that has no connection is forgotten after this time: longer than any of its rates
/// takes to fill up again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// How long an address that went too far waits until a connection of it is taken again.
const SHUNNED: Duration = Duration::from_secs(1);

/// The addresses that are connected, or were a moment ago. Listeners may share it.
#[derive(Debug)]
pub struct Visitors {
    limits: AddressLimits,
    known: Mutex<HashMap<IpAddr, Arc<Visitor>>>,
    turned_away: AtomicU64,
    turns: Turns,
    began: Instant,
}

/// One address.
#[derive(Debug)]
pub struct Visitor {
    connections: AtomicUsize,
    opened: Option<Rate>,
    requests: Option<Rate>,
    refusals: Option<Rate>,
    /// While it is later than now, no connection is taken: milliseconds since the beginning.
    shunned_until: AtomicU64,
    /// When it connected last: milliseconds since the beginning.
    seen: AtomicU64,
    turns: Turns,
    began: Instant,
}

/// A connection's place among those of its address, until it is dropped.
#[derive(Debug)]
pub(crate) struct Visit(pub(crate) Arc<Visitor>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Visitors {
    /// Nobody has come yet.
    pub fn new(limits: AddressLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            known: Mutex::default(),
            turned_away: AtomicU64::new(0),
            turns: Turns::default(),
            began: Instant::now(),
        })
    }

    /// How many connections were not taken.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Takes a connection from an address; nothing when it has too many, or too many lately.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Visit> {
        let visit = self.visitor(address).and_then(|visitor| visitor.connect(&self.limits));
        if visit.is_none() {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        visit
    }

    fn visitor(&self, address: IpAddr) -> Option<Arc<Visitor>> {
        let key = whole(address);
        let mut known = self.known.lock();
        if let Some(visitor) = known.get(&key) {
            return Some(Arc::clone(visitor));
        }
        if known.len() >= ADDRESSES_MAX {
            known.retain(|_, visitor| !visitor.is_forgotten());
            if known.len() >= ADDRESSES_MAX {
                return None;
            }
        }
        let visitor = Arc::new(Visitor::new(&self.limits, self.turns.clone(), self.began));
        known.insert(key, Arc::clone(&visitor));
        Some(visitor)
    }
}

impl Visitor {
    fn new(limits: &AddressLimits, turns: Turns, began: Instant) -> Self {
        Self {
            connections: AtomicUsize::new(0),
            opened: limits.connections.map(Rate::new),
            requests: limits.requests.map(Rate::new),
            refusals: limits.refusals.map(Rate::new),
            shunned_until: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            turns,
            began,
        }
    }

    /// The turns in which a connection is read while it is not known whose it is: it takes them among
    /// the strangers of all addresses.
    pub fn turn(&self, repute: Repute) -> Turn {
        self.turns.of(repute)
    }

    /// Counts a request; false when there were too many.
    pub fn may_ask(&self) -> bool {
        self.requests.as_ref().is_none_or(Rate::take)
    }

    /// Counts a refusal. False when there were too many: the connection is to be cut, and the next
    /// ones are not taken for a while.
    pub fn may_go_on(&self) -> bool {
        let may = self.refusals.as_ref().is_none_or(Rate::take);
        if !may {
            self.shunned_until.store(self.now() + millis(SHUNNED), Ordering::Relaxed);
        }
        may
    }

    fn connect(self: Arc<Self>, limits: &AddressLimits) -> Option<Visit> {
        let now = self.now();
        self.seen.store(now, Ordering::Relaxed);
        if self.shunned_until.load(Ordering::Relaxed) > now {
            return None;
        }
        if !self.opened.as_ref().is_none_or(Rate::take) {
            return None;
        }
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        let visit = Visit(self);
        limits.connections_max.is_none_or(|most| before < most).then_some(visit)
    }

    fn is_forgotten(&self) -> bool {
        let idle = self.now().saturating_sub(self.seen.load(Ordering::Relaxed));
        self.connections.load(Ordering::Relaxed) == 0 && idle > millis(FORGOTTEN_AFTER)
    }

    fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Who has one address of version 6 has a network of them: the first half says whose it is.
fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RateLimit;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn once() -> Option<RateLimit> {
        Some(RateLimit { per_second: 1, burst: 1 })
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_so_many_connections_and_gets_their_places_back() {
        let limits = AddressLimits { connections_max: Some(1), ..AddressLimits::default() };
        let visitors = Visitors::new(limits);
        let first = visitors.take(address("10.0.0.1"));
        assert!(first.is_some());
        assert!(visitors.take(address("10.0.0.1")).is_none());
        assert!(visitors.take(address("::ffff:10.0.0.1")).is_none());
        assert!(visitors.take(address("10.0.0.2")).is_some());
        drop(first);
        assert!(visitors.take(address("10.0.0.1")).is_some());
        assert_eq!(visitors.turned_away(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_version_6_is_one_address() {
        let visitors =
            Visitors::new(AddressLimits { connections: once(), ..AddressLimits::default() });
        assert!(visitors.take(address("2001:db8::1")).is_some());
        assert!(visitors.take(address("2001:db8::2:3")).is_none());
        assert!(visitors.take(address("2001:db8:0:1::1")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_refused_too_often_is_not_let_in_for_a_while() {
        let limits =
            AddressLimits { refusals: once(), requests: once(), ..AddressLimits::default() };
        let visitors = Visitors::new(limits);
        let Visit(visitor) = &visitors.take(address("10.0.0.1")).unwrap();
        assert!(visitor.may_ask() && !visitor.may_ask());
        assert!(visitor.may_go_on() && !visitor.may_go_on());
        assert!(visitors.take(address("10.0.0.1")).is_none());
        assert!(visitors.take(address("10.0.0.2")).is_some());
        tokio::time::advance(SHUNNED).await;
        assert!(visitors.take(address("10.0.0.1")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_without_connections_is_forgotten_in_time() {
        let visitors = Visitors::new(AddressLimits::default());
        let visit = visitors.take(address("10.0.0.1")).unwrap();
        let visitor = Arc::clone(&visit.0);
        tokio::time::advance(FORGOTTEN_AFTER * 2).await;
        assert!(!visitor.is_forgotten());
        drop(visit);
        assert!(visitor.is_forgotten());
    }
}
