//! One client connection, and the bounds of its requests.

use std::{convert::Infallible, pin::pin, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use nexus_protocol::{HandlerError, HandlerErrorKind};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{Answer, HttpSettings, route};
use crate::frontend::Frontend;

/// Largest body, in bytes, as in the reference.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Largest set of headers, in bytes: links and tokens.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Most headers of a request.
const HEADERS_MAX: usize = 200;

/// Serves a connection until the client leaves, or until the server drains and it has finished.
pub(super) async fn serve(
    stream: TcpStream,
    frontend: Arc<Frontend>,
    settings: HttpSettings,
    draining: CancellationToken,
    cutting: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection has gone");
        return;
    }
    let service = service_fn(move |request: http::Request<Incoming>| {
        let frontend = Arc::clone(&frontend);
        async move { Ok::<_, Infallible>(answer(&frontend, settings, request).await.map(Full::new)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout.to_std())
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return log(ended),
        () = draining.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = connection.as_mut() => log(ended),
        () = cutting.cancelled() => {}
    }
}

fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn answer(
    frontend: &Arc<Frontend>,
    settings: HttpSettings,
    request: http::Request<Incoming>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    let refused = |kind, text| HandlerError::new(kind, text).to_response(false);
    let body: Bytes = match tokio::time::timeout(settings.body_timeout.to_std(), reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return refused(HandlerErrorKind::BadRequest, "request body too large");
        }
        Ok(Err(_)) => return refused(HandlerErrorKind::BadRequest, "failed to read request body"),
        Err(_) => return refused(HandlerErrorKind::RequestTimeout, "request timed out"),
    };
    route::answer(frontend, http::Request::from_parts(parts, body)).await
}
