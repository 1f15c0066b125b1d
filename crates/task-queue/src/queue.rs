//! The queue itself: who gets what.

use std::collections::{BTreeMap, BTreeSet};

use model::{SlotId, Span, Time};

use crate::{
    GaveUp, POLLER_TTL, Poller, PollerId, PollerInfo, PriorityKey, QueueLimits, QueueSettings,
    QueueStats, QueuedTask, RateLimit, ReadyId, STICKY_POLL_WINDOW, TaskOrder, backlog::Backlog,
    key_limits::KeyLimits, poller_history::PollerHistory, pollers::Pollers, rate_limit::SharedRate,
    ready::ReadyItems, scaling::PollerScaling,
};

/// One task queue. `P` stands for a waiting poll, `R` for an item that needs no commit.
#[derive(Debug)]
pub struct TaskQueue<P, R> {
    limits: QueueLimits,
    pollers: Pollers<P>,
    ready: ReadyItems<R>,
    backlog: Backlog,
    rate: SharedRate,
    key_limits: KeyLimits,
    settings: QueueSettings,
    history: PollerHistory,
    scaling: PollerScaling,
    /// Whether it belongs to one worker.
    sticky: bool,
    /// When a worker was last heard of.
    last_poll: Time,
    /// When anything last happened.
    last_use: Time,
}

/// There is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the task queue is full")]
pub struct Full;

/// What comes out of the queue next.
#[derive(Debug, PartialEq)]
pub enum Match<P, R> {
    /// A poll gets a task.
    Task(P, QueuedTask),
    /// A poll gets a ready item. The id and the deadline put it back if the poll is gone.
    Ready(P, ReadyId, Time, R),
    /// A task is held back by the rate limit until this time ([`Time::MAX`]: until something
    /// changes).
    Limited(Time),
    /// Nothing to do.
    Nothing,
}

/// A reserved poll.
#[derive(Debug, PartialEq, Eq)]
pub struct Reserved<P> {
    /// Its id.
    pub id: PollerId,
    /// What stands for it.
    pub poller: P,
}

/// How a poll ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollEnd {
    /// It got what it was reserved for.
    Fulfilled,
    /// It got something from the queue.
    Matched,
    /// Its time was over, or it was answered empty.
    Empty,
    /// Its worker is gone.
    Cancelled,
}

impl<P: Poller, R> TaskQueue<P, R> {
    /// An empty queue.
    pub fn new(limits: QueueLimits, now: Time) -> Self {
        Self {
            rate: SharedRate::new(limits.tasks_per_second, now),
            key_limits: KeyLimits::default(),
            settings: QueueSettings::default(),
            limits,
            pollers: Pollers::new(),
            ready: ReadyItems::new(),
            backlog: Backlog::default(),
            history: PollerHistory::default(),
            scaling: PollerScaling::new(now),
            sticky: false,
            last_poll: Time::UNSET,
            last_use: now,
        }
    }

    /// A poll arrives and waits. Call [`next_match`](Self::next_match) afterwards.
    ///
    /// # Errors
    /// [`Full`] when too many polls wait.
    pub fn poll(&mut self, poller: P, now: Time) -> Result<PollerId, Full> {
        self.last_use = now;
        if self.pollers.len() >= self.limits.pollers_max {
            return Err(Full);
        }
        self.last_poll = now;
        let rate = poller.max_tasks_per_second();
        if let Some(rate) = rate {
            self.rate.lock().worker_says(rate, now);
        }
        self.history.record(poller.identity(), rate, now, self.limits.identities_max);
        Ok(self.pollers.add(poller))
    }

    /// Reserves a poll for a task that is about to be committed, unless the task must wait: nobody
    /// polls, others of its priority or a higher one wait already, or the rate limit is reached.
    pub fn reserve(&mut self, priority: PriorityKey, now: Time) -> Option<Reserved<P>> {
        if self.pollers.waiting() == 0
            || self.backlog.precedes(priority)
            || self.rate.lock().take(now).is_err()
        {
            return None;
        }
        self.last_use = now;
        self.pollers.reserve(priority).map(|(id, poller)| Reserved { id, poller })
    }

    /// The same for a task whose place is known: the limit of its fairness key counts too.
    pub fn reserve_for(&mut self, order: &TaskOrder, now: Time) -> Option<Reserved<P>> {
        if self.pollers.waiting() == 0 || self.backlog.precedes(order.priority) {
            return None;
        }
        let weight = self.weight(order);
        self.key_limits.take(order, weight, self.limits.fairness_keys_max, now).ok()?;
        let reserved = self.reserve(order.priority, now);
        if reserved.is_none() {
            self.key_limits.refund(order);
        }
        reserved
    }

