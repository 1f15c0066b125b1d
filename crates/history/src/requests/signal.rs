//! Signals.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, Signal};
use namespace::Namespace;

use crate::{Execution, History, HistoryError};

impl History {
    /// Signals a run. A request id that was seen before changes nothing.
    ///
    /// # Errors
    /// When there is no such run, it has closed, or it takes no more signals.
    pub async fn signal_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        signal: Signal,
    ) -> Result<(), HistoryError> {
        self.apply(permit, namespace, execution, Input::Signal(Box::new(signal))).await?;
        Ok(())
    }
}
