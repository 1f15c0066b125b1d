//! Where the requests of runs go: how many are under way at once, and whether anybody answers there.
//!
//! A destination that keeps failing is left alone for a while, and then asked by one request, so
//! that it neither is buried under repetitions nor holds the places of others (fact sheet
//! section 18). Nothing of this is stored: a new server finds out again.

use std::{collections::BTreeMap, sync::Arc};

use model::{NamespaceId, Span, Time};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::HistoryError;

/// Most requests to one destination at once, as in the reference.
const REQUESTS_AT_ONCE_MAX: usize = 100;

/// Most destinations that are known at once: those with requests under way or with failures.
const DESTINATIONS_MAX: usize = 10_000;

/// So many failures in a row are borne; one more, and the destination is left alone.
const FAILURES_MAX: u32 = 5;

/// How long it is left alone.
const PAUSE: Span = Span::from_secs(60);

/// How long the others wait while one request tries whether it answers again.
const PROBE_WAIT: Span = Span::from_secs(1);

/// What kind of request goes to a destination. Each kind fails for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DestinationKind {
    /// Starts of Nexus operations; the destination is the name of an endpoint.
    StartNexusOperation,
    /// Requests to cancel them; likewise.
    CancelNexusOperation,
    /// Completion callbacks; the destination is the scheme and host of an address.
    Callback,
}

/// Where requests of a namespace go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// What kind of requests.
    pub kind: DestinationKind,
    /// Whose.
    pub namespace_id: NamespaceId,
    /// Where.
    pub name: String,
}

/// The destinations that a node sends to.
#[derive(Debug, Default)]
pub(crate) struct Destinations {
    lanes: Arc<Mutex<BTreeMap<Destination, Arc<Lane>>>>,
}

/// The way to one destination.
#[derive(Debug)]
struct Lane {
    places: Arc<Semaphore>,
    breaker: Mutex<Breaker>,
}

/// One request's use of a lane.
#[derive(Debug)]
pub(crate) struct Visitor {
    destination: Destination,
    lane: Arc<Lane>,
    lanes: Arc<Mutex<BTreeMap<Destination, Arc<Lane>>>>,
}

/// A request that is under way.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    visitor: &'a Visitor,
    /// Whether it finds out if the destination answers again.
    is_probe: bool,
    has_left: bool,
    _place: tokio::sync::SemaphorePermit<'a>,
}

impl Destinations {
    /// The way to a destination.
    pub(crate) fn visitor(&self, destination: Destination) -> Result<Visitor, HistoryError> {
        let mut lanes = self.lanes.lock();
        let known = lanes.get(&destination).cloned();
        let lane = match known {
            Some(lane) => lane,
            None if lanes.len() >= DESTINATIONS_MAX => {
                let text = "requests go to too many destinations".to_owned();
                return Err(HistoryError::ResourceExhausted(text));
            }
            None => {
                let places = Arc::new(Semaphore::new(REQUESTS_AT_ONCE_MAX));
                let lane = Arc::new(Lane { places, breaker: Mutex::default() });
                lanes.insert(destination.clone(), Arc::clone(&lane));
                lane
            }
        };
        Ok(Visitor { destination, lane, lanes: Arc::clone(&self.lanes) })
    }

    /// Whether a destination is left alone at the moment.
    pub(crate) fn is_blocked(&self, destination: &Destination) -> bool {
        let lane = self.lanes.lock().get(destination).cloned();
        lane.is_some_and(|lane| lane.breaker.lock().is_open())
    }
}

impl Visitor {
    /// Waits for a place; none when the server stops, or else the time before which there is no
    /// use in asking.
    pub(crate) async fn enter(&self, now: impl Fn() -> Time) -> Option<Result<Visit<'_>, Time>> {
        let place = self.lane.places.acquire().await.ok()?;
        let entered = self.lane.breaker.lock().enter(now());
        Some(entered.map(|is_probe| Visit {
            visitor: self,
            is_probe,
            has_left: false,
            _place: place,
        }))
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        let mut lanes = self.lanes.lock();
        // The map has one of the references, this one has the other.
        if Arc::strong_count(&self.lane) <= 2 && self.lane.breaker.lock().is_pristine() {
            lanes.remove(&self.destination);
        }
    }
}

