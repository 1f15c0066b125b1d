//! `operator namespace`.

use api::{
    enums::v1::{ArchivalState, ReplicationState},
    namespace::v1::{NamespaceConfig, UpdateNamespaceInfo},
    operatorservice::v1::DeleteNamespaceRequest,
    replication::v1::{ClusterReplicationConfig, NamespaceReplicationConfig},
    workflowservice::v1::{
        DescribeNamespaceRequest, ListNamespacesRequest, RegisterNamespaceRequest,
        UpdateNamespaceRequest,
    },
};
use clap::{Args, Subcommand, ValueEnum};

use crate::{
    columns::{Column, enumeration, plain},
    commands::paging::{self, Shape},
    context::Context,
    error::{Error, Result},
    paint::Paint,
    values::{self, Length},
};

/// Commands about namespaces.
#[derive(Debug, Subcommand)]
pub enum NamespaceCommand {
    /// Make a namespace.
    Create(Create),
    /// Remove a namespace with all that is in it.
    Delete(Delete),
    /// Show a namespace.
    Describe(Describe),
    /// List namespaces.
    List,
    /// Change a namespace.
    Update(Update),
}

impl NamespaceCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::Delete(command) => command.run(context).await,
            Self::Describe(command) => command.run(context).await,
            Self::List => list(context).await,
            Self::Update(command) => command.run(context).await,
        }
    }
}

/// The namespace as an argument, as scripts for old versions give it.
#[derive(Debug, Args)]
pub(crate) struct Name {
    /// Namespace; `--namespace` is the way of today.
    #[arg(value_name = "NAMESPACE", hide = true)]
    argument: Option<String>,
}

impl Name {
    fn get(&self, context: &mut Context) -> Result<String> {
        match &self.argument {
            None => Ok(context.namespace()),
            Some(name) => {
                context.output.warning(
                    "passing the namespace as an argument is deprecated; use -n instead",
                )?;
                Ok(name.clone())
            }
        }
    }
}

/// Whether something is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Archival {
    Disabled,
    Enabled,
}

fn archival(state: Option<Archival>) -> i32 {
    match state {
        None => ArchivalState::Unspecified.into(),
        Some(Archival::Disabled) => ArchivalState::Disabled.into(),
        Some(Archival::Enabled) => ArchivalState::Enabled.into(),
    }
}

/// What is said of a namespace.
#[derive(Debug, Args)]
pub(crate) struct About {
    /// Cluster that is active.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    active_cluster: String,
    /// Cluster. May be repeated.
    #[arg(long, value_name = "NAME")]
    cluster: Vec<String>,
    /// Entry of the namespace's data. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    data: Vec<(String, String)>,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Whom to ask.
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true)]
    email: String,
    /// Whether histories are archived.
    #[arg(long, value_enum)]
    history_archival_state: Option<Archival>,
    /// Where to.
    #[arg(long, value_name = "URI", default_value = "", hide_default_value = true)]
    history_uri: String,
    /// Whether the index is archived.
    #[arg(long, value_enum)]
    visibility_archival_state: Option<Archival>,
    /// Where to.
    #[arg(long, value_name = "URI", default_value = "", hide_default_value = true)]
    visibility_uri: String,
    /// How long closed workflows are kept.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    retention: Option<Length>,
}

/// The retention of new namespaces.
const RETENTION: Length = Length(std::time::Duration::from_secs(72 * 3_600));

impl About {
    fn clusters(&self) -> Vec<ClusterReplicationConfig> {
        let clusters = self.cluster.iter().cloned();
        clusters
            .map(|cluster_name| ClusterReplicationConfig {
                cluster_name,
                ..ClusterReplicationConfig::default()
            })
            .collect()
    }
}

/// See `operator namespace create`.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    about: About,
    /// Replicate it.
    #[arg(long)]
    global: bool,
}

impl Create {
    async fn run(self, context: &mut Context) -> Result {
        let namespace = self.name.get(context)?;
        let disabled = Some(Archival::Disabled);
        let about = self.about;
        let request = RegisterNamespaceRequest {
            namespace: namespace.clone(),
            workflow_execution_retention_period: about.retention.unwrap_or(RETENTION).proto(),
            clusters: about.clusters(),
            active_cluster_name: about.active_cluster,
            data: about.data.into_iter().collect(),
            description: about.description,
            owner_email: about.email,
            is_global_namespace: self.global,
            history_archival_state: archival(about.history_archival_state.or(disabled)),
            history_archival_uri: about.history_uri,
            visibility_archival_state: archival(about.visibility_archival_state.or(disabled)),
            visibility_archival_uri: about.visibility_uri,
            ..RegisterNamespaceRequest::default()
        };
        context.call(request).await?;
        let text = format!("Namespace {namespace} successfully registered.");
        let text = context.output.paint(&text, Paint::Green);
        context.output.line(&text)
    }
}

