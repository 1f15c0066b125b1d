//! The gRPC server: connections in, calls routed, a graceful end.

mod connection;
mod dispatch;
mod oversize;

use std::{future::Future, io, pin::Pin, sync::Arc};

use hyper::body::Incoming;
use model::Span;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::body::Body;

pub(crate) use connection::accept;
pub(crate) use dispatch::{SideService, side_service};

use crate::{frontend::Frontend, health::Health, server::dispatch::Dispatcher};

/// A request as the HTTP library hands it over.
pub(crate) type HttpRequest = http::Request<Incoming>;

/// The answer to a request, once it is there.
pub(crate) type ResponseFuture = Pin<Box<dyn Future<Output = http::Response<Body>> + Send>>;

/// How the server treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSettings {
    /// Most connections at once; more wait in the operating system's queue.
    pub connections_max: usize,
    /// Most calls at once on one connection. A worker process holds one per poller.
    pub streams_per_connection_max: u32,
    /// How often an idle client is asked whether it is still there.
    pub keep_alive_interval: Span,
    /// How long it may take to answer.
    pub keep_alive_timeout: Span,
    /// After this time a client is asked to connect again, so that load spreads over new nodes.
    /// Zero: never.
    pub connection_age: Span,
    /// How long calls under way may take when the server stops.
    pub drain_timeout: Span,
    /// Whether clients may list services and their messages.
    pub reflection: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            streams_per_connection_max: 10_000,
            keep_alive_interval: Span::from_secs(30),
            keep_alive_timeout: Span::from_secs(20),
            connection_age: Span::ZERO,
            drain_timeout: Span::from_secs(10),
            reflection: true,
        }
    }
}

/// The gRPC server of a frontend.
#[derive(Debug)]
pub struct Server {
    frontend: Arc<Frontend>,
    health: Health,
    dispatcher: Arc<Dispatcher>,
    settings: ServerSettings,
}

/// The reflection service could not read the API's own description.
#[derive(Debug, thiserror::Error)]
#[error("reflection: {0}")]
pub struct ServerError(#[from] tonic_reflection::server::Error);

impl Server {
    /// A server that does not listen yet.
    ///
    /// # Errors
    /// When the API's description cannot be read, which a test rules out.
    pub fn new(frontend: Arc<Frontend>, settings: ServerSettings) -> Result<Self, ServerError> {
        let health = Health::new();
        let dispatcher = Dispatcher::new(Arc::clone(&frontend), &health, settings.reflection)?;
        Ok(Self { frontend, health, dispatcher: Arc::new(dispatcher), settings })
    }

    /// Serves until `stop` is cancelled, then lets calls under way finish: health checks fail, long
    /// polls answer empty, clients are told to go, and what is left after the drain time-out is cut.
    ///
    /// # Errors
    /// When connections cannot be accepted at all.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        self.health.serving().await;
        let connections = TaskTracker::new();
        let (draining, cutting) = (CancellationToken::new(), CancellationToken::new());
        let slots = Arc::new(tokio::sync::Semaphore::new(self.settings.connections_max));
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            let Some((stream, slot)) = accepted else { continue };
            let dispatcher = Arc::clone(&self.dispatcher);
            let (settings, draining, cutting) = (self.settings, draining.clone(), cutting.clone());
            connections.spawn(async move {
                connection::serve(stream, dispatcher, settings, draining, cutting).await;
                drop(slot);
            });
        }
        self.health.not_serving().await;
        self.frontend.stop_polls();
        draining.cancel();
        connections.close();
        let patience = self.settings.drain_timeout.to_std();
        if tokio::time::timeout(patience, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "calls did not finish and are cut off");
            cutting.cancel();
            connections.wait().await;
        }
        Ok(())
    }
}
