//! Workers that have shut down, for as long as polls of theirs may still arrive.
//!
//! A worker says once that it stops, and its polls may be slower than that: they may even be the
//! first at their queue. So this is of the node, not of a queue.

use std::collections::{HashMap, VecDeque};

use model::{NamespaceId, Span, Time};
use parking_lot::RwLock;

/// A poll of a stopped worker may arrive this much later: the longest a poll waits, and a margin.
const STOPPED_WORKER_TTL: Span = Span::from_secs(70);

/// A worker: only within its namespace does its key mean something.
type Worker = (NamespaceId, String);

/// Workers that have shut down lately. Its lock is held for an instant and no other is taken under
/// it.
#[derive(Debug)]
pub(crate) struct StoppedWorkers {
    workers_max: usize,
    workers: RwLock<Stopped>,
}

/// Its map's order decides nothing.
#[derive(Debug, Default)]
struct Stopped {
    since: HashMap<NamespaceId, HashMap<String, Time>>,
    /// The same by time, the first that stopped first.
    order: VecDeque<(Time, Worker)>,
}

impl StoppedWorkers {
    /// Nobody has stopped. Of more than `workers_max` the first are forgotten early.
    pub(crate) fn new(workers_max: usize) -> Self {
        Self { workers_max, workers: RwLock::default() }
    }

    /// Notes that a worker has shut down.
    pub(crate) fn add(&self, namespace_id: NamespaceId, worker_instance_key: &str, now: Time) {
        let mut workers = self.workers.write();
        while let Some((since, _)) = workers.order.front()
            && (workers.order.len() >= self.workers_max || now.since(*since) >= STOPPED_WORKER_TTL)
        {
            workers.forget_first();
        }
        let of_namespace = workers.since.entry(namespace_id).or_default();
        of_namespace.insert(worker_instance_key.to_owned(), now);
        workers.order.push_back((now, (namespace_id, worker_instance_key.to_owned())));
    }

    /// True when a poll of this worker is to be answered empty.
    pub(crate) fn contains(
        &self,
        namespace_id: NamespaceId,
        worker_instance_key: &str,
        now: Time,
    ) -> bool {
        if worker_instance_key.is_empty() {
            return false;
        }
        let workers = self.workers.read();
        let of_namespace = workers.since.get(&namespace_id);
        let since = of_namespace.and_then(|of_namespace| of_namespace.get(worker_instance_key));
        since.is_some_and(|since| now.since(*since) < STOPPED_WORKER_TTL)
    }
}

impl Stopped {
    fn forget_first(&mut self) {
        let Some((since, (namespace_id, key))) = self.order.pop_front() else { return };
        let Some(of_namespace) = self.since.get_mut(&namespace_id) else { return };
        // Who stopped again since then stands there with the later time.
        if of_namespace.get(&key) == Some(&since) {
            of_namespace.remove(&key);
        }
        if of_namespace.is_empty() {
            self.since.remove(&namespace_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_nanos(1_700_000_000_000_000_000);

    fn at(seconds: i64) -> Time {
        START + Span::from_secs(seconds)
    }

    fn namespace(number: u8) -> NamespaceId {
        NamespaceId::from_bytes([number; 16])
    }

    #[test]
    fn a_worker_has_stopped_for_as_long_as_its_polls_may_come() {
        let stopped = StoppedWorkers::new(10);
        stopped.add(namespace(1), "worker", at(0));
        assert!(stopped.contains(namespace(1), "worker", at(69)));
        assert!(!stopped.contains(namespace(1), "worker", at(70)));
        assert!(!stopped.contains(namespace(1), "other", at(0)));
        assert!(!stopped.contains(namespace(1), "", at(0)));
    }

    #[test]
    fn a_key_means_nothing_in_another_namespace() {
        let stopped = StoppedWorkers::new(10);
        stopped.add(namespace(1), "worker", at(0));
        assert!(!stopped.contains(namespace(2), "worker", at(0)));
    }

    #[test]
    fn of_too_many_the_first_are_forgotten() {
        let stopped = StoppedWorkers::new(2);
        for (second, worker) in ["a", "b", "a", "c"].into_iter().enumerate() {
            stopped.add(namespace(1), worker, at(i64::try_from(second).unwrap()));
        }
        assert!(stopped.contains(namespace(1), "a", at(3)));
        assert!(!stopped.contains(namespace(1), "b", at(3)));
        assert!(stopped.contains(namespace(1), "c", at(3)));
        stopped.add(namespace(2), "d", at(200));
        assert_eq!(stopped.workers.read().order.len(), 1);
        assert_eq!(stopped.workers.read().since.len(), 1);
    }
}
