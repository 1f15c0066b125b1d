//! Why a log cannot be opened or read.

use std::{io, path::PathBuf};

/// A log that cannot be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A file cannot be read or written.
    #[error("the audit log `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server writes there.
    #[error("the audit log in `{}` is written by another server", .0.display())]
    InUse(PathBuf),
    /// A key is none.
    #[error("this is no Ed25519 key in PEM (PKCS#8)")]
    Key,
    /// A public key is none.
    #[error("this is no public key of an audit log: 32 bytes in base64")]
    PublicKey,
    /// The address of the webhook is none.
    #[error("`{0}` is no address of a webhook: it needs https, or http on loopback")]
    Address(String),
    /// The thread that writes cannot be started.
    #[error("the thread that writes the audit log cannot be started: {0}")]
    Thread(io::Error),
}
