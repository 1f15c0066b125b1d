//! What can be wrong with a request before it is a call.

/// A request that is no call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRouted {
    /// Nothing has this path.
    #[error("Not Found")]
    Path,
    /// The path exists, with another method.
    #[error("Method Not Allowed")]
    Method,
    /// The path is not text.
    #[error("malformed path escape")]
    Malformed,
}

/// A request whose parts do not make a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRequest(pub(crate) String);
