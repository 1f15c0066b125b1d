//! What the tests of the shell share.

use std::sync::Arc;

use environment::{Clock, SimulatedClock};
use matching::{
    Matched, Matching, MatchingLimits, PollRefused, PollRequest, Polled, PriorityKey, QueueLimits,
    QueueSettings, QueuedTask, TaskOrder, TaskQueueKey,
};
use model::{NamespaceId, RunId, SlotId, Span, Time};
use tokio::task::JoinHandle;

const BASE: Time = Time::from_nanos(1_700_000_000_000_000_000);

/// Matching in virtual time, and what drives it.
pub(crate) struct Bench {
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) matching: Arc<Matching<String>>,
    driver: JoinHandle<()>,
}

pub(crate) type PollTask = JoinHandle<Result<Polled<String>, PollRefused>>;

impl Drop for Bench {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_limits(MatchingLimits::default())
    }

    pub(crate) fn with_queue_limits(queue: QueueLimits) -> Self {
        Self::with_limits(MatchingLimits { queue, ..MatchingLimits::default() })
    }

    pub(crate) fn with_limits(limits: MatchingLimits) -> Self {
        let clock = Arc::new(SimulatedClock::starting_at(BASE));
        let matching = Arc::new(Matching::new(Arc::clone(&clock) as Arc<dyn Clock>, limits));
        let runner = Arc::clone(&matching);
        let driver = tokio::spawn(async move { runner.run().await });
        Self { clock, matching, driver }
    }

    /// Milliseconds since the start.
    pub(crate) fn millis(&self) -> i64 {
        self.clock.now().since(BASE).millis()
    }

    pub(crate) fn request(&self, worker: &str) -> PollRequest {
        PollRequest {
            identity: worker.to_owned(),
            request_id: format!("{worker}-request"),
            worker_instance_key: format!("{worker}-key"),
            worker_control_task_queue: String::new(),
            max_tasks_per_second: None,
            version: None,
            deadline: self.clock.now() + Span::from_secs(60),
        }
    }

    /// Sets or clears the API's rate limit.
    pub(crate) fn limit(&self, key: &TaskQueueKey, tasks_per_second: Option<f64>) {
        let settings = QueueSettings { tasks_per_second, ..QueueSettings::default() };
        self.matching.configure(key, settings);
    }

    /// Starts a poll and lets it wait.
    pub(crate) async fn start_poll(&self, key: &TaskQueueKey, request: PollRequest) -> PollTask {
        let (matching, key) = (Arc::clone(&self.matching), key.clone());
        let poll = tokio::spawn(async move { matching.poll(&key, request).await });
        tokio::task::yield_now().await;
        poll
    }

    pub(crate) async fn start_worker_poll(&self, key: &TaskQueueKey, worker: &str) -> PollTask {
        self.start_poll(key, self.request(worker)).await
    }

    /// Stops the worker of [`Bench::request`]; how many of its polls waited.
    pub(crate) fn stop(&self, worker: &str, key: &TaskQueueKey) -> usize {
        let instance = format!("{worker}-key");
        let queues = std::slice::from_ref(key);
        self.matching.stop_worker(key.namespace_id, &instance, worker, queues)
    }

    /// Polls to the end.
    pub(crate) async fn poll(&self, key: &TaskQueueKey, worker: &str) -> Matched<String> {
        self.matching.poll(key, self.request(worker)).await.unwrap().matched
    }
}

pub(crate) async fn matched(poll: PollTask) -> Matched<String> {
    poll.await.unwrap().unwrap().matched
}

pub(crate) fn queue(name: &str) -> TaskQueueKey {
    TaskQueueKey::workflow(NamespaceId::from_bytes([1; 16]), name)
}

pub(crate) fn task(task_id: u64) -> QueuedTask {
    QueuedTask {
        slot: SlotId::new(u16::try_from(task_id % 4096).unwrap()).unwrap(),
        run_id: RunId::default(),
        task_id,
        scheduled_event_id: i64::try_from(task_id).unwrap(),
        attempt: 1,
        stamp: 0,
        order: TaskOrder::created_at(BASE + Span::from_nanos(i64::try_from(task_id).unwrap())),
    }
}

pub(crate) fn task_of_priority(task_id: u64, priority: i32) -> QueuedTask {
    let mut task = task(task_id);
    task.order.priority = PriorityKey::from_proto(priority);
    task
}

/// The id of a queued task that a poll got.
pub(crate) fn queued_id(matched: &Matched<String>) -> u64 {
    match matched {
        Matched::Queued(task) => task.task_id,
        other => panic!("not a queued task: {other:?}"),
    }
}

pub(crate) fn started(text: &str) -> Matched<String> {
    Matched::Started(text.to_owned())
}

pub(crate) async fn sleep(millis: u64) {
    tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
}
