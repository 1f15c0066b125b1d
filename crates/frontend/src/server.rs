//! The gRPC server: connections in, calls routed, a graceful end.

mod connection;
mod dispatch;
mod oversize;
mod reflection;
mod refused;
mod request_body;
mod timely;
mod way_in;
mod withdrawal;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use listener::{Ending, Listener, Standing};
use model::Span;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::body::Body;

pub(crate) use dispatch::Dispatcher;
pub use dispatch::{SideService, side_service};
pub(crate) use oversize::translated;
pub(crate) use refused::Unread;
pub use request_body::RequestBody;
pub(crate) use timely::Timely;

use crate::{authentication::Authenticate, frontend::Frontend, health::Health};

/// A request as the HTTP library hands it over.
pub type HttpRequest = http::Request<RequestBody>;

/// The answer to a request, once it is there.
pub type ResponseFuture = Pin<Box<dyn Future<Output = http::Response<Body>> + Send>>;

/// How the server treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSettings {
    /// Most calls at once on one connection. A worker process holds one per poller.
    pub streams_per_connection_max: u32,
    /// Largest set of headers, in bytes: a token and some metadata.
    pub header_bytes_max: u32,
    /// How long a client may take to begin, once it is connected.
    pub opening_timeout: Span,
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
            streams_per_connection_max: 10_000,
            header_bytes_max: 64 * 1024,
            opening_timeout: Span::from_secs(10),
            keep_alive_interval: Span::from_secs(30),
            keep_alive_timeout: Span::from_secs(20),
            connection_age: Span::ZERO,
            drain_timeout: Span::from_secs(10),
            reflection: true,
        }
    }
}

/// What a server has besides the API.
#[derive(Default)]
pub struct SideServices {
    /// Who says who calls; without one all callers are anonymous.
    pub authentication: Option<Arc<dyn Authenticate>>,
    /// How connections stand on which no certificate can be shown, if that matters anywhere.
    pub unproven: Option<Arc<dyn Standing>>,
    /// Services of the binary's own, by their full names. Their methods are rows of the RPC table;
    /// each finds the [`authz::Permit`] for its call among the request's extensions.
    pub services: Vec<(&'static str, SideService)>,
}

impl fmt::Debug for SideServices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SideServices").finish_non_exhaustive()
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

impl Server {
    /// A server that does not listen yet.
    pub fn new(frontend: Arc<Frontend>, settings: ServerSettings) -> Self {
        Self::with_services(frontend, settings, SideServices::default())
    }

    /// The same, with authentication and services of the binary's own.
    pub fn with_services(
        frontend: Arc<Frontend>,
        settings: ServerSettings,
        services: SideServices,
    ) -> Self {
        let health = Health::new();
        let reflection = settings.reflection;
        let dispatcher = Dispatcher::new(Arc::clone(&frontend), &health, reflection, services);
        Self { frontend, health, dispatcher: Arc::new(dispatcher), settings }
    }

    /// What answers calls, for a server that takes them in another form.
    pub(crate) fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.dispatcher
    }

    /// Serves until `stop` is cancelled, then lets calls under way finish: health checks fail, long
    /// polls answer empty, clients are told to go, and what is left after the drain time-out is cut.
    pub async fn serve(&self, listener: Listener, stop: CancellationToken) {
        self.health.serving().await;
        let connections = TaskTracker::new();
        let ending =
            Ending { draining: CancellationToken::new(), cutting: CancellationToken::new() };
        let (dispatcher, settings) = (Arc::clone(&self.dispatcher), self.settings);
        let told = ending.clone();
        let serve = move |stream, peer, visitor| {
            let (dispatcher, told) = (Arc::clone(&dispatcher), told.clone());
            connection::serve(stream, peer, visitor, dispatcher, settings, told)
        };
        listener.accept_until(&stop, &connections, serve).await;
        self.health.not_serving().await;
        self.frontend.stop_polls();
        ending.draining.cancel();
        connections.close();
        let patience = self.settings.drain_timeout.to_std();
        if tokio::time::timeout(patience, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "calls did not finish and are cut off");
            ending.cutting.cancel();
            connections.wait().await;
        }
    }
}
