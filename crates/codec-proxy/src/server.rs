//! A codec proxy, and how long it waits.

use std::{fmt, sync::Arc, time::Duration};

use listener::Listener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::{Coder, MethodsError, connection, methods::Methods};

/// How the proxy treats calls.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Largest request, in bytes. The server refuses what is too large for it in its own words.
    pub request_bytes_max: usize,
    /// Largest answer, in bytes.
    pub answer_bytes_max: usize,
    /// Most messages that are in memory at once; the others wait. Calls that wait for the server
    /// have none.
    pub messages_max: usize,
    /// How long either end may take for a message, once it has begun.
    pub body_timeout: Duration,
    /// Most calls at once on one connection.
    pub streams_per_connection_max: u32,
    /// Largest set of headers, in bytes.
    pub header_bytes_max: u32,
    /// How long a client may take to begin, once it is connected.
    pub opening_timeout: Duration,
    /// How often an idle client is asked whether it is still there.
    pub keep_alive_interval: Duration,
    /// How long it may take to answer.
    pub keep_alive_timeout: Duration,
    /// How long calls under way may take when the proxy stops.
    pub drain_timeout: Duration,
    /// Services without payloads, which pass as they are.
    pub passed_services: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            request_bytes_max: 16 * 1024 * 1024,
            answer_bytes_max: 128 * 1024 * 1024,
            messages_max: 256,
            body_timeout: Duration::from_secs(30),
            streams_per_connection_max: 10_000,
            header_bytes_max: 64 * 1024,
            opening_timeout: Duration::from_secs(10),
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(20),
            drain_timeout: Duration::from_secs(10),
            passed_services: vec!["grpc.health.v1.Health".to_owned()],
        }
    }
}

/// See the crate. Cloning shares everything.
#[derive(Clone)]
pub struct CodecProxy {
    pub(crate) target: watch::Receiver<Channel>,
    pub(crate) coder: Arc<Coder>,
    pub(crate) methods: Arc<Methods>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) places: Arc<Semaphore>,
}

impl fmt::Debug for CodecProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CodecProxy")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl CodecProxy {
    /// A proxy of the server behind `target` that does not listen yet. Each call takes the connection
    /// that is there when it comes.
    ///
    /// # Errors
    /// When a service is to be passed whose messages have payloads.
    pub fn new(
        target: watch::Receiver<Channel>,
        coder: Coder,
        settings: Settings,
    ) -> Result<Self, MethodsError> {
        let methods = Methods::read(api::DESCRIPTOR_SET, settings.passed_services.clone())?;
        Ok(Self {
            target,
            coder: Arc::new(coder),
            methods: Arc::new(methods),
            places: Arc::new(Semaphore::new(settings.messages_max)),
            settings: Arc::new(settings),
        })
    }

    /// Serves until `stop` is cancelled, then lets calls under way finish; what is left after the
    /// drain time-out is cut.
    pub async fn serve(&self, listener: Listener, stop: CancellationToken) {
        let proxy = self.clone();
        let serve = move |stream, _peer, visitor, ending| {
            connection::serve(proxy.clone(), stream, visitor, ending)
        };
        listener.serve_until(&stop, self.settings.drain_timeout, serve).await;
    }
}
