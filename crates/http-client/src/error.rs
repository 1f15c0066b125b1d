//! Why a request was not answered.

use crate::AddressError;

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The rules do not allow the address. Nothing was sent.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There was no answer in time.
    #[error("request timed out")]
    TimedOut,
    /// The connection could not be made, or broke. Nobody knows what arrived.
    #[error("{0}")]
    Connection(String),
    /// The answer is larger than it may be.
    #[error("http: response body too large")]
    TooLarge,
}
