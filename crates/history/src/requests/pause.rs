//! Runs that stand still for a while.

use std::sync::Arc;

use authz::Permit;
use engine::{Input, PauseRequest};
use namespace::Namespace;

use crate::{Execution, History, HistoryError};

impl History {
    /// Pauses a run: it gets no tasks until it goes on.
    ///
    /// # Errors
    /// When there is no such run, it has closed, or another request has paused it.
    pub async fn pause_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: PauseRequest,
    ) -> Result<(), HistoryError> {
        self.apply(permit, namespace, execution, Input::Pause(request)).await?;
        Ok(())
    }

    /// Lets a paused run go on.
    ///
    /// # Errors
    /// When there is no such run, it has closed, or it is not paused.
    pub async fn unpause_workflow(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        request: PauseRequest,
    ) -> Result<(), HistoryError> {
        self.apply(permit, namespace, execution, Input::Unpause(request)).await?;
        Ok(())
    }
}
