//! Signals.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, Signal};
use model::RunId;
use namespace::Namespace;

use crate::{Execution, History, HistoryError, context::Caller};

impl History {
    /// Signals a run, and says which. A request id that was seen before changes nothing.
    ///
    /// # Errors
    /// When there is no such run, it has closed, or it takes no more signals.
    pub async fn signal_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        signal: Signal,
    ) -> Result<RunId, HistoryError> {
        let (caller, input) = (Caller::new(permit, namespace), Input::Signal(Box::new(signal)));
        let (_, run_id) = self.apply_to(&caller, execution, "", input).await?;
        Ok(run_id)
    }
}
