//! A poll that is held for a task which is about to be committed.

use std::sync::Arc;

use task_queue::{PollerId, Reserved, WorkerVersion};

use crate::{
    queue::Queue,
    waiter::{Handover, Waiter},
};

/// A reserved poll. It takes nothing else, and does not time out, until the reservation is
/// fulfilled or dropped; dropping it puts the poll back in its place.
#[derive(Debug)]
#[must_use = "dropping a reservation puts the poll back"]
pub struct Reservation<D> {
    queue: Arc<Queue<D>>,
    id: PollerId,
    /// Present until the reservation is fulfilled.
    waiter: Option<Waiter<D>>,
}

impl<D> Reservation<D> {
    pub(crate) fn new(queue: Arc<Queue<D>>, reserved: Reserved<Waiter<D>>) -> Self {
        Self { queue, id: reserved.id, waiter: Some(reserved.poller) }
    }

    /// The worker's identity.
    pub fn identity(&self) -> &str {
        self.waiter.as_ref().map_or("", |waiter| &waiter.request.identity)
    }

    /// The poll's request id: the same poll may ask to start a task twice.
    pub fn request_id(&self) -> &str {
        self.waiter.as_ref().map_or("", |waiter| &waiter.request.request_id)
    }

    /// Where the worker takes commands; empty when it takes none.
    pub fn worker_control_task_queue(&self) -> &str {
        self.waiter.as_ref().map_or("", |waiter| &waiter.request.worker_control_task_queue)
    }

    /// The worker's version, if it has one.
    pub fn version(&self) -> Option<&WorkerVersion> {
        self.waiter.as_ref().and_then(|waiter| waiter.request.version.as_ref())
    }

    /// Hands the started task over. Only after its commit.
    ///
    /// # Errors
    /// The task, when the poll is gone in the meantime (its connection broke, or it could wait no
    /// longer). The task is started and nobody works on it.
    pub fn fulfil(mut self, started: D) -> Result<(), D> {
        let Some(waiter) = self.waiter.take() else { return Err(started) };
        match waiter.hand_over(Handover::Started(started)) {
            Err(Handover::Started(started)) => Err(started),
            _ => Ok(()),
        }
    }
}

impl<D> Drop for Reservation<D> {
    fn drop(&mut self) {
        let Some(poller) = self.waiter.take() else { return };
        let now = self.queue.hub.now();
        let mut queue = self.queue.lock();
        match queue.core().release(Reserved { id: self.id, poller }, now) {
            Err(poller) => poller.answer_empty(),
            Ok(()) if queue.is_removed() || self.queue.hub.is_closed() => queue.empty_polls(),
            Ok(()) => queue.settle(now),
        }
    }
}
