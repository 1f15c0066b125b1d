//! From the files of one name to a configuration of the library.

use std::sync::Arc;

use listener::Protocols;
use model::Time;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use crate::{
    ClientAuth, HostSettings, Source, TlsError, VersionMin,
    expiry::Validity,
    peer::{not_after, parsed},
    pem,
};

/// What is read from the sources of a host, as it stands there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Read {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authorities: Vec<Vec<u8>>,
    client_revocations: Vec<Vec<u8>>,
}

/// One name, ready for handshakes.
#[derive(Debug)]
pub(crate) struct Host {
    http2: Arc<ServerConfig>,
    http1: Arc<ServerConfig>,
    /// Who checks the certificates of clients.
    pub(crate) verifier: Arc<dyn ClientCertVerifier>,
    /// The certificates of the configuration and how long they hold.
    pub(crate) validities: Vec<Validity>,
}

impl Host {
    /// What handshakes need for these protocols.
    pub(crate) fn config(&self, protocols: Protocols) -> Arc<ServerConfig> {
        Arc::clone(match protocols {
            Protocols::Http2 => &self.http2,
            Protocols::Http1 => &self.http1,
        })
    }

    /// Checks what was read and makes the configuration.
    pub(crate) fn load(settings: &HostSettings, read: &Read, now: Time) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut validities = Vec::new();
        let own = own_certificate(settings, read, &provider, now, &mut validities)?;
        let verifier = client_verifier(settings, read, &provider, &mut validities)?;
        let versions: &[_] = match settings.version_min {
            VersionMin::Tls12 => &[&TLS13, &TLS12],
            VersionMin::Tls13 => &[&TLS13],
        };
        let mut http2 = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|error| TlsError::Refused(error.to_string()))?
            .with_client_cert_verifier(Arc::clone(&verifier))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
        // Every connection proves anew who it is, so that nothing outlives a revocation or a
        // change of the trusted authorities. Connections are few and long.
        http2.session_storage = Arc::new(NoServerSessionStorage {});
        http2.send_tls13_tickets = 0;
        // The strongest that both know, whatever the client would rather have.
        http2.ignore_client_order = true;
        let mut http1 = http2.clone();
        http2.alpn_protocols = vec![b"h2".to_vec()];
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { http2: Arc::new(http2), http1: Arc::new(http1), verifier, validities })
    }
}

impl Read {
    /// Reads the sources of a host.
    pub(crate) fn from(settings: &HostSettings) -> Result<Self, TlsError> {
        let all =
            |sources: &[Source]| sources.iter().map(Source::read).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            certificate: settings.certificate.read()?,
            key: settings.key.read()?,
            client_authorities: all(&settings.client_authorities)?,
            client_revocations: all(&settings.client_revocations)?,
        })
    }
}

fn own_certificate(
    settings: &HostSettings,
    read: &Read,
    provider: &CryptoProvider,
    now: Time,
    validities: &mut Vec<Validity>,
) -> Result<CertifiedKey, TlsError> {
    let (place, key_place) = (settings.certificate.to_string(), settings.key.to_string());
    let chain = pem::certificates(&settings.certificate, &read.certificate)?;
    let key = pem::key(&settings.key, &read.key)?;
    for encoded in chain.iter().take(1) {
        let leaf = parsed(encoded).map_err(|error| TlsError::Malformed(place.clone(), error))?;
        if not_after(&leaf) < now {
            let (subject, when) =
                (leaf.subject().to_string(), leaf.validity().not_after.to_string());
            return Err(TlsError::Expired { certificate: place, subject, when });
        }
        validities.push(Validity::of(&leaf));
    }
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::Mismatch { certificate: place.clone(), key: key_place.clone() }
        }
        rustls::Error::InvalidCertificate(error) => {
            TlsError::Malformed(place.clone(), format!("{error:?}"))
        }
        other => TlsError::BadKey(key_place.clone(), other.to_string()),
    })
}

fn client_verifier(
    settings: &HostSettings,
    read: &Read,
    provider: &Arc<CryptoProvider>,
    validities: &mut Vec<Validity>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if settings.client_auth == ClientAuth::None {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    for (source, bytes) in settings.client_authorities.iter().zip(&read.client_authorities) {
        for encoded in pem::authorities(source, bytes)? {
            let bad = |_| TlsError::BadAuthority(source.to_string());
            validities.push(Validity::of(&parsed(&encoded).map_err(bad)?));
            roots.add(encoded).map_err(|_| TlsError::BadAuthority(source.to_string()))?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority);
    }
    let mut revocations = Vec::new();
    for (source, bytes) in settings.client_revocations.iter().zip(&read.client_revocations) {
        revocations.extend(pem::revocations(source, bytes)?);
    }
    let mut verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    if !revocations.is_empty() {
        // An authority without a list has revoked nothing.
        verifier = verifier.with_crls(revocations).allow_unknown_revocation_status();
    }
    if settings.client_auth == ClientAuth::Optional {
        verifier = verifier.allow_unauthenticated();
    }
    verifier.build().map_err(|error| TlsError::Refused(error.to_string()))
}