/// See `operator namespace delete`.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    name: Name,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Delete {
    async fn run(self, context: &mut Context) -> Result {
        let namespace = self.name.get(context)?;
        let question = format!(
            "Are you sure you want to delete namespace {namespace}? Type namespace name to confirm:"
        );
        context.output.confirm_by_name(&question, &namespace, self.yes)?;
        let request = DeleteNamespaceRequest {
            namespace: namespace.clone(),
            ..DeleteNamespaceRequest::default()
        };
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        context.output.data(&value)?;
        let text = format!("Namespace {namespace} has been deleted.");
        let text = context.output.paint(&text, Paint::Green);
        context.output.line(&text)
    }
}

/// See `operator namespace describe`.
#[derive(Debug, Args)]
pub struct Describe {
    #[command(flatten)]
    name: Name,
    /// Id of the namespace, instead of its name.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    namespace_id: String,
}

impl Describe {
    async fn run(self, context: &mut Context) -> Result {
        let mut namespace = self.name.get(context)?;
        if !self.namespace_id.is_empty() && namespace == "default" {
            namespace.clear();
        }
        if self.namespace_id.is_empty() == namespace.is_empty() {
            return Err(Error::usage(
                "provide one of --namespace-id=<uuid> or -n name, but not both",
            ));
        }
        let request = DescribeNamespaceRequest {
            namespace,
            id: self.namespace_id,
            ..DescribeNamespaceRequest::default()
        };
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        if context.output.is_data() {
            return context.output.data(&value);
        }
        crate::commands::leaves::print(context, &value, "")
    }
}

const COLUMNS: &[Column] = &[
    plain("Name", "/namespaceInfo/name"),
    plain("Id", "/namespaceInfo/id"),
    enumeration("State", "/namespaceInfo/state", "NAMESPACE_STATE_"),
    plain("Retention", "/config/workflowExecutionRetentionTtl"),
    plain("Description", "/namespaceInfo/description"),
    plain("OwnerEmail", "/namespaceInfo/ownerEmail"),
];

async fn list(context: &mut Context) -> Result {
    let request = ListNamespacesRequest { page_size: 100, ..ListNamespacesRequest::default() };
    let shorthand = context.output.shorthand;
    let shape = Shape { field: "namespaces", columns: COLUMNS, shorthand };
    paging::print(context, request, 0, shape).await?;
    Ok(())
}

/// Whether a namespace is being handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Replication {
    Normal,
    Handover,
}

/// See `operator namespace update`.
#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    about: About,
    /// Replicate it from now on; nothing else is changed.
    #[arg(long, conflicts_with = "active_cluster")]
    promote_global: bool,
    /// Whether it is being handed over.
    #[arg(long, value_enum)]
    replication_state: Option<Replication>,
}

impl Update {
    async fn run(self, context: &mut Context) -> Result {
        let namespace = self.name.get(context)?;
        let request = self.request(context, namespace.clone()).await?;
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        context.output.data(&value)?;
        let text = format!("Namespace {namespace} update succeeded.");
        let text = context.output.paint(&text, Paint::Green);
        context.output.line(&text)
    }

    async fn request(
        self,
        context: &mut Context,
        namespace: String,
    ) -> Result<UpdateNamespaceRequest> {
        let about = self.about;
        if self.promote_global {
            return Ok(UpdateNamespaceRequest {
                namespace,
                promote_namespace: true,
                ..UpdateNamespaceRequest::default()
            });
        }
        if !about.active_cluster.is_empty() {
            let replication_config = NamespaceReplicationConfig {
                active_cluster_name: about.active_cluster,
                ..NamespaceReplicationConfig::default()
            };
            return Ok(UpdateNamespaceRequest {
                namespace,
                replication_config: Some(replication_config),
                ..UpdateNamespaceRequest::default()
            });
        }
        let known = context
            .call(DescribeNamespaceRequest {
                namespace: namespace.clone(),
                ..DescribeNamespaceRequest::default()
            })
            .await?;
        let info = known.namespace_info.unwrap_or_default();
        let config = known.config.unwrap_or_default();
        let clusters = about.clusters();
        let or = |new: String, old| if new.is_empty() { old } else { new };
        let state = match self.replication_state {
            None => ReplicationState::Unspecified,
            Some(Replication::Normal) => ReplicationState::Normal,
            Some(Replication::Handover) => ReplicationState::Handover,
        };
        Ok(UpdateNamespaceRequest {
            namespace,
            update_info: Some(UpdateNamespaceInfo {
                description: or(about.description, info.description),
                owner_email: or(about.email, info.owner_email),
                data: about.data.into_iter().collect(),
                ..UpdateNamespaceInfo::default()
            }),
            config: Some(NamespaceConfig {
                workflow_execution_retention_ttl: match about.retention {
                    Some(retention) => retention.proto(),
                    None => config.workflow_execution_retention_ttl,
                },
                history_archival_state: archival(about.history_archival_state),
                history_archival_uri: about.history_uri,
                visibility_archival_state: archival(about.visibility_archival_state),
                visibility_archival_uri: about.visibility_uri,
                ..NamespaceConfig::default()
            }),
            replication_config: Some(NamespaceReplicationConfig {
                clusters,
                state: state.into(),
                ..NamespaceReplicationConfig::default()
            }),
            ..UpdateNamespaceRequest::default()
        })
    }
}
