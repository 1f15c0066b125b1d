//! A call of the API that comes from a request over HTTP: the same as one over gRPC.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use tonic::{Code, Status};

use super::connection::Asked;
use crate::{
    SERVER_VERSION,
    server::{RequestBody, Unread},
};

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
];

/// Metadata may also be sent under names that begin with this.
const METADATA_PREFIX: &str = "grpc-metadata-";

/// What a caller is that does not say, as in the reference.
const CLIENT_NAME: &str = "temporal-server-http";

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

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
    let mut request = http::Request::new(RequestBody::Whole(Full::new(framed(message))));
    *request.method_mut() = Method::POST;
    let uri = path.parse().map_err(|_| Status::internal("the method has no path"))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = forwarded(headers);
    answer(asked.calls.call(request, &asked.peer).await).await
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.put_u8(0);
    // The limit of bodies is far below.
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = HeaderMap::with_capacity(headers.len() + 3);
    for (name, value) in headers {
        let name = match name.as_str().strip_prefix(METADATA_PREFIX) {
            Some(rest) => match HeaderName::from_bytes(rest.as_bytes()) {
                Ok(name) => name,
                Err(_) => continue,
            },
            None => name.clone(),
        };
        if !NOT_FORWARDED.contains(&name.as_str()) {
            forwarded.append(name, value.clone());
        }
    }
    forwarded.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    for (name, value) in [("client-name", CLIENT_NAME), ("client-version", SERVER_VERSION)] {
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
    let body = response.into_body().collect().await.map_err(failed)?;
    let status = body.trailers().and_then(Status::from_header_map);
    if let Some(status) = status.filter(|status| status.code() != Code::Ok) {
        return Err(failed(status));
    }
    let mut message = body.to_bytes();
    if message.len() < PREFIX_BYTES {
        return Err(failed(Status::internal("the call has no answer")));
    }
    message.advance(PREFIX_BYTES);
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_forwarded_and_what_is_between_browser_and_server_is_not() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("cookie", "secret"),
            ("content-type", "text/plain"),
            ("content-length", "7"),
            ("grpc-encoding", "gzip"),
            ("grpc-metadata-caller-type", "operator"),
            ("grpc-metadata-grpc-encoding", "gzip"),
            ("client-name", "ui"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let forwarded = forwarded(&headers);
        let mut names: Vec<String> = forwarded
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        names.sort();
        let expected = [
            "authorization=Bearer x",
            "caller-type=operator",
            "client-name=ui",
            "client-version=1.32.0",
            "content-type=application/grpc",
        ];
        assert_eq!(names, expected);
    }
}
