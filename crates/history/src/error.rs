//! Why a request was not done.

use engine::Rejection;
use storage::{CommitError, Damage, StoreError};

/// A request that was not done, or of which nobody knows whether it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HistoryError {
    /// The run refused the input; nothing changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Try again: the store did not acknowledge, or the server stops. Whether the request was done
    /// is not known unless it carries a request id.
    #[error("{0}")]
    Unavailable(String),
    /// A stored record cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A limit of the server is reached for the moment.
    #[error("{0}")]
    ResourceExhausted(String),
    /// Somebody else was faster; the whole request may be tried again.
    #[error("{0}")]
    Aborted(String),
    /// Pages of a worker's answer are gone: it is to send all of them again.
    #[error("{0}")]
    CompletionPagesLost(String),
    /// The deadline passed before there was an answer.
    #[error("deadline exceeded")]
    DeadlineExceeded,
}

impl HistoryError {
    /// The server is stopping.
    pub(crate) fn stopping() -> Self {
        Self::Unavailable("the server is shutting down".to_owned())
    }
}

impl From<StoreError> for HistoryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(damage) => Self::Damaged(damage),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<CommitError> for HistoryError {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
