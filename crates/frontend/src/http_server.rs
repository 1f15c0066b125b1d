//! The HTTP server: Nexus requests and completions from outside, beside the gRPC server.
//!
//! `connection` takes requests in and bounds them, `route` finds what a path means, and one file
//! for each thing answers. The HTTP form of the gRPC API will be another arm of `route`.

mod complete;
mod connection;
mod dispatch;
mod refusal;
mod route;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use model::Span;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{frontend::Frontend, server::accept};

/// A request whose body has been read.
type Request = http::Request<Bytes>;

/// What it is answered with.
type Answer = Response<Bytes>;

/// How the server treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpSettings {
    /// Most connections at once; more wait in the operating system's queue.
    pub connections_max: usize,
    /// How long a client may take to send its headers; also how long it may be idle.
    pub header_timeout: Span,
    /// How long it may take to send its body.
    pub body_timeout: Span,
    /// How long requests under way may take when the server stops.
    pub drain_timeout: Span,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_timeout: Span::from_secs(60),
            body_timeout: Span::from_secs(30),
            drain_timeout: Span::from_secs(10),
        }
    }
}

/// The HTTP server of a frontend.
#[derive(Debug)]
pub struct HttpServer {
    frontend: Arc<Frontend>,
    settings: HttpSettings,
}

impl HttpServer {
    /// A server that does not listen yet.
    pub fn new(frontend: Arc<Frontend>, settings: HttpSettings) -> Self {
        Self { frontend, settings }
    }

    /// Serves until `stop` is cancelled, then lets requests under way finish; what is left after
    /// the drain time-out is cut.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let cutting = CancellationToken::new();
        let slots = Arc::new(tokio::sync::Semaphore::new(self.settings.connections_max));
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            let Some((stream, slot)) = accepted else { continue };
            let (frontend, settings) = (Arc::clone(&self.frontend), self.settings);
            let (draining, cutting) = (stop.clone(), cutting.clone());
            connections.spawn(async move {
                connection::serve(stream, frontend, settings, draining, cutting).await;
                drop(slot);
            });
        }
        connections.close();
        let patience = self.settings.drain_timeout.to_std();
        if tokio::time::timeout(patience, connections.wait()).await.is_err() {
            cutting.cancel();
            connections.wait().await;
        }
    }
}
