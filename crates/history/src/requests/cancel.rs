//! Requests to cancel.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, RequestCancel};
use namespace::Namespace;

use crate::{Execution, History, HistoryError, context::Caller};

/// A request to cancel a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CancelRequest {
    /// What the engine is told.
    pub input: RequestCancel,
    /// Only if this run began the chain; empty: any chain.
    pub first_execution_run_id: String,
}

impl History {
    /// Asks a workflow to cancel. A run that has closed, or was asked before, stays as it is.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn request_cancel(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: CancelRequest,
    ) -> Result<(), HistoryError> {
        let caller = Caller::new(permit, namespace);
        let CancelRequest { input, first_execution_run_id } = request;
        let input = Input::RequestCancel(input);
        self.apply_checked(&caller, execution, &first_execution_run_id, input).await?;
        Ok(())
    }
}
