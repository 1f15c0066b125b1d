//! What is wrong with credentials and with settings.

/// A credential that is not taken. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The header has no scheme, or no text.
    #[error("unexpected authorization token format")]
    Format,
    /// The scheme is not `Bearer`.
    #[error("unexpected name in authorization token")]
    Scheme,
    /// Larger than any token.
    #[error("the authorization header has {0} bytes")]
    TooLarge(usize),
    /// No setting says what to do with tokens.
    #[error("a token came, but none are configured")]
    NotConfigured,
    /// The token cannot be read.
    #[error("malformed token: {0}")]
    Malformed(String),
    /// There is no key id in it.
    #[error("malformed token - no \"kid\" header")]
    NoKeyId,
    /// It is signed in a way that is not taken.
    #[error("the algorithm of the token is not allowed")]
    Algorithm,
    /// No source has the key that it is signed with.
    #[error("no key has the id `{0}`")]
    UnknownKey(String),
    /// The signature is not that of the key.
    #[error("the signature of the token is wrong")]
    Signature,
    /// It is over.
    #[error("the credential has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It never expires.
    #[error("the token has no expiry")]
    NoExpiry,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Somebody else has made it.
    #[error("the token is from another issuer")]
    Issuer,
    /// It names nobody.
    #[error("the token names no subject")]
    Subject,
    /// No such API key, or it was revoked.
    #[error("no API key is this one")]
    UnknownApiKey,
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A place of keys is none.
    #[error("`{0}` is no place of keys: file:, http: and https: addresses are")]
    KeySource(String),
    /// An algorithm is not one, or not safe.
    #[error("`{0}` is none of the algorithms that tokens may be signed with: {1}")]
    Algorithm(String, String),
    /// The pattern of permissions is malformed.
    #[error("permissionsRegex: {0}")]
    Pattern(String),
    /// A permission of a rule is none.
    #[error("`{0}` is no permission such as `orders:write`")]
    Permission(String),
}
