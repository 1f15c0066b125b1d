//! `/metrics` for Prometheus.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use listener::{Listener, Peer, Stream, Visitor};
use telemetry::Metrics;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Most connections at once; a scraper needs one.
pub(crate) const CONNECTIONS_MAX: usize = 32;

/// Time that a client has for its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves metrics until `stop` is cancelled.
pub(crate) async fn serve(listener: Listener, metrics: Arc<Metrics>, stop: CancellationToken) {
    let stopped = stop.clone();
    let serve = move |stream: Stream, peer: Peer, _visitor: Arc<Visitor>| {
        let (metrics, stop) = (Arc::clone(&metrics), stopped.clone());
        async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let response = if peer.holds() && peer.admits("") {
                    answer(&request, &metrics)
                } else {
                    status(StatusCode::FORBIDDEN)
                };
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(REQUEST_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection for metrics broke");
                },
            }
        }
    };
    listener.accept_until(&stop, &TaskTracker::new(), serve).await;
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return status(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::GET {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    match metrics.encode() {
        Ok(text) => {
            let mut response = Response::new(Full::from(text));
            let kind = http::HeaderValue::from_static("text/plain; version=0.0.4");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
