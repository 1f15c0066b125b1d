//! Why a namespace was not found or changed.

use storage::{CommitError, MetaError, StoreError};

/// A refused look-up or change. The texts are the reference's (fact sheet section 19).
#[derive(Debug, Clone, thiserror::Error)]
pub enum NamespaceError {
    /// No namespace has this name or id.
    #[error("Namespace {0} is not found.")]
    NotFound(String),
    /// The name is taken.
    #[error("Namespace \"{0}\" already exists")]
    AlreadyExists(String),
    /// The system's namespace stays.
    #[error("unable to delete system namespace")]
    SystemNamespace,
    /// There is no room for another namespace.
    #[error("there are {0} namespaces already, which is the limit")]
    TooMany(usize),
    /// The record changed under us, or the store did not take it.
    #[error("the namespace was not stored: {0}")]
    Unavailable(String),
    /// A stored record cannot be read.
    #[error("the record of a namespace cannot be read: {0}")]
    Damaged(String),
}

impl From<MetaError> for NamespaceError {
    fn from(error: MetaError) -> Self {
        match error {
            MetaError::Store(StoreError::Damaged(damage)) => Self::Damaged(damage.to_string()),
            MetaError::Commit(CommitError::Refused { reason }) => Self::Unavailable(reason),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<StoreError> for NamespaceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(damage) => Self::Damaged(damage.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
