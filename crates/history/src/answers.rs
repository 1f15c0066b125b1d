//! Questions that workers have without a commit: who waits for which answer.
//!
//! Nothing of them is stored. One that is lost with its server fails, and is asked again.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::HistoryError;

/// Most questions of one kind that wait for workers' answers.
const WAITING_MAX: usize = 10_000;

/// The questions of one kind that are with workers, or on their way to one, by their ids.
#[derive(Debug)]
pub(crate) struct Answers<A> {
    waiting: Mutex<BTreeMap<Uuid, oneshot::Sender<A>>>,
}

/// A place among those who wait; dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct Awaited<A> {
    pub(crate) answer: oneshot::Receiver<A>,
    id: Uuid,
    answers: Arc<Answers<A>>,
}

impl<A> Default for Answers<A> {
    fn default() -> Self {
        Self { waiting: Mutex::default() }
    }
}

impl<A> Answers<A> {
    /// Waits for the answer to a question that is about to be asked.
    pub(crate) fn await_answer(self: &Arc<Self>, id: Uuid) -> Result<Awaited<A>, HistoryError> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            let text = "too many questions wait for workers".to_owned();
            return Err(HistoryError::ResourceExhausted(text));
        }
        waiting.insert(id, sender);
        Ok(Awaited { id, answer, answers: Arc::clone(self) })
    }

    /// Hands a worker's answer on; false when nobody waits for it.
    pub(crate) fn answer(&self, id: &Uuid, answer: A) -> bool {
        let asker = self.waiting.lock().remove(id);
        asker.is_some_and(|asker| asker.send(answer).is_ok())
    }
}

impl<A> Drop for Awaited<A> {
    fn drop(&mut self) {
        self.answers.waiting.lock().remove(&self.id);
    }
}
