//! What a slot commits, and how it learns the outcome.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use model::{SlotId, Time};
use tokio::sync::oneshot;

use crate::{CommitError, Table};

/// Counts the owners of a slot: each claim has a higher one than the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// How far the durable tasks of a slot are done. Rows below a cursor are dead: no reader starts
/// below it, and a backend may drop them whenever it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursors {
    /// Immediate tasks with a lower id are done.
    pub immediate: u64,
    /// Timers that were due before this time are done.
    pub timer: Time,
    /// Visibility tasks with a lower id are done.
    pub visibility: u64,
}

/// The fence and cursors of a slot, as last committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotRow {
    /// Who may write.
    pub epoch: Epoch,
    /// Batches committed so far; the next one must expect exactly this.
    pub seq: u64,
    /// Where task reads start.
    pub cursors: Cursors,
    /// Task ids below this may have been used.
    pub next_task_id: u64,
}

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Insert or replace.
    Put {
        /// The table.
        table: Table,
        /// The key, with the batch's slot as prefix.
        key: Bytes,
        /// The plain value; the store seals it.
        value: Bytes,
    },
    /// Remove, if present.
    Delete {
        /// The table.
        table: Table,
        /// The key, with the batch's slot as prefix.
        key: Bytes,
    },
}

/// Everything that one step changes in one slot: applied as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotBatch {
    /// The slot that every key belongs to.
    pub slot: SlotId,
    /// The slot row as it must be before: same epoch, same seq.
    pub expect: Fence,
    /// Cursors to store with the batch.
    pub cursors: Cursors,
    /// The task id counter to store with the batch.
    pub next_task_id: u64,
    /// The changes, in order.
    pub writes: Vec<Write>,
}

/// The fence that a batch expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fence {
    /// The writer's epoch.
    pub epoch: Epoch,
    /// The slot's seq before the batch; afterwards it is one higher.
    pub seq: u64,
}

/// The store's half of a pending commit.
#[derive(Debug)]
pub struct CommitResponder(oneshot::Sender<Result<(), CommitError>>);

/// The writer's half of a pending commit: a future of its outcome.
#[derive(Debug)]
pub struct CommitReceipt(oneshot::Receiver<Result<(), CommitError>>);

/// Makes the two halves of a pending commit.
pub fn commit_receipt() -> (CommitResponder, CommitReceipt) {
    let (sender, receiver) = oneshot::channel();
    (CommitResponder(sender), CommitReceipt(receiver))
}

impl CommitResponder {
    /// Tells the writer. A writer that stopped listening is no error.
    pub fn respond(self, outcome: Result<(), CommitError>) {
        drop(self.0.send(outcome));
    }
}

impl Future for CommitReceipt {
    type Output = Result<(), CommitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // A store that drops the responder has not said whether it wrote.
        Pin::new(&mut self.0).poll(context).map(|said| said.unwrap_or(Err(CommitError::Unknown)))
    }
}
