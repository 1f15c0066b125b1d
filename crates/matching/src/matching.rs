//! The service.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use environment::Clock;
use model::{NamespaceId, SlotId, Time};
use parking_lot::Mutex;
use task_queue::{
    Full, PriorityKey, QueueStats, QueuedTask, TaskOrder, TaskQueueKey, TaskQueueKind,
};
use tokio::sync::oneshot;

use crate::{
    Drained, MatchingLimits, PollRequest, Polled, PublishedRoutes, QueueDescription, ReadyTicket,
    Reservation, hub::Hub, limits::RECENT_POLL_WINDOW, poll::WaitingPoll, queue::LockedQueue,
    registry::Registry, stopped::StoppedWorkers, waiter::Waiter,
};

/// All task queues of a node. `D` is what a worker gets for a started task or a query.
pub struct Matching<D> {
    pub(crate) hub: Arc<Hub>,
    pub(crate) registry: Registry<D>,
    limits: MatchingLimits,
    stopped_workers: StoppedWorkers,
    pub(crate) routes: ArcSwap<PublishedRoutes>,
    pub(crate) changing_routes: Mutex<()>,
}

/// Says nothing of what is in it: whoever prints what has a `Matching` in it does not want every
/// task, nor the program the means to print them.
impl<D> fmt::Debug for Matching<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Matching").finish_non_exhaustive()
    }
}

/// How much matching holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Task queues.
    pub queues: usize,
    /// Polls that wait or are reserved.
    pub pollers: usize,
    /// Tasks in memory.
    pub backlog: usize,
}

/// Why a poll is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PollRefused {
    /// Too many polls wait at the queue.
    #[error("too many polls wait at the task queue")]
    TooManyPollers,
    /// There are too many queues.
    #[error("too many task queues")]
    TooManyQueues,
}

/// Why matching does not take a task or an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferRefused {
    /// The worker of the sticky queue is gone: the task belongs to the normal queue.
    #[error("the worker of the sticky task queue is gone")]
    StickyWorkerGone,
    /// The queue is full, or there are too many queues. A task stays with its slot, which
    /// [`Matching::next_drained`] names when there is room.
    #[error("the task queue is full")]
    Full,
}