    /// Puts a reserved poll back in its place. Call [`next_match`](Self::next_match) afterwards.
    ///
    /// # Errors
    /// The poller, when its time is over or it is gone: it is to be answered empty.
    pub fn release(&mut self, reserved: Reserved<P>, now: Time) -> Result<(), P> {
        self.rate.lock().refund();
        self.pollers.release(reserved.id, reserved.poller, now)
    }

    /// A committed task waits for a poller. Call [`next_match`](Self::next_match) afterwards.
    ///
    /// # Errors
    /// The task, when its priority is full; its slot is asked for it again when there is room.
    pub fn offer(&mut self, task: QueuedTask, now: Time) -> Result<(), QueuedTask> {
        self.last_use = now;
        let weight = self.weight(&task.order);
        let fairness = self.limits.fairness || !self.settings.fairness_weights.is_empty();
        self.backlog.add(task, weight, fairness, &self.limits, now)
    }

    /// Puts a task back that was handed out for nothing. Call [`next_match`](Self::next_match)
    /// afterwards.
    pub fn put_back(&mut self, task: QueuedTask, now: Time) {
        self.rate.lock().refund();
        self.key_limits.refund(&task.order);
        self.last_use = now;
        self.backlog.put_back(task, now);
    }

    /// An item that needs no commit waits for a poller, up to its deadline. Call
    /// [`next_match`](Self::next_match) afterwards.
    ///
    /// # Errors
    /// The item, when too many wait.
    pub fn offer_ready(&mut self, item: R, deadline: Time, now: Time) -> Result<ReadyId, R> {
        if self.ready.len() >= self.limits.ready_max {
            return Err(item);
        }
        self.last_use = now;
        let id = self.ready.next_id();
        self.ready.insert(id, deadline, item);
        Ok(id)
    }

    /// Puts a ready item back that was handed out for nothing.
    pub fn put_back_ready(&mut self, id: ReadyId, deadline: Time, item: R) {
        self.ready.insert(id, deadline, item);
    }

    /// Takes a ready item out, unless it was handed out.
    pub fn withdraw(&mut self, id: ReadyId) -> Option<R> {
        self.ready.withdraw(id)
    }

    /// The next match. Call again until there is none.
    pub fn next_match(&mut self, now: Time) -> Match<P, R> {
        if self.pollers.waiting() == 0 {
            return Match::Nothing;
        }
        if let Some((id, deadline, item)) = self.ready.take(now) {
            self.last_use = now;
            return match self.pollers.take() {
                Some(poller) => Match::Ready(poller, id, deadline, item),
                None => Match::Nothing,
            };
        }
        if self.backlog.is_empty() {
            return Match::Nothing;
        }
        if let Err(at) = self.rate.lock().take(now) {
            return Match::Limited(at);
        }
        let taken = match self.take_from_backlog(now) {
            Ok(taken) => taken,
            Err(at) => {
                self.rate.lock().refund();
                return Match::Limited(at);
            }
        };
        self.last_use = now;
        match (self.pollers.take(), taken) {
            (Some(poller), Some(task)) => Match::Task(poller, task),
            _ => Match::Nothing,
        }
    }

    fn take_from_backlog(&mut self, now: Time) -> Result<Option<QueuedTask>, Time> {
        if !self.key_limits.are_set() {
            return Ok(self.backlog.take(now));
        }
        let (settings, keys_max) = (&self.settings, self.limits.fairness_keys_max);
        let key_limits = &mut self.key_limits;
        let ready =
            |order: &TaskOrder| key_limits.take(order, weight(settings, order), keys_max, now);
        self.backlog.take_ready(now, ready).map(Some)
    }

    fn weight(&self, order: &TaskOrder) -> f32 {
        weight(&self.settings, order)
    }

    /// The time of a poll is over: it leaves, unless something is on its way to it.
    pub fn give_up(&mut self, id: PollerId) -> GaveUp {
        self.pollers.give_up(id)
    }

    /// A poll has ended.
    pub fn end_poll(&mut self, id: PollerId, end: PollEnd, now: Time) {
        match end {
            PollEnd::Fulfilled => {
                if let Some(priority) = self.pollers.fulfilled(id) {
                    self.backlog.passed_through(priority, now);
                }
            }
            PollEnd::Matched | PollEnd::Empty | PollEnd::Cancelled => self.pollers.remove(id),
        }
        // A worker that went away was last heard of when it polled.
        if end != PollEnd::Cancelled {
            self.last_poll = now;
        }
        self.last_use = now;
    }

    /// Advice about the number of polls to a worker whose poll got something after `waited`.
    pub fn poller_scaling(&mut self, waited: Span, now: Time) -> Option<i32> {
        self.scaling.decide(waited, self.backlog.total_stats(now), now)
    }

