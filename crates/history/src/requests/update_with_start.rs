//! An update that starts its workflow if need be.

use std::sync::Arc;

use api::enums::v1::{WorkflowExecutionStatus, WorkflowIdConflictPolicy};
use authz::Permit;
use engine::{Rejection, UpdateStage as KnownStage, UpdateWorkflow};
use model::{RunId, SlotId, WorkflowKey};
use namespace::Namespace;

use crate::{
    History, HistoryError, StartRequest, commit::Outcome, context::Caller, node::SlotGuard,
};

use super::update::{
    Found, UpdateRequest, UpdateStatus, UpdateWait, Waited, known_update, update_id,
};

/// A start and an update of the same workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateWithStartRequest {
    /// What is started when there is no run to update.
    pub start: StartRequest,
    /// What the run is asked.
    pub update: UpdateRequest,
}

/// What an update with start led to.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateWithStartOutcome {
    /// True when a run was started.
    pub started: bool,
    /// The run's status.
    pub status: WorkflowExecutionStatus,
    /// The update.
    pub update: UpdateStatus,
}

/// Which of the two operations failed; the other was not carried out, or had its effect.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpdateWithStartError {
    /// The start failed.
    #[error("{0}")]
    Start(HistoryError),
    /// The update of a run that was there failed.
    #[error("{0}")]
    Update(HistoryError),
    /// The run was started, and its update failed.
    #[error("{0}")]
    UpdateAfterStart(HistoryError),
}

/// A run that was found or started, before its commit.
struct Decided {
    started: bool,
    status: WorkflowExecutionStatus,
    update: Found,
}

impl History {
    /// Updates the open run of a workflow, or starts one with the update in its first workflow
    /// task.
    ///
    /// # Errors
    /// See [`UpdateWithStartError`].
    pub async fn update_with_start(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        request: UpdateWithStartRequest,
    ) -> Result<UpdateWithStartOutcome, UpdateWithStartError> {
        let caller = Caller::new(permit, namespace);
        let UpdateWithStartRequest { start, update } = request;
        let mut wait = self.update_wait(update.wait_stage, update.deadline);
        let mut retried = false;
        loop {
            let outcome = self.try_update_with_start(&caller, &start, &update, &mut wait).await?;
            match outcome {
                Tried::Done(outcome) => return Ok(outcome),
                Tried::Closing(error) if retried => {
                    // The client may try once more, with another run.
                    return Err(UpdateWithStartError::Update(match error {
                        HistoryError::Rejected(rejection) => {
                            HistoryError::Aborted(rejection.to_string())
                        }
                        error => error,
                    }));
                }
                Tried::Closing(_) => retried = true,
                Tried::Lost => {}
            }
        }
    }

    async fn try_update_with_start(
        &self,
        caller: &Caller,
        start: &StartRequest,
        update: &UpdateRequest,
        wait: &mut UpdateWait,
    ) -> Result<Tried, UpdateWithStartError> {
        let workflow = WorkflowKey {
            namespace_id: caller.namespace_id(),
            workflow_id: start.start.attributes.workflow_id.clone(),
        };
        let (decided, outcome) = {
            let locked = self.lock(SlotId::of(&workflow)).await;
            let mut slot = locked.map_err(UpdateWithStartError::Start)?;
            let current = self.node.find_current(&mut slot, &workflow).await;
            let current = current.map_err(UpdateWithStartError::Start)?;
            self.decide_update_with_start(&mut slot, caller, current, start, update)?
        };
        outcome.wait().await.map_err(UpdateWithStartError::Start)?;
        let Decided { started, status, update } = decided?;
        let failed = |error| {
            if started {
                UpdateWithStartError::UpdateAfterStart(error)
            } else {
                UpdateWithStartError::Update(error)
            }
        };
        match self.wait_for_update(update, wait).await {
            Ok(Waited::Reached(update)) => {
                Ok(Tried::Done(UpdateWithStartOutcome { started, status, update }))
            }
            Ok(Waited::AskAgain(HistoryError::Unavailable(_))) => Ok(Tried::Lost),
            Ok(Waited::AskAgain(error)) => Err(failed(error)),
            Err(error @ HistoryError::Rejected(Rejection::UpdateAbortedByClosing)) if !started => {
                Ok(Tried::Closing(error))
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn decide_update_with_start(
        &self,
        slot: &mut SlotGuard<'_>,
        caller: &Caller,
        current: Option<RunId>,
        start: &StartRequest,
        update: &UpdateRequest,
    ) -> Result<(Result<Decided, UpdateWithStartError>, Outcome), UpdateWithStartError> {
        use UpdateWithStartError::{Start, Update};
        let update_id = update_id(&update.request);
        if let Some(run_id) = current {
            let Some(run) = slot.runs.get(&run_id) else { return Err(Start(left_cache())) };
            let head = Arc::clone(&run.head);
            let status = WorkflowExecutionStatus::try_from(head.status).unwrap_or_default();
            let stage = head.update_stage(update_id);
            if let Some(stage @ KnownStage::Completed { .. }) = &stage {
                let update = known_update(slot, run_id, update_id, stage).map_err(Update)?;
                return Ok((Ok(Decided { started: false, status, update }), slot.barrier()));
            }
            let is_repeated = head.start_request_id == start.start.request_id;
            let uses_existing = start.policy.conflict == WorkflowIdConflictPolicy::UseExisting;
            if head.is_running() && (is_repeated || stage.is_some() || uses_existing) {
                let (found, outcome) =
                    self.decide_update(slot, caller, run_id, &update.request).map_err(Update)?;
                let decided =
                    found.map(|update| Decided { started: false, status, update }).map_err(Update);
                return Ok((decided, outcome));
            }
        }
        let run_id = RunId::new(self.node.environment.entropy.uuid_v7(self.node.now()));
        let mut start = start.clone();
        start.start.namespace_id.clone_from(&caller.namespace.id_text);
        start.start.run_id = run_id.to_string();
        start.start.update = Some(UpdateWorkflow { request: Box::new(update.request.clone()) });
        let (run, outcome) = match self.decide_start(slot, caller, current, run_id, start) {
            Ok((decided, outcome)) => (decided.run().clone(), outcome),
            Err(error @ HistoryError::Rejected(_)) => {
                return Ok((Err(Start(error)), slot.barrier()));
            }
            Err(error) => return Err(Start(error)),
        };
        if run.run_id != run_id {
            let text = "Workflow was not started: StartDeduped".to_owned();
            return Ok((Err(Start(HistoryError::Unavailable(text))), outcome));
        }
        let found = known_update(slot, run_id, update_id, &KnownStage::Admitted);
        let update = found.map_err(Update)?;
        let status = WorkflowExecutionStatus::Running;
        Ok((Ok(Decided { started: true, status, update }), outcome))
    }
}

/// What one attempt led to.
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved a few times at most")]
enum Tried {
    Done(UpdateWithStartOutcome),
    /// The run closed before it accepted the update: another attempt starts the next.
    Closing(HistoryError),
    /// The update was lost.
    Lost,
}

fn left_cache() -> HistoryError {
    HistoryError::Unavailable("a run left the cache".to_owned())
}
