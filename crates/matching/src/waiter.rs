//! What stands for a waiting poll inside a queue.

use model::Time;
use task_queue::{Poller, QueuedTask, ReadyId};
use tokio::sync::oneshot;

use crate::PollRequest;

/// What travels to a waiting poll.
#[derive(Debug)]
pub(crate) enum Handover<D> {
    Started(D),
    Queued(QueuedTask),
    Ready { id: ReadyId, deadline: Time, item: D },
    Empty,
}

/// A waiting poll: who it is and the way to it.
#[derive(Debug)]
pub(crate) struct Waiter<D> {
    pub(crate) request: PollRequest,
    pub(crate) sender: oneshot::Sender<Handover<D>>,
}

impl<D> Waiter<D> {
    /// Hands something over.
    ///
    /// # Errors
    /// What was to be handed over, when the poll is gone.
    pub(crate) fn hand_over(self, handover: Handover<D>) -> Result<(), Handover<D>> {
        self.sender.send(handover)
    }

    /// Answers the poll empty. One that is gone needs no answer.
    pub(crate) fn answer_empty(self) {
        drop(self.sender.send(Handover::Empty));
    }
}

impl<D> Poller for Waiter<D> {
    fn identity(&self) -> &str {
        &self.request.identity
    }

    fn max_tasks_per_second(&self) -> Option<f64> {
        self.request.max_tasks_per_second
    }

    fn deadline(&self) -> Time {
        self.request.deadline
    }
}
