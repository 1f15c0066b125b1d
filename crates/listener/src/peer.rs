//! Who is at the other end of a connection.

use std::{fmt::Debug, net::SocketAddr, sync::Arc};

use futures_util::future::BoxFuture;
use model::Time;

/// The other end of a connection. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where it connects from.
    pub address: SocketAddr,
    /// True when nobody between can read or change what is sent.
    pub encrypted: bool,
    /// The certificate that it proved to own, if it was asked for one and had one. It was checked
    /// against the trusted certificate authorities.
    pub certificate: Option<Arc<PeerCertificate>>,
    /// Who knows whether that certificate still holds.
    pub standing: Option<Arc<dyn Standing>>,
}

/// Knows whether what was good when a connection began still is.
pub trait Standing: Debug + Send + Sync + 'static {
    /// False when the client's certificate was revoked, or its authority is trusted no longer.
    fn holds(&self) -> bool;

    /// Ends when that is so.
    fn lost(self: Arc<Self>) -> BoxFuture<'static, ()>;
}

impl Peer {
    /// The other end of a connection without encryption.
    pub const fn plain(address: SocketAddr) -> Self {
        Self { address, encrypted: false, certificate: None, standing: None }
    }

    /// False when what was good when the connection began no longer is. Asked before each call.
    pub fn holds(&self) -> bool {
        self.standing.as_ref().is_none_or(|standing| standing.holds())
    }

    /// Ends when what was good when the connection began no longer is; nothing when that cannot be.
    pub fn lost(&self) -> Option<BoxFuture<'static, ()>> {
        self.standing.clone().map(Standing::lost)
    }
}

/// What a client's certificate says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerCertificate {
    /// The whole name, such as `CN=worker,O=Shop`.
    pub subject: String,
    /// The common names in it.
    pub common_names: Vec<String>,
    /// The organizations in it.
    pub organizations: Vec<String>,
    /// The organizational units in it.
    pub organizational_units: Vec<String>,
    /// Alternative names that are DNS names.
    pub dns_names: Vec<String>,
    /// Alternative names that are URIs, such as `spiffe://shop/worker`.
    pub uris: Vec<String>,
    /// Alternative names that are mail addresses.
    pub emails: Vec<String>,
    /// The serial number, in hexadecimal digits.
    pub serial: String,
    /// The end of its validity. A connection may outlive it.
    pub not_after: Time,
}
