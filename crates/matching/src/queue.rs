//! One queue behind its lock.

use std::sync::Arc;

use model::Time;
use parking_lot::{ArcMutexGuard, Mutex, RawMutex};
use task_queue::{Match, QueueLimits, TaskQueue, TaskQueueKey};

use crate::{
    hub::Hub,
    waiter::{Handover, Waiter},
};

/// A queue. Everything that happens to it happens under one short lock.
#[derive(Debug)]
pub(crate) struct Queue<D> {
    pub(crate) key: TaskQueueKey,
    pub(crate) hub: Arc<Hub>,
    state: Arc<Mutex<QueueState<D>>>,
}

#[derive(Debug)]
struct QueueState<D> {
    core: TaskQueue<Waiter<D>, D>,
    /// It is out of the registry; whoever still holds it looks it up again.
    removed: bool,
    /// When the rate limit lets the next task through; [`Time::MAX`] when nothing is held back.
    alarm: Time,
}

/// A queue whose lock is held.
pub(crate) struct LockedQueue<D> {
    pub(crate) queue: Arc<Queue<D>>,
    state: ArcMutexGuard<RawMutex, QueueState<D>>,
}

impl<D> Queue<D> {
    pub(crate) fn new(key: TaskQueueKey, hub: Arc<Hub>, limits: QueueLimits, now: Time) -> Self {
        let core = TaskQueue::new(limits, now);
        let state = QueueState { core, removed: false, alarm: Time::MAX };
        Self { key, hub, state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn lock(self: &Arc<Self>) -> LockedQueue<D> {
        LockedQueue { queue: Arc::clone(self), state: self.state.lock_arc() }
    }
}

impl<D> LockedQueue<D> {
    /// The pure queue. After a change that may lead to a match, [`settle`](Self::settle).
    pub(crate) fn core(&mut self) -> &mut TaskQueue<Waiter<D>, D> {
        &mut self.state.core
    }

    /// True when the queue is out of the registry. Nothing may be added to it.
    pub(crate) fn is_removed(&self) -> bool {
        self.state.removed
    }

    /// True when a sticky queue still has its worker.
    pub(crate) fn is_sticky_live(&self, now: Time) -> bool {
        self.state.core.is_sticky_live(now)
    }

    /// Marks the queue as out of the registry.
    pub(crate) fn mark_removed(&mut self) {
        self.state.removed = true;
        self.move_alarm(Time::MAX);
    }

    /// Hands over whatever can be handed over.
    pub(crate) fn settle(&mut self, now: Time) {
        let alarm = self.hand_over_matches(now);
        self.move_alarm(alarm);
        if self.core().wants_more() {
            self.queue.hub.queue_has_room(&self.queue.key);
        }
    }

    /// Answers all polls that wait.
    pub(crate) fn empty_polls(&mut self) {
        while let Some(waiter) = self.core().take_poller_where(|_| true) {
            waiter.answer_empty();
        }
    }

    fn move_alarm(&mut self, to: Time) {
        let from = std::mem::replace(&mut self.state.alarm, to);
        if from != to {
            self.queue.hub.move_alarm(&self.queue.key, from, to);
        }
    }

    /// Returns when the rate limit lets the next task through.
    fn hand_over_matches(&mut self, now: Time) -> Time {
        loop {
            match self.core().next_match(now) {
                Match::Task(waiter, task) => {
                    if let Err(Handover::Queued(task)) = waiter.hand_over(Handover::Queued(task)) {
                        self.core().put_back(task, now);
                    }
                }
                Match::Ready(waiter, id, deadline, item) => {
                    let handover = Handover::Ready { id, deadline, item };
                    if let Err(Handover::Ready { item, .. }) = waiter.hand_over(handover) {
                        self.core().put_back_ready(id, deadline, item);
                    }
                }
                Match::Limited(at) => return at,
                Match::Nothing => return Time::MAX,
            }
        }
    }
}
