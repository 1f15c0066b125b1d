//! One due timer.

use std::sync::Arc;

use engine::{Input, TaskAction, decide, is_current};
use model::RunId;

use crate::{
    HistoryError, commit::Commit, context::Caller, ledger::PendingTask, node::Node, slot::Slot,
    timer_ledger::TimerKey,
};

impl Node {
    /// Handles one due timer: the same path as a request, with nobody waiting for the answer.
    pub(crate) async fn handle_timer(
        self: &Arc<Self>,
        slot: &mut Slot,
        key: TimerKey,
        task: PendingTask,
    ) -> Result<(), HistoryError> {
        if matches!(task.action, TaskAction::DeleteAfterRetention(_)) {
            slot.timers.hold(key);
            self.tracker.spawn(Arc::clone(self).retention_over(slot.id, task.run_id, key));
            return Ok(());
        }
        if let TaskAction::EntityTimer(timer) = task.action {
            return self.entity_due(slot, key, task.run_id, timer).await;
        }
        let found = match self.load_run(slot, task.run_id).await {
            Err(HistoryError::Damaged(damage)) => {
                tracing::error!(%damage, "a timer of a damaged run is dropped");
                false
            }
            other => other?,
        };
        let run = slot.runs.get(&task.run_id).filter(|_| found);
        let Some(run) = run.filter(|run| is_current(&run.head, &task.action)) else {
            slot.timers.finish(key);
            return Ok(());
        };
        let caller = Caller::server(&self.namespace_of(&run.head)?);
        self.metrics.timer_due(&task.action, self.now().since(key.0));
        slot.timers.finish(key);
        self.act_on_timer(slot, &caller, task.run_id, task.action)
    }

    /// Handles the due timer of a speculative workflow task. Its run is in memory, or has lost it.
    pub(crate) fn handle_speculative_timer(
        self: &Arc<Self>,
        slot: &mut Slot,
        run_id: RunId,
        action: TaskAction,
    ) -> Result<(), HistoryError> {
        let Some(run) = slot.runs.get(&run_id) else { return Ok(()) };
        let caller = Caller::server(&self.namespace_of(&run.head)?);
        self.act_on_timer(slot, &caller, run_id, action)
    }

    fn act_on_timer(
        self: &Arc<Self>,
        slot: &mut Slot,
        caller: &Caller,
        run_id: RunId,
        action: TaskAction,
    ) -> Result<(), HistoryError> {
        let Some(run) = slot.runs.get(&run_id) else { return Ok(()) };
        let context = caller.context(self);
        match decide(&run.head, Input::TaskDue(action), &context) {
            Ok(transition) if transition.is_empty() => Ok(()),
            Ok(transition) => {
                let mut commit = Commit::default();
                commit.record(self, slot, caller, run_id, transition)?;
                commit.submit(self, slot).map(drop)
            }
            Err(rejection) => {
                tracing::debug!(%rejection, "a timer is refused");
                Ok(())
            }
        }
    }
}
