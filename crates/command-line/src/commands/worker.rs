//! `worker`: workers and their deployments.

mod compute;
mod deployment;
mod describe;

use api::workflowservice::v1::{CountWorkersRequest, DescribeWorkerRequest, ListWorkersRequest};
use clap::{Args, Subcommand};
use serde_json::Value;

use self::deployment::DeploymentCommand;
use super::paging::{self, Shape};
use crate::{
    columns::{Column, enumeration, plain, time},
    context::Context,
    error::Result,
};

/// Commands about workers.
#[derive(Debug, Subcommand)]
pub enum WorkerCommand {
    /// List workers that the server heard of.
    List(List),
    /// Count workers that the server heard of.
    Count(Count),
    /// Show what the server heard of a worker.
    Describe(Describe),
    /// Worker deployments and their versions.
    Deployment {
        #[command(subcommand)]
        command: DeploymentCommand,
    },
}

impl WorkerCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Count(command) => command.run(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::Deployment { command } => command.run(context).await,
        }
    }
}

/// Which workers.
#[derive(Debug, Args)]
struct Which {
    /// Filter.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    /// Workers that the server runs for itself, too.
    #[arg(long)]
    include_system_workers: bool,
}

const COLUMNS: &[Column] = &[
    plain("WorkerInstanceKey", "/workerHeartbeat/workerInstanceKey"),
    enumeration("Status", "/workerHeartbeat/status", "WORKER_STATUS_"),
    plain("TaskQueue", "/workerHeartbeat/taskQueue"),
    plain("WorkerIdentity", "/workerHeartbeat/workerIdentity"),
    plain("HostName", "/workerHeartbeat/hostInfo/hostName"),
    plain("Deployment", "/workerHeartbeat/deploymentVersion/deploymentName"),
    plain("BuildId", "/workerHeartbeat/deploymentVersion/buildId"),
    time("HeartbeatTime", "/workerHeartbeat/heartbeatTime"),
];

/// See `worker list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    which: Which,
    /// Most rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    limit: usize,
}

impl List {
    async fn run(self, context: &mut Context) -> Result {
        let request = ListWorkersRequest {
            namespace: context.namespace(),
            query: self.which.query,
            include_system_workers: self.which.include_system_workers,
            ..ListWorkersRequest::default()
        };
        let shorthand = context.output.shorthand;
        let shape = Shape { field: "workersInfo", columns: COLUMNS, shorthand };
        paging::print(context, request, self.limit, shape).await?;
        Ok(())
    }
}

/// See `worker count`.
#[derive(Debug, Args)]
pub struct Count {
    #[command(flatten)]
    which: Which,
}

impl Count {
    async fn run(self, context: &mut Context) -> Result {
        let request = CountWorkersRequest {
            namespace: context.namespace(),
            query: self.which.query,
            include_system_workers: self.which.include_system_workers,
        };
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        context.output.data(&value)?;
        context.output.line(&answer.count.to_string())
    }
}

/// See `worker describe`.
#[derive(Debug, Args)]
pub struct Describe {
    /// The worker's key.
    #[arg(long, value_name = "KEY")]
    worker_instance_key: String,
}

impl Describe {
    async fn run(self, context: &mut Context) -> Result {
        let request = DescribeWorkerRequest {
            namespace: context.namespace(),
            worker_instance_key: self.worker_instance_key,
        };
        let answer = context.call(request).await?;
        let mut value = context.json(&answer)?;
        let info = value.get_mut("workerInfo").map(Value::take).unwrap_or_default();
        if context.output.is_data() {
            return context.output.data(&info);
        }
        let heartbeat = info.get("workerHeartbeat").unwrap_or(&Value::Null);
        super::leaves::print(context, heartbeat, "  ")
    }
}