    /// Takes a waiting poll that fits; it is to be answered empty.
    pub fn take_poller_where(&mut self, fits: impl Fn(&P) -> bool) -> Option<P> {
        self.pollers.take_where(fits)
    }

    /// An identity is no longer among those that polled lately.
    pub fn forget_poller(&mut self, identity: &str) {
        self.history.remove(identity);
    }

    /// The queue belongs to one worker. Its tasks move on by a time-out when the worker is gone.
    pub fn mark_sticky(&mut self) {
        self.sticky = true;
    }

    /// True for a queue that belongs to one worker.
    pub fn is_sticky(&self) -> bool {
        self.sticky
    }

    /// Takes all slots that hold refused tasks, room or not: the queue is given up.
    pub fn take_all_overflow(&mut self) -> BTreeSet<SlotId> {
        self.backlog.take_all_overflow()
    }

    /// Takes the whole backlog, in order.
    pub fn drain_backlog(&mut self) -> Vec<QueuedTask> {
        self.backlog.drain()
    }

    /// Takes all ready items.
    pub fn drain_ready(&mut self) -> Vec<R> {
        self.ready.drain()
    }

    /// True when a worker waits here or was heard of within this span.
    pub fn has_polled_within(&self, span: Span, now: Time) -> bool {
        self.pollers.len() > 0 || (self.last_poll.is_set() && now.since(self.last_poll) < span)
    }

    /// True when a sticky queue still has its worker.
    pub fn is_sticky_live(&self, now: Time) -> bool {
        self.has_polled_within(STICKY_POLL_WINDOW, now)
    }

    /// True when tasks were refused and there is room for them.
    pub fn wants_more(&self) -> bool {
        self.backlog.wants_more(&self.limits)
    }

    /// Takes slots that hold refused tasks for which there is room, at most `most`.
    pub fn take_overflow(&mut self, most: usize) -> Vec<SlotId> {
        self.backlog.take_overflow(most, &self.limits)
    }

    /// Sets or clears the API's rate limit, in tasks per second. Call
    /// [`next_match`](Self::next_match) afterwards.
    pub fn set_rate_limit(&mut self, tasks_per_second: Option<f64>) {
        self.rate.lock().set_api(tasks_per_second);
    }

    /// Takes over settings. Tasks that wait already keep their places. Call
    /// [`next_match`](Self::next_match) afterwards.
    pub fn configure(&mut self, settings: QueueSettings) {
        self.rate.lock().set_api(settings.tasks_per_second);
        self.key_limits.configure(&settings);
        self.settings = settings;
    }

    /// Shares the rate limit of another version of the queue.
    pub fn share_rate_limit(&mut self, with: &Self) {
        self.rate = with.rate.clone();
    }

    /// The rate limit in force.
    pub fn rate_limit(&self, now: Time) -> RateLimit {
        self.rate.lock().in_force(now)
    }

    /// Who polled lately, by identity.
    pub fn pollers(&self, now: Time) -> Vec<PollerInfo> {
        self.history.recent(now)
    }

    /// Statistics in all.
    pub fn stats(&self, now: Time) -> QueueStats {
        self.backlog.total_stats(now)
    }

    /// Statistics per priority that was ever used.
    pub fn stats_by_priority(&self, now: Time) -> BTreeMap<PriorityKey, QueueStats> {
        self.backlog.stats(now)
    }

    /// Tasks that wait in memory.
    pub fn backlog_len(&self) -> usize {
        self.backlog.len()
    }

    /// Polls that wait or are reserved.
    pub fn poller_count(&self) -> usize {
        self.pollers.len()
    }

    /// True when the queue holds nothing and was not used for so long.
    pub fn is_idle(&self, span: Span, now: Time) -> bool {
        self.is_unused_for(span, now) && self.backlog.is_empty() && !self.backlog.has_overflow()
    }

    /// True when nobody has used the queue for five minutes, whatever its backlog.
    pub fn is_abandoned(&self, now: Time) -> bool {
        self.is_unused_for(POLLER_TTL, now)
    }

    fn is_unused_for(&self, span: Span, now: Time) -> bool {
        self.pollers.len() == 0
            && self.ready.len() == 0
            && !self.rate.lock().has_api_limit()
            && now.since(self.last_use) >= span
    }
}

/// A fairness key's weight: what the settings say, or else the task.
fn weight(settings: &QueueSettings, order: &TaskOrder) -> f32 {
    let key = order.fairness_key.as_deref().unwrap_or("");
    settings.fairness_weights.get(key).copied().unwrap_or(order.fairness_weight)
}
