//! What the queues of a node share: time, the rate limits' alarm, and news of room.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use environment::Clock;
use model::{SlotId, Time};
use parking_lot::Mutex;
use task_queue::{QueuedTask, ScheduledTask, TaskQueueKey};
use tokio::sync::Notify;

/// Slots that are to offer their tasks again, because there is room for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// The queue that has room; `None` when queues came or went.
    pub key: Option<TaskQueueKey>,
    /// The slots that are to offer the tasks that were refused.
    pub slots: Vec<SlotId>,
    /// Tasks of these slots that were taken, and that matching dropped with a queue that nobody
    /// worked on. They are to be offered like those that were refused.
    pub dropped: Vec<(SlotId, ScheduledTask)>,
}

/// Slots with tasks whose queue was dropped, or could not be made.
#[derive(Debug, Default)]
struct Homeless {
    /// Per slot, the tasks that were taken and dropped.
    slots: BTreeMap<SlotId, Vec<ScheduledTask>>,
    /// Queues came or went since they were asked: it is worth asking again.
    ask: bool,
}

/// Its locks are held for an instant and never while another is taken. There is at most one entry
/// per queue in each set, and one per slot among the homeless.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) clock: Arc<dyn Clock>,
    closed: AtomicBool,
    /// Queues that a rate limit holds back, and until when.
    alarms: Mutex<BTreeSet<(Time, TaskQueueKey)>>,
    alarm_set: Notify,
    /// Queues that refused tasks and have room again.
    drained: Mutex<BTreeSet<TaskQueueKey>>,
    homeless: Mutex<Homeless>,
    room: Notify,
}

impl Hub {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            closed: AtomicBool::new(false),
            alarms: Mutex::default(),
            alarm_set: Notify::new(),
            drained: Mutex::default(),
            homeless: Mutex::default(),
            room: Notify::new(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// From now on polls are answered empty. A queue's lock, taken after this, publishes it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Moves a queue's alarm; [`Time::MAX`] is none.
    pub(crate) fn move_alarm(&self, key: &TaskQueueKey, from: Time, to: Time) {
        let mut alarms = self.alarms.lock();
        if from != Time::MAX {
            alarms.remove(&(from, key.clone()));
        }
        if to != Time::MAX {
            alarms.insert((to, key.clone()));
            self.alarm_set.notify_one();
        }
    }

    /// Waits for the next alarm that is due and takes it. Its queue is to be settled.
    pub(crate) async fn next_alarm(&self) -> TaskQueueKey {
        loop {
            let next = match self.take_due_alarm() {
                Ok(key) => return key,
                Err(next) => next,
            };
            let Some(next) = next else {
                self.alarm_set.notified().await;
                continue;
            };
            tokio::select! {
                biased;
                () = self.alarm_set.notified() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    /// Takes an alarm that is due, or says when the next one is.
    fn take_due_alarm(&self) -> Result<TaskQueueKey, Option<Time>> {
        let mut alarms = self.alarms.lock();
        let Some((at, key)) = alarms.pop_first() else { return Err(None) };
        if at <= self.now() {
            return Ok(key);
        }
        alarms.insert((at, key));
        Err(Some(at))
    }

    /// A queue has room for tasks that it refused.
    pub(crate) fn queue_has_room(&self, key: &TaskQueueKey) {
        let is_news = self.drained.lock().insert(key.clone());
        if is_news {
            self.room.notify_one();
        }
    }

    /// Tasks that these slots kept have no queue.
    pub(crate) fn add_homeless(&self, slots: impl IntoIterator<Item = SlotId>) {
        let mut homeless = self.homeless.lock();
        for slot in slots {
            homeless.slots.entry(slot).or_default();
        }
    }

    /// Tasks that were taken have no queue any more.
    pub(crate) fn add_dropped(&self, tasks: impl IntoIterator<Item = QueuedTask>) {
        let mut homeless = self.homeless.lock();
        for task in tasks {
            homeless.slots.entry(task.slot).or_default().push(task.scheduled());
        }
    }

    /// Queues came or went: tasks without a queue may find one.
    pub(crate) fn queues_changed(&self) {
        let mut homeless = self.homeless.lock();
        if !homeless.slots.is_empty() {
            homeless.ask = true;
            drop(homeless);
            self.room.notify_one();
        }
    }

    /// Takes up to `most` slots whose tasks have no queue, if it is worth asking them.
    pub(crate) fn take_homeless(&self, most: usize) -> Option<Drained> {
        let mut homeless = self.homeless.lock();
        if !homeless.ask {
            return None;
        }
        let mut drained = Drained { key: None, slots: Vec::new(), dropped: Vec::new() };
        while drained.slots.len() < most
            && let Some((slot, tasks)) = homeless.slots.pop_first()
        {
            drained.slots.push(slot);
            drained.dropped.extend(tasks.into_iter().map(|task| (slot, task)));
        }
        homeless.ask = !homeless.slots.is_empty();
        (!drained.slots.is_empty()).then_some(drained)
    }

    /// Takes a queue that has room.
    pub(crate) fn take_drained(&self) -> Option<TaskQueueKey> {
        self.drained.lock().pop_first()
    }

    /// Waits for news of room. News that came before is not lost.
    pub(crate) async fn wait_for_room(&self) {
        self.room.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use environment::SystemClock;

    use super::*;

    fn slots(numbers: std::ops::Range<u16>) -> Vec<SlotId> {
        numbers.filter_map(SlotId::new).collect()
    }

    #[test]
    fn slots_without_a_queue_are_asked_once_per_change_and_a_few_at_a_time() {
        let hub = Hub::new(Arc::new(SystemClock::new()));
        hub.add_homeless(slots(0..5));
        assert_eq!(hub.take_homeless(2), None, "no queue came or went");
        hub.queues_changed();
        let mut asked = Vec::new();
        while let Some(drained) = hub.take_homeless(2) {
            assert!(drained.slots.len() <= 2);
            asked.extend(drained.slots);
        }
        assert_eq!(asked, slots(0..5));
        hub.add_homeless(slots(0..1));
        assert_eq!(hub.take_homeless(2), None);
    }
}
