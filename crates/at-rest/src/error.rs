//! Why keys cannot be used.

/// What is wrong with the keys of a data directory. Nothing was changed when it is told at a start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AtRestError {
    /// The key that the directory needs is not among those that are configured.
    #[error(
        "the data is encrypted with key `{0}`, which is not configured: add it to \
         `encryptionAtRest.keys` (nothing was changed)"
    )]
    MissingKey(String),
    /// The key is there under its name, and does not open the directory.
    #[error(
        "key `{0}` does not open the data: it is another key than the one of that name that it \
         was encrypted with (nothing was changed)"
    )]
    WrongKey(String),
    /// A key cannot be read or is none.
    #[error("key `{id}`: {what}")]
    UnusableKey {
        /// The key.
        id: String,
        /// What is wrong with it.
        what: String,
    },
    /// The file of the wrapped keys is not what was written.
    #[error("`KEYS` is damaged: {0}; restore it from a backup (nothing was changed)")]
    Damaged(String),
    /// The file of the wrapped keys cannot be read or written.
    #[error("`KEYS`: {0}")]
    File(String),
    /// There are as many keys as there may be.
    #[error("there are {0} data keys already")]
    TooMany(usize),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Library,
    /// The namespace has no data key.
    #[error("namespace {0} has no data key")]
    NoKey(String),
}

impl From<crate::aead::Failed> for AtRestError {
    fn from(_: crate::aead::Failed) -> Self {
        Self::Library
    }
}
