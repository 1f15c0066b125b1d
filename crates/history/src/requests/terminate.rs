//! Terminations.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, Terminate};
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
    /// Ends a run at once.
    ///
    /// # Errors
    /// When there is no such run, or it has closed.
    pub async fn terminate_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: TerminateRequest,
    ) -> Result<(), HistoryError> {
        let caller = Caller::new(permit, namespace);
        let TerminateRequest { input, first_execution_run_id } = request;
        let input = Input::Terminate(input);
        self.apply_checked(&caller, execution, &first_execution_run_id, input).await?;
        Ok(())
    }
}
