//! Versions of workers, and what users say about those of a run.

use api::{
    deployment::v1::{WorkerDeploymentOptions, WorkerDeploymentVersion},
    enums::v1::{VersioningBehavior, WorkerVersioningMode},
    workflow::v1::{
        VersioningOverride,
        versioning_override::{Override, PinnedOverride, PinnedOverrideBehavior},
    },
};
use deployment::{check_version, parse_legacy};
use engine::target_of_override;
use history::override_refusal;
use matching::{Routes, TaskQueueKey, WorkerVersion};
use model::Limits;

use crate::error::{ApiError, ApiResult};

/// The version of a worker that polls; none for a worker without one.
pub(crate) fn polling_version(
    options: Option<&WorkerDeploymentOptions>,
    limits: &Limits,
) -> ApiResult<Option<WorkerVersion>> {
    let versioned = |options: &&WorkerDeploymentOptions| {
        options.worker_versioning_mode() == WorkerVersioningMode::Versioned
    };
    let Some(options) = options.filter(versioned) else { return Ok(None) };
    if options.deployment_name.is_empty() != options.build_id.is_empty() {
        return Err(ApiError::invalid("Deployment name and build id must be set together."));
    }
    let version = WorkerDeploymentVersion {
        deployment_name: options.deployment_name.clone(),
        build_id: options.build_id.clone(),
    };
    check_version(&version, limits.id_length_max)?;
    Ok(Some(WorkerVersion::new(version.deployment_name, version.build_id)))
}

/// The version of a worker that answers a workflow task, and what it says of the workflow.
pub(crate) fn answering_version(
    options: Option<&WorkerDeploymentOptions>,
    behavior: VersioningBehavior,
) -> ApiResult<(Option<WorkerDeploymentVersion>, VersioningBehavior)> {
    let versioned = options
        .filter(|options| options.worker_versioning_mode() == WorkerVersioningMode::Versioned)
        .filter(|options| !options.deployment_name.is_empty() && !options.build_id.is_empty());
    match (versioned, options) {
        (Some(options), _) => {
            let version = WorkerDeploymentVersion {
                deployment_name: options.deployment_name.clone(),
                build_id: options.build_id.clone(),
            };
            Ok((Some(version), behavior))
        }
        (None, None) if behavior != VersioningBehavior::Unspecified => Err(ApiError::invalid(
            "versioning behavior cannot be specified without deployment options being set with \
             versioned mode",
        )),
        // SDKs name a default behavior even where they have no version.
        (None, _) => Ok((None, VersioningBehavior::Unspecified)),
    }
}

/// Checks an override and writes it the newest way.
pub(crate) fn versioning_override(
    chosen: Option<VersioningOverride>,
    limits: &Limits,
) -> ApiResult<Option<VersioningOverride>> {
    let Some(chosen) = chosen else { return Ok(None) };
    let shaped = shaped_override(chosen)?;
    if let Some(version) = target_of_override(&shaped) {
        check_version(version, limits.id_length_max)?;
    }
    Ok(Some(shaped))
}

/// Checks that an override says what it has to, and writes it the newest way.
pub(crate) fn shaped_override(chosen: VersioningOverride) -> ApiResult<VersioningOverride> {
    let behavior = chosen.behavior();
    let r#override = match chosen.r#override {
        Some(Override::AutoUpgrade(true)) => Override::AutoUpgrade(true),
        Some(Override::AutoUpgrade(false)) => {
            return Err(ApiError::invalid("auto-upgrade override must be true"));
        }
        Some(Override::Pinned(pinned)) => {
            if pinned.version.is_none() {
                return Err(ApiError::invalid("must provide version if override is pinned."));
            }
            if pinned.behavior() == PinnedOverrideBehavior::Unspecified {
                let text = "must specify pinned override behavior if override is pinned.";
                return Err(ApiError::invalid(text));
            }
            Override::Pinned(pinned)
        }
        Some(Override::OneTime(one_time)) => {
            if one_time.target_deployment_version.is_none() {
                let text = "must provide target deployment version if override is one-time.";
                return Err(ApiError::invalid(text));
            }
            Override::OneTime(one_time)
        }
        None => match behavior {
            VersioningBehavior::Unspecified => {
                return Err(ApiError::invalid("override behavior is required"));
            }
            VersioningBehavior::Pinned => Override::Pinned(PinnedOverride {
                behavior: PinnedOverrideBehavior::Pinned as i32,
                version: Some(legacy_version(&chosen)?),
            }),
            VersioningBehavior::AutoUpgrade if chosen.deployment.is_some() => {
                let text = "only provide deployment if behavior is 'PINNED'";
                return Err(ApiError::invalid(text));
            }
            VersioningBehavior::AutoUpgrade if !chosen.pinned_version.is_empty() => {
                let text = "only provide pinned version if behavior is 'PINNED'";
                return Err(ApiError::invalid(text));
            }
            VersioningBehavior::AutoUpgrade => Override::AutoUpgrade(true),
        },
    };
    Ok(VersioningOverride { r#override: Some(r#override), ..VersioningOverride::default() })
}

fn legacy_version(chosen: &VersioningOverride) -> ApiResult<WorkerDeploymentVersion> {
    if let Some(deployment) = &chosen.deployment {
        return Ok(WorkerDeploymentVersion {
            deployment_name: deployment.series_name.clone(),
            build_id: deployment.build_id.clone(),
        });
    }
    let text = &chosen.pinned_version;
    if text.is_empty() {
        return Err(ApiError::invalid(
            "must provide deployment (deprecated) or pinned version if behavior is 'PINNED'",
        ));
    }
    parse_legacy(text).ok().flatten().ok_or_else(|| {
        ApiError::invalid(format!(
            "invalid version string \"{text}\", expected format is \
             \"<deployment_name>.<build_id>\""
        ))
    })
}

/// A run can be moved only to a version whose workers poll its task queue.
pub(crate) fn check_override_is_served(
    chosen: Option<&VersioningOverride>,
    key: &TaskQueueKey,
    routes: &Routes,
) -> ApiResult<()> {
    match chosen.and_then(|chosen| override_refusal(chosen, key, routes)) {
        Some(text) => Err(ApiError::precondition(text)),
        None => Ok(()),
    }
}
