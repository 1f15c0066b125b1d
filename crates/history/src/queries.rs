//! Queries in memory: those that wait for a run's workflow task, and those that a worker has.
//!
//! Nothing of a query is stored. One that is lost with its server fails, and its caller asks again.

use std::{collections::BTreeMap, sync::Arc};

use api::query::v1::WorkflowQuery;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{HistoryError, QueryAnswer};

/// Most queries that wait for workers' answers without a workflow task, over all runs.
const DIRECT_QUERIES_MAX: usize = 10_000;

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

/// The queries that are with workers, or on their way to one, by their ids.
#[derive(Debug, Default)]
pub(crate) struct DirectQueries {
    waiting: Mutex<BTreeMap<Uuid, oneshot::Sender<QueryAnswer>>>,
}

/// A caller's place among the direct queries; dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct DirectQuery {
    pub(crate) id: Uuid,
    pub(crate) answer: oneshot::Receiver<QueryAnswer>,
    queries: Arc<DirectQueries>,
}

impl DirectQueries {
    pub(crate) fn ask(self: &Arc<Self>, id: Uuid) -> Result<DirectQuery, HistoryError> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        if waiting.len() >= DIRECT_QUERIES_MAX {
            return Err(HistoryError::ResourceExhausted("too many queries wait".to_owned()));
        }
        waiting.insert(id, sender);
        Ok(DirectQuery { id, answer, queries: Arc::clone(self) })
    }

    /// Hands a worker's answer to its caller; false when nobody waits for it.
    pub(crate) fn answer(&self, id: &Uuid, answer: QueryAnswer) -> bool {
        let caller = self.waiting.lock().remove(id);
        caller.is_some_and(|caller| caller.send(answer).is_ok())
    }
}

impl Drop for DirectQuery {
    fn drop(&mut self) {
        self.queries.waiting.lock().remove(&self.id);
    }
}
