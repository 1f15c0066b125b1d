//! `workflow pause` and `unpause`.

use api::workflowservice::v1::{PauseWorkflowExecutionRequest, UnpauseWorkflowExecutionRequest};
use clap::Args;

use crate::{commands::target::WorkflowReference, context::Context, error::Result};

/// See `workflow pause` and `workflow unpause`.
#[derive(Debug, Args)]
pub struct Pause {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Pause {
    pub(crate) async fn pause(self, context: &mut Context) -> Result {
        let request = PauseWorkflowExecutionRequest {
            namespace: context.namespace(),
            workflow_id: self.workflow.workflow_id,
            run_id: self.workflow.run_id,
            identity: context.identity(),
            reason: self.reason.unwrap_or_else(|| context.default_reason()),
            request_id: context.id(),
        };
        context.call(request).await?;
        context.output.line("Workflow Execution paused")
    }

    pub(crate) async fn unpause(self, context: &mut Context) -> Result {
        let request = UnpauseWorkflowExecutionRequest {
            namespace: context.namespace(),
            workflow_id: self.workflow.workflow_id,
            run_id: self.workflow.run_id,
            identity: context.identity(),
            reason: self.reason.unwrap_or_else(|| context.default_reason()),
            request_id: context.id(),
        };
        context.call(request).await?;
        context.output.line("Workflow Execution unpaused")
    }
}
