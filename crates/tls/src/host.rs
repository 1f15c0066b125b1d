//! From the files of one name to a configuration of the library.

use std::{collections::BTreeMap, sync::Arc};

use listener::Protocols;
use model::Time;
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use crate::{
    ClientAuth, HostSettings, Source, TlsError, VersionMin,
    bundle::{self, Bundle, verifier},
    expiry::Validity,
    peer::{not_after, parsed},
    pem,
};

type Verifier = Arc<dyn ClientCertVerifier>;

/// The namespaces that have authorities of their own.
pub(crate) type Bundles = BTreeMap<String, Bundle>;

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
    pub(crate) verifier: Verifier,
    /// Who vouches for clients whose certificates count outside of the namespaces that have
    /// authorities of their own.
    pub(crate) general: Option<Verifier>,
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

    /// Checks what was read and makes the configuration. It lets in the clients of `bundles`, too.
    pub(crate) fn load(
        settings: &HostSettings,
        read: &Read,
        bundles: &Bundles,
        provider: Arc<CryptoProvider>,
        now: Time,
    ) -> Result<Self, TlsError> {
        let mut validities = Vec::new();
        let own = own_certificate(settings, read, &provider, now, &mut validities)?;
        let (verifier, general) =
            client_verifiers(settings, read, &provider, bundles, &mut validities)?;
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
        Ok(Self { http2: Arc::new(http2), http1: Arc::new(http1), verifier, general, validities })
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

/// Who checks the certificates of clients, and who vouches for those that count everywhere.
fn client_verifiers(
    settings: &HostSettings,
    read: &Read,
    provider: &Arc<CryptoProvider>,
    bundles: &Bundles,
    validities: &mut Vec<Validity>,
) -> Result<(Verifier, Option<Verifier>), TlsError> {
    if settings.client_auth == ClientAuth::None {
        return Ok((WebPkiClientVerifier::no_client_auth(), None));
    }
    let sources = settings.client_authorities.iter().zip(&read.client_authorities);
    let (mut authorities, own) = bundle::authorities(sources)?;
    validities.extend(own);
    let sources = settings.client_revocations.iter().zip(&read.client_revocations);
    let mut revocations = bundle::revocations(sources)?;
    let general = match authorities.is_empty() {
        true => None,
        false => Some(verifier(authorities.clone(), revocations.clone(), provider, false)?),
    };
    for bundle in bundles.values() {
        authorities.extend(bundle.authorities.iter().cloned());
        revocations.extend(bundle.revocations.iter().cloned());
    }
    if authorities.is_empty() {
        return Err(TlsError::NoAuthority);
    }
    let optional = settings.client_auth == ClientAuth::Optional;
    Ok((verifier(authorities, revocations, provider, optional)?, general))
}
