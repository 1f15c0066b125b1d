//! `operator nexus endpoint`.

use std::{fs, path::PathBuf};

use api::{
    common::v1::Payload,
    nexus::v1::{Endpoint, EndpointSpec, EndpointTarget, endpoint_target},
    operatorservice::v1::{
        CreateNexusEndpointRequest, DeleteNexusEndpointRequest, ListNexusEndpointsRequest,
        UpdateNexusEndpointRequest,
    },
};
use clap::{Args, Subcommand};
use tonic::Status;

use crate::{
    columns::{Column, plain, time},
    commands::paging::{self, Shape},
    context::Context,
    error::{Error, Result},
    paint::Paint,
    values,
};

/// Commands about Nexus.
#[derive(Debug, Subcommand)]
pub enum NexusCommand {
    /// Nexus endpoints.
    Endpoint {
        #[command(subcommand)]
        command: EndpointCommand,
    },
}

/// Commands about Nexus endpoints.
#[derive(Debug, Subcommand)]
pub enum EndpointCommand {
    /// Make an endpoint.
    Create(Create),
    /// Change an endpoint.
    Update(Update),
    /// Remove an endpoint.
    Delete(Named),
    /// Show an endpoint.
    Get(Named),
    /// List endpoints.
    List,
}

impl NexusCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let Self::Endpoint { command } = self;
        match command {
            EndpointCommand::Create(command) => command.run(context).await,
            EndpointCommand::Update(command) => command.run(context).await,
            EndpointCommand::Delete(command) => command.delete(context).await,
            EndpointCommand::Get(command) => command.get(context).await,
            EndpointCommand::List => list(context).await,
        }
    }
}

/// One endpoint.
#[derive(Debug, Args)]
pub struct Named {
    /// Endpoint's name.
    #[arg(long)]
    name: String,
}

/// What is said of an endpoint.
#[derive(Debug, Args)]
pub(crate) struct About {
    /// Endpoint's name.
    #[arg(long)]
    name: String,
    /// What it is for, in Markdown.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// File that says what it is for.
    #[arg(long, value_name = "PATH", conflicts_with = "description")]
    description_file: Option<PathBuf>,
    /// Namespace of the workers behind it.
    #[arg(long, value_name = "NAME", conflicts_with = "target_url")]
    target_namespace: Option<String>,
    /// Task queue of the workers behind it.
    #[arg(long, value_name = "NAME", conflicts_with = "target_url")]
    target_task_queue: Option<String>,
    /// Server outside that is behind it.
    #[arg(long, value_name = "URL")]
    target_url: Option<String>,
}

impl About {
    fn description(&self) -> Result<Option<Payload>> {
        let text = match (&self.description, &self.description_file) {
            (Some(text), _) => text.clone(),
            (None, None) => return Ok(None),
            (None, Some(path)) => {
                let failed = |source| Error::File { path: path.clone(), source };
                let text = fs::read_to_string(path).map_err(failed)?;
                if text.is_empty() {
                    let name = path.display();
                    return Err(Error::usage(format!("empty description file: `{name}`")));
                }
                text
            }
        };
        Ok(Some(values::json_payload(&text.into())))
    }

    /// What is behind the endpoint; what is not said stays as it is.
    fn target(&self, known: Option<EndpointTarget>) -> Result<EndpointTarget> {
        if let Some(url) = &self.target_url {
            return Ok(EndpointTarget {
                variant: Some(endpoint_target::Variant::External(endpoint_target::External {
                    url: url.clone(),
                })),
            });
        }
        let (namespace, task_queue) = match (&self.target_namespace, &self.target_task_queue) {
            (None, None) => {
                return known.ok_or_else(|| {
                    Error::usage(
                        "either --target-namespace and --target-task-queue or --target-url are \
                         required",
                    )
                });
            }
            both => both,
        };
        let known = match known.and_then(|known| known.variant) {
            Some(endpoint_target::Variant::Worker(worker)) => Some(worker),
            _ => None,
        };
        let missing =
            || Error::usage("both --target-namespace and --target-task-queue are required");
        let worker = endpoint_target::Worker {
            namespace: namespace
                .clone()
                .or_else(|| known.as_ref().map(|known| known.namespace.clone()))
                .ok_or_else(missing)?,
            task_queue: task_queue
                .clone()
                .or_else(|| known.map(|known| known.task_queue))
                .ok_or_else(missing)?,
        };
        Ok(EndpointTarget { variant: Some(endpoint_target::Variant::Worker(worker)) })
    }
}

