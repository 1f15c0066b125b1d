//! A certificate authority of the server's own.
//!
//! [`Authority`] holds a key and the certificate that others trust; it issues certificates for
//! servers and for clients. What it makes is text in PEM; whoever calls it says where that goes.
//! A server's authority and that of its clients are two, so that neither can stand in for the other.

mod authority;
mod error;
mod issue;

pub use authority::Authority;
pub use error::AuthorityError;
pub use issue::{Issued, Purpose, Subject};
