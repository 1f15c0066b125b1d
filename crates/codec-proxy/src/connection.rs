//! One client connection.

use std::{convert::Infallible, future::pending, sync::Arc};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use listener::{Ending, Heard, Stream, Visitor};
use tonic::{Status, body::Body};

use crate::CodecProxy;

/// Bytes that a client may send ahead on one call and on one connection: a message fits.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// Most calls that a client may have opened and given up before the proxy has seen them, and most
/// that it may make the proxy give up: a client in good order does neither (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
const OWN_RESETS_MAX: usize = 256;

/// Serves a connection until the client leaves, or until the proxy drains and it has finished.
pub(crate) async fn serve(
    proxy: CodecProxy,
    stream: Stream,
    visitor: Arc<Visitor>,
    ending: Ending,
) {
    let settings = Arc::clone(&proxy.settings);
    let service = service_fn(move |request: Request<Incoming>| {
        let (proxy, may_ask) = (proxy.clone(), visitor.may_ask());
        async move { Ok::<Response<Body>, Infallible>(answer(&proxy, may_ask, request).await) }
    });
    let (stream, opening) = Heard::new(stream);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(settings.header_bytes_max)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(OWN_RESETS_MAX)
        .max_concurrent_streams(settings.streams_per_connection_max)
        .keep_alive_interval(Some(settings.keep_alive_interval))
        .keep_alive_timeout(settings.keep_alive_timeout)
        .serve_connection(TokioIo::new(stream), service);
    let silent = async {
        tokio::time::sleep(settings.opening_timeout).await;
        if opening.is_over() || ending.draining.is_cancelled() {
            pending::<()>().await;
        }
    };
    let run = ending.run(connection, |connection| connection.graceful_shutdown(), pending());
    tokio::select! {
        biased;
        ended = run => {
            if let Some(Err(error)) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        }
        () = silent => tracing::debug!("a client does not begin to speak"),
    }
}

async fn answer(proxy: &CodecProxy, may_ask: bool, request: Request<Incoming>) -> Response<Body> {
    if may_ask {
        return proxy.answer(request).await;
    }
    Status::resource_exhausted("address rate limit exceeded").into_http()
}
