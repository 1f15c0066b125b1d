//! Polls that wait.

use std::collections::BTreeMap;

use model::Time;

use crate::PriorityKey;

/// Names a poll of one queue. Later polls have higher ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollerId(pub(crate) u64);

/// What became of a poll whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaveUp {
    /// It waited and is out of the queue.
    Yes,
    /// It is reserved: something is on its way and it must wait a little longer.
    Reserved,
    /// Something was handed to it already.
    HandedOver,
}

/// What a queue must know about whatever stands for a waiting poll.
pub trait Poller {
    /// The worker's identity.
    fn identity(&self) -> &str;
    /// The worker's `max_tasks_per_second`, when the poll names one.
    fn max_tasks_per_second(&self) -> Option<f64>;
    /// When it is answered empty.
    fn deadline(&self) -> Time;
}

/// Waiting and reserved polls.
///
/// The poll that waits longest is served first, which spreads the load over the workers of a queue.
/// Serving the latest would keep one worker busy while the others idle, and gains nothing: the
/// cache locality of workflows is what sticky queues are for.
#[derive(Debug)]
pub(crate) struct Pollers<P> {
    waiting: BTreeMap<PollerId, P>,
    /// Reserved polls, with the priority of the task that is on its way.
    reserved: BTreeMap<PollerId, PriorityKey>,
    next_id: u64,
}

impl<P: Poller> Pollers<P> {
    pub(crate) const fn new() -> Self {
        Self { waiting: BTreeMap::new(), reserved: BTreeMap::new(), next_id: 0 }
    }

    /// Waiting and reserved polls together.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.reserved.len()
    }

    /// Polls that could take something.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn add(&mut self, poller: P) -> PollerId {
        let id = PollerId(self.next_id);
        self.next_id += 1;
        self.waiting.insert(id, poller);
        id
    }

    /// Takes the poll that waits longest.
    pub(crate) fn take(&mut self) -> Option<P> {
        self.waiting.pop_first().map(|(_, poller)| poller)
    }

    /// Reserves the poll that waits longest.
    pub(crate) fn reserve(&mut self, priority: PriorityKey) -> Option<(PollerId, P)> {
        let (id, poller) = self.waiting.pop_first()?;
        self.reserved.insert(id, priority);
        Some((id, poller))
    }

    /// Puts a reserved poll back in its place.
    ///
    /// # Errors
    /// The poller, when its time is over or the poll is gone.
    pub(crate) fn release(&mut self, id: PollerId, poller: P, now: Time) -> Result<(), P> {
        if self.reserved.remove(&id).is_none() || poller.deadline() <= now {
            return Err(poller);
        }
        self.waiting.insert(id, poller);
        Ok(())
    }

    /// Removes a reserved poll that got what it was reserved for, and says the task's priority.
    pub(crate) fn fulfilled(&mut self, id: PollerId) -> Option<PriorityKey> {
        self.reserved.remove(&id)
    }

    /// Removes a poll whose time is over, unless it is reserved.
    pub(crate) fn give_up(&mut self, id: PollerId) -> GaveUp {
        if self.waiting.remove(&id).is_some() {
            GaveUp::Yes
        } else if self.reserved.contains_key(&id) {
            GaveUp::Reserved
        } else {
            GaveUp::HandedOver
        }
    }

    /// Removes a poll, wherever it is.
    pub(crate) fn remove(&mut self, id: PollerId) {
        self.waiting.remove(&id);
        self.reserved.remove(&id);
    }

    /// Removes the first waiting poll that fits.
    pub(crate) fn take_where(&mut self, fits: impl Fn(&P) -> bool) -> Option<P> {
        let found = self.waiting.iter().find(|(_, poller)| fits(poller));
        let id = found.map(|(id, _)| *id)?;
        self.waiting.remove(&id)
    }
}
