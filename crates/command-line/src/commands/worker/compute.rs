//! `worker deployment create-version` and `update-version-compute-config`: versions whose workers the
//! server itself starts and stops, at a provider of computing.

use api::{
    common::v1::Payload,
    compute::v1::{
        ComputeConfig, ComputeConfigScalingGroup, ComputeConfigScalingGroupUpdate, ComputeProvider,
        ComputeScaler,
    },
    workflowservice::v1::{
        CreateWorkerDeploymentVersionRequest, UpdateWorkerDeploymentVersionComputeConfigRequest,
    },
};
use clap::Args;
use prost_types::FieldMask;
use serde_json::{Map, Value, json};

use super::deployment::Version;
use crate::{
    commands::go,
    context::Context,
    error::{Error, Result},
    values::{self, Length},
};

/// The one group of workers that these commands know.
const GROUP: &str = "default";

const LAMBDA: &str = "aws-lambda";
const AGENTCORE: &str = "aws-agentcore";
const CLOUD_RUN: &str = "gcp-cloud-run";

/// Where workers come from: one of three providers.
#[derive(Debug, Args)]
struct Provider {
    /// The AWS Lambda function that starts a worker.
    #[arg(long, value_name = "ARN")]
    aws_lambda_function_arn: Option<String>,
    /// The role that the server takes on to call it.
    #[arg(long, value_name = "ARN")]
    aws_lambda_assume_role_arn: Option<String>,
    /// What the role's trust policy asks for.
    #[arg(long, value_name = "ID")]
    aws_lambda_assume_role_external_id: Option<String>,
    /// Take on no role.
    #[arg(long)]
    aws_lambda_skip_role_and_external_id: bool,
    /// The endpoint of an AWS Bedrock Agentcore runtime that starts a worker.
    #[arg(long, value_name = "ARN")]
    aws_agentcore_endpoint_arn: Option<String>,
    /// The role that the server takes on to call it.
    #[arg(long, value_name = "ARN")]
    aws_agentcore_assume_role_arn: Option<String>,
    /// What the role's trust policy asks for.
    #[arg(long, value_name = "ID")]
    aws_agentcore_assume_role_external_id: Option<String>,
    /// Take on no role.
    #[arg(long)]
    aws_agentcore_skip_role_and_external_id: bool,
    /// The GCP Cloud Run worker pool that is scaled.
    #[arg(long, value_name = "NAME")]
    gcp_cloud_run_worker_pool: Option<String>,
    /// The project that has it.
    #[arg(long, value_name = "ID")]
    gcp_cloud_run_project: Option<String>,
    /// The region that it is in.
    #[arg(long, value_name = "NAME")]
    gcp_cloud_run_region: Option<String>,
    /// The account that the server takes on to scale it.
    #[arg(long, value_name = "NAME")]
    gcp_cloud_run_service_account: Option<String>,
}

/// What a provider is told: its name and the details.
struct Told {
    name: &'static str,
    details: Payload,
}

