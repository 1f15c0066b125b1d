//! What can go wrong.

use storage::{MetaError, StoreError};

/// Why nobody can sign in at all.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store did not give or take what is kept.
    #[error("sessions: {0}")]
    Store(String),
    /// What is stored makes no sense.
    #[error("sessions: what is stored is damaged: {0}")]
    Damaged(&'static str),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<MetaError> for OpenError {
    fn from(error: MetaError) -> Self {
        Self::Store(error.to_string())
    }
}

/// Why somebody is not signed in. The texts are for the log; browsers are told the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// What came back does not belong to a sign-in that this browser began, or not any more.
    #[error("no sign-in of this browser is under way with this state")]
    State,
    /// It took too long.
    #[error("the sign-in took too long")]
    Expired,
    /// The provider says no, or the person did.
    #[error("the provider refused: {0}")]
    Denied(String),
    /// The provider says yes, and the lists of this server do not.
    #[error("`{0}` is on none of the lists")]
    NotAllowed(String),
    /// The provider cannot be asked, or what it says is not to be believed.
    #[error("{0}")]
    Provider(String),
    /// Nobody is sent there afterwards.
    #[error("`{0}` is no path of this server")]
    ReturnUrl(String),
}

impl SignInError {
    /// What the sign-in page is told.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State | Self::ReturnUrl(_) => "state",
            Self::Expired => "expired",
            Self::Denied(_) => "denied",
            Self::NotAllowed(_) => "not-allowed",
            Self::Provider(_) => "provider",
        }
    }
}

/// Why a session was not stored, or not forgotten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the session was not stored: {0}")]
pub struct SessionError(pub(crate) String);

impl From<MetaError> for SessionError {
    fn from(error: MetaError) -> Self {
        Self(error.to_string())
    }
}
