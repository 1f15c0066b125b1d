//! Methods that the reference has switched off, for good or by default: refused with its texts, so
//! that clients fall back as they do there.

use api::workflowservice::v1::{
    DescribeDeploymentRequest, DescribeDeploymentResponse, FetchWorkerConfigRequest,
    FetchWorkerConfigResponse, GetCurrentDeploymentRequest, GetCurrentDeploymentResponse,
    GetDeploymentReachabilityRequest, GetDeploymentReachabilityResponse,
    GetWorkerBuildIdCompatibilityRequest, GetWorkerBuildIdCompatibilityResponse,
    GetWorkerTaskReachabilityRequest, GetWorkerTaskReachabilityResponse,
    GetWorkerVersioningRulesRequest, GetWorkerVersioningRulesResponse, ListDeploymentsRequest,
    ListDeploymentsResponse, SetCurrentDeploymentRequest, SetCurrentDeploymentResponse,
    UpdateWorkerBuildIdCompatibilityRequest, UpdateWorkerBuildIdCompatibilityResponse,
    UpdateWorkerConfigRequest, UpdateWorkerConfigResponse, UpdateWorkerVersioningRulesRequest,
    UpdateWorkerVersioningRulesResponse,
};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
};

macro_rules! refused {
    ($($handler:ident($request:ident) -> $response:ident: $error:expr;)*) => {
        $(pub(crate) async fn $handler(
            _frontend: &Frontend,
            _call: &Call,
            _request: $request,
        ) -> ApiResult<$response> {
            Err($error)
        })*
    };
}

refused! {
    describe_deployment(DescribeDeploymentRequest) -> DescribeDeploymentResponse: deployments();
    fetch_worker_config(FetchWorkerConfigRequest) -> FetchWorkerConfigResponse:
        ApiError::unimplemented("FetchWorkerConfig command is not enabled.");
    get_current_deployment(GetCurrentDeploymentRequest) -> GetCurrentDeploymentResponse:
        deployments();
    get_deployment_reachability(GetDeploymentReachabilityRequest)
        -> GetDeploymentReachabilityResponse: deployments();
    get_worker_build_id_compatibility(GetWorkerBuildIdCompatibilityRequest)
        -> GetWorkerBuildIdCompatibilityResponse: sets();
    get_worker_task_reachability(GetWorkerTaskReachabilityRequest)
        -> GetWorkerTaskReachabilityResponse: rules();
    get_worker_versioning_rules(GetWorkerVersioningRulesRequest)
        -> GetWorkerVersioningRulesResponse: rules();
    list_deployments(ListDeploymentsRequest) -> ListDeploymentsResponse: deployments();
    set_current_deployment(SetCurrentDeploymentRequest) -> SetCurrentDeploymentResponse:
        deployments();
    update_worker_build_id_compatibility(UpdateWorkerBuildIdCompatibilityRequest)
        -> UpdateWorkerBuildIdCompatibilityResponse: sets();
    update_worker_config(UpdateWorkerConfigRequest) -> UpdateWorkerConfigResponse:
        ApiError::unimplemented("UpdateWorkerConfig command is not enabled.");
    update_worker_versioning_rules(UpdateWorkerVersioningRulesRequest)
        -> UpdateWorkerVersioningRulesResponse: rules();
}

/// The first way of versioning.
fn sets() -> ApiError {
    let text =
        "Worker versioning v0.1 (Version Set-based, deprecated) is disabled on this namespace.";
    ApiError::disabled(text)
}

/// The second one.
fn rules() -> ApiError {
    let text = "Worker versioning v0.2 (Rules-based, deprecated) is disabled on this namespace.";
    ApiError::disabled(text)
}

/// The third one, before worker deployments.
fn deployments() -> ApiError {
    let text = "Deployments are deprecated and no longer supported, use Worker Deployments instead";
    ApiError::unimplemented(text)
}