impl Visit<'_> {
    /// Notes whether the destination answered.
    pub(crate) fn leave(mut self, has_answered: bool, now: Time) {
        self.has_left = true;
        self.visitor.lane.breaker.lock().leave(self.is_probe, has_answered, now);
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        // It was given up, and says nothing about the destination.
        if self.is_probe && !self.has_left {
            self.visitor.lane.breaker.lock().is_probed = false;
        }
    }
}

/// Counts failures.
#[derive(Debug, Default, PartialEq, Eq)]
struct Breaker {
    failures: u32,
    /// Until when the destination is left alone; past it, one request tries.
    open_until: Option<Time>,
    is_probed: bool,
}

impl Breaker {
    fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    fn is_pristine(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the request is a probe; or when to ask again.
    fn enter(&mut self, now: Time) -> Result<bool, Time> {
        match self.open_until {
            None => Ok(false),
            Some(until) if now < until => Err(until),
            Some(_) if self.is_probed => Err(now + PROBE_WAIT),
            Some(_) => {
                self.is_probed = true;
                Ok(true)
            }
        }
    }

    fn leave(&mut self, is_probe: bool, has_answered: bool, now: Time) {
        if has_answered {
            *self = Self::default();
        } else if is_probe {
            self.is_probed = false;
            self.open_until = Some(now + PAUSE);
        } else if self.open_until.is_none() {
            self.failures = self.failures.saturating_add(1);
            if self.failures > FAILURES_MAX {
                self.open_until = Some(now + PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_nanos(1);

    fn open() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..=FAILURES_MAX {
            assert!(!breaker.is_open());
            assert_eq!(breaker.enter(NOW), Ok(false));
            breaker.leave(false, false, NOW);
        }
        breaker
    }

    #[test]
    fn after_failures_in_a_row_a_destination_is_left_alone() {
        let mut breaker = open();
        assert!(breaker.is_open());
        assert_eq!(breaker.enter(NOW), Err(NOW + PAUSE));
    }

    #[test]
    fn an_answer_in_between_forgives_all_failures() {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX {
            breaker.leave(false, false, NOW);
        }
        breaker.leave(false, true, NOW);
        assert!(breaker.is_pristine());
    }

    #[test]
    fn after_the_pause_one_request_tries_and_decides() {
        let later = NOW + PAUSE;
        let mut breaker = open();
        assert_eq!(breaker.enter(later), Ok(true));
        assert_eq!(breaker.enter(later), Err(later + PROBE_WAIT));
        breaker.leave(true, false, later);
        assert_eq!(breaker.enter(later), Err(later + PAUSE));
        let later = later + PAUSE;
        assert_eq!(breaker.enter(later), Ok(true));
        breaker.leave(true, true, later);
        assert_eq!(breaker.enter(later), Ok(false));
    }

    #[test]
    fn a_late_failure_does_not_extend_the_pause() {
        let mut breaker = open();
        breaker.leave(false, false, NOW + Span::from_secs(30));
        assert_eq!(breaker.enter(NOW), Err(NOW + PAUSE));
    }

    fn destination() -> Destination {
        let namespace_id = NamespaceId::from_bytes([1; 16]);
        Destination { kind: DestinationKind::Callback, namespace_id, name: "http://a".to_owned() }
    }

    #[tokio::test]
    async fn a_destination_that_answers_is_forgotten_and_one_that_fails_is_not() {
        let destinations = Destinations::default();
        let visitor = destinations.visitor(destination()).unwrap();
        visitor.enter(|| NOW).await.unwrap().unwrap().leave(true, NOW);
        drop(visitor);
        assert!(destinations.lanes.lock().is_empty());
        for _ in 0..=FAILURES_MAX {
            let visitor = destinations.visitor(destination()).unwrap();
            visitor.enter(|| NOW).await.unwrap().unwrap().leave(false, NOW);
        }
        assert!(destinations.is_blocked(&destination()));
    }

    #[tokio::test]
    async fn a_probe_that_is_given_up_leaves_its_turn_to_another() {
        let destinations = Destinations::default();
        let visitor = destinations.visitor(destination()).unwrap();
        *visitor.lane.breaker.lock() = open();
        let later = || NOW + PAUSE;
        drop(visitor.enter(later).await.unwrap().unwrap());
        assert!(visitor.enter(later).await.unwrap().unwrap().is_probe);
    }
}
