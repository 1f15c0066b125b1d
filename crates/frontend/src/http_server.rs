//! The HTTP server: the API in JSON, and Nexus requests and completions from outside, beside the
//! gRPC server, and the web UI that uses it.
//!
//! `connection` takes requests in and bounds them, `route` finds what a path of Nexus means, and one
//! file for each thing answers. All else is the API (`api`): its requests become calls, which the
//! gRPC server's own dispatcher answers, so that whatever holds for a call holds for them.

mod answerer;
mod api;
mod audit_log;
mod call;
mod complete;
mod connection;
mod dispatch;
mod forbidden;
mod guard;
mod pages;
mod permissions;
mod refusal;
mod route;
mod sessions;
mod sign_in;
mod stream;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, Response};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use listener::Listener;
use model::Span;
use single_sign_on::SingleSignOn;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use web_ui::Site;

use answerer::Answerer;
pub use answerer::Upstream;
pub use guard::Hosts;

use crate::{refusal_lines::RefusalLines, server::Server};

/// A request whose body has been read.
type Request = http::Request<Bytes>;

/// What it is answered with.
type Answer = Response<Bytes>;

/// An answer whose body may still be made while it is sent.
type Streamed = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// The same answer, as one that could be made while it is sent.
fn whole(answer: Answer) -> Streamed {
    answer.map(|body| Full::new(body).boxed_unsync())
}

/// How the server treats connections.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How long a client may take to send its headers; also how long it may be idle.
    pub header_timeout: Span,
    /// How long it may take to send its body.
    pub body_timeout: Span,
    /// How long requests under way may take when the server stops.
    pub drain_timeout: Span,
    /// Under which names it may be asked for the API.
    pub hosts: Hosts,
    /// What is served.
    pub face: Face,
    /// How people sign in, if they do.
    pub single_sign_on: Option<Arc<SingleSignOn>>,
}

/// What an HTTP server serves.
#[derive(Debug, Clone)]
pub enum Face {
    /// The API, and Nexus.
    Api,
    /// The API, Nexus, and a web UI for browsers.
    ApiAndPages(Arc<Site>),
    /// A web UI, and below `/api/` the API as the reference's UI server has it: payloads are in
    /// full.
    Pages(Arc<Site>),
}

impl Face {
    /// The web UI, where there is one.
    const fn site(&self) -> Option<&Arc<Site>> {
        match self {
            Self::Api => None,
            Self::ApiAndPages(site) | Self::Pages(site) => Some(site),
        }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            header_timeout: Span::from_secs(60),
            body_timeout: Span::from_secs(30),
            drain_timeout: Span::from_secs(10),
            hosts: Hosts::default(),
            face: Face::Api,
            single_sign_on: None,
        }
    }
}

/// The HTTP server of a frontend, or of a web UI in front of another server.
#[derive(Debug)]
pub struct HttpServer {
    calls: Answerer,
    settings: Arc<HttpSettings>,
    streams: Arc<Semaphore>,
    lines: Arc<RefusalLines>,
}

impl HttpServer {
    /// A server that does not listen yet; calls are answered as `server` answers them.
    pub fn new(server: &Server, settings: HttpSettings) -> Self {
        Self::with(Answerer::Own(Arc::clone(server.dispatcher())), settings)
    }

    /// The pages of a web UI in front of a server elsewhere, which answers all calls. It decides
    /// who may make them, by the headers that say so, and by those that are named here.
    pub fn in_front_of(
        server: Arc<dyn Upstream>,
        headers: Vec<HeaderName>,
        site: Arc<Site>,
        settings: HttpSettings,
    ) -> Self {
        let settings = HttpSettings { face: Face::Pages(site), ..settings };
        Self::with(Answerer::Elsewhere(server, headers.into()), settings)
    }

    fn with(calls: Answerer, settings: HttpSettings) -> Self {
        let streams = Arc::new(Semaphore::new(stream::STREAMS_MAX));
        let lines = Arc::new(RefusalLines::new());
        Self { calls, settings: Arc::new(settings), streams, lines }
    }

    /// Serves until `stop` is cancelled, then lets requests under way finish; what is left after
    /// the drain time-out is cut.
    pub async fn serve(&self, listener: Listener, stop: CancellationToken) {
        let (calls, settings) = (self.calls.clone(), Arc::clone(&self.settings));
        let (draining, streams) = (stop.clone(), Arc::clone(&self.streams));
        let lines = Arc::clone(&self.lines);
        let serve = move |stream, peer, visitor, ending| {
            let asked = connection::Asked {
                visitor,
                calls: calls.clone(),
                peer,
                settings: Arc::clone(&settings),
                streams: Arc::clone(&streams),
                lines: Arc::clone(&lines),
                draining: draining.clone(),
            };
            connection::serve(stream, asked, ending)
        };
        listener.serve_until(&stop, self.settings.drain_timeout.to_std(), serve).await;
    }
}
