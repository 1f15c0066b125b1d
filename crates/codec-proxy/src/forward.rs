//! One call: from the client to the server and back.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming};
use longtide_codec::Context;
use prost::encoding::decode_varint;
use tonic::{Code, Status, body::Body};
use tower::ServiceExt as _;

use crate::{
    CodecProxy, CoderError, details, frame,
    methods::{Method as Called, Route},
};

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPTED_ENCODINGS: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// What is of one connection only, or of the body as it was.
const NOT_FORWARDED: [HeaderName; 8] = [
    ACCEPTED_ENCODINGS,
    CONNECTION,
    CONTENT_LENGTH,
    ENCODING,
    HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRANSFER_ENCODING,
];

/// An answer with a message, as it came.
struct Answered {
    headers: HeaderMap,
    body: Bytes,
    trailers: HeaderMap,
}

impl CodecProxy {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if !is_grpc(&request) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return response;
        }
        let path = request.uri().path();
        let refused = match self.methods.route(path) {
            Route::Coded(method) => match self.coded(method, request).await {
                Ok(response) => return response,
                Err(status) => status,
            },
            Route::Passed => match self.send(request.map(Body::new)).await {
                Ok(response) => return response,
                Err(status) => status,
            },
            Route::UnknownMethod => Status::unimplemented(format!(
                "the codec proxy does not know the method {path}, and could not encode its payloads"
            )),
            Route::UnknownService => {
                Status::unimplemented(format!("the codec proxy does not pass {path}"))
            }
        };
        refused.into_http()
    }

    async fn coded(
        &self,
        method: &Called,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Status> {
        let (mut parts, body) = request.into_parts();
        let (context, encoded) = {
            let _place = self.place().await?;
            let limit = self.settings.request_bytes_max;
            let body = Begun { first: None, rest: body };
            let (body, _) = body.read(limit, self.settings.body_timeout).await?;
            let encoding = parts.headers.get(&ENCODING).map(HeaderValue::as_bytes);
            let message = frame::read(&body, encoding, limit)?;
            let context = context(method, &message)?;
            let encoded = self.coder.encode(&context, &method.request, &message).await;
            (context, encoded.map_err(|error| refusal(method, &error, "request"))?)
        };
        without_hops(&mut parts.headers);
        // What is encrypted does not compress, and what comes back is read here.
        let identity = HeaderValue::from_static("identity");
        parts.headers.insert(ACCEPTED_ENCODINGS, identity);
        let body = Body::new(Full::new(frame::write(&encoded)?));
        let response = self.send(Request::from_parts(parts, body)).await?;
        self.decoded(method, &context, response).await
    }

    async fn decoded(
        &self,
        method: &Called,
        context: &Context,
        response: Response<Body>,
    ) -> Result<Response<Body>, Status> {
        if let Some(status) = Status::from_header_map(response.headers()) {
            return Err(self.refused(method, context, status).await);
        }
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            let text = format!("the server answered {}", parts.status);
            return Err(Status::new(code_of(parts.status), text));
        }
        let body = Begun::wait(body).await?;
        let _place = self.place().await?;
        let limit = self.settings.answer_bytes_max;
        let (body, trailers) = body.read(limit, self.settings.body_timeout).await?;
        let status = Status::from_header_map(&trailers)
            .unwrap_or_else(|| Status::unavailable("the server's answer broke off"));
        if status.code() != Code::Ok {
            return Err(self.refused(method, context, status).await);
        }
        let encoding = parts.headers.get(&ENCODING).map(HeaderValue::as_bytes);
        let message = frame::read(&body, encoding, limit)?;
        let decoded = self.coder.decode(context, &method.response, &message).await;
        let decoded = decoded.map_err(|error| refusal(method, &error, "answer"))?;
        let body = frame::write(&decoded)?;
        Ok(Answered { headers: parts.headers, body, trailers }.into_response())
    }

    /// What the server refused, as the client is told.
    async fn refused(&self, method: &Called, context: &Context, status: Status) -> Status {
        let decoded = details::decoded(&self.coder, context, status).await;
        decoded.unwrap_or_else(|error| refusal(method, &error, "refusal"))
    }

    /// Sends a request to the server. Whoever drops this takes the call back.
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, Status> {
        request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
        let target = self.target.borrow().clone();
        let sent = target.oneshot(request).await;
        sent.map_err(|error| {
            let status = Status::from_error(error.into());
            if status.code() == Code::Cancelled {
                return Status::deadline_exceeded("the server did not answer in time");
            }
            tracing::warn!(error = status.message(), "the server cannot be asked");
            Status::unavailable("the codec proxy cannot reach the server")
        })
    }

    /// Room for a message in memory.
    async fn place(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Status> {
        let closed = |_| Status::unavailable("the codec proxy stops");
        self.places.acquire().await.map_err(closed)
    }
}

