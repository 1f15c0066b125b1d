//! How a writer learns the outcome of its batch.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use crate::CommitError;

type Outcome = Result<(), CommitError>;

/// The store's half of a pending commit.
#[derive(Debug)]
pub struct CommitResponder(oneshot::Sender<Outcome>);

/// The writer's half of a pending commit: a future of its outcome.
#[derive(Debug)]
pub struct CommitReceipt(State);

#[derive(Debug)]
enum State {
    Settled(Outcome),
    Pending(oneshot::Receiver<Outcome>),
}

/// Makes the two halves of a pending commit.
pub fn commit_receipt() -> (CommitResponder, CommitReceipt) {
    let (sender, receiver) = oneshot::channel();
    (CommitResponder(sender), CommitReceipt(State::Pending(receiver)))
}

impl CommitResponder {
    /// Tells the writer. A writer that stopped listening is no error.
    pub fn respond(self, outcome: Result<(), CommitError>) {
        drop(self.0.send(outcome));
    }
}

impl CommitReceipt {
    /// A receipt whose outcome is known when it is handed out.
    pub const fn settled(outcome: Result<(), CommitError>) -> Self {
        Self(State::Settled(outcome))
    }
}

impl Future for CommitReceipt {
    type Output = Result<(), CommitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Settled(outcome) => Poll::Ready(outcome.clone()),
            // A store that drops the responder has not said whether it wrote.
            State::Pending(receiver) => Pin::new(receiver)
                .poll(context)
                .map(|said| said.unwrap_or(Err(CommitError::Unknown))),
        }
    }
}
