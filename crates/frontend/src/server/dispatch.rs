//! From the path of a request to what answers it.

use std::{fmt, sync::Arc};

use http::{Method, StatusCode, header::CONTENT_TYPE};
use tonic::{Status, body::Body, codec::CompressionEncoding};
use tonic_reflection::server::Builder;
use tower::{Service, ServiceExt};

use crate::{
    frontend::Frontend,
    health::Health,
    rpc,
    server::{HttpRequest, ResponseFuture, ServerError, oversize},
    test_service,
};

/// A small service of its own, such as health checks.
pub(crate) type SideService = Arc<dyn Fn(HttpRequest) -> ResponseFuture + Send + Sync>;

/// Answers every request of the port.
pub(crate) struct Dispatcher {
    frontend: Arc<Frontend>,
    side: Vec<(&'static str, SideService)>,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Dispatcher").finish_non_exhaustive()
    }
}

impl Dispatcher {
    pub(crate) fn new(
        frontend: Arc<Frontend>,
        health: &Health,
        reflection: bool,
    ) -> Result<Self, ServerError> {
        let mut side = vec![("grpc.health.v1.Health", health.service())];
        if let Some(clock) = frontend.environment.clock.skippable() {
            let service = test_service::service(clock.clone(), frontend.stopping.clone());
            side.push((test_service::NAME, service));
        }
        if reflection {
            let builder = || {
                Builder::configure()
                    .register_encoded_file_descriptor_set(api::DESCRIPTOR_SET)
                    .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            };
            let (v1, v1alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
            let v1 = v1.accept_compressed(CompressionEncoding::Gzip);
            let v1alpha = v1alpha.accept_compressed(CompressionEncoding::Gzip);
            side.push(("grpc.reflection.v1.ServerReflection", side_service(v1)));
            side.push(("grpc.reflection.v1alpha.ServerReflection", side_service(v1alpha)));
        }
        Ok(Self { frontend, side })
    }

    /// Answers one request.
    pub(crate) fn call(&self, request: HttpRequest) -> ResponseFuture {
        if !is_grpc(&request) {
            return ready(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let Some(rpc) = authz::rpc(request.uri().path()) else {
            return self.call_side_service(request);
        };
        let answer = rpc::route(&self.frontend, rpc, request);
        Box::pin(async move { oversize::translated(answer.await) })
    }

    fn call_side_service(&self, request: HttpRequest) -> ResponseFuture {
        let path = request.uri().path().trim_start_matches('/');
        let (service, method) = path.split_once('/').unwrap_or((path, ""));
        if let Some((_, found)) = self.side.iter().find(|(name, _)| *name == service) {
            return found(request);
        }
        let known = [authz::Service::Workflow, authz::Service::Operator];
        let text = if known.iter().any(|known| known.name() == service) {
            format!("unknown method {method} for service {service}")
        } else {
            format!("unknown service {service}")
        };
        let response = Status::unimplemented(text).into_http();
        Box::pin(async move { response })
    }
}

/// Turns a generated service into a side service.
pub(crate) fn side_service<S>(service: S) -> SideService
where
    S: Service<HttpRequest, Response = http::Response<Body>, Error = std::convert::Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    Arc::new(move |request| {
        let answer = service.clone().oneshot(request);
        Box::pin(async move {
            match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    })
}

fn is_grpc(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    request.method() == Method::POST
        && content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

fn ready(status: StatusCode) -> ResponseFuture {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = status;
    Box::pin(async move { response })
}
