//! All workers of a cell.

use std::{collections::BTreeMap, sync::Arc};

use api::{enums::v1::WorkerStatus, worker::v1::WorkerHeartbeat};
use environment::Clock;
use model::{NamespaceId, Time};
use parking_lot::Mutex;
use prost::Message as _;
use visibility_query::{FieldFilter, FieldFilterError};

use crate::{
    fields::field,
    limits::{HEARTBEAT_BYTES_MAX, HELD_BYTES_MAX, PAGE_SIZE_MAX, WORKERS_MAX},
    roll::Roll,
};

/// Task queues of workers that the reference itself runs in namespaces.
const SYSTEM_TASK_QUEUES: [&str; 7] = [
    "default-worker-tq",
    "temporal-sys-per-ns-tq",
    "temporal-sys-worker-controller-per-ns-tq",
    "temporal-sys-migration-activity-tq",
    "temporal-sys-add-search-attributes-activity-tq",
    "temporal-sys-delete-namespace-activity-tq",
    "temporal-sys-dlq-activity-tq",
];

/// The workers that were heard of lately. Every call takes one short lock.
#[derive(Debug)]
pub struct WorkerRegistry {
    clock: Arc<dyn Clock>,
    state: Mutex<Registry>,
}

#[derive(Debug, Default)]
struct Registry {
    /// A namespace stays once a worker of it was heard of: there are no more than namespaces.
    rolls: BTreeMap<NamespaceId, Roll>,
    /// Of the last heartbeat.
    number: u64,
    /// Of all heartbeats.
    bytes: usize,
}

/// What a list asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListRequest<'a> {
    /// A filter; empty for all.
    pub query: &'a str,
    /// Most workers of the page; 0 for as many as a page may have.
    pub page_size: usize,
    /// The last key of the page before.
    pub after: Option<&'a str>,
    /// Whether those count that the server itself runs.
    pub include_system_workers: bool,
}

/// One page of a list, by instance key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The last heartbeat of each worker.
    pub workers: Vec<Arc<WorkerHeartbeat>>,
    /// The last key, when more follow.
    pub next_after: Option<String>,
}

/// Why a list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Wrong(#[from] pub FieldFilterError);

/// Why a worker is not described.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkerNotFound {
    /// No worker of the namespace was heard of since the server started.
    #[error("no worker of the namespace was heard of")]
    Namespace,
    /// No such worker was heard of lately.
    #[error("Worker {0} not found")]
    Worker(String),
}

impl WorkerRegistry {
    /// A registry without workers.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Takes heartbeats. A worker that says that it has shut down is forgotten; a heartbeat of an
    /// absurd size is dropped.
    pub fn record(&self, namespace_id: NamespaceId, heartbeats: Vec<WorkerHeartbeat>) {
        let now = self.clock.now();
        let mut registry = self.state.lock();
        let mut number = registry.number;
        registry.edit(namespace_id, |roll| {
            for heartbeat in heartbeats {
                number += 1;
                if heartbeat.status() == WorkerStatus::Shutdown {
                    roll.remove(&heartbeat.worker_instance_key);
                } else if heartbeat.encoded_len() <= HEARTBEAT_BYTES_MAX {
                    roll.put(heartbeat, (now, number));
                }
            }
            roll.remove_silent(now);
            while roll.len() > WORKERS_MAX {
                roll.remove_oldest();
            }
        });
        registry.number = number;
        registry.make_room(now);
    }

    /// One page of the workers that a filter takes.
    ///
    /// # Errors
    /// When the filter is none.
    pub fn list(&self, namespace_id: NamespaceId, asked: ListRequest<'_>) -> Result<Page, Wrong> {
        let filter = filter(asked.query)?;
        let size = match asked.page_size {
            0 => PAGE_SIZE_MAX,
            size => size.min(PAGE_SIZE_MAX),
        };
        let mut registry = self.state.lock();
        let Some(roll) = registry.current(namespace_id, self.clock.now()) else {
            return Ok(Page::default());
        };
        let mut found =
            roll.after(asked.after).filter(|worker| fits(worker, filter.as_ref(), asked));
        let workers: Vec<_> = found.by_ref().take(size).cloned().collect();
        let last = workers.last().filter(|_| found.next().is_some());
        let next_after = last.map(|last| last.worker_instance_key.clone());
        Ok(Page { workers, next_after })
    }

