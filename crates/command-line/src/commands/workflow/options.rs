//! `workflow update-options`: on which version of its workers a workflow runs.

use api::{
    batch::v1::BatchOperationUpdateWorkflowExecutionOptions,
    deployment::v1::WorkerDeploymentVersion,
    workflow::v1::{self, WorkflowExecutionOptions, versioning_override},
    workflowservice::v1::{
        UpdateWorkflowExecutionOptionsRequest, start_batch_operation_request::Operation,
    },
};
use clap::{Args, ValueEnum};
use prost_types::FieldMask;

use crate::{
    commands::target::{Allowed, Headers, SingleOrBatch, Target, start_batch},
    context::Context,
    error::{Error, Result},
};

/// What the workflow's version follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Behavior {
    /// What its worker says.
    Unspecified,
    /// One version, until told otherwise.
    Pinned,
    /// The current version.
    AutoUpgrade,
    /// One version, once.
    OneTime,
}

/// The version of a workflow, whatever its worker says.
#[derive(Debug, Clone, Args)]
pub(crate) struct VersioningOverride {
    /// What the workflow's version follows.
    #[arg(long, value_enum)]
    versioning_override_behavior: Behavior,
    /// Deployment of the version.
    #[arg(long, value_name = "NAME")]
    versioning_override_deployment_name: Option<String>,
    /// Build id of the version.
    #[arg(long, value_name = "ID")]
    versioning_override_build_id: Option<String>,
}

/// The one field that an override changes.
pub(crate) fn update_mask() -> FieldMask {
    FieldMask { paths: vec!["versioning_override".to_owned()] }
}

impl VersioningOverride {
    pub(crate) fn execution_options(&self) -> Result<WorkflowExecutionOptions> {
        let named = (
            self.versioning_override_deployment_name.clone(),
            self.versioning_override_build_id.clone(),
        );
        let behavior = self.versioning_override_behavior;
        let version = match (behavior, named) {
            (Behavior::Pinned | Behavior::OneTime, (Some(deployment_name), Some(build_id))) => {
                Some(WorkerDeploymentVersion { deployment_name, build_id })
            }
            (Behavior::Pinned | Behavior::OneTime, _) => {
                return Err(Error::usage("missing deployment name and/or build id"));
            }
            (_, (None, None)) => None,
            _ => {
                return Err(Error::usage(
                    "cannot set pinned deployment name or build id with this behavior",
                ));
            }
        };
        let choice = match behavior {
            Behavior::Unspecified => None,
            Behavior::AutoUpgrade => Some(versioning_override::Override::AutoUpgrade(true)),
            Behavior::Pinned => {
                let behavior = versioning_override::PinnedOverrideBehavior::Pinned.into();
                let pinned = versioning_override::PinnedOverride { behavior, version };
                Some(versioning_override::Override::Pinned(pinned))
            }
            Behavior::OneTime => {
                let target_deployment_version = version;
                let once = versioning_override::OneTimeOverride { target_deployment_version };
                Some(versioning_override::Override::OneTime(once))
            }
        };
        let versioning_override = choice.map(|choice| v1::VersioningOverride {
            r#override: Some(choice),
            ..v1::VersioningOverride::default()
        });
        Ok(WorkflowExecutionOptions { versioning_override, ..WorkflowExecutionOptions::default() })
    }
}

/// See `workflow update-options`.
#[derive(Debug, Args)]
pub struct UpdateOptions {
    #[command(flatten)]
    target: SingleOrBatch,
    #[command(flatten)]
    versioning: VersioningOverride,
    #[command(flatten)]
    headers: Headers,
}

impl UpdateOptions {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let options = Some(self.versioning.execution_options()?);
        match self.target.target(context, Allowed::default()).await? {
            Target::One(execution) => {
                let request = UpdateWorkflowExecutionOptionsRequest {
                    namespace: context.namespace(),
                    workflow_execution: Some(execution),
                    workflow_execution_options: options,
                    update_mask: Some(update_mask()),
                    identity: context.identity(),
                };
                context.call(request).await?;
                context.output.line("Update workflow options succeeded")
            }
            Target::Many(request) => {
                let operation = BatchOperationUpdateWorkflowExecutionOptions {
                    identity: context.identity(),
                    workflow_execution_options: options,
                    update_mask: Some(update_mask()),
                };
                let operation = Operation::UpdateWorkflowOptionsOperation(operation);
                start_batch(context, *request, operation).await
            }
        }
    }
}