impl Provider {
    fn lambda(&self) -> [(&'static str, &Option<String>); 3] {
        [
            ("arn", &self.aws_lambda_function_arn),
            ("role", &self.aws_lambda_assume_role_arn),
            ("role_external_id", &self.aws_lambda_assume_role_external_id),
        ]
    }

    fn agentcore(&self) -> [(&'static str, &Option<String>); 3] {
        [
            ("endpoint_arn", &self.aws_agentcore_endpoint_arn),
            ("role", &self.aws_agentcore_assume_role_arn),
            ("role_external_id", &self.aws_agentcore_assume_role_external_id),
        ]
    }

    fn cloud_run(&self) -> [(&'static str, &Option<String>); 4] {
        [
            ("project", &self.gcp_cloud_run_project),
            ("region", &self.gcp_cloud_run_region),
            ("worker_pool", &self.gcp_cloud_run_worker_pool),
            ("service_account", &self.gcp_cloud_run_service_account),
        ]
    }

    /// The providers that are named.
    fn named(&self) -> Vec<&'static str> {
        let is_named = |details: &[(&str, &Option<String>)]| {
            details.iter().any(|(_, value)| value.as_ref().is_some_and(|text| !text.is_empty()))
        };
        let all = [
            (LAMBDA, is_named(&self.lambda())),
            (AGENTCORE, is_named(&self.agentcore())),
            (CLOUD_RUN, is_named(&self.cloud_run())),
        ];
        all.iter().filter(|(_, is_named)| *is_named).map(|(name, _)| *name).collect()
    }

    /// The provider, if one is named.
    fn told(&self) -> Result<Option<Told>> {
        let named = self.named();
        let Some(name) = named.first().copied() else { return Ok(None) };
        if named.len() > 1 {
            return Err(Error::usage(
                "cannot combine --aws-lambda-*, --aws-agentcore-*, and --gcp-cloud-run-* flags; a \
                 Worker Deployment Version supports a single compute provider",
            ));
        }
        let details = match name {
            LAMBDA => {
                let skips = self.aws_lambda_skip_role_and_external_id;
                of_aws("AWS Lambda", "lambda", &self.lambda(), skips)?
            }
            AGENTCORE => {
                let skips = self.aws_agentcore_skip_role_and_external_id;
                of_aws("AWS Agentcore", "agentcore", &self.agentcore(), skips)?
            }
            _ => complete("GCP Cloud Run", &self.cloud_run())?,
        };
        Ok(Some(Told { name, details: values::json_payload(&details.into()) }))
    }
}

/// Details that all have to be there.
fn complete(title: &str, wanted: &[(&str, &Option<String>)]) -> Result<Map<String, Value>> {
    let mut details = Map::new();
    for (key, value) in wanted {
        let Some(value) = value.as_ref().filter(|text| !text.is_empty()) else {
            return Err(Error::usage(format!("missing required {title} provider detail: {key}")));
        };
        details.insert((*key).to_owned(), value.as_str().into());
    }
    Ok(details)
}

/// The details of a provider of AWS: what is called, and, unless it is said otherwise, by whom.
fn of_aws(
    title: &str,
    option: &str,
    wanted: &[(&str, &Option<String>)],
    skips_role: bool,
) -> Result<Map<String, Value>> {
    if !skips_role {
        return complete(title, wanted);
    }
    let (called, roles) = wanted.split_at(1);
    let details = complete(title, called)?;
    match roles.iter().find(|(_, value)| value.is_some()) {
        None => Ok(details),
        Some((key, _)) => Err(Error::usage(format!(
            "{title} provider detail {key:?} must not be set when \
             --aws-{option}-skip-role-and-external-id is passed"
        ))),
    }
}

/// How many workers of a Cloud Run pool there are: all of it, or nothing.
#[derive(Debug, Args)]
struct Scaling {
    /// Fewest instances of a Cloud Run pool.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    gcp_cloud_run_min_instances: Option<i64>,
    /// Most instances.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    gcp_cloud_run_max_instances: Option<i64>,
    /// Instances at first.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    gcp_cloud_run_initial_instances: Option<i64>,
    /// How busy workers should be, above 0 and up to 1.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    gcp_cloud_run_utilization_target: Option<f32>,
    /// How long nothing may wait before there are fewer.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    gcp_cloud_run_scale_down_stabilization_duration: Option<Length>,
}

impl Scaling {
    fn is_set(&self) -> bool {
        self.gcp_cloud_run_min_instances.is_some()
            || self.gcp_cloud_run_max_instances.is_some()
            || self.gcp_cloud_run_initial_instances.is_some()
            || self.gcp_cloud_run_utilization_target.is_some()
            || self.gcp_cloud_run_scale_down_stabilization_duration.is_some()
    }

    /// The scaler's details, if they are set.
    fn details(&self) -> Result<Option<Payload>> {
        if !self.is_set() {
            return Ok(None);
        }
        let (Some(min), Some(max), Some(initial), Some(target), Some(Length(quiet))) = (
            self.gcp_cloud_run_min_instances,
            self.gcp_cloud_run_max_instances,
            self.gcp_cloud_run_initial_instances,
            self.gcp_cloud_run_utilization_target,
            self.gcp_cloud_run_scale_down_stabilization_duration,
        ) else {
            return Err(Error::usage(
                "--gcp-cloud-run-min-instances, --gcp-cloud-run-max-instances, \
                 --gcp-cloud-run-initial-instances, --gcp-cloud-run-utilization-target, and \
                 --gcp-cloud-run-scale-down-stabilization-duration must be set together",
            ));
        };
        let wrong = if min < 0 {
            "--gcp-cloud-run-min-instances cannot be negative"
        } else if max < 1 {
            "--gcp-cloud-run-max-instances must be at least 1"
        } else if min > max {
            "--gcp-cloud-run-min-instances cannot exceed --gcp-cloud-run-max-instances"
        } else if !(min..=max).contains(&initial) {
            "--gcp-cloud-run-initial-instances must be between --gcp-cloud-run-min-instances and \
             --gcp-cloud-run-max-instances"
        } else if !(target > 0.0 && target <= 1.0) {
            "--gcp-cloud-run-utilization-target must be greater than 0 and at most 1"
        } else {
            let quiet = i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX);
            return Ok(Some(values::json_payload(&json!({
                "min_count": min,
                "max_count": max,
                "initial_count": initial,
                "no_sync_quiet_ms": quiet,
                "utilization_target": go::half(target),
            }))));
        };
        Err(Error::usage(wrong))
    }
}

/// A group of workers at a provider.
fn group(told: Told, scaling: &Scaling) -> Result<ComputeConfigScalingGroup> {
    let is_cloud_run = told.name == CLOUD_RUN;
    if scaling.is_set() && !is_cloud_run {
        return Err(Error::usage(
            "the Cloud Run scaling flags are only valid with --gcp-cloud-run-worker-pool",
        ));
    }
    Ok(ComputeConfigScalingGroup {
        provider: Some(ComputeProvider {
            r#type: told.name.to_owned(),
            details: Some(told.details),
            ..ComputeProvider::default()
        }),
        scaler: Some(ComputeScaler {
            // Functions are called when somebody is missing; pools have a size.
            r#type: if is_cloud_run { "rate-based" } else { "no-sync" }.to_owned(),
            details: scaling.details()?,
        }),
        ..ComputeConfigScalingGroup::default()
    })
}

/// See `worker deployment create-version`.
#[derive(Debug, Args)]
pub struct CreateVersion {
    #[command(flatten)]
    version: Version,
    #[command(flatten)]
    provider: Provider,
    #[command(flatten)]
    scaling: Scaling,
}

impl CreateVersion {
    pub(super) async fn run(self, context: &mut Context) -> Result {
        let missing = || Error::usage("missing configuration for compute provider");
        let told = self.provider.told()?.ok_or_else(missing)?;
        let groups = [(GROUP.to_owned(), group(told, &self.scaling)?)];
        let request = CreateWorkerDeploymentVersionRequest {
            namespace: context.namespace(),
            deployment_version: self.version.proto(),
            compute_config: Some(ComputeConfig { scaling_groups: groups.into() }),
            identity: context.identity(),
            request_id: context.id(),
        };
        context.call(request).await?;
        context.output.line("Successfully created worker deployment version")
    }
}

/// See `worker deployment update-version-compute-config`.
#[derive(Debug, Args)]
pub struct UpdateComputeConfig {
    #[command(flatten)]
    version: Version,
    #[command(flatten)]
    provider: Provider,
    #[command(flatten)]
    scaling: Scaling,
    /// Start and stop no workers of this version any more.
    #[arg(long)]
    remove: bool,
}

impl UpdateComputeConfig {
    /// The change, and what it concerns.
    fn update(&self) -> Result<ComputeConfigScalingGroupUpdate> {
        let (group, paths) = match self.provider.told()? {
            Some(told) => {
                let is_cloud_run = told.name == CLOUD_RUN;
                let group = group(told, &self.scaling)?;
                let mut paths = vec!["provider.type", "provider.details", "scaler.type"];
                // The details of another scaler would make no sense to the new one.
                if !is_cloud_run || self.scaling.is_set() {
                    paths.push("scaler.details");
                }
                (group, paths)
            }
            None => {
                let nothing = || Error::usage("no compute configuration provided to update");
                let details = Some(self.scaling.details()?.ok_or_else(nothing)?);
                let scaler = Some(ComputeScaler { details, ..ComputeScaler::default() });
                let group =
                    ComputeConfigScalingGroup { scaler, ..ComputeConfigScalingGroup::default() };
                (group, vec!["scaler.details"])
            }
        };
        let paths = paths.into_iter().map(ToOwned::to_owned).collect();
        Ok(ComputeConfigScalingGroupUpdate {
            scaling_group: Some(group),
            update_mask: Some(FieldMask { paths }),
        })
    }

