//! Methods that are not built, or that the reference switches off by default: with its texts, so
//! that clients fall back as they do there.

use std::sync::Arc;

use authz::Rpc;

use crate::{error::ApiError, frontend::Frontend, server::ResponseFuture};

/// Refuses a call of a method that is not built.
pub(crate) fn refuse(frontend: &Arc<Frontend>, rpc: &'static Rpc) -> ResponseFuture {
    let error = refusal(rpc);
    let metrics = frontend.metrics.request(rpc.name, "");
    metrics.begin().end(std::time::Duration::ZERO, Some(error.error_type()));
    let response = error.into_status().into_http();
    Box::pin(async move { response })
}

fn refusal(rpc: &Rpc) -> ApiError {
    const SETS: &str =
        "Worker versioning v0.1 (Version Set-based, deprecated) is disabled on this namespace.";
    const RULES: &str =
        "Worker versioning v0.2 (Rules-based, deprecated) is disabled on this namespace.";
    const DEPLOYMENTS: &str =
        "Deployments are deprecated and no longer supported, use Worker Deployments instead";
    match rpc.name {
        "UpdateWorkerBuildIdCompatibility" | "GetWorkerBuildIdCompatibility" => {
            ApiError::disabled(SETS)
        }
        "UpdateWorkerVersioningRules"
        | "GetWorkerVersioningRules"
        | "GetWorkerTaskReachability" => ApiError::disabled(RULES),
        "DescribeDeployment"
        | "ListDeployments"
        | "GetDeploymentReachability"
        | "GetCurrentDeployment"
        | "SetCurrentDeployment" => ApiError::unimplemented(DEPLOYMENTS),
        name => ApiError::unimplemented(format!("method {name} is not built yet")),
    }
}
