//! Histories, page by page, and waiting for what comes next.

use std::{ops::Range, sync::Arc};

use authz::Permit;
use engine::State;
use model::Time;
use namespace::Namespace;

use crate::{Execution, History, HistoryError, HistoryPage, RunKey, node::not_found};

impl History {
    /// Durable batches of a run that hold these events, at most `batches_max` of them (and never
    /// more than 256). The page without a next event is the last one of them.
    ///
    /// # Errors
    /// When there is no such run, or a record of it is damaged.
    pub async fn read_history(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        run: &RunKey,
        events: Range<i64>,
        batches_max: usize,
    ) -> Result<HistoryPage, HistoryError> {
        let live = self.live_run(namespace, &execution(run)).await?;
        let state = live.durable().ok_or_else(|| not_found(&run.workflow))?;
        let to = events.end.min(state.next_event_id);
        self.node.read_forward(run.slot(), &live, events.start, to, batches_max).await
    }

    /// Durable batches of a run from the batch that holds `from_event` (0: the last event)
    /// down to the first, as many as [`History::read_history`] gives. Batches and their events come
    /// in falling order.
    ///
    /// # Errors
    /// When there is no such run, or a record of it is damaged.
    pub async fn read_history_reverse(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        run: &RunKey,
        from_event: i64,
        batches_max: usize,
    ) -> Result<HistoryPage, HistoryError> {
        let live = self.live_run(namespace, &execution(run)).await?;
        let state = live.durable().ok_or_else(|| not_found(&run.workflow))?;
        let last = state.last_event_id();
        let from = if from_event <= 0 { last } else { from_event.min(last) };
        self.node.read_backward(run.slot(), &live, from, batches_max).await
    }

    /// Waits until an event above `after_event` is durable, the run has closed, or the deadline
    /// has passed; and gives the durable state. An empty run id in `execution` means the run that
    /// is current when the wait begins.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn wait_for_history(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        run: &RunKey,
        after_event: i64,
        deadline: Time,
    ) -> Result<Arc<State>, HistoryError> {
        let clock = Arc::clone(&self.node.environment.clock);
        let mut expired = clock.sleep_until(deadline);
        loop {
            let live = self.live_run(namespace, &execution(run)).await?;
            loop {
                let changed = live.changed();
                tokio::pin!(changed);
                // Counts from here on, not from the first poll.
                changed.as_mut().enable();
                if live.is_lost() {
                    break;
                }
                let state = live.durable().ok_or_else(|| not_found(&run.workflow))?;
                if state.last_event_id() > after_event || !state.is_running() {
                    return Ok(state);
                }
                tokio::select! {
                    biased;
                    () = &mut changed => {}
                    () = self.node.stopping.cancelled() => return Ok(state),
                    () = &mut expired => return Ok(state),
                }
            }
        }
    }
}

fn execution(run: &RunKey) -> Execution {
    Execution::run(run.workflow.workflow_id.clone(), run.run_id)
}
