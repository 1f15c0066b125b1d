//! One client connection.

use std::{convert::Infallible, sync::Arc};

use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use listener::{Ending, Heard, Peer, Stream, Visitor};

use crate::server::{RequestBody, ServerSettings, dispatch::Dispatcher, refused::Account};

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
    ending: Ending,
) {
    let account = Account::new(visitor);
    let asked = account.clone();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let account = asked.clone();
        let response = match account.refusal() {
            Some(refusal) => Err(refusal),
            None => Ok(dispatcher.call(request.map(RequestBody::Received), &peer)),
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
    let grown_old = async {
        if settings.connection_age.is_zero() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(settings.connection_age.to_std()).await;
    };
    let silent = async {
        tokio::time::sleep(settings.opening_timeout.to_std()).await;
        if opening.is_over() || ending.draining.is_cancelled() {
            std::future::pending::<()>().await;
        }
    };
    let run = ending.run(connection, |connection| connection.graceful_shutdown(), grown_old);
    tokio::select! {
        biased;
        ended = run => log(ended),
        () = account.exhausted() => tracing::debug!("an address is refused too often"),
        () = silent => tracing::debug!("a client does not begin to speak"),
    }
}

fn log(ended: Option<hyper::Result<()>>) {
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
