//! Why a deployment was not found or changed.

use storage::{CommitError, MetaError, StoreError};

/// A refused look-up or change. The texts are the reference's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeploymentError {
    /// There is no such deployment.
    #[error(
        "no Worker Deployment found with name '{0}'; does your Worker Deployment have pollers?"
    )]
    NotFound(String),
    /// The deployment has no such version.
    #[error("build ID '{build_id}' not found in Worker Deployment '{deployment_name}'")]
    VersionNotFound {
        /// The deployment.
        deployment_name: String,
        /// The build that it does not have.
        build_id: String,
    },
    /// There is no such version, whoever asks for it.
    #[error("{0}")]
    Missing(String),
    /// The request contradicts itself or the rules for names.
    #[error("{0}")]
    Invalid(String),
    /// It exists already.
    #[error("{0}")]
    AlreadyExists(String),
    /// The deployment is not in the state for this.
    #[error("{0}")]
    Precondition(String),
    /// There is no room for another.
    #[error("{0}")]
    TooMany(String),
    /// The store did not take the record.
    #[error("the record was not stored: {0}")]
    Unavailable(String),
    /// A stored record cannot be read.
    #[error("the record of a deployment or task queue cannot be read: {0}")]
    Damaged(String),
}

impl From<MetaError> for DeploymentError {
    fn from(error: MetaError) -> Self {
        match error {
            MetaError::Store(StoreError::Damaged(damage)) => Self::Damaged(damage.to_string()),
            MetaError::Commit(CommitError::Refused { reason }) => Self::Unavailable(reason),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<StoreError> for DeploymentError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(damage) => Self::Damaged(damage.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
