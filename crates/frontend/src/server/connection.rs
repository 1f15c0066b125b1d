//! One client connection.

use std::{convert::Infallible, pin::pin, sync::Arc};

use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use listener::{Heard, Peer, Stream, Visitor};
use tokio_util::sync::CancellationToken;

use crate::server::{
    RequestBody, ServerSettings, dispatch::Dispatcher, refused::Account, withdrawal::Shown,
};

/// Bytes that a client may send ahead on one call and on one connection: a message fits.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// Most calls that a client may have opened and given up before the server has seen them, and most
/// that it may make the server give up: a client in good order does neither (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
const OWN_RESETS_MAX: usize = 256;

/// Serves a connection until the client leaves, or until it is asked to and has finished.
pub(crate) async fn serve(
    stream: Stream,
    peer: Peer,
    visitor: Arc<Visitor>,
    dispatcher: Arc<Dispatcher>,
    settings: ServerSettings,
    draining: CancellationToken,
    cutting: CancellationToken,
) {
    let account = Account::new(visitor);
    let asked = account.clone();
    let (shown, watched) = Shown::of(&peer);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let account = asked.clone();
        let response = match account.refusal() {
            Some(refusal) => Err(refusal),
            None => Ok(dispatcher.call(request.map(RequestBody::Received), &peer, &shown)),
        };
        async move {
            Ok::<_, Infallible>(match response {
                Ok(response) => account.counted(response.await),
                Err(refusal) => refusal,
            })
        }
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
    let silent = async {
        tokio::time::sleep(settings.opening_timeout.to_std()).await;
        if opening.is_over() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        ended = connection.as_mut() => return log(ended),
        () = account.exhausted() => return tracing::debug!("an address is refused too often"),
        () = silent => return tracing::debug!("a client does not begin to speak"),
        () = watched => {}
        () = draining.cancelled() => {}
        () = grown_old => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = connection.as_mut() => log(ended),
        () = account.exhausted() => {}
        () = cutting.cancelled() => {}
    }
}

fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
