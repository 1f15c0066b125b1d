//! Word to an entity that a workflow it started has closed.

use std::sync::Arc;

use ::entity::{ClosedWorkflow, Watcher};
use api::{
    RawHistory, common::v1::WorkflowExecution, enums::v1::WorkflowExecutionStatus,
    history::v1::history_event::Attributes,
};
use engine::{RunRef, State, TaskAction, is_current};
use model::{NamespaceId, RunId, SlotId, WorkflowKey};

use super::held;
use crate::{
    HistoryError, context::Caller, ledger::PendingTask, node::Node, recovery::report, run::LiveRun,
};

impl Node {
    /// Tells the entities that wait for the end of a chain of runs, and then forgets the task.
    pub(super) async fn try_notify_closed(
        self: &Arc<Self>,
        slot_id: SlotId,
        run_id: RunId,
    ) -> Result<(), HistoryError> {
        let task = PendingTask { run_id, action: TaskAction::NotifyClosed(RunRef {}) };
        let live = {
            let mut slot = self.lock(slot_id).await?;
            match self.load_run(&mut slot, run_id).await {
                Err(HistoryError::Damaged(damage)) => {
                    report(&damage);
                    None
                }
                Err(error) => return Err(error),
                Ok(_) => slot.runs.get(&run_id).map(|run| Arc::clone(&run.live)),
            }
        };
        let state = live.as_ref().and_then(|live| live.durable());
        if let Some((live, state)) = live.as_ref().zip(state)
            && is_current(&state, &task.action)
        {
            self.tell_watchers(slot_id, live, &state).await?;
        }
        Ok(())
    }

    /// A run that is deleted at once after its end has nothing left to tell later.
    pub(crate) async fn notify_before_deletion(
        self: &Arc<Self>,
        slot_id: SlotId,
        run_id: RunId,
    ) -> Result<(), HistoryError> {
        let task = PendingTask { run_id, action: TaskAction::NotifyClosed(RunRef {}) };
        {
            let slot = self.lock(slot_id).await?;
            // What the slot has no room to know of may be told twice.
            if slot.immediate.find(&task).is_none() && slot.immediate.horizon().is_none() {
                return Ok(());
            }
        }
        self.try_notify_closed(slot_id, run_id).await
    }

    /// A chain of runs that has closed tells so at once to who waits for it, not only soon. Run ids
    /// are those of the first runs. Where the workflow's id has passed to another chain, only a
    /// first run that was the last one, too, is found.
    pub(super) async fn tell_if_closed(
        self: &Arc<Self>,
        namespace_id: NamespaceId,
        chain: &WorkflowExecution,
    ) -> Result<(), HistoryError> {
        let workflow = WorkflowKey { namespace_id, workflow_id: chain.workflow_id.clone() };
        let slot_id = SlotId::of(&workflow);
        let current = {
            let mut slot = self.lock(slot_id).await?;
            self.find_current(&mut slot, &workflow).await
        };
        let current = match current {
            Err(HistoryError::Damaged(damage)) => {
                report(&damage);
                None
            }
            other => other?,
        };
        let first = chain.run_id.parse::<RunId>().ok();
        for run_id in current.into_iter().chain(first.filter(|first| Some(*first) != current)) {
            self.try_notify_closed(slot_id, run_id).await?;
        }
        Ok(())
    }

    async fn tell_watchers(
        self: &Arc<Self>,
        slot_id: SlotId,
        live: &LiveRun,
        state: &State,
    ) -> Result<(), HistoryError> {
        let closed = self.closed_workflow(slot_id, live, state).await?;
        for watcher in state.watchers().filter_map(|known| Watcher::from_callback(&known)) {
            self.tell_watcher(&watcher, closed.clone()).await?;
        }
        Ok(())
    }

    /// A watcher that is gone, or replaced, hears nothing.
    async fn tell_watcher(
        self: &Arc<Self>,
        watcher: &Watcher,
        closed: ClosedWorkflow,
    ) -> Result<(), HistoryError> {
        let Watcher { key, instance } = watcher;
        let outcome = {
            let mut slot = self.lock(key.slot()).await?;
            let found = match self.load_entity(&mut slot, *instance).await {
                Err(HistoryError::Damaged(damage)) => {
                    report(&damage);
                    false
                }
                other => other?,
            };
            let cached = slot.entities.get(instance).filter(|_| found);
            let Some(head) = cached.and_then(|cached| cached.head.clone()) else { return Ok(()) };
            let Some(namespace) = self.namespaces.by_id(key.namespace_id) else { return Ok(()) };
            let caller = Caller::server(&namespace);
            match head.decide_closed(closed, &held::context(self, &caller, key, *instance)) {
                Ok(next) => self.commit_entity(&mut slot, *instance, next).await?,
                Err(rejection) => {
                    tracing::error!(%rejection, "an entity refuses the end of its workflow");
                    return Ok(());
                }
            }
        };
        outcome.wait().await
    }

    async fn closed_workflow(
        &self,
        slot_id: SlotId,
        live: &LiveRun,
        state: &State,
    ) -> Result<ClosedWorkflow, HistoryError> {
        let last = state.last_event_id();
        let page = self.read_forward(slot_id, live, last, last + 1, 1).await?;
        let mut closed = ClosedWorkflow {
            workflow_id: state.workflow_id.clone(),
            run_id: state.run_id.clone(),
            first_execution_run_id: state.first_execution_run_id().to_owned(),
            status: WorkflowExecutionStatus::try_from(state.status).unwrap_or_default(),
            close_time: state.close_time,
            ..ClosedWorkflow::default()
        };
        let events = page.batches.last().cloned().map(RawHistory::from_encoded);
        let events = events.and_then(|events| events.decode_events().ok()).unwrap_or_default();
        match events.into_iter().next_back().and_then(|event| event.attributes) {
            Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) => {
                closed.result = completed.result;
            }
            Some(Attributes::WorkflowExecutionFailedEventAttributes(failed)) => {
                closed.failure = failed.failure;
            }
            _ => {}
        }
        Ok(closed)
    }
}
