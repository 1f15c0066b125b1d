//! `worker deployment`.

use api::{
    common::v1::Payload,
    deployment::v1::WorkerDeploymentVersion,
    workflowservice::v1::{
        CreateWorkerDeploymentRequest, DeleteWorkerDeploymentRequest,
        DeleteWorkerDeploymentVersionRequest, DescribeWorkerDeploymentRequest,
        DescribeWorkerDeploymentVersionRequest, ListWorkerDeploymentsRequest,
        SetWorkerDeploymentCurrentVersionRequest, SetWorkerDeploymentManagerRequest,
        SetWorkerDeploymentRampingVersionRequest, UpdateWorkerDeploymentVersionMetadataRequest,
        set_worker_deployment_manager_request::NewManagerIdentity,
    },
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    compute::{CreateVersion, UpdateComputeConfig},
    describe,
};
use crate::{
    columns::{Column, plain, time},
    commands::go,
    context::Context,
    error::{Error, Result},
    values,
};

/// Commands about worker deployments.
#[derive(Debug, Subcommand)]
pub enum DeploymentCommand {
    /// Make a deployment.
    Create(Named),
    /// Remove a deployment.
    Delete(Named),
    /// Show a deployment.
    Describe(Named),
    /// List deployments.
    List,
    /// Make a version whose workers the server itself starts and stops.
    CreateVersion(Box<CreateVersion>),
    /// Change how the server starts and stops the workers of a version.
    UpdateVersionComputeConfig(Box<UpdateComputeConfig>),
    /// Show a version.
    DescribeVersion(DescribeVersion),
    /// Remove a version.
    DeleteVersion(DeleteVersion),
    /// Send new workflows to a version.
    SetCurrentVersion(SetCurrent),
    /// Send a percentage of new workflows to a version.
    SetRampingVersion(SetRamping),
    /// Change what is noted about a version.
    UpdateVersionMetadata(UpdateMetadata),
    /// Who may change a deployment's routes.
    ManagerIdentity {
        #[command(subcommand)]
        command: ManagerCommand,
    },
}

/// Commands about who may change a deployment's routes.
#[derive(Debug, Subcommand)]
pub enum ManagerCommand {
    /// Name the only one who may.
    Set(SetManager),
    /// Let anybody.
    Unset(UnsetManager),
}

impl DeploymentCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Create(command) => command.create(context).await,
            Self::Delete(command) => command.delete(context).await,
            Self::Describe(command) => command.describe(context).await,
            Self::List => list(context).await,
            Self::CreateVersion(command) => command.run(context).await,
            Self::UpdateVersionComputeConfig(command) => command.run(context).await,
            Self::DescribeVersion(command) => command.run(context).await,
            Self::DeleteVersion(command) => command.run(context).await,
            Self::SetCurrentVersion(command) => command.run(context).await,
            Self::SetRampingVersion(command) => command.run(context).await,
            Self::UpdateVersionMetadata(command) => command.run(context).await,
            Self::ManagerIdentity { command: ManagerCommand::Set(command) } => {
                command.run(context).await
            }
            Self::ManagerIdentity { command: ManagerCommand::Unset(command) } => {
                command.run(context).await
            }
        }
    }
}

/// One deployment.
#[derive(Debug, Args)]
pub struct Named {
    /// Deployment's name.
    #[arg(long, short = 'd')]
    name: String,
}

const SUMMARIES: &[Column] = &[
    plain("DeploymentName", "/deploymentName"),
    plain("BuildID", "/BuildID"),
    plain("DrainageStatus", "/drainageStatus"),
    time("CreateTime", "/createTime"),
];

impl Named {
    async fn create(self, context: &mut Context) -> Result {
        let request = CreateWorkerDeploymentRequest {
            namespace: context.namespace(),
            deployment_name: self.name,
            identity: context.identity(),
            request_id: context.id(),
        };
        context.call(request).await?;
        context.output.line("Successfully created worker deployment")
    }