impl Answered {
    fn into_response(self) -> Response<Body> {
        let Self { mut headers, body, trailers } = self;
        without_hops(&mut headers);
        let body = Full::new(body).with_trailers(async move { Some(Ok(trailers)) });
        let mut response = Response::new(Body::new(body));
        *response.headers_mut() = headers;
        response
    }
}

fn is_grpc(request: &Request<Incoming>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_grpc = matches!(kind, Some(b"application/grpc" | b"application/grpc+proto"));
    request.method() == Method::POST && is_grpc
}

fn without_hops(headers: &mut HeaderMap) {
    for name in &NOT_FORWARDED {
        headers.remove(name);
    }
}

/// A body of which the first piece is there.
struct Begun<B> {
    first: Option<Frame<Bytes>>,
    rest: B,
}

impl<B> Begun<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    /// Waits until the other end begins, for as long as it likes: a poll may be answered late.
    async fn wait(mut rest: B) -> Result<Self, Status> {
        let first = rest.frame().await.transpose().map_err(|_| broken_off())?;
        Ok(Self { first, rest })
    }

    /// All of it, and what came after it.
    async fn read(self, limit: usize, timeout: Duration) -> Result<(Bytes, HeaderMap), Status> {
        let read = tokio::time::timeout(timeout, self.collect(limit)).await;
        read.unwrap_or_else(|_| {
            Err(Status::deadline_exceeded("the message was not received in time"))
        })
    }

    async fn collect(self, limit: usize) -> Result<(Bytes, HeaderMap), Status> {
        let Self { mut first, mut rest } = self;
        let (mut bytes, mut trailers) = (BytesMut::new(), HeaderMap::new());
        loop {
            let frame = match first.take() {
                Some(frame) => frame,
                None => match rest.frame().await.transpose().map_err(|_| broken_off())? {
                    Some(frame) => frame,
                    None => return Ok((bytes.freeze(), trailers)),
                },
            };
            match frame.into_data() {
                Ok(data) if bytes.len().saturating_add(data.len()) > limit => {
                    return Err(frame::too_large(limit));
                }
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
            }
        }
    }
}

fn broken_off() -> Status {
    Status::unavailable("the message broke off")
}

/// What payloads of a request, and of its answer, belong to.
fn context(method: &Called, message: &[u8]) -> Result<Context, Status> {
    let malformed = || Status::invalid_argument("the message is malformed");
    let Some(number) = method.namespace else { return Ok(Context::default()) };
    let namespace = text_of(message, number).ok_or_else(malformed)?;
    Ok(Context::of_namespace(namespace))
}

/// The text of a field, the last one if it is there more than once; empty when it is not.
fn text_of(message: &[u8], number: u32) -> Option<String> {
    let mut rest = message;
    let mut text = String::new();
    while !rest.is_empty() {
        let key = decode_varint(&mut rest).ok()?;
        let (skipped, content) = match key & 7 {
            0 => {
                decode_varint(&mut rest).ok()?;
                continue;
            }
            1 => (8, false),
            2 => (usize::try_from(decode_varint(&mut rest).ok()?).ok()?, true),
            5 => (4, false),
            _ => return None,
        };
        let (field, behind) = rest.split_at_checked(skipped)?;
        rest = behind;
        if content && key >> 3 == u64::from(number) {
            text = std::str::from_utf8(field).ok()?.to_owned();
        }
    }
    Some(text)
}

/// A message that does not go on, told to the client and to the log.
fn refusal(method: &Called, error: &CoderError, what: &'static str) -> Status {
    tracing::warn!(%error, what, request = method.request, "a message does not pass");
    let text = format!("codec proxy: {error}");
    match error {
        CoderError::Codec(longtide_codec::CodecError::Unavailable(_)) => Status::unavailable(text),
        // Polls that meet it are made again; other codes would end the worker.
        _ if what == "answer" => Status::data_loss(text),
        CoderError::Unknown(_) => Status::unimplemented(text),
        _ => Status::invalid_argument(text),
    }
}

/// The code that stands for an HTTP status, as gRPC has it.
fn code_of(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use api::workflowservice::v1::PollActivityTaskQueueRequest;
    use prost::Message as _;

    use super::*;

    #[test]
    fn the_namespace_is_read_wherever_it_stands() {
        let request = PollActivityTaskQueueRequest {
            namespace: "orders".to_owned(),
            identity: "me".to_owned(),
            ..Default::default()
        };
        let mut bytes = request.encode_to_vec();
        assert_eq!(text_of(&bytes, 1).as_deref(), Some("orders"));
        assert_eq!(text_of(&bytes, 9).as_deref(), Some(""));
        bytes.extend_from_slice(&request.encode_to_vec());
        assert_eq!(text_of(&bytes, 1).as_deref(), Some("orders"));
        bytes.pop();
        assert_eq!(text_of(&bytes, 1), None);
    }
}