    pub(super) async fn run(self, context: &mut Context) -> Result {
        if self.remove && (!self.provider.named().is_empty() || self.scaling.is_set()) {
            return Err(Error::usage(
                "--remove cannot be combined with --aws-lambda-*, --aws-agentcore-*, or \
                 --gcp-cloud-run-* flags",
            ));
        }
        let mut request = UpdateWorkerDeploymentVersionComputeConfigRequest {
            namespace: context.namespace(),
            deployment_version: self.version.proto(),
            identity: context.identity(),
            request_id: context.id(),
            ..UpdateWorkerDeploymentVersionComputeConfigRequest::default()
        };
        let done = if self.remove {
            request.remove_compute_config_scaling_groups = vec![GROUP.to_owned()];
            "removed"
        } else {
            let groups = [(GROUP.to_owned(), self.update()?)];
            request.compute_config_scaling_groups = groups.into();
            "updated"
        };
        context.call(request).await?;
        let text = format!("Successfully {done} worker deployment version compute config");
        context.output.line(&text)
    }
}

/// The config of a version, as far as it is shown: providers may be told secrets.
pub(super) fn shown(config: &ComputeConfig) -> Option<Value> {
    let mut groups = Map::new();
    for (name, group) in &config.scaling_groups {
        let mut shown = Map::new();
        if let Some(provider) = &group.provider {
            shown.insert("provider".to_owned(), json!({ "type": provider.r#type }));
        }
        if let Some(scaler) = &group.scaler {
            shown.insert("scaler".to_owned(), scaler_shown(scaler));
        }
        if !shown.is_empty() {
            groups.insert(name.clone(), shown.into());
        }
    }
    (!config.scaling_groups.is_empty()).then(|| json!({ "scalingGroups": groups }))
}

fn scaler_shown(scaler: &ComputeScaler) -> Value {
    let details = scaler.details.as_ref().map(|details| &details.data[..]).unwrap_or_default();
    let details: Map<String, Value> = serde_json::from_slice(details).unwrap_or_default();
    let mut shown = json!({ "type": scaler.r#type });
    let Value::Object(object) = &mut shown else { return shown };
    for (key, name) in [
        ("min_count", "minInstances"),
        ("max_count", "maxInstances"),
        ("initial_count", "initialInstances"),
        ("utilization_target", "utilizationTarget"),
    ] {
        if let Some(value) = details.get(key).filter(|value| value.is_number()) {
            object.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(millis) = details.get("no_sync_quiet_ms").and_then(Value::as_i64) {
        let nanos = i32::try_from(millis % 1_000 * 1_000_000).unwrap_or_default();
        let length = prost_types::Duration { seconds: millis / 1_000, nanos };
        let length = go::spaced_length(Some(&length));
        object.insert("scaleDownStabilization".to_owned(), length.into());
    }
    shown
}