    async fn delete(self, context: &mut Context) -> Result {
        let request = DeleteWorkerDeploymentRequest {
            namespace: context.namespace(),
            deployment_name: self.name,
            identity: context.identity(),
        };
        context.call(request).await?;
        context.output.line("Successfully deleted worker deployment")
    }

    async fn describe(self, context: &mut Context) -> Result {
        let request = DescribeWorkerDeploymentRequest {
            namespace: context.namespace(),
            deployment_name: self.name,
        };
        let answer = context.call(request).await?;
        print(context, "Worker Deployment:", &describe::deployment(&answer))
    }
}

fn print(context: &mut Context, heading: &str, value: &Value) -> Result {
    if context.output.is_data() {
        return context.output.data(value);
    }
    context.output.heading(heading)?;
    let mut shown = value.clone();
    let mut summaries = Value::Null;
    if let Value::Object(object) = &mut shown {
        summaries = object.remove("versionSummaries").unwrap_or_default();
    }
    print_known(context, &shown)?;
    if let Value::Array(rows) = summaries {
        context.output.heading("Version Summaries:")?;
        context.output.list(SUMMARIES, &rows)?;
    }
    Ok(())
}

/// Prints what is known of a value: neither empty texts nor times that never were.
fn print_known(context: &mut Context, value: &Value) -> Result {
    let lines = crate::commands::leaves::of(value);
    let empty = |line: &String| {
        [": ", ": null", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"]
            .iter()
            .any(|nothing| line.ends_with(nothing))
    };
    for line in lines.iter().filter(|line| !empty(line)) {
        context.output.line(&format!("  {line}"))?;
    }
    Ok(())
}

const COLUMNS: &[Column] = &[
    plain("Name", "/name"),
    time("CreateTime", "/createTime"),
    plain("CurrentVersionDeploymentName", "/routingConfig/currentVersionDeploymentName"),
    plain("CurrentVersionBuildID", "/routingConfig/currentVersionBuildID"),
    plain("RampingVersionDeploymentName", "/routingConfig/rampingVersionDeploymentName"),
    plain("RampingVersionBuildID", "/routingConfig/rampingVersionBuildID"),
    plain("RampingVersionPercentage", "/routingConfig/rampingVersionPercentage"),
];

async fn list(context: &mut Context) -> Result {
    let mut token = Bytes::new();
    context.output.start_list()?;
    loop {
        let request = ListWorkerDeploymentsRequest {
            namespace: context.namespace(),
            next_page_token: token,
            ..ListWorkerDeploymentsRequest::default()
        };
        let answer = context.call(request).await?;
        let rows = answer.worker_deployments.iter().map(|deployment| {
            json!({
                "name": deployment.name,
                "createTime": go::time(deployment.create_time.as_ref()),
                "lastModifierIdentity": "",
                "routingConfig": describe::routing(deployment.routing_config.as_ref()),
                "versionSummaries": null,
                "managerIdentity": "",
            })
        });
        let rows: Vec<_> = rows.collect();
        context.output.rows(COLUMNS, &rows)?;
        token = answer.next_page_token;
        if token.is_empty() {
            return context.output.end_list();
        }
    }
}

/// One version.
#[derive(Debug, Args)]
pub(super) struct Version {
    /// Deployment's name.
    #[arg(long, value_name = "NAME")]
    deployment_name: String,
    /// Build id of the version.
    #[arg(long, value_name = "ID")]
    build_id: String,
}

impl Version {
    pub(super) fn proto(&self) -> Option<WorkerDeploymentVersion> {
        Some(WorkerDeploymentVersion {
            deployment_name: self.deployment_name.clone(),
            build_id: self.build_id.clone(),
        })
    }
}

/// See `worker deployment describe-version`.
#[derive(Debug, Args)]
pub struct DescribeVersion {
    #[command(flatten)]
    version: Version,
    /// Say what waits in its task queues.
    #[arg(long)]
    report_task_queue_stats: bool,
}

impl DescribeVersion {
    async fn run(self, context: &mut Context) -> Result {
        let request = DescribeWorkerDeploymentVersionRequest {
            namespace: context.namespace(),
            deployment_version: self.version.proto(),
            report_task_queue_stats: self.report_task_queue_stats,
            ..DescribeWorkerDeploymentVersionRequest::default()
        };
        let answer = context.call(request).await?;
        let value = describe::version(&answer, self.report_task_queue_stats)?;
        if context.output.is_data() {
            return context.output.data(&value);
        }
        context.output.heading("Worker Deployment Version:")?;
        print_known(context, &value)
    }
}

/// See `worker deployment delete-version`.
#[derive(Debug, Args)]
pub struct DeleteVersion {
    #[command(flatten)]
    version: Version,
    /// Do not wait until no workflow needs it.
    #[arg(long)]
    skip_drainage: bool,
}

impl DeleteVersion {
    async fn run(self, context: &mut Context) -> Result {
        let request = DeleteWorkerDeploymentVersionRequest {
            namespace: context.namespace(),
            deployment_version: self.version.proto(),
            skip_drainage: self.skip_drainage,
            identity: context.identity(),
            ..DeleteWorkerDeploymentVersionRequest::default()
        };
        context.call(request).await?;
        context.output.line("Successfully deleted worker deployment version")
    }
}

/// A change of routes.
#[derive(Debug, Args)]
struct Route {
    /// Deployment's name.
    #[arg(long, value_name = "NAME")]
    deployment_name: String,
    /// Build id of the version.
    #[arg(long, value_name = "ID", conflicts_with = "unversioned")]
    build_id: Option<String>,
    /// Workers without a version.
    #[arg(long)]
    unversioned: bool,
    /// Even if nobody polls for it.
    #[arg(long)]
    allow_no_pollers: bool,
    /// Even if it does not serve all task queues of the version before.
    #[arg(long)]
    ignore_missing_task_queues: bool,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Route {
    fn build_id(&self) -> Result<String> {
        match (&self.build_id, self.unversioned) {
            (Some(build_id), _) => Ok(build_id.clone()),
            (None, true) => Ok(String::new()),
            (None, false) => Err(Error::usage("either --build-id or --unversioned is required")),
        }
    }
}

/// The token that a change needs; shows the deployment and asks, unless told not to.
async fn token(context: &mut Context, name: &str, what: &str, yes: bool) -> Result<Bytes> {
    if !yes && !context.output.is_text() {
        return Err(Error::usage("must bypass prompts when using JSON output: add --yes"));
    }
    let request = DescribeWorkerDeploymentRequest {
        namespace: context.namespace(),
        deployment_name: name.to_owned(),
    };
    let answer = context.call(request).await?;
    if !yes {
        print(context, "Worker Deployment Before Update:", &describe::deployment(&answer))?;
        context.output.confirm(&format!("Continue with set {what}? y/N"), false)?;
    }
    Ok(answer.conflict_token)
}

/// See `worker deployment set-current-version`.
#[derive(Debug, Args)]
pub struct SetCurrent {
    #[command(flatten)]
    route: Route,
}

impl SetCurrent {
    async fn run(self, context: &mut Context) -> Result {
        let build_id = self.route.build_id()?;
        let name = self.route.deployment_name;
        let conflict_token = token(context, &name, "current version", self.route.yes).await?;
        let request = SetWorkerDeploymentCurrentVersionRequest {
            namespace: context.namespace(),
            deployment_name: name,
            build_id,
            conflict_token,
            identity: context.identity(),
            ignore_missing_task_queues: self.route.ignore_missing_task_queues,
            allow_no_pollers: self.route.allow_no_pollers,
            ..SetWorkerDeploymentCurrentVersionRequest::default()
        };
        context.call(request).await?;
        context.output.line("Successfully set the current version of the worker deployment")
    }
}

/// See `worker deployment set-ramping-version`.
#[derive(Debug, Args)]
pub struct SetRamping {
    #[command(flatten)]
    route: Route,
    /// The percentage, 0 to 100.
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, hide_default_value = true)]
    percentage: f32,
    /// Let no version ramp.
    #[arg(long)]
    delete: bool,
}

