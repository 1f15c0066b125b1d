//! Requests to cancel.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, RequestCancel};
use model::RunId;
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
    /// Asks a workflow to cancel, and says which run. One that has closed, or was asked before, stays as it is.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn request_cancel(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: CancelRequest,
    ) -> Result<RunId, HistoryError> {
        let caller = Caller::new(permit, namespace);
        let CancelRequest { input, first_execution_run_id } = request;
        let input = Input::RequestCancel(input);
        let (_, run_id) = self.apply_to(&caller, execution, &first_execution_run_id, input).await?;
        Ok(run_id)
    }
}