impl<D: Send + 'static> Matching<D> {
    /// Matching without any queue. Somebody has to [`run`](Self::run) it.
    pub fn new(clock: Arc<dyn Clock>, limits: MatchingLimits) -> Self {
        let hub = Arc::new(Hub::new(clock));
        Self {
            registry: Registry::new(Arc::clone(&hub), limits.clone()),
            hub,
            stopped_workers: StoppedWorkers::new(limits.stopped_workers_max),
            limits,
            routes: ArcSwap::default(),
            changing_routes: Mutex::default(),
        }
    }

    /// Wakes queues whose rate limit lets tasks through again. Never returns; one tracked task
    /// runs it, and without it tasks that a limit held back wait for the next poll.
    pub async fn run(&self) {
        loop {
            let key = self.hub.next_alarm().await;
            if let Some(mut queue) = self.registry.lock(&key) {
                queue.settle(self.hub.now());
            }
        }
    }

    /// Polls a queue: waits for a task, up to the request's deadline. A poll that is reserved when
    /// its time is over waits up to 0.9 s longer. Dropping the future takes the poll out.
    ///
    /// # Errors
    /// When there is no room for the poll.
    pub async fn poll(
        &self,
        key: &TaskQueueKey,
        request: PollRequest,
    ) -> Result<Polled<D>, PollRefused> {
        let deadline = request.deadline;
        match self.begin_poll(key, request)? {
            Some(poll) => Ok(poll.wait(deadline).await),
            None => Ok(Polled::empty()),
        }
    }

    fn begin_poll(
        &self,
        key: &TaskQueueKey,
        request: PollRequest,
    ) -> Result<Option<WaitingPoll<D>>, PollRefused> {
        let now = self.hub.now();
        let (sender, receiver) = oneshot::channel();
        let mut queue = self.registry.lock_or_add(key, now).ok_or(PollRefused::TooManyQueues)?;
        // Under the queue's lock: a poll that is in the queue when its worker stops is found there.
        let instance = &request.worker_instance_key;
        if self.hub.is_closed() || self.stopped_workers.contains(key.namespace_id, instance, now) {
            return Ok(None);
        }
        let polled = queue.core().poll(Waiter { request, sender }, now);
        let id = polled.map_err(|Full| PollRefused::TooManyPollers)?;
        queue.settle(now);
        let queue = Arc::clone(&queue.queue);
        Ok(Some(WaitingPoll { queue, id, receiver, since: now, ended: false }))
    }

    /// Reserves the poll that waits longest for a task that is about to be committed. `None` when
    /// nobody waits, when tasks of this priority or a higher one wait already, or when the rate
    /// limit is reached: then the task is to be [offered](Self::offer) after its commit.
    pub fn reserve(&self, key: &TaskQueueKey, priority: PriorityKey) -> Option<Reservation<D>> {
        let now = self.hub.now();
        let mut queue = self.registry.lock(key)?;
        let reserved = queue.core().reserve(priority, now)?;
        Some(Reservation::new(Arc::clone(&queue.queue), reserved))
    }

    /// The same for a task whose place is known: the limit of its fairness key counts too.
    pub fn reserve_for(&self, key: &TaskQueueKey, order: &TaskOrder) -> Option<Reservation<D>> {
        let now = self.hub.now();
        let mut queue = self.registry.lock(key)?;
        let reserved = queue.core().reserve_for(order, now)?;
        Some(Reservation::new(Arc::clone(&queue.queue), reserved))
    }

    /// Offers a committed task that no worker has started. `kind` says whether the queue is a
    /// worker's sticky queue.
    ///
    /// # Errors
    /// When the worker of a sticky queue is gone, or there is no room.
    pub fn offer(
        &self,
        key: &TaskQueueKey,
        kind: TaskQueueKind,
        task: QueuedTask,
    ) -> Result<(), OfferRefused> {
        let now = self.hub.now();
        let mut queue = self.lock_live(key, kind, now).inspect_err(|refused| {
            self.note_homeless(*refused, task.slot);
        })?;
        queue.core().offer(task, now).map_err(|_| OfferRefused::Full)?;
        queue.settle(now);
        Ok(())
    }

    /// Dispatches an item that needs no commit, such as a query. It waits for a poll up to its
    /// deadline and counts against no rate limit.
    ///
    /// # Errors
    /// The item, when the worker of a sticky queue is gone, or there is no room.
    pub fn dispatch(
        &self,
        key: &TaskQueueKey,
        kind: TaskQueueKind,
        item: D,
        deadline: Time,
    ) -> Result<ReadyTicket<D>, (OfferRefused, D)> {
        let now = self.hub.now();
        let mut queue = match self.lock_live(key, kind, now) {
            Ok(queue) => queue,
            Err(refused) => return Err((refused, item)),
        };
        let id = queue
            .core()
            .offer_ready(item, deadline, now)
            .map_err(|item| (OfferRefused::Full, item))?;
        queue.settle(now);
        Ok(ReadyTicket::new(Arc::clone(&queue.queue), id))
    }

    /// Locks a queue that may be given something.
    fn lock_live(
        &self,
        key: &TaskQueueKey,
        kind: TaskQueueKind,
        now: Time,
    ) -> Result<LockedQueue<D>, OfferRefused> {
        match kind {
            TaskQueueKind::Normal => self.registry.lock_or_add(key, now).ok_or(OfferRefused::Full),
            TaskQueueKind::Sticky => {
                let queue = self.registry.lock(key).filter(|queue| queue.is_sticky_live(now));
                let mut queue = queue.ok_or(OfferRefused::StickyWorkerGone)?;
                queue.core().mark_sticky();
                Ok(queue)
            }
        }
    }

    /// A task found no queue: its slot is named when another queue can be made.
    fn note_homeless(&self, refused: OfferRefused, slot: SlotId) {
        if refused == OfferRefused::Full {
            self.hub.add_homeless([slot]);
        }
    }

    /// True when a sticky queue has its worker: one waits, or polled in the last ten seconds.
    pub fn is_sticky_live(&self, key: &TaskQueueKey) -> bool {
        let now = self.hub.now();
        self.registry.lock(key).is_some_and(|queue| queue.is_sticky_live(now))
    }

    /// True when a worker waits at the queue or polled it in the last 20 seconds. A query whose
    /// queue has none fails early.
    pub fn has_recent_poller(&self, key: &TaskQueueKey) -> bool {
        let now = self.hub.now();
        let queue = self.registry.lock(key);
        queue.is_some_and(|mut queue| queue.core().has_polled_within(RECENT_POLL_WINDOW, now))
    }

    /// The worker of a sticky queue shuts down: its polls are answered empty, and the tasks that
    /// waited for it, which come back, belong to the normal queue. Queries that waited are dropped.
    pub fn unload(&self, key: &TaskQueueKey) -> Vec<QueuedTask> {
        let Some(mut queue) = self.registry.remove(key) else { return Vec::new() };
        queue.empty_polls();
        let tasks = queue.core().drain_backlog();
        self.hub.add_homeless(queue.core().take_all_overflow());
        self.hub.queues_changed();
        let ready = queue.core().drain_ready();
        // Items may run code of their owner when dropped: not under the lock.
        drop(queue);
        drop(ready);
        tasks
    }

    /// A namespace is gone: the polls at its queues are answered empty, and what waits is dropped.
    pub fn forget_namespace(&self, namespace_id: NamespaceId) {
        for queue in self.registry.all() {
            if queue.key.namespace_id == namespace_id {
                drop(self.unload(&queue.key));
            }
        }
    }

    /// A worker shuts down: its polls that wait at these queues are answered empty, and so are those
    /// that arrive late at any; descriptions of the queues do not show its identity any more. Returns
    /// how many waited.
    pub fn stop_worker(
        &self,
        namespace_id: NamespaceId,
        worker_instance_key: &str,
        identity: &str,
        queues: &[TaskQueueKey],
    ) -> usize {
        if worker_instance_key.is_empty() {
            return 0;
        }
        // First: a poll that comes in between is either seen here or sees this.
        self.stopped_workers.add(namespace_id, worker_instance_key, self.hub.now());
        let is_its = |waiter: &Waiter<D>| waiter.request.worker_instance_key == worker_instance_key;
        let mut completed = 0;
        for queue in queues.iter().flat_map(|key| self.registry.family(key)) {
            let mut queue = queue.lock();
            while let Some(waiter) = queue.core().take_poller_where(is_its) {
                waiter.answer_empty();
                completed += 1;
            }
            queue.core().forget_poller(identity);
        }
        completed
    }

    /// Describes a queue; `None` for one that nobody has used lately.
    pub fn describe(&self, key: &TaskQueueKey) -> Option<QueueDescription> {
        let now = self.hub.now();
        let mut queue = self.registry.lock(key)?;
        let core = queue.core();
        Some(QueueDescription {
            pollers: core.pollers(now),
            stats: core.stats(now),
            stats_by_priority: core.stats_by_priority(now),
            rate_limit: core.rate_limit(now),
        })
    }

    /// What waits at each queue that is no worker's own. Walks over all queues: for metrics.
    pub fn backlogs(&self) -> Vec<(TaskQueueKey, QueueStats)> {
        let now = self.hub.now();
        let mut backlogs = Vec::new();
        for queue in self.registry.all() {
            let mut locked = queue.lock();
            if !locked.core().is_sticky() {
                backlogs.push((queue.key.clone(), locked.core().stats(now)));
            }
        }
        backlogs
    }

    /// Waits for room: names slots that are to offer again the tasks that were refused. Call again
    /// once they have done so. The slot may be named before [`offer`](Self::offer) has returned its
    /// refusal: note a task as refused first, and strike it out when it is taken.
    pub async fn next_drained(&self) -> Drained {
        loop {
            while let Some(key) = self.hub.take_drained() {
                let slots = self.take_overflow(&key);
                if !slots.is_empty() {
                    return Drained { key: Some(key), slots, dropped: Vec::new() };
                }
            }
            if let Some(drained) = self.hub.take_homeless(self.limits.drained_slots_max) {
                return drained;
            }
            self.hub.wait_for_room().await;
        }
    }

    fn take_overflow(&self, key: &TaskQueueKey) -> Vec<SlotId> {
        let Some(mut queue) = self.registry.lock(key) else { return Vec::new() };
        let slots = queue.core().take_overflow(self.limits.drained_slots_max);
        if queue.core().wants_more() {
            self.hub.queue_has_room(key);
        }
        slots
    }

    /// The node drains: all waiting polls are answered empty, and so are those that still come.
    /// Reserved polls get what is on its way to them.
    pub fn shutdown(&self) {
        self.hub.close();
        for queue in self.registry.all() {
            queue.lock().empty_polls();
        }
    }

    /// How much matching holds. Walks over all queues: for metrics, not for the hot path.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for queue in self.registry.all() {
            let mut queue = queue.lock();
            totals.queues += 1;
            totals.pollers += queue.core().poller_count();
            totals.backlog += queue.core().backlog_len();
        }
        totals
    }
}
