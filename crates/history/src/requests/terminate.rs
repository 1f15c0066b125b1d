//! Terminations.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, Terminate};
use model::RunId;
use namespace::Namespace;

use crate::{Execution, History, HistoryError, context::Caller};

/// A request to end a run at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TerminateRequest {
    /// What the engine is told.
    pub input: Terminate,
    /// Only if this run began the chain; empty: any chain.
    pub first_execution_run_id: String,
}

impl History {
    /// Ends a run at once, and says which.
    ///
    /// # Errors
    /// When there is no such run, or it has closed.
    pub async fn terminate_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: TerminateRequest,
    ) -> Result<RunId, HistoryError> {
        let caller = Caller::new(permit, namespace);
        let TerminateRequest { input, first_execution_run_id } = request;
        let input = Input::Terminate(input);
        let (_, run_id) = self.apply_to(&caller, execution, &first_execution_run_id, input).await?;
        Ok(run_id)
    }
}