impl SetRamping {
    async fn run(self, context: &mut Context) -> Result {
        let build_id = match self.delete {
            true => self.route.build_id.clone().unwrap_or_default(),
            false => self.route.build_id()?,
        };
        let name = self.route.deployment_name;
        let conflict_token = token(context, &name, "ramping version", self.route.yes).await?;
        let request = SetWorkerDeploymentRampingVersionRequest {
            namespace: context.namespace(),
            deployment_name: name,
            build_id: if self.delete { String::new() } else { build_id },
            percentage: if self.delete { 0.0 } else { self.percentage },
            conflict_token,
            identity: context.identity(),
            ignore_missing_task_queues: self.route.ignore_missing_task_queues,
            allow_no_pollers: self.route.allow_no_pollers,
            ..SetWorkerDeploymentRampingVersionRequest::default()
        };
        context.call(request).await?;
        context.output.line("Successfully set the ramping version of the worker deployment")
    }
}

/// See `worker deployment update-version-metadata`.
#[derive(Debug, Args)]
pub struct UpdateMetadata {
    #[command(flatten)]
    version: Version,
    /// An entry, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    metadata: Vec<(String, Payload)>,
    /// An entry to remove. May be repeated.
    #[arg(long, value_name = "KEY")]
    remove_entries: Vec<String>,
}

