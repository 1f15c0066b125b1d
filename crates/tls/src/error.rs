//! Why certificates, keys or roots cannot be used.

use std::{io, path::PathBuf};

/// A configuration that is refused. The texts that the reference has are the reference's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no certificate: it is too large.
    #[error("`{}` has {bytes} bytes; more than {limit} are not read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// There is no certificate in a source.
    #[error(
        "loading server tls certificate failed: {0}: TLS public certificate could not be decoded"
    )]
    NoCertificate(String),
    /// There is no key in a source.
    #[error("loading server tls certificate failed: {0}: TLS private key could not be decoded")]
    NoKey(String),
    /// A certificate is malformed.
    #[error("failed to parse x509 certificate: {0}: {1}")]
    Malformed(String, String),
    /// The key is not the certificate's.
    #[error(
        "loading server tls certificate failed: the key in {key} is not that of the certificate in {certificate}"
    )]
    Mismatch {
        /// Where the certificate is from.
        certificate: String,
        /// Where the key is from.
        key: String,
    },
    /// The key cannot be used.
    #[error("loading server tls certificate failed: the key in {0} cannot be used: {1}")]
    BadKey(String, String),
    /// The server's own certificate is over.
    #[error("the certificate in {certificate} (`{subject}`) expired at {when}")]
    Expired {
        /// Where it is from.
        certificate: String,
        /// Its name.
        subject: String,
        /// When it expired.
        when: String,
    },
    /// An authority's certificate cannot be read.
    #[error("failed to decode ca cert: {0}")]
    BadAuthority(String),
    /// Clients have to show certificates, but no authority is trusted.
    #[error(
        "client certificates are asked for, but there is no authority to check them: set clientCaFiles or clientCaData"
    )]
    NoAuthority,
    /// A namespace trusts too many.
    #[error("there are {0} authorities, and at most {1} of a namespace")]
    TooManyAuthorities(usize, usize),
    /// A list of revoked certificates cannot be read.
    #[error("failed to decode the list of revoked certificates in {0}: {1}")]
    BadRevocations(String, String),
    /// The library refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    Refused(String),
}
