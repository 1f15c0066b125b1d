//! `operator cluster`.

use api::{
    operatorservice::v1::{
        AddOrUpdateRemoteClusterRequest, ListClustersRequest, RemoveRemoteClusterRequest,
    },
    workflowservice::v1::{GetClusterInfoRequest, GetSystemInfoRequest},
};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    calls::{HealthCheckRequest, SERVING},
    columns::{Column, plain},
    commands::paging::{self, Shape},
    context::Context,
    error::{Error, Result},
    paint::Paint,
};

/// Commands about the server and the clusters it knows.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Say whether the server serves.
    Health,
    /// Show the server's version and what it can do.
    System,
    /// Show the cluster.
    Describe(Describe),
    /// List clusters.
    List(List),
    /// Make another cluster known, or change what is known of it.
    Upsert(Upsert),
    /// Forget another cluster.
    Remove(Remove),
}

impl ClusterCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Health => health(context).await,
            Self::System => system(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Upsert(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
        }
    }
}

async fn health(context: &mut Context) -> Result {
    let service = "temporal.api.workflowservice.v1.WorkflowService".to_owned();
    let answer = context.call(HealthCheckRequest { service }).await?;
    if answer.status != SERVING {
        return Err(Error::Outcome("the server does not serve".to_owned()));
    }
    context.output.data(&json!({ "status": "SERVING" }))?;
    let text = context.output.paint("SERVING", Paint::Green);
    context.output.line(&text)
}

const SYSTEM: &[Column] = &[
    plain("ServerVersion", "/serverVersion"),
    plain("SupportsSchedules", "/capabilities/supportsSchedules"),
    plain("UpsertMemo", "/capabilities/upsertMemo"),
    plain("EagerWorkflowStart", "/capabilities/eagerWorkflowStart"),
];

async fn system(context: &mut Context) -> Result {
    let answer = context.call(GetSystemInfoRequest::default()).await?;
    let value = context.json(&answer)?;
    if context.output.is_data() {
        return context.output.data(&value);
    }
    context.output.list(SYSTEM, &[value])
}

/// See `operator cluster describe`.
#[derive(Debug, Args)]
pub struct Describe {
    /// Show versions, too.
    #[arg(long)]
    detail: bool,
}

const CLUSTER: &[Column] = &[
    plain("ClusterName", "/clusterName"),
    plain("PersistenceStore", "/persistenceStore"),
    plain("VisibilityStore", "/visibilityStore"),
];

const CLUSTER_DETAIL: &[Column] = &[
    plain("ClusterName", "/clusterName"),
    plain("PersistenceStore", "/persistenceStore"),
    plain("VisibilityStore", "/visibilityStore"),
    plain("HistoryShardCount", "/historyShardCount"),
    plain("ServerVersion", "/serverVersion"),
];

impl Describe {
    async fn run(self, context: &mut Context) -> Result {
        let answer = context.call(GetClusterInfoRequest::default()).await?;
        let value = context.json(&answer)?;
        if context.output.is_data() {
            return context.output.data(&value);
        }
        context.output.list(if self.detail { CLUSTER_DETAIL } else { CLUSTER }, &[value])
    }
}

const CLUSTERS: &[Column] = &[
    plain("Name", "/clusterName"),
    plain("ClusterId", "/clusterId"),
    plain("Address", "/address"),
    plain("HistoryShardCount", "/historyShardCount"),
    plain("InitialFailoverVersion", "/initialFailoverVersion"),
    plain("IsConnectionEnabled", "/isConnectionEnabled"),
    plain("IsReplicationEnabled", "/isReplicationEnabled"),
];

/// See `operator cluster list`.
#[derive(Debug, Args)]
pub struct List {
    /// Most rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    limit: usize,
}

impl List {
    async fn run(self, context: &mut Context) -> Result {
        let shape = Shape { field: "clusters", columns: CLUSTERS, shorthand: true };
        paging::print(context, ListClustersRequest::default(), self.limit, shape).await?;
        Ok(())
    }
}

/// See `operator cluster upsert`.
#[derive(Debug, Args)]
pub struct Upsert {
    /// Address of the other cluster.
    #[arg(long, value_name = "HOST:PORT")]
    frontend_address: String,
    /// Connect to it.
    #[arg(long)]
    enable_connection: bool,
    /// Replicate with it.
    #[arg(long)]
    enable_replication: bool,
}

impl Upsert {
    async fn run(self, context: &mut Context) -> Result {
        let request = AddOrUpdateRemoteClusterRequest {
            frontend_address: self.frontend_address.clone(),
            enable_remote_cluster_connection: self.enable_connection,
            enable_replication: self.enable_replication,
            ..AddOrUpdateRemoteClusterRequest::default()
        };
        context.call(request).await?;
        context.output.data(&json!({ "frontendAddress": self.frontend_address }))?;
        context.output.line(&format!("Upserted cluster {}", self.frontend_address))
    }
}

/// See `operator cluster remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Name of the other cluster.
    #[arg(long)]
    name: String,
}

impl Remove {
    async fn run(self, context: &mut Context) -> Result {
        context.call(RemoveRemoteClusterRequest { cluster_name: self.name.clone() }).await?;
        context.output.data(&json!({ "clusterName": self.name }))?;
        context.output.line(&format!("Removed cluster {}", self.name))
    }
}
