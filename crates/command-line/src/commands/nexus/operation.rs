//! `nexus operation`.

mod read;
mod start;

use api::workflowservice::v1::{
    RequestCancelNexusOperationExecutionRequest, TerminateNexusOperationExecutionRequest,
};
use clap::{Args, Subcommand};

use self::{
    read::{Count, Describe, List},
    start::{Execute, ShowResult, Start},
};
use crate::{context::Context, error::Result};

/// Commands about standalone Nexus operations.
#[derive(Debug, Subcommand)]
pub enum OperationCommand {
    /// Start an operation.
    Start(Box<Start>),
    /// Start an operation, and wait for its result.
    Execute(Box<Execute>),
    /// Wait for an operation's result.
    Result(ShowResult),
    /// Show an operation.
    Describe(Describe),
    /// List operations.
    List(List),
    /// Count operations.
    Count(Count),
    /// Ask an operation to stop.
    Cancel(End),
    /// End an operation at once.
    Terminate(End),
}

impl OperationCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Start(command) => command.run(context).await,
            Self::Execute(command) => command.run(context).await,
            Self::Result(command) => command.run(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Count(command) => command.run(context).await,
            Self::Cancel(command) => command.cancel(context).await,
            Self::Terminate(command) => command.terminate(context).await,
        }
    }
}

/// One operation.
#[derive(Debug, Args)]
pub(crate) struct Reference {
    /// Operation id.
    #[arg(long, value_name = "ID")]
    operation_id: String,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    run_id: String,
}

/// See `nexus operation cancel` and `terminate`.
#[derive(Debug, Args)]
pub struct End {
    #[command(flatten)]
    operation: Reference,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl End {
    async fn cancel(self, context: &mut Context) -> Result {
        let request = RequestCancelNexusOperationExecutionRequest {
            namespace: context.namespace(),
            operation_id: self.operation.operation_id,
            run_id: self.operation.run_id,
            identity: context.identity(),
            request_id: context.id(),
            reason: self.reason.unwrap_or_default(),
        };
        context.call(request).await?;
        context.output.line("Cancellation requested")
    }

    async fn terminate(self, context: &mut Context) -> Result {
        let request = TerminateNexusOperationExecutionRequest {
            namespace: context.namespace(),
            operation_id: self.operation.operation_id,
            run_id: self.operation.run_id,
            identity: context.identity(),
            request_id: context.id(),
            reason: self.reason.unwrap_or_else(|| context.default_reason()),
        };
        context.call(request).await?;
        context.output.line("Nexus Operation terminated")
    }
}
