//! Who answers the calls that requests become: this server, or one elsewhere.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response,
    header::{AUTHORIZATION, TE},
};
use http_body_util::Full;
use tonic::body::Body;

use super::connection::Asked;
use crate::{
    OWN_VERSION, SERVER_VERSION,
    server::{Dispatcher, RequestBody, ResponseFuture},
};

/// A server elsewhere, which is called over gRPC.
pub trait Upstream: fmt::Debug + Send + Sync {
    /// Makes a call, and gives what came back, or a refusal when nothing did.
    fn call(&self, request: http::Request<Body>) -> ResponseFuture;
}

/// Headers that go with every call to a server elsewhere, as in the reference's UI server.
const FORWARDED: [HeaderName; 3] = [
    AUTHORIZATION,
    HeaderName::from_static("authorization-extras"),
    HeaderName::from_static("caller-type"),
];

/// Who answers.
#[derive(Debug, Clone)]
pub(super) enum Answerer {
    /// This server.
    Own(Arc<Dispatcher>),
    /// Another one, which is sent these headers besides those that always go.
    Elsewhere(Arc<dyn Upstream>, Arc<[HeaderName]>),
}

impl Answerer {
    /// This server, if it is the one that answers.
    pub(super) const fn own(&self) -> Option<&Arc<Dispatcher>> {
        match self {
            Self::Own(own) => Some(own),
            Self::Elsewhere(..) => None,
        }
    }

    /// Whether a header of a request goes with its call. This server may hear all of them.
    pub(super) fn hears(&self, name: &HeaderName) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Elsewhere(_, further) => FORWARDED.contains(name) || further.contains(name),
        }
    }

    /// What a caller is that does not say, and its version.
    pub(super) const fn client(&self) -> (&'static str, &'static str) {
        match self {
            // As in the reference.
            Self::Own(_) => ("temporal-server-http", SERVER_VERSION),
            Self::Elsewhere(..) => ("longtide-ui", OWN_VERSION),
        }
    }
}

/// Makes a call.
pub(super) async fn answered(asked: &Asked, request: http::Request<Full<Bytes>>) -> Response<Body> {
    match &asked.calls {
        Answerer::Own(own) => own.call(request.map(RequestBody::Whole), &asked.peer).await,
        Answerer::Elsewhere(server, _) => {
            let mut request = request.map(Body::new);
            request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
            server.call(request).await
        }
    }
}
