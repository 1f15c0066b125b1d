//! Methods that are not built.

use std::sync::Arc;

use authz::Rpc;

use crate::{error::ApiError, frontend::Frontend, server::ResponseFuture};

/// Refuses a call of a method that is not built.
pub(crate) fn refuse(frontend: &Arc<Frontend>, rpc: &'static Rpc) -> ResponseFuture {
    let error = ApiError::unimplemented(format!("method {} is not built yet", rpc.name));
    let metrics = frontend.metrics.request(rpc.name, "");
    metrics.begin().end(std::time::Duration::ZERO, Some(error.error_type()));
    let response = error.into_status().into_http();
    Box::pin(async move { response })
}
