//! A long poll.

use std::sync::Arc;

use model::{Span, Time};
use task_queue::{GaveUp, PollEnd, PollerId, QueuedTask, WorkerVersion};
use tokio::sync::oneshot;

use crate::{limits::RESERVATION_GRACE, queue::Queue, waiter::Handover};

/// A worker's poll.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PollRequest {
    /// The worker's identity.
    pub identity: String,
    /// The poll's own id, fresh for each poll.
    pub request_id: String,
    /// The worker's instance key; empty when it has none.
    pub worker_instance_key: String,
    /// Where the worker takes commands; empty when it takes none.
    pub worker_control_task_queue: String,
    /// The worker's `max_tasks_per_second`, when the poll names one; 0 stops the queue.
    pub max_tasks_per_second: Option<f64>,
    /// The worker's version, if it has one.
    pub version: Option<WorkerVersion>,
    /// When the poll is answered empty: a second before the client gives up.
    pub deadline: Time,
}

/// What a poll got.
#[derive(Debug, PartialEq)]
pub enum Matched<D> {
    /// A task whose start is committed.
    Started(D),
    /// A task that history has yet to start; when it turns out to be obsolete, poll on.
    Queued(QueuedTask),
    /// An item that needs no commit, such as a query.
    Ready(D),
    /// Nothing came up.
    Empty,
}

/// A poll's answer.
#[derive(Debug, PartialEq)]
pub struct Polled<D> {
    /// What it got.
    pub matched: Matched<D>,
    /// About how many tasks still wait in memory (`backlog_count_hint`).
    pub backlog_count_hint: i64,
    /// The `poll_request_delta_suggestion` of the answer, if there is one.
    pub poller_delta: Option<i32>,
}

impl<D> Polled<D> {
    /// The answer of a poll that got nothing.
    pub const fn empty() -> Self {
        Self { matched: Matched::Empty, backlog_count_hint: 0, poller_delta: None }
    }
}

/// A poll in its queue. Dropping it takes it out at once.
pub(crate) struct WaitingPoll<D> {
    pub(crate) queue: Arc<Queue<D>>,
    pub(crate) id: PollerId,
    pub(crate) receiver: oneshot::Receiver<Handover<D>>,
    pub(crate) since: Time,
    pub(crate) ended: bool,
}

impl<D> WaitingPoll<D> {
    /// Waits for something to do, up to the deadline.
    pub(crate) async fn wait(mut self, deadline: Time) -> Polled<D> {
        let handover = match self.receiver.try_recv() {
            Ok(handover) => handover,
            Err(_) => self.wait_until(deadline).await,
        };
        self.end(handover)
    }

    async fn wait_until(&mut self, deadline: Time) -> Handover<D> {
        let clock = Arc::clone(&self.queue.hub.clock);
        tokio::select! {
            biased;
            received = &mut self.receiver => return received.unwrap_or(Handover::Empty),
            () = clock.sleep(deadline.since(clock.now())) => {}
        }
        let gave_up = self.queue.lock().core().give_up(self.id);
        match gave_up {
            GaveUp::Yes => Handover::Empty,
            GaveUp::HandedOver => self.receiver.try_recv().unwrap_or(Handover::Empty),
            GaveUp::Reserved => {
                tokio::select! {
                    biased;
                    received = &mut self.receiver => received.unwrap_or(Handover::Empty),
                    () = clock.sleep(RESERVATION_GRACE) => {
                        // From here on the reservation finds nobody.
                        self.receiver.close();
                        self.receiver.try_recv().unwrap_or(Handover::Empty)
                    }
                }
            }
        }
    }

    fn end(mut self, handover: Handover<D>) -> Polled<D> {
        let now = self.queue.hub.now();
        let (matched, end) = match handover {
            Handover::Started(started) => (Matched::Started(started), PollEnd::Fulfilled),
            Handover::Queued(task) => (Matched::Queued(task), PollEnd::Matched),
            Handover::Ready { item, .. } => (Matched::Ready(item), PollEnd::Matched),
            Handover::Empty => (Matched::Empty, PollEnd::Empty),
        };
        let mut queue = self.queue.lock();
        let core = queue.core();
        core.end_poll(self.id, end, now);
        self.ended = true;
        if end == PollEnd::Empty {
            return Polled::empty();
        }
        let waited: Span = now.since(self.since);
        Polled {
            matched,
            backlog_count_hint: i64::try_from(core.backlog_len()).unwrap_or(i64::MAX),
            poller_delta: core.poller_scaling(waited, now),
        }
    }
}

impl<D> Drop for WaitingPoll<D> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let now = self.queue.hub.now();
        let mut queue = self.queue.lock();
        queue.core().end_poll(self.id, PollEnd::Cancelled, now);
        self.receiver.close();
        match self.receiver.try_recv() {
            Ok(Handover::Queued(task)) => queue.core().put_back(task, now),
            Ok(Handover::Ready { id, deadline, item }) => {
                queue.core().put_back_ready(id, deadline, item);
            }
            // A started task that was on its way to a broken connection ends by its time-out.
            Ok(Handover::Started(_) | Handover::Empty) | Err(_) => return,
        }
        queue.settle(now);
    }
}
