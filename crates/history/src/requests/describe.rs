//! What a run is like.

use std::sync::Arc;

use authz::Permit;
use engine::State;
use model::SlotId;
use namespace::Namespace;

use crate::{Execution, History, HistoryError, RunKey, node::not_found, run::LiveRun};

/// A run and its durable state.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDescription {
    /// Which run.
    pub run: RunKey,
    /// Its state as of the last commit.
    pub state: Arc<State>,
}

impl History {
    /// The durable state of a run.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn describe(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
    ) -> Result<RunDescription, HistoryError> {
        let live = self.live_run(namespace, execution).await?;
        let state = live.durable().ok_or_else(|| not_found(&live.key.workflow))?;
        Ok(RunDescription { run: live.key.clone(), state })
    }

    /// The run that a workflow has now, or had last.
    ///
    /// # Errors
    /// When there is none.
    pub async fn current_run(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        workflow_id: &str,
    ) -> Result<RunKey, HistoryError> {
        let execution = Execution::current(workflow_id);
        Ok(self.describe(permit, namespace, &execution).await?.run)
    }

    /// The durable side of a run whose first commit has been acknowledged.
    pub(crate) async fn live_run(
        &self,
        namespace: &Namespace,
        execution: &Execution,
    ) -> Result<Arc<LiveRun>, HistoryError> {
        let workflow = execution.key(namespace.id);
        let (live, barrier) = {
            let mut slot = self.lock(SlotId::of(&workflow)).await?;
            let run_id = self.node.find_run(&mut slot, &workflow, execution.run_id).await?;
            let run = slot.runs.get(&run_id).ok_or_else(|| not_found(&workflow))?;
            (Arc::clone(&run.live), slot.barrier())
        };
        if live.durable().is_none() {
            barrier.wait().await?;
        }
        Ok(live)
    }
}
