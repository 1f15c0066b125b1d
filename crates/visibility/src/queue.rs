//! Changes on their way to the writer: bounded, in order.

use std::{collections::VecDeque, time::Duration};

use model::SlotId;
use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;

use crate::{
    Error,
    change::{Change, Submission, Ticket},
    writer::BATCH_MAX,
};

/// How long the writer lets changes gather while nobody waits for them: a run that starts and
/// closes in this time is written once, and neighbours share pages.
const GATHER: Duration = Duration::from_millis(200);

/// The waiting changes. Async for those who submit, blocking for the writer.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    room: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Submission>,
    last: Ticket,
    /// Somebody waits for everything up to this ticket.
    wanted: Ticket,
    closed: bool,
}

/// What the writer gets.
#[derive(Debug)]
pub(crate) enum Taken {
    /// At least one change.
    Batch(Vec<Submission>),
    /// Nothing arrived in time.
    Idle,
    /// Nothing waits and nothing will come.
    Closed,
}

impl State {
    /// True while a batch may still grow without anybody waiting for it.
    fn gathers(&self, max: usize) -> bool {
        let wanted = self.waiting.front().is_some_and(|first| first.ticket <= self.wanted);
        !self.closed && !wanted && self.waiting.len() < max
    }
}

impl Queue {
    pub(crate) fn new(changes_max: usize) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), room: Semaphore::new(changes_max) }
    }

    /// Waits for room.
    pub(crate) async fn push(
        &self,
        slot: SlotId,
        seq: u64,
        change: Change,
    ) -> Result<Ticket, Error> {
        let permit = self.room.acquire().await.map_err(|_| Error::Closed)?;
        permit.forget();
        self.enqueue(slot, seq, change)
    }

    /// Does not wait.
    pub(crate) fn try_push(&self, slot: SlotId, seq: u64, change: Change) -> Result<Ticket, Error> {
        match self.room.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(tokio::sync::TryAcquireError::NoPermits) => return Err(Error::Busy),
            Err(tokio::sync::TryAcquireError::Closed) => return Err(Error::Closed),
        }
        self.enqueue(slot, seq, change)
    }

    fn enqueue(&self, slot: SlotId, seq: u64, change: Change) -> Result<Ticket, Error> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        state.last = Ticket(state.last.0 + 1);
        let ticket = state.last;
        state.waiting.push_back(Submission { ticket, slot, seq, change });
        // In between the writer gathers, and is not woken for each.
        let wakes = matches!(state.waiting.len(), 1 | BATCH_MAX);
        drop(state);
        if wakes {
            self.arrived.notify_one();
        }
        Ok(ticket)
    }

    /// The next ticket, for a change that needs no queue.
    pub(crate) fn next_ticket(&self) -> Ticket {
        let mut state = self.state.lock();
        state.last = Ticket(state.last.0 + 1);
        state.last
    }

    /// Somebody waits for everything up to this ticket: no more gathering.
    pub(crate) fn hurry(&self, ticket: Ticket) {
        let mut state = self.state.lock();
        state.wanted = state.wanted.max(ticket);
        drop(state);
        self.arrived.notify_one();
    }

    /// The ticket of the last change that was pushed.
    pub(crate) fn last(&self) -> Ticket {
        self.state.lock().last
    }

    /// Takes up to `max` changes, and waits for the first: for ever, or so long.
    pub(crate) fn take(&self, max: usize, patience: Option<Duration>) -> Taken {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            match patience {
                None => self.arrived.wait(&mut state),
                Some(patience) => {
                    let waited = self.arrived.wait_for(&mut state, patience);
                    if waited.timed_out() && state.waiting.is_empty() && !state.closed {
                        return Taken::Idle;
                    }
                }
            }
        }
        if state.gathers(max) {
            self.arrived.wait_for(&mut state, GATHER);
        }
        let count = state.waiting.len().min(max);
        let batch: Vec<Submission> = state.waiting.drain(..count).collect();
        drop(state);
        self.room.add_permits(batch.len());
        Taken::Batch(batch)
    }

    /// Waits out a failure; true if the queue was closed meanwhile.
    pub(crate) fn pause(&self, patience: Duration) -> bool {
        let mut state = self.state.lock();
        while !state.closed {
            if self.arrived.wait_for(&mut state, patience).timed_out() {
                break;
            }
        }
        state.closed
    }

    /// Refuses further changes; those that wait are still taken.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.room.close();
        self.arrived.notify_all();
    }
}
