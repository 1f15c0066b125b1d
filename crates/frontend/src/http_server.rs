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
use listener::Listener;
use model::Span;
use tokio_util::sync::CancellationToken;

use crate::{authentication::Authenticate, frontend::Frontend};

/// A request whose body has been read.
type Request = http::Request<Bytes>;

/// What it is answered with.
type Answer = Response<Bytes>;

/// How the server treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpSettings {
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
    authentication: Option<Arc<dyn Authenticate>>,
    settings: HttpSettings,
}

impl HttpServer {
    /// A server that does not listen yet.
    pub fn new(frontend: Arc<Frontend>, settings: HttpSettings) -> Self {
        Self { frontend, authentication: None, settings }
    }

    /// The same, with somebody who says who calls; without, all callers are anonymous.
    #[must_use]
    pub fn authenticated_by(self, authentication: Option<Arc<dyn Authenticate>>) -> Self {
        Self { authentication, ..self }
    }

    /// Serves until `stop` is cancelled, then lets requests under way finish; what is left after
    /// the drain time-out is cut.
    pub async fn serve(&self, listener: Listener, stop: CancellationToken) {
        let (frontend, settings) = (Arc::clone(&self.frontend), self.settings);
        let authentication = self.authentication.clone();
        let serve = move |stream, peer, visitor, ending| {
            let asked = connection::Asked {
                visitor,
                frontend: Arc::clone(&frontend),
                authentication: authentication.clone(),
                peer,
                settings,
            };
            connection::serve(stream, asked, ending)
        };
        listener.serve_until(&stop, self.settings.drain_timeout.to_std(), serve).await;
    }
}
