//! Who is at the other end of a connection.

use std::{
    fmt::Debug,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use futures_util::future::BoxFuture;
use model::Time;

use crate::Repute;

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
    /// Who knows whether that certificate still holds, and where it counts.
    pub standing: Option<Arc<dyn Standing>>,
    /// What its calls have shown so far.
    pub repute: Repute,
}

/// Knows whether what was good when a connection began still is, and where it counts.
pub trait Standing: Debug + Send + Sync + 'static {
    /// False when the client's certificate was revoked, or its authority is trusted no longer.
    fn holds(&self) -> bool;

    /// False when the client may not enter the namespace of this name, whatever its rights are:
    /// the namespace has authorities of its own, and none of them vouches for the client; or it has
    /// none, and the client's certificate counts in other namespaces only. The empty name stands
    /// for what is in no namespace.
    fn admits(&self, namespace: &str) -> bool;

    /// Ends when the certificate holds no longer, or no longer in the namespace that was entered.
    fn lost(self: Arc<Self>, entered: Entered) -> BoxFuture<'static, ()>;
}

/// The namespace that a call has entered, once it has.
pub type Entered = Arc<OnceLock<String>>;

impl Peer {
    /// The other end of a connection without encryption.
    pub fn plain(address: SocketAddr) -> Self {
        let repute = Repute::default();
        Self { address, encrypted: false, certificate: None, standing: None, repute }
    }

    /// False when what was good when the connection began no longer is. Asked before each call.
    pub fn holds(&self) -> bool {
        self.standing.as_ref().is_none_or(|standing| standing.holds())
    }

    /// False when the client may not enter a namespace, whatever its rights are.
    pub fn admits(&self, namespace: &str) -> bool {
        self.standing.as_ref().is_none_or(|standing| standing.admits(namespace))
    }

    /// Ends when what was good when the connection began no longer is; nothing when that cannot be.
    pub fn lost(&self, entered: Entered) -> Option<BoxFuture<'static, ()>> {
        Some(self.standing.clone()?.lost(entered))
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
