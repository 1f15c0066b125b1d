//! What a server presents, and whom it trusts.

use std::collections::BTreeMap;

use listener::CertificatePattern;
use model::Span;

use crate::{ExpiryChecks, Source};

/// The settings of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// What clients get that ask for no name, or for one that is not in `hosts`.
    pub default: HostSettings,
    /// What clients get that ask for these names, in lower case.
    pub hosts: BTreeMap<String, HostSettings>,
    /// Namespaces that have authorities of their own, which `default` lets in besides its own.
    pub namespaces: BTreeMap<String, NamespaceSettings>,
    /// How often files are looked at.
    pub refresh_interval: Span,
    /// When certificates that expire soon are reported.
    pub expiry_checks: ExpiryChecks,
}

/// The settings of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// The certificate, followed by those between it and its authority.
    pub certificate: Source,
    /// Its key: PKCS#8, PKCS#1 or SEC1.
    pub key: Source,
    /// Authorities whose clients are trusted.
    pub client_authorities: Vec<Source>,
    /// What those authorities have revoked.
    pub client_revocations: Vec<Source>,
    /// Whether clients show certificates.
    pub client_auth: ClientAuth,
    /// The oldest version of the protocol that is spoken.
    pub version_min: VersionMin,
}

/// Whose clients may enter a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceSettings {
    /// Authorities, one of which has to vouch for the client.
    pub client_authorities: Vec<Source>,
    /// What those authorities have revoked.
    pub client_revocations: Vec<Source>,
    /// Certificates that are meant, if not all; one that fits is enough.
    pub filters: Vec<CertificatePattern>,
}

/// Whether clients show certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuth {
    /// They are not asked for one.
    #[default]
    None,
    /// They are asked; one that is shown has to be good.
    Optional,
    /// Without a good one there is no connection.
    Require,
}

/// The oldest version of the protocol that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionMin {
    /// TLS 1.2, as the reference.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}
