//! Encryption of connections.
//!
//! [`ServerTls`] holds what a server presents and whom it trusts: per host name that clients ask
//! for, a certificate with its key, the authorities whose clients are let in, and the certificates
//! that those have revoked. Everything is read again while the server runs, as a whole: either all
//! of it is good and holds for the next connection, or nothing changes. One crypto provider
//! (aws-lc-rs) does all the work, post-quantum key exchange included.
//!
//! Where to start: `host.rs` turns files into a configuration, and refuses what is wrong.

mod bundle;
mod encryption;
mod error;
mod expiry;
mod host;
mod inspect;
mod peer;
mod pem;
mod server;
mod settings;
mod source;
mod standing;
mod unverified;

pub use error::TlsError;
pub use expiry::ExpiryChecks;
pub use inspect::{CertificateFacts, inspect};
pub use server::{Expiry, ServerTls};
pub use settings::{ClientAuth, HostSettings, NamespaceSettings, ServerSettings, VersionMin};
pub use source::Source;
pub use unverified::{UnverifiedClient, UnverifiedStream};
