//! Deletions.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, Rejection, Terminate};
use model::{RunId, SlotId};
use namespace::Namespace;

use crate::{Execution, History, HistoryError, context::Caller};

/// The reason in the history of a run that is terminated to be deleted.
const REASON: &str = "Delete workflow execution";

/// Who terminates it.
const IDENTITY: &str = "history-service";

impl History {
    /// Deletes a run with everything that is stored of it, and says which; a running one is terminated first.
    /// Returns when all of it is gone.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn delete_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
    ) -> Result<RunId, HistoryError> {
        self.delete_for(&Caller::new(permit, namespace), execution).await
    }

    pub(crate) async fn delete_for(
        &self,
        caller: &Caller,
        execution: &Execution,
    ) -> Result<RunId, HistoryError> {
        let workflow = execution.key(caller.namespace_id());
        let slot_id = SlotId::of(&workflow);
        let (run_id, decided, outcome) = {
            let mut slot = self.lock(slot_id).await?;
            let run_id = self.node.find_run(&mut slot, &workflow, execution.run_id).await?;
            let input = Input::Terminate(Terminate {
                reason: REASON.to_owned(),
                identity: IDENTITY.to_owned(),
                ..Default::default()
            });
            let (decided, outcome) = self.decide(&mut slot, caller, run_id, input)?;
            (run_id, decided, outcome)
        };
        outcome.wait().await?;
        match decided {
            Ok(_) | Err(HistoryError::Rejected(Rejection::WorkflowClosed)) => {}
            Err(error) => return Err(error),
        }
        // Its parent and children are told while there is somebody to tell them.
        self.node.wait_until_others_know(slot_id, run_id).await?;
        self.node.delete_run(slot_id, run_id).await?;
        Ok(run_id)
    }
}
