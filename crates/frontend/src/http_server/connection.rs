//! One client connection, and the bounds of its requests.

use std::{convert::Infallible, future::pending, sync::Arc};

use authz::Caller;
use bytes::Bytes;
use http::{HeaderValue, header::CONNECTION, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use listener::{Ending, Entered, Peer, Stream, Visitor};
use nexus_protocol::{HandlerError, HandlerErrorKind};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    Answer, Face, HttpSettings, Streamed,
    answerer::Answerer,
    api,
    call::Failure,
    route::{self, Route, route},
    whole,
};
use crate::{auditing::Source, error::ApiError, refusal_lines::RefusalLines, server::Dispatcher};

/// Largest body of Nexus, in bytes, as in the reference.
const NEXUS_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Largest body of a call, in bytes, as in the reference.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Largest set of headers, in bytes: links and tokens.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Most headers of a request.
const HEADERS_MAX: usize = 200;

/// Who is asked on a connection, and who is at its other end.
pub(super) struct Asked {
    pub(super) calls: Answerer,
    pub(super) peer: Peer,
    pub(super) visitor: Arc<Visitor>,
    pub(super) settings: Arc<HttpSettings>,
    /// Places for answers that go on.
    pub(super) streams: Arc<Semaphore>,
    /// What the log says of those who are refused, where no server of its own has such lines.
    pub(super) lines: Arc<RefusalLines>,
    /// Cancelled when the server stops.
    pub(super) draining: CancellationToken,
}

/// Why a body could not be read.
pub(super) enum BodyError {
    TooLarge,
    Broken,
    Late,
}

impl Asked {
    /// The body of a call.
    pub(super) async fn read(&self, body: Incoming) -> Result<Bytes, BodyError> {
        self.read_up_to(BODY_BYTES_MAX, body).await
    }

    /// Who calls, which may be nobody that is known.
    pub(super) async fn caller(&self, own: &Dispatcher, parts: &Parts) -> Result<Caller, Failure> {
        let refused =
            || Failure { status: ApiError::permission_denied().into_status(), is_unread: true };
        credentials(self, own, parts).await.ok_or_else(refused)
    }

    async fn read_up_to(&self, bytes_max: usize, body: Incoming) -> Result<Bytes, BodyError> {
        let reading = Limited::new(body, bytes_max).collect();
        match tokio::time::timeout(self.settings.body_timeout.to_std(), reading).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
            Ok(Err(_)) => Err(BodyError::Broken),
            Err(_) => Err(BodyError::Late),
        }
    }
}

/// Serves a connection until the client leaves, or until the server drains and it has finished.
pub(super) async fn serve(stream: Stream, asked: Asked, ending: Ending) {
    let header_timeout = asked.settings.header_timeout.to_std();
    let asked = Arc::new(asked);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let asked = Arc::clone(&asked);
        async move { Ok::<_, Infallible>(answer(&asked, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let ended = ending.run(connection, |connection| connection.graceful_shutdown(), pending());
    if let Some(Err(error)) = ended.await {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn answer(asked: &Arc<Asked>, request: http::Request<Incoming>) -> Streamed {
    let (parts, body) = request.into_parts();
    if !asked.visitor.may_ask() {
        let text = "address rate limit exceeded";
        return whole(closing(HandlerError::new(HandlerErrorKind::ResourceExhausted, text)));
    }
    if let Some(own) = asked.calls.own()
        && !matches!(asked.settings.face, Face::Pages(_))
        && let Ok(Some(route)) = route(parts.uri.path())
    {
        return whole(of_nexus(asked, own, route, parts, body).await);
    }
    // The API says what is wrong with a path.
    api::answer(asked, parts, body).await
}

/// Answers a request of Nexus. A panic on the way ends this request and nothing else.
async fn of_nexus(
    asked: &Asked,
    own: &Dispatcher,
    route: Route,
    mut parts: Parts,
    body: Incoming,
) -> Answer {
    let Some(caller) = identify(asked, own, &parts).await else {
        let text = "permission denied";
        if !asked.visitor.may_go_on() {
            return closing(HandlerError::new(HandlerErrorKind::Unauthorized, text));
        }
        return HandlerError::new(HandlerErrorKind::Unauthorized, text).to_response(false);
    };
    parts.extensions.insert(caller);
    parts.extensions.insert(Source(asked.peer.address));
    let refused = |kind, text| HandlerError::new(kind, text).to_response(false);
    let body = match asked.read_up_to(NEXUS_BODY_BYTES_MAX, body).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            return refused(HandlerErrorKind::BadRequest, "request body too large");
        }
        Err(BodyError::Broken) => {
            return refused(HandlerErrorKind::BadRequest, "failed to read request body");
        }
        Err(BodyError::Late) => {
            return refused(HandlerErrorKind::RequestTimeout, "request timed out");
        }
    };
    route::answer(own.frontend(), route, http::Request::from_parts(parts, body)).await
}

/// The last answer on a connection.
fn closing(error: HandlerError) -> Answer {
    let mut answer = error.to_response(false);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Who calls; nothing when it is clear already that the caller may do nothing.
async fn identify(asked: &Asked, own: &Dispatcher, parts: &Parts) -> Option<Caller> {
    let caller = credentials(asked, own, parts).await?;
    let frontend = own.frontend();
    let denied = caller.principal().is_anonymous() && frontend.policy.needs_credentials();
    if denied {
        frontend.audit_refusal(None, asked.peer.address, None);
    }
    (!denied).then_some(caller)
}

/// Who calls; nothing when the credentials are not taken.
async fn credentials(asked: &Asked, own: &Dispatcher, parts: &Parts) -> Option<Caller> {
    let (frontend, address) = (own.frontend(), asked.peer.address);
    if !asked.peer.holds() {
        let say = || tracing::warn!(%address, "the certificate of a connection no longer holds");
        frontend.refusal_lines.say(say);
        return None;
    }
    // Nothing here waits, so that nobody asks which namespace was entered.
    let over = |caller| own.over(caller, &asked.peer, &Entered::default());
    let Some(authentication) = own.authentication() else {
        return Some(over(Caller::anonymous()));
    };
    let identified = authentication.identify(&parts.headers, &asked.peer).await;
    identified
        .inspect_err(|reason| {
            let say = || tracing::warn!(%reason, %address, "credentials are not taken");
            frontend.refusal_lines.say(say);
            frontend.audit_refusal(None, address, Some(reason));
        })
        .ok()
        .map(over)
}
