//! A worker that no longer caches a run.

use std::sync::Arc;

use authz::Permit;
use engine::Input;
use namespace::Namespace;

use crate::{Execution, History, HistoryError};

impl History {
    /// Forgets where the worker that caches a run polls.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn reset_sticky_task_queue(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
    ) -> Result<(), HistoryError> {
        self.apply(permit, namespace, execution, Input::ResetStickyTaskQueue).await?;
        Ok(())
    }
}
