//! Requests that are refused before they are read.

use std::sync::Arc;

use api::enums::v1::{ResourceExhaustedCause, ResourceExhaustedScope};
use http::Response;
use listener::{Repute, Visitor};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use crate::error::ApiError;

/// Marks an answer: the request was not worth reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unread;

/// The same answer, marked.
pub(crate) fn unread(mut response: Response<Body>) -> Response<Body> {
    response.extensions_mut().insert(Unread);
    response
}

/// What counts the requests of a connection for its address.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    visitor: Arc<Visitor>,
    repute: Repute,
    /// Cancelled when the connection is to be cut.
    cut: CancellationToken,
}

impl Account {
    pub(crate) fn new(visitor: Arc<Visitor>, repute: Repute) -> Self {
        Self { visitor, repute, cut: CancellationToken::new() }
    }

    /// Counts a request; the answer when there were too many.
    pub(crate) fn refusal(&self) -> Option<Response<Body>> {
        if self.visitor.may_ask() {
            return None;
        }
        let error = ApiError::exhausted(
            ResourceExhaustedCause::RpsLimit,
            ResourceExhaustedScope::System,
            "address rate limit exceeded",
        );
        Some(self.counted(unread(error.into_status().into_http())))
    }

    /// Counts an answer, if it counts.
    pub(crate) fn counted(&self, response: Response<Body>) -> Response<Body> {
        if response.extensions().get::<Unread>().is_some() {
            self.repute.refused();
            if !self.visitor.may_go_on() {
                self.cut.cancel();
            }
        }
        response
    }

    /// Completes when the connection is to be cut.
    pub(crate) async fn exhausted(&self) {
        self.cut.cancelled().await;
    }
}
