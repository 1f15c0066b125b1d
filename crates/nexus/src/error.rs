//! Why an endpoint was not found or changed.

use storage::{CommitError, MetaError, StoreError};
use uuid::Uuid;

/// A refused look-up or change.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EndpointError {
    /// No endpoint has this id.
    #[error("endpoint {0} not found")]
    NotFound(Uuid),
    /// Another endpoint has this name.
    #[error("endpoint with name {0} already registered")]
    AlreadyExists(String),
    /// The endpoint was changed since the caller read it.
    #[error("nexus endpoint version mismatch. received: {received} expected {expected}")]
    VersionMismatch {
        /// The caller's version.
        received: i64,
        /// The endpoint's.
        expected: i64,
    },
    /// There is no room for another endpoint.
    #[error("there are {0} endpoints already, which is the limit")]
    TooMany(usize),
    /// The record changed under us, or the store did not take it.
    #[error("the endpoint was not stored: {0}")]
    Unavailable(String),
    /// A stored record cannot be read.
    #[error("the record of an endpoint cannot be read: {0}")]
    Damaged(String),
}

impl From<MetaError> for EndpointError {
    fn from(error: MetaError) -> Self {
        match error {
            MetaError::Store(error) => error.into(),
            MetaError::Commit(CommitError::Refused { reason }) => Self::Unavailable(reason),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<StoreError> for EndpointError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(damage) => Self::Damaged(damage.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