    /// How many workers a filter takes.
    ///
    /// # Errors
    /// When the filter is none.
    pub fn count(
        &self,
        namespace_id: NamespaceId,
        query: &str,
        include_system_workers: bool,
    ) -> Result<usize, Wrong> {
        let filter = filter(query)?;
        let asked = ListRequest { query, include_system_workers, ..ListRequest::default() };
        let mut registry = self.state.lock();
        let Some(roll) = registry.current(namespace_id, self.clock.now()) else { return Ok(0) };
        Ok(roll.after(None).filter(|worker| fits(worker, filter.as_ref(), asked)).count())
    }

    /// The last heartbeat of a worker.
    ///
    /// # Errors
    /// When it was not heard of lately.
    pub fn describe(
        &self,
        namespace_id: NamespaceId,
        worker_instance_key: &str,
    ) -> Result<Arc<WorkerHeartbeat>, WorkerNotFound> {
        let mut registry = self.state.lock();
        let roll = registry.current(namespace_id, self.clock.now());
        let roll = roll.ok_or(WorkerNotFound::Namespace)?;
        let missing = || WorkerNotFound::Worker(worker_instance_key.to_owned());
        roll.get(worker_instance_key).cloned().ok_or_else(missing)
    }

    /// A namespace is gone, and its workers with it.
    pub fn forget_namespace(&self, namespace_id: NamespaceId) {
        let mut registry = self.state.lock();
        if let Some(roll) = registry.rolls.remove(&namespace_id) {
            registry.bytes -= roll.bytes();
        }
    }
}

impl Registry {
    fn edit(&mut self, namespace_id: NamespaceId, edit: impl FnOnce(&mut Roll)) {
        let roll = self.rolls.entry(namespace_id).or_default();
        self.bytes -= roll.bytes();
        edit(roll);
        self.bytes += roll.bytes();
    }

    /// The workers of a namespace without those that fell silent.
    fn current(&mut self, namespace_id: NamespaceId, now: Time) -> Option<&Roll> {
        if !self.rolls.contains_key(&namespace_id) {
            return None;
        }
        self.edit(namespace_id, |roll| roll.remove_silent(now));
        self.rolls.get(&namespace_id)
    }

    /// Forgets until the heartbeats fit: first the silent of all namespaces.
    fn make_room(&mut self, now: Time) {
        if self.bytes <= HELD_BYTES_MAX {
            return;
        }
        let all: Vec<NamespaceId> = self.rolls.keys().copied().collect();
        for namespace_id in all {
            self.edit(namespace_id, |roll| roll.remove_silent(now));
        }
        while self.bytes > HELD_BYTES_MAX {
            let largest = self.rolls.iter().max_by_key(|(_, roll)| roll.bytes());
            let Some(largest) = largest.map(|(namespace_id, _)| *namespace_id) else { return };
            self.edit(largest, Roll::remove_oldest);
        }
    }
}

fn filter(query: &str) -> Result<Option<FieldFilter>, Wrong> {
    Ok(if query.is_empty() { None } else { Some(FieldFilter::parse(query)?) })
}

fn fits(worker: &WorkerHeartbeat, filter: Option<&FieldFilter>, asked: ListRequest<'_>) -> bool {
    let is_system = || SYSTEM_TASK_QUEUES.contains(&worker.task_queue.as_str());
    (asked.include_system_workers || !is_system())
        && filter.is_none_or(|filter| filter.matches(&|name: &str| field(worker, name)))
}

#[cfg(test)]
mod tests {
    use environment::SimulatedClock;
    use model::Span;

    use super::*;
    use crate::limits::WORKER_TTL;

    const START: Time = Time::from_nanos(1_700_000_000_000_000_000);

    fn namespace(number: u8) -> NamespaceId {
        NamespaceId::from_bytes([number; 16])
    }

    fn heartbeat(key: &str, status: WorkerStatus) -> WorkerHeartbeat {
        WorkerHeartbeat {
            worker_instance_key: key.to_owned(),
            task_queue: format!("queue-{key}"),
            status: status as i32,
            ..WorkerHeartbeat::default()
        }
    }

    fn registry() -> (WorkerRegistry, SimulatedClock) {
        let clock = SimulatedClock::starting_at(START);
        (WorkerRegistry::new(Arc::new(clock.clone())), clock)
    }

