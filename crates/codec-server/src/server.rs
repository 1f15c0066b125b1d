//! A codec server, and how long it waits.

use std::{fmt, sync::Arc, time::Duration};

use audit::AuditLog;
use listener::{Listener, RateLimit};
use longtide_codec::Codec;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    Access, Origins,
    connection::{self, Asked},
    principal::Rates,
};

/// How the server treats requests.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Largest body, in bytes.
    pub body_bytes_max: usize,
    /// Most requests that are worked on at once; the others wait.
    pub requests_max: usize,
    /// How often each principal may ask; who has no name counts by address.
    pub rate: Option<RateLimit>,
    /// How long a client may take for its headers, and between requests.
    pub header_timeout: Duration,
    /// How long it may take for its body.
    pub body_timeout: Duration,
    /// How long requests under way may take when the server stops.
    pub drain_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes_max: 16 * 1024 * 1024,
            requests_max: 64,
            rate: Some(RateLimit::per_second(200)),
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// See the module. Cloning shares everything.
#[derive(Clone)]
pub struct CodecServer {
    pub(crate) codec: Arc<dyn Codec>,
    pub(crate) access: Arc<Access>,
    pub(crate) origins: Arc<Origins>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) rates: Arc<Rates>,
    /// Who hears of requests, if anybody.
    pub(crate) audit: Option<Arc<AuditLog>>,
    /// A body in memory each: without permits, who sends many large ones fills the memory.
    pub(crate) working: Arc<Semaphore>,
}

impl fmt::Debug for CodecServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CodecServer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl CodecServer {
    /// A server that does not listen yet.
    pub fn new(
        codec: Arc<dyn Codec>,
        access: Access,
        origins: Origins,
        settings: Settings,
    ) -> Self {
        Self {
            codec,
            access: Arc::new(access),
            origins: Arc::new(origins),
            rates: Arc::new(Rates::new(settings.rate)),
            audit: None,
            working: Arc::new(Semaphore::new(settings.requests_max)),
            settings: Arc::new(settings),
        }
    }

    /// The same, whose requests an audit log hears of.
    #[must_use]
    pub fn audited(self, log: Option<Arc<AuditLog>>) -> Self {
        Self { audit: log, ..self }
    }

    /// Serves until `stop` is cancelled, then lets requests under way finish; what is left after
    /// the drain time-out is cut.
    pub async fn serve(&self, listener: Listener, stop: CancellationToken) {
        let server = self.clone();
        let serve = move |stream, peer, visitor, ending| {
            connection::serve(Asked { server: server.clone(), peer, visitor }, stream, ending)
        };
        listener.serve_until(&stop, self.settings.drain_timeout, serve).await;
    }
}
