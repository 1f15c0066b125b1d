//! Items that are handed over without a commit.

use std::sync::Arc;

use task_queue::ReadyId;

use crate::queue::Queue;

/// A dispatched item that somebody waits for. Dropping the ticket takes the item out of the queue,
/// unless a poll has it already.
#[derive(Debug)]
#[must_use = "dropping a ticket takes the item out of the queue"]
pub struct ReadyTicket<D> {
    queue: Arc<Queue<D>>,
    id: ReadyId,
}

impl<D> ReadyTicket<D> {
    pub(crate) const fn new(queue: Arc<Queue<D>>, id: ReadyId) -> Self {
        Self { queue, id }
    }

    /// Takes the item back, to dispatch it elsewhere. `None` when a poll has it, or when its
    /// deadline passed.
    pub fn withdraw(self) -> Option<D> {
        self.queue.lock().core().withdraw(self.id)
    }
}

impl<D> Drop for ReadyTicket<D> {
    fn drop(&mut self) {
        let item = self.queue.lock().core().withdraw(self.id);
        // Dropped only here, outside the lock: an item may run code of its owner.
        drop(item);
    }
}
