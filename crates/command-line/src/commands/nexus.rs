//! `nexus`: Nexus operations that no workflow waits for.

mod operation;

use clap::Subcommand;

use self::operation::OperationCommand;
use crate::{context::Context, error::Result};

/// Commands about Nexus.
#[derive(Debug, Subcommand)]
pub enum NexusCommand {
    /// Standalone Nexus operations.
    Operation {
        #[command(subcommand)]
        command: OperationCommand,
    },
}

impl NexusCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let Self::Operation { command } = self;
        command.run(context).await
    }
}
