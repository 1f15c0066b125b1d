//! One client connection, and the bounds of its requests.

use std::{convert::Infallible, future::pending, sync::Arc};

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
    request::Parts,
};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use listener::{Ending, Peer, Stream, Visitor};
use longtide_codec::{CodecError, read_body, write_body};

use crate::{
    CodecServer, auditing,
    request::{Action, Question},
    rights::{Decided, Denied},
};

/// Largest set of headers, in bytes.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Most headers of a request.
const HEADERS_MAX: usize = 100;

/// Who is asked on a connection, and who is at its other end.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) server: CodecServer,
    pub(crate) peer: Peer,
    /// What the peer's address has done so far, on all its connections.
    pub(crate) visitor: Arc<Visitor>,
}

type Answer = Response<Full<Bytes>>;

/// Serves a connection until the client leaves, or until the server drains and it has finished.
pub(crate) async fn serve(asked: Asked, stream: Stream, ending: Ending) {
    let header_timeout = asked.server.settings.header_timeout;
    let asked = Arc::new(asked);
    let service = service_fn(move |request: Request<Incoming>| {
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

async fn answer(asked: &Asked, request: Request<Incoming>) -> Answer {
    let Asked { server, visitor, .. } = asked;
    if !visitor.may_ask() {
        return Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many requests").into_answer();
    }
    let (parts, body) = request.into_parts();
    let allowed = server.origins.of(&parts.headers);
    let mut answer = if parts.method == Method::OPTIONS {
        server.origins.preflight(&parts.headers)
    } else {
        match coded(asked, &parts, body).await {
            Ok(body) => json(body),
            Err(refusal) => refusal.into_answer(),
        }
    };
    allowed.mark(answer.headers_mut());
    answer
}

/// Why a request is not answered. The texts hold nothing of any payload.
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self(status, text.into())
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0
    }

    fn into_answer(self) -> Answer {
        let mut answer = Response::new(Full::from(self.1));
        *answer.status_mut() = self.0;
        if self.0 == StatusCode::TOO_MANY_REQUESTS {
            answer.headers_mut().insert(RETRY_AFTER, http::HeaderValue::from_static("1"));
        }
        let kind = http::HeaderValue::from_static("text/plain; charset=utf-8");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NoCredentials => Self::new(StatusCode::UNAUTHORIZED, "credentials are needed"),
            Denied::NotTaken => Self::new(StatusCode::UNAUTHORIZED, "credentials are not taken"),
            Denied::NobodyKnows => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "credentials cannot be checked")
            }
            Denied::NoRight => Self::new(StatusCode::FORBIDDEN, "permission denied"),
        }
    }
}

async fn coded(asked: &Asked, parts: &Parts, body: Incoming) -> Result<Vec<u8>, Refusal> {
    let Asked { server, peer, .. } = asked;
    let not_found = || Refusal::new(StatusCode::NOT_FOUND, "not found");
    if parts.method != Method::POST {
        return Err(not_found());
    }
    let question = Question::read(parts)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?
        .ok_or_else(not_found)?;
    if server.audit.as_ref().is_some_and(|log| log.is_blocked()) {
        let text = "the audit log cannot be written";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text));
    }
    let decided = server.access.check(&parts.headers, peer, &question).await;
    let mut count = 0;
    let done = answered(asked, &question, &decided, body, &mut count).await;
    if let Some(log) = &server.audit {
        let outcome = done.as_ref().map(drop);
        auditing::record(log, peer, &question, &decided, count, outcome).await;
    }
    done
}

async fn answered(
    asked: &Asked,
    question: &Question,
    decided: &Decided,
    body: Incoming,
    count: &mut usize,
) -> Result<Vec<u8>, Refusal> {
    let Asked { server, visitor, .. } = asked;
    if let Err(denied) = decided.may {
        if visitor.may_go_on() {
            return Err(denied.into());
        }
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many refusals"));
    }
    if !server.rates.take(&decided.who) {
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many requests"));
    }
    let closed = |_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server stops");
    let _permit = server.working.acquire().await.map_err(closed)?;
    let body = read(server, body).await?;
    let bad = |text: String| Refusal::new(StatusCode::BAD_REQUEST, text);
    let payloads = read_body(&body).map_err(|error| bad(error.to_string()))?;
    *count = payloads.len();
    let coded = match question.action {
        Action::Encode => server.codec.encode(&question.context, payloads).await,
        Action::Decode => server.codec.decode(&question.context, payloads).await,
    };
    let coded = coded.map_err(|error| match error {
        // What is wrong with keys is the operator's business.
        CodecError::Unavailable(reason) => {
            tracing::error!(%reason, "payloads cannot be encoded or decoded");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the keys cannot be used")
        }
        error => bad(error.to_string()),
    })?;
    Ok(write_body(&coded))
}

async fn read(server: &CodecServer, body: Incoming) -> Result<Bytes, Refusal> {
    let limit = server.settings.body_bytes_max;
    let reading = Limited::new(body, limit).collect();
    match tokio::time::timeout(server.settings.body_timeout, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("the body has more than {limit} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Ok(Err(_)) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the body broke off")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    }
}

fn json(body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::from(body));
    let kind = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
