//! One client connection.

use std::{convert::Infallible, future::pending, sync::Arc};

use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use listener::{Ending, Gathered, Heard, Http2, Stream, Visitor};
use tonic::{Status, body::Body};

use crate::CodecProxy;

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
    let stream = TokioIo::new(Gathered::new(stream));
    let http2 = Http2 {
        header_bytes_max: settings.header_bytes_max,
        streams_per_connection_max: settings.streams_per_connection_max,
        keep_alive_interval: settings.keep_alive_interval,
        keep_alive_timeout: settings.keep_alive_timeout,
    };
    let connection = http2.builder(TokioExecutor::new()).serve_connection(stream, service);
    let run = ending.run(connection, |connection| connection.graceful_shutdown(), pending());
    tokio::select! {
        biased;
        ended = run => {
            if let Some(Err(error)) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        }
        () = opening.missed(settings.opening_timeout, &ending) => {}
    }
}

async fn answer(proxy: &CodecProxy, may_ask: bool, request: Request<Incoming>) -> Response<Body> {
    if may_ask {
        return proxy.answer(request).await;
    }
    Status::resource_exhausted("address rate limit exceeded").into_http()
}