impl UpdateMetadata {
    async fn run(self, context: &mut Context) -> Result {
        let request = UpdateWorkerDeploymentVersionMetadataRequest {
            namespace: context.namespace(),
            deployment_version: self.version.proto(),
            upsert_entries: self.metadata.into_iter().collect(),
            remove_entries: self.remove_entries,
            identity: context.identity(),
            ..UpdateWorkerDeploymentVersionMetadataRequest::default()
        };
        let metadata = context.call(request).await?.metadata.unwrap_or_default();
        let entries = describe::metadata(&metadata)?;
        context.output.data(&json!({ "Metadata": entries }))?;
        context.output.line("Successfully updated metadata of the worker deployment version")
    }
}

/// See `worker deployment manager-identity set`.
#[derive(Debug, Args)]
pub struct SetManager {
    /// Deployment's name.
    #[arg(long, value_name = "NAME")]
    deployment_name: String,
    /// Who.
    #[arg(
        long,
        value_name = "IDENTITY",
        conflicts_with = "myself",
        required_unless_present = "myself"
    )]
    manager_identity: Option<String>,
    /// Whoever runs this command.
    #[arg(long = "self")]
    myself: bool,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
}

impl SetManager {
    async fn run(self, context: &mut Context) -> Result {
        let conflict_token =
            token(context, &self.deployment_name, "ManagerIdentity", self.yes).await?;
        let new = match &self.manager_identity {
            Some(identity) => NewManagerIdentity::ManagerIdentity(identity.clone()),
            None => NewManagerIdentity::Self_(true),
        };
        let request = SetWorkerDeploymentManagerRequest {
            namespace: context.namespace(),
            deployment_name: self.deployment_name,
            conflict_token,
            identity: context.identity(),
            new_manager_identity: Some(new),
        };
        let before = context.call(request).await?.previous_manager_identity;
        let new = self.manager_identity.unwrap_or_else(|| context.identity());
        context.output.line(&format!(
            "Successfully set manager identity to '{new}', was previously '{before}'"
        ))
    }
}

/// See `worker deployment manager-identity unset`.
#[derive(Debug, Args)]
pub struct UnsetManager {
    /// Deployment's name.
    #[arg(long, value_name = "NAME")]
    deployment_name: String,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
}

impl UnsetManager {
    async fn run(self, context: &mut Context) -> Result {
        let conflict_token =
            token(context, &self.deployment_name, "ManagerIdentity", self.yes).await?;
        let request = SetWorkerDeploymentManagerRequest {
            namespace: context.namespace(),
            deployment_name: self.deployment_name,
            conflict_token,
            identity: context.identity(),
            new_manager_identity: Some(NewManagerIdentity::ManagerIdentity(String::new())),
        };
        let before = context.call(request).await?.previous_manager_identity;
        context
            .output
            .line(&format!("Successfully unset manager identity, was previously '{before}'"))
    }
}
