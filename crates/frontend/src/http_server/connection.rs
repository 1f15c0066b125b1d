//! One client connection, and the bounds of its requests.

use std::{convert::Infallible, pin::pin, sync::Arc};

use authz::Caller;
use bytes::Bytes;
use http::{HeaderValue, header::CONNECTION};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use listener::{Ending, Peer, Stream, Visitor};
use nexus_protocol::{HandlerError, HandlerErrorKind};

use super::{Answer, HttpSettings, route};
use crate::{auditing::Source, authentication::Authenticate, frontend::Frontend};

/// Largest body, in bytes, as in the reference.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Largest set of headers, in bytes: links and tokens.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Most headers of a request.
const HEADERS_MAX: usize = 200;

/// Who is asked on a connection, and who is at its other end.
pub(super) struct Asked {
    pub(super) frontend: Arc<Frontend>,
    pub(super) authentication: Option<Arc<dyn Authenticate>>,
    pub(super) peer: Peer,
    pub(super) visitor: Arc<Visitor>,
    pub(super) settings: HttpSettings,
}

/// Serves a connection until the client leaves, or until the server drains and it has finished.
pub(super) async fn serve(stream: Stream, asked: Asked, ending: Ending) {
    let (settings, asked) = (asked.settings, Arc::new(asked));
    let service = service_fn(move |request: http::Request<Incoming>| {
        let asked = Arc::clone(&asked);
        async move { Ok::<_, Infallible>(answer(&asked, request).await.map(Full::new)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout.to_std())
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return log(ended),
        () = ending.draining.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = connection.as_mut() => log(ended),
        () = ending.cutting.cancelled() => {}
    }
}

fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn answer(asked: &Asked, request: http::Request<Incoming>) -> Answer {
    let Asked { frontend, settings, .. } = asked;
    let (mut parts, body) = request.into_parts();
    if !asked.visitor.may_ask() {
        let text = "address rate limit exceeded";
        return closing(HandlerError::new(HandlerErrorKind::ResourceExhausted, text));
    }
    let Some(caller) = identify(asked, &parts).await else {
        let text = "permission denied";
        if !asked.visitor.may_go_on() {
            return closing(HandlerError::new(HandlerErrorKind::Unauthorized, text));
        }
        return HandlerError::new(HandlerErrorKind::Unauthorized, text).to_response(false);
    };
    parts.extensions.insert(caller);
    parts.extensions.insert(Source(asked.peer.address));
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    let refused = |kind, text| HandlerError::new(kind, text).to_response(false);
    let body: Bytes = match tokio::time::timeout(settings.body_timeout.to_std(), reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return refused(HandlerErrorKind::BadRequest, "request body too large");
        }
        Ok(Err(_)) => return refused(HandlerErrorKind::BadRequest, "failed to read request body"),
        Err(_) => return refused(HandlerErrorKind::RequestTimeout, "request timed out"),
    };
    route::answer(frontend, http::Request::from_parts(parts, body)).await
}

/// The last answer on a connection.
fn closing(error: HandlerError) -> Answer {
    let mut answer = error.to_response(false);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Who calls; nothing when it is clear already that the caller may do nothing.
async fn identify(asked: &Asked, parts: &http::request::Parts) -> Option<Caller> {
    if !asked.peer.holds() {
        let address = asked.peer.address;
        tracing::warn!(%address, "the certificate of a connection no longer holds");
        return None;
    }
    let caller = match &asked.authentication {
        None => Caller::anonymous(),
        Some(authentication) => {
            let identified = authentication.identify(&parts.headers, &asked.peer).await;
            identified
                .inspect_err(|reason| {
                    let address = asked.peer.address;
                    tracing::warn!(%reason, %address, "credentials are not taken");
                    asked.frontend.audit_refusal(None, address, Some(reason));
                })
                .ok()?
        }
    };
    let denied = caller.principal().is_anonymous() && asked.frontend.policy.needs_credentials();
    if denied {
        asked.frontend.audit_refusal(None, asked.peer.address, None);
    }
    (!denied).then_some(caller)
}