    fn keys(page: &Page) -> Vec<&str> {
        page.workers.iter().map(|worker| worker.worker_instance_key.as_str()).collect()
    }

    fn pass(clock: &SimulatedClock, span: Span) {
        clock.jump(span.nanos());
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_has_pages_by_key_that_take_up_where_the_last_one_ended() {
        let (registry, _) = registry();
        let all = ["c", "a", "e", "b", "d"].map(|key| heartbeat(key, WorkerStatus::Running));
        registry.record(namespace(1), all.into());
        let first = ListRequest { page_size: 2, ..ListRequest::default() };
        let page = registry.list(namespace(1), first).unwrap();
        assert_eq!(keys(&page), ["a", "b"]);
        let after = page.next_after.unwrap();
        registry.record(namespace(1), vec![heartbeat("aa", WorkerStatus::Running)]);
        let rest = ListRequest { after: Some(&after), ..ListRequest::default() };
        let page = registry.list(namespace(1), rest).unwrap();
        assert_eq!(keys(&page), ["c", "d", "e"]);
        assert_eq!(page.next_after, None);
        assert_eq!(registry.list(namespace(2), rest).unwrap(), Page::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_filter_decides_who_is_listed_and_counted() {
        let (registry, _) = registry();
        let workers = [
            heartbeat("a", WorkerStatus::Running),
            heartbeat("b", WorkerStatus::ShuttingDown),
            WorkerHeartbeat {
                task_queue: "temporal-sys-per-ns-tq".to_owned(),
                ..heartbeat("c", WorkerStatus::Running)
            },
        ];
        registry.record(namespace(1), workers.into());
        let count = |query, system| registry.count(namespace(1), query, system).unwrap();
        assert_eq!(count("", false), 2);
        assert_eq!(count("", true), 3);
        assert_eq!(count("Status = 'ShuttingDown'", false), 1);
        assert_eq!(count("WorkerStatus = 'Running' AND TaskQueue = 'queue-a'", false), 1);
        assert!(registry.count(namespace(1), "TaskQueue =", false).is_err());
        assert!(registry.count(namespace(2), "TaskQueue =", false).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_is_forgotten_when_it_is_silent_or_has_shut_down() {
        let (registry, clock) = registry();
        let running = |key| vec![heartbeat(key, WorkerStatus::Running)];
        registry.record(namespace(1), running("a"));
        registry.record(namespace(1), running("b"));
        let half = Span::from_nanos(WORKER_TTL.nanos() / 2);
        pass(&clock, half);
        registry.record(namespace(1), running("a"));
        registry.record(namespace(1), running("c"));
        registry.record(namespace(1), vec![heartbeat("c", WorkerStatus::Shutdown)]);
        pass(&clock, half);
        let page = registry.list(namespace(1), ListRequest::default()).unwrap();
        assert_eq!(keys(&page), ["a"]);
        let missing = |key: &str| registry.describe(namespace(1), key).unwrap_err();
        assert_eq!(missing("b"), WorkerNotFound::Worker("b".to_owned()));
        assert_eq!(registry.describe(namespace(2), "a").unwrap_err(), WorkerNotFound::Namespace);
    }

    #[tokio::test(start_paused = true)]
    async fn the_namespace_that_holds_most_makes_room_for_others() {
        let (registry, _) = registry();
        let large = |number: usize| WorkerHeartbeat {
            sdk_name: "x".repeat(HEARTBEAT_BYTES_MAX - 200),
            ..heartbeat(&format!("{number:06}"), WorkerStatus::Running)
        };
        registry.record(namespace(2), vec![heartbeat("small", WorkerStatus::Running)]);
        let fit = HELD_BYTES_MAX / HEARTBEAT_BYTES_MAX;
        registry.record(namespace(1), (0..fit + 50).map(large).collect());
        assert!(registry.state.lock().bytes <= HELD_BYTES_MAX);
        assert_eq!(registry.count(namespace(2), "", false), Ok(1));
        assert!(registry.describe(namespace(1), "000000").is_err(), "the oldest goes");
        assert!(registry.describe(namespace(1), &format!("{:06}", fit + 49)).is_ok());
        registry.forget_namespace(namespace(1));
        registry.forget_namespace(namespace(2));
        assert_eq!(registry.state.lock().bytes, 0);
    }
}
