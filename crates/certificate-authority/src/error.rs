//! Why nothing is issued.

/// An authority that cannot be used, or a certificate that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The certificate of an authority cannot be read.
    #[error("the certificate of the authority cannot be read: {0}")]
    Certificate(String),
    /// Its key cannot be read.
    #[error("the key of the authority cannot be read: {0}")]
    Key(String),
    /// A name cannot be in a certificate.
    #[error("`{0}` can be no name in a certificate")]
    Name(String),
    /// The library refuses.
    #[error("the certificate cannot be made: {0}")]
    Refused(String),
}

impl AuthorityError {
    pub(crate) fn refused(error: &rcgen::Error) -> Self {
        Self::Refused(error.to_string())
    }
}
