//! Other options for a run.

use std::sync::Arc;

use api::workflow::v1::{VersioningOverride, WorkflowExecutionOptions};
use authz::Permit;
use engine::{Input, Rejection, Reply, State, UpdateOptions};
use matching::TaskQueueKey;
use model::NamespaceId;
use namespace::Namespace;

use crate::{Execution, History, HistoryError, context::Caller, versions};

impl History {
    /// Changes the options of a run that the paths name, and gives what is in force then.
    ///
    /// # Errors
    /// When there is no such run, it has closed, or no worker of the version that it is pinned to
    /// polls its task queue.
    pub async fn update_workflow_options(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        update: UpdateOptions,
    ) -> Result<WorkflowExecutionOptions, HistoryError> {
        let caller = Caller::new(permit, namespace);
        self.update_options_for(&caller, execution, update).await
    }

    pub(crate) async fn update_options_for(
        &self,
        caller: &Caller,
        execution: &Execution,
        update: UpdateOptions,
    ) -> Result<WorkflowExecutionOptions, HistoryError> {
        if let Some(chosen) = &update.options.versioning_override {
            let live = self.live_run(&caller.namespace, execution).await?;
            if let Some(state) = live.durable().filter(|state| state.is_running()) {
                self.check_override(&state, caller.namespace_id(), chosen)?;
            }
        }
        let input = Input::UpdateOptions(Box::new(update));
        match self.apply_checked(caller, execution, "", input).await? {
            Reply::WorkflowOptions(options) => Ok(*options),
            _ => Ok(WorkflowExecutionOptions::default()),
        }
    }

    /// Refuses to move a run to a version whose workers do not poll its task queue.
    pub(crate) fn check_override(
        &self,
        state: &State,
        namespace_id: NamespaceId,
        chosen: &VersioningOverride,
    ) -> Result<(), HistoryError> {
        let key = TaskQueueKey::workflow(namespace_id, state.task_queue());
        let routes = self.node.matching.routes();
        match versions::override_refusal(chosen, &key, &routes.routes) {
            Some(text) => Err(Rejection::FailedPrecondition(text).into()),
            None => Ok(()),
        }
    }
}
