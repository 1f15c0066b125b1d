//! `operator`: namespaces, search attributes, clusters, Nexus endpoints.

mod cluster;
mod namespace;
mod nexus;
mod search_attribute;

use clap::Subcommand;

use self::{
    cluster::ClusterCommand, namespace::NamespaceCommand, nexus::NexusCommand,
    search_attribute::SearchAttributeCommand,
};
use crate::{context::Context, error::Result};

/// Commands of operators.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Namespaces.
    Namespace {
        #[command(subcommand)]
        command: NamespaceCommand,
    },
    /// Search attributes.
    SearchAttribute {
        #[command(subcommand)]
        command: SearchAttributeCommand,
    },
    /// The server, and the clusters it knows.
    Cluster {
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Nexus endpoints.
    Nexus {
        #[command(subcommand)]
        command: NexusCommand,
    },
}

impl OperatorCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Namespace { command } => command.run(context).await,
            Self::SearchAttribute { command } => command.run(context).await,
            Self::Cluster { command } => command.run(context).await,
            Self::Nexus { command } => command.run(context).await,
        }
    }
}
