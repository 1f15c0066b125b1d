//! What the tests of the queue share.

use model::{RunId, SlotId, Span, Time};
use task_queue::{Match, Poller, PollerId, PriorityKey, QueuedTask, TaskOrder, TaskQueue};

pub(crate) const START: Time = Time::from_nanos(1_700_000_000_000_000_000);

/// A poll without a channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TestPoller {
    pub(crate) number: u64,
    pub(crate) worker: &'static str,
    pub(crate) rate: Option<f64>,
    pub(crate) deadline: Time,
}

impl Poller for TestPoller {
    fn identity(&self) -> &str {
        self.worker
    }

    fn max_tasks_per_second(&self) -> Option<f64> {
        self.rate
    }

    fn deadline(&self) -> Time {
        self.deadline
    }
}

pub(crate) type TestQueue = TaskQueue<TestPoller, u64>;

pub(crate) fn at(millis: i64) -> Time {
    START + Span::from_millis(millis)
}

pub(crate) fn poller(number: u64) -> TestPoller {
    TestPoller { number, worker: "worker", rate: None, deadline: at(60_000) }
}

pub(crate) fn task(task_id: u64, priority: i32, created: Time) -> QueuedTask {
    QueuedTask {
        slot: SlotId::new(u16::try_from(task_id % 4096).unwrap()).unwrap(),
        run_id: RunId::default(),
        task_id,
        scheduled_event_id: i64::try_from(task_id).unwrap(),
        attempt: 1,
        stamp: 0,
        order: TaskOrder {
            priority: PriorityKey::from_proto(priority),
            ..TaskOrder::created_at(created)
        },
    }
}

/// All matches that are due, as (poller number, task id).
pub(crate) fn matches(queue: &mut TestQueue, now: Time) -> Vec<(u64, u64)> {
    let mut matches = Vec::new();
    loop {
        match queue.next_match(now) {
            Match::Task(poller, task) => matches.push((poller.number, task.task_id)),
            Match::Ready(poller, _, _, item) => matches.push((poller.number, item)),
            Match::Limited(_) | Match::Nothing => return matches,
        }
    }
}

/// Adds a poll that is welcome.
pub(crate) fn poll(queue: &mut TestQueue, poller: TestPoller, now: Time) -> PollerId {
    queue.poll(poller, now).unwrap()
}
