//! A call of the API that comes from a request over HTTP: the same as one over gRPC.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full, Limited};
use tonic::{Code, Status};

use super::{
    answerer::{Answerer, answered},
    connection::Asked,
};
use crate::server::Unread;

/// Headers of a request that say nothing of the call.
const NOT_FORWARDED: &[&str] = &[
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "grpc-accept-encoding",
    "grpc-encoding",
    "host",
    "origin",
    "te",
    "transfer-encoding",
    "x-csrf-token",
];

/// Metadata may also be sent under names that begin with this.
const METADATA_PREFIX: &str = "grpc-metadata-";

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// Largest answer, in bytes: a page of a history may hold many payloads.
const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How a call failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: Status,
    /// It was not worth reading.
    pub(super) is_unread: bool,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self { status, is_unread: false }
    }
}

/// Makes a call with the headers of a request, and waits for its answer.
pub(super) async fn call(
    asked: &Asked,
    path: &str,
    headers: &HeaderMap,
    message: &[u8],
) -> Result<Bytes, Failure> {
    let mut request = http::Request::new(Full::new(framed(message)));
    *request.method_mut() = Method::POST;
    let uri = path.parse().map_err(|_| Status::internal("the method has no path"))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = forwarded(&asked.calls, headers);
    answer(answered(asked, request).await).await
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.put_u8(0);
    // The limit of bodies is far below.
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

fn forwarded(answerer: &Answerer, headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = HeaderMap::with_capacity(headers.len() + 3);
    for (name, value) in headers {
        let name = match name.as_str().strip_prefix(METADATA_PREFIX) {
            Some(rest) => match HeaderName::from_bytes(rest.as_bytes()) {
                Ok(name) => name,
                Err(_) => continue,
            },
            None if answerer.hears(name) => name.clone(),
            None => continue,
        };
        if !NOT_FORWARDED.contains(&name.as_str()) {
            forwarded.append(name, value.clone());
        }
    }
    forwarded.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let (client, version) = answerer.client();
    for (name, value) in [("client-name", client), ("client-version", version)] {
        forwarded.entry(name).or_insert(HeaderValue::from_static(value));
    }
    forwarded
}

async fn answer(response: http::Response<tonic::body::Body>) -> Result<Bytes, Failure> {
    let is_unread = response.extensions().get::<Unread>().is_some();
    let failed = |status| Failure { status, is_unread };
    // Without a message the status is among the headers.
    if let Some(status) = Status::from_header_map(response.headers())
        && status.code() != Code::Ok
    {
        return Err(failed(status));
    }
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| failed(Status::from_error(error)))?;
    let status = body.trailers().and_then(Status::from_header_map);
    if let Some(status) = status.filter(|status| status.code() != Code::Ok) {
        return Err(failed(status));
    }
    let mut message = body.to_bytes();
    // Nobody has asked for compression.
    if message.len() < PREFIX_BYTES || !message.starts_with(&[0]) {
        return Err(failed(Status::internal("the call has no answer")));
    }
    message.advance(PREFIX_BYTES);
    Ok(message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{http_server::answerer::Upstream, server::ResponseFuture};

    #[derive(Debug)]
    struct Nobody;

    impl Upstream for Nobody {
        fn call(&self, _: http::Request<tonic::body::Body>) -> ResponseFuture {
            Box::pin(async { Status::unavailable("nobody is there").into_http() })
        }
    }

    fn elsewhere(further: &[HeaderName]) -> Answerer {
        Answerer::Elsewhere(Arc::new(Nobody), further.into())
    }

    fn told(answerer: &Answerer) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("cookie", "secret"),
            ("content-type", "text/plain"),
            ("content-length", "7"),
            ("grpc-encoding", "gzip"),
            ("grpc-metadata-caller-type", "operator"),
            ("grpc-metadata-grpc-encoding", "gzip"),
            ("x-tenant", "blue"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let forwarded = forwarded(answerer, &headers);
        let mut told: Vec<String> = forwarded
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        told.sort();
        told
    }

    #[test]
    fn a_server_elsewhere_hears_who_calls_and_what_it_is_to_be_told() {
        let version = format!("client-version={}", crate::OWN_VERSION);
        let always = [
            "authorization=Bearer x",
            "caller-type=operator",
            "client-name=longtide-ui",
            &version,
            "content-type=application/grpc",
        ];
        assert_eq!(told(&elsewhere(&[])), always);
        let further = told(&elsewhere(&[HeaderName::from_static("x-tenant")]));
        assert_eq!(further[..5], always);
        assert_eq!(further[5..], ["x-tenant=blue"]);
    }

    #[test]
    fn what_is_between_browser_and_server_is_never_forwarded() {
        let asked = ["cookie", "content-length", "grpc-encoding"].map(HeaderName::from_static);
        let told = told(&elsewhere(&asked));
        assert!(!told.iter().any(|one| one.contains("secret") || one.contains("gzip")), "{told:?}");
    }
}
