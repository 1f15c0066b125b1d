//! Queries in memory that wait for a run's workflow task.
//!
//! Nothing of a query is stored. One that is lost with its server fails, and its caller asks again.

use api::query::v1::WorkflowQuery;
use tokio::sync::oneshot;

use crate::QueryAnswer;

/// A query that waits for a workflow task of its run.
#[derive(Debug)]
pub(crate) struct BufferedQuery {
    /// What the worker's answer carries.
    pub(crate) id: String,
    pub(crate) query: WorkflowQuery,
    caller: oneshot::Sender<Buffered>,
}

/// What becomes of a buffered query. Dropped without an answer, its caller asks the slot again.
pub(crate) type Buffered = QueryAnswer;

impl BufferedQuery {
    pub(crate) fn new(id: String, query: WorkflowQuery) -> (Self, oneshot::Receiver<Buffered>) {
        let (caller, receiver) = oneshot::channel();
        (Self { id, query, caller }, receiver)
    }

    /// True when nobody waits for the answer any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }

    /// Tells the caller.
    pub(crate) fn answer(self, answer: QueryAnswer) {
        // A caller that has gone away needs no answer.
        drop(self.caller.send(answer));
    }
}
