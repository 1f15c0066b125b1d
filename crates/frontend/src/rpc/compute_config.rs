//! How the server itself would run the workers of a version.
//!
//! There is no provider of computing here, and so nothing that a version could be given: as on the
//! reference without one, every provider that is named is refused.

use std::collections::BTreeMap;

use api::{
    compute::v1::ComputeConfigScalingGroupUpdate,
    workflowservice::v1::{
        UpdateWorkerDeploymentVersionComputeConfigRequest,
        UpdateWorkerDeploymentVersionComputeConfigResponse,
        ValidateWorkerDeploymentVersionComputeConfigRequest,
        ValidateWorkerDeploymentVersionComputeConfigResponse,
    },
};
use deployment::DeploymentError;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
};

pub(crate) async fn update_compute_config(
    frontend: &Frontend,
    call: &Call,
    request: UpdateWorkerDeploymentVersionComputeConfigRequest,
) -> ApiResult<UpdateWorkerDeploymentVersionComputeConfigResponse> {
    let version = request.deployment_version.unwrap_or_default();
    if version.deployment_name.is_empty() {
        return Err(ApiError::invalid("deployment name cannot be empty"));
    }
    if version.build_id.is_empty() {
        return Err(ApiError::invalid("build ID cannot be empty"));
    }
    let (name, build_id) = (version.deployment_name, version.build_id);
    let deployment = frontend.deployments.find(call.namespace()?.id, &name);
    if deployment.is_none_or(|found| !found.versions.contains_key(&build_id)) {
        return Err(DeploymentError::VersionNotFound { deployment_name: name, build_id }.into());
    }
    refuse_providers(&request.compute_config_scaling_groups)?;
    Ok(UpdateWorkerDeploymentVersionComputeConfigResponse {})
}

pub(crate) async fn validate_compute_config(
    _frontend: &Frontend,
    _call: &Call,
    request: ValidateWorkerDeploymentVersionComputeConfigRequest,
) -> ApiResult<ValidateWorkerDeploymentVersionComputeConfigResponse> {
    refuse_providers(&request.compute_config_scaling_groups)?;
    Err(ApiError::invalid(
        "No prior compute config found, which means nothing can be removed and something needs to \
         be added to be valid",
    ))
}

fn refuse_providers(groups: &BTreeMap<String, ComputeConfigScalingGroupUpdate>) -> ApiResult<()> {
    let Some((name, group)) = groups.iter().next() else { return Ok(()) };
    let provider = group.scaling_group.as_ref().and_then(|group| group.provider.as_ref());
    let kind = provider.map_or("", |provider| &provider.r#type);
    Err(ApiError::invalid(format!(
        "{name}: Could not instantiate compute provider with type '{kind}'"
    )))
}
