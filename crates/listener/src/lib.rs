//! Connections in.
//!
//! [`Listener`] is the one accept loop of the server: every port uses it, encrypted or not, so that
//! limits, time-outs and the reading of client certificates hold everywhere. It gives each
//! connection as a [`Stream`], with a [`Peer`] that says who is at the other end. Encryption is an
//! [`Encryption`] that somebody else brings. [`Http2`] is what the ports of gRPC have in common beyond that.

mod at_once;
mod gathered;
mod http2;
mod limits;
mod listener;
mod opening;
mod pattern;
mod peer;
mod rate;
mod repute;
mod stream;
mod turn;
mod visitor;

pub use at_once::AtOnce;
pub use gathered::Gathered;
pub use http2::Http2;
pub use limits::{AddressLimits, Limits};
pub use listener::{Encryption, Ending, Handshake, HandshakeError, Listener, Protocols};
pub use opening::{Heard, Opening};
pub use pattern::CertificatePattern;
pub use peer::{Entered, Peer, PeerCertificate, Standing};
pub use rate::{Rate, RateLimit};
pub use repute::{Reputation, Repute};
pub use stream::{Encrypted, Stream};
pub use turn::Turn;
pub use visitor::{Visitor, Visitors};