fn done(context: &mut Context, text: &str) -> Result {
    let text = context.output.paint(text, Paint::Green);
    context.output.line(&text)
}

/// See `operator nexus endpoint create`.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    about: About,
}

impl Create {
    async fn run(self, context: &mut Context) -> Result {
        let about = self.about;
        let spec = EndpointSpec {
            description: about.description()?,
            target: Some(about.target(None)?),
            name: about.name.clone(),
        };
        context.call(CreateNexusEndpointRequest { spec: Some(spec) }).await?;
        done(context, &format!("Endpoint {} successfully created.", about.name))
    }
}

/// See `operator nexus endpoint update`.
#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    about: About,
    /// Take the description away.
    #[arg(long, conflicts_with_all = ["description", "description_file"])]
    unset_description: bool,
}

impl Update {
    async fn run(self, context: &mut Context) -> Result {
        let about = self.about;
        let new_description = about.description()?;
        let known = find(context, &about.name).await?;
        let spec = known.spec.unwrap_or_default();
        let kept = spec.description.filter(|_| !self.unset_description);
        let spec = EndpointSpec {
            name: about.name.clone(),
            description: new_description.or(kept),
            target: Some(about.target(spec.target)?),
        };
        let request =
            UpdateNexusEndpointRequest { id: known.id, version: known.version, spec: Some(spec) };
        context.call(request).await?;
        done(context, &format!("Endpoint {} successfully updated.", about.name))
    }
}

async fn find(context: &mut Context, name: &str) -> Result<Endpoint> {
    let request =
        ListNexusEndpointsRequest { name: name.to_owned(), ..ListNexusEndpointsRequest::default() };
    let found = context.call(request).await?.endpoints.into_iter().next();
    found.ok_or_else(|| {
        let status = Status::not_found(format!("endpoint not found: {name:?}"));
        Error::Refused { doing: "ListNexusEndpoints".to_owned(), status: Box::new(status) }
    })
}

const COLUMNS: &[Column] = &[
    plain("Name", "/spec/name"),
    plain("ID", "/id"),
    time("CreatedTime", "/createdTime"),
    time("LastModifiedTime", "/lastModifiedTime"),
    plain("URL", "/spec/target/external/url"),
    plain("Namespace", "/spec/target/worker/namespace"),
    plain("TaskQueue", "/spec/target/worker/taskQueue"),
    plain("Description", "/spec/description"),
];

impl Named {
    async fn get(self, context: &mut Context) -> Result {
        let endpoint = find(context, &self.name).await?;
        let value = context.json(&endpoint)?;
        if context.output.is_data() {
            return context.output.data(&value);
        }
        context.output.list(COLUMNS, &[value])
    }

    async fn delete(self, context: &mut Context) -> Result {
        let Endpoint { id, version, .. } = find(context, &self.name).await?;
        context.call(DeleteNexusEndpointRequest { id: id.clone(), version }).await?;
        done(context, &format!("Endpoint {} successfully deleted (ID {id}).", self.name))
    }
}

async fn list(context: &mut Context) -> Result {
    let shorthand = context.output.shorthand;
    let shape = Shape { field: "endpoints", columns: COLUMNS, shorthand };
    paging::print(context, ListNexusEndpointsRequest::default(), 0, shape).await?;
    Ok(())
}
