//! One client connection.

use std::{convert::Infallible, pin::pin, sync::Arc};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use listener::{Peer, Stream};
use tokio_util::sync::CancellationToken;

use crate::server::{HttpRequest, ServerSettings, dispatch::Dispatcher};

/// Bytes that a client may send ahead on one call and on one connection: a message fits.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// Largest set of headers, in bytes: a token and some metadata.
const HEADER_BYTES_MAX: u32 = 64 * 1024;

/// Serves a connection until the client leaves, or until it is asked to and has finished.
pub(crate) async fn serve(
    stream: Stream,
    peer: Peer,
    dispatcher: Arc<Dispatcher>,
    settings: ServerSettings,
    draining: CancellationToken,
    cutting: CancellationToken,
) {
    let service = service_fn(move |request: HttpRequest| {
        let response = dispatcher.call(request, &peer);
        async move { Ok::<_, Infallible>(response.await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_concurrent_streams(settings.streams_per_connection_max)
        .keep_alive_interval(Some(settings.keep_alive_interval.to_std()))
        .keep_alive_timeout(settings.keep_alive_timeout.to_std())
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let grown_old = async {
        if settings.connection_age.is_zero() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(settings.connection_age.to_std()).await;
    };
    tokio::select! {
        biased;
        ended = connection.as_mut() => return log(ended),
        () = draining.cancelled() => {}
        () = grown_old => {}
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
