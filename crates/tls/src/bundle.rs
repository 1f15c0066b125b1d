//! The authorities of one namespace.

use std::sync::Arc;

use listener::CertificatePattern;
use model::Time;
use rustls::{
    RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::{
    NamespaceSettings, Source, TlsError,
    expiry::Validity,
    peer::{not_after, parsed, peer_certificate},
    pem,
};

/// Most authorities of a namespace, as in Temporal Cloud.
const AUTHORITIES_MAX: usize = 16;

/// What is read from the sources of a namespace, as it stands there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReadBundle {
    authorities: Vec<Vec<u8>>,
    revocations: Vec<Vec<u8>>,
}

/// One namespace's authorities, and which of their clients are meant.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// The authorities, which the listener lets in, too.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    /// What they have revoked.
    pub(crate) revocations: Vec<CertificateRevocationListDer<'static>>,
    /// How long the authorities hold.
    pub(crate) validities: Vec<Validity>,
    verifier: Arc<dyn ClientCertVerifier>,
    filters: Vec<CertificatePattern>,
}

impl ReadBundle {
    /// Reads the sources of a namespace.
    pub(crate) fn from(settings: &NamespaceSettings) -> Result<Self, TlsError> {
        let all =
            |sources: &[Source]| sources.iter().map(Source::read).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            authorities: all(&settings.client_authorities)?,
            revocations: all(&settings.client_revocations)?,
        })
    }
}

impl Bundle {
    /// Checks what was read.
    pub(crate) fn load(
        settings: &NamespaceSettings,
        read: &ReadBundle,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let sources = settings.client_authorities.iter().zip(&read.authorities);
        let (authorities, validities) = authorities(sources)?;
        if authorities.is_empty() {
            return Err(TlsError::NoAuthority);
        }
        if authorities.len() > AUTHORITIES_MAX {
            return Err(TlsError::TooManyAuthorities(authorities.len(), AUTHORITIES_MAX));
        }
        let sources = settings.client_revocations.iter().zip(&read.revocations);
        let revocations = revocations(sources)?;
        let verifier = verifier(authorities.clone(), revocations.clone(), provider, false)?;
        let filters = settings.filters.clone();
        Ok(Self { authorities, revocations, validities, verifier, filters })
    }

    /// Until when a client may enter; nothing when it may not.
    pub(crate) fn admits(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<Time> {
        let until = vouches(&*self.verifier, chain, now)?;
        let certificate = peer_certificate(chain.first()?).ok()?;
        let fits = |filter: &CertificatePattern| filter.fits(&certificate);
        (self.filters.is_empty() || self.filters.iter().any(fits)).then_some(until)
    }
}

/// Until when a client's certificate holds for which these authorities vouch; nothing when they do
/// not.
pub(crate) fn vouches(
    verifier: &dyn ClientCertVerifier,
    chain: &[CertificateDer<'_>],
    now: UnixTime,
) -> Option<Time> {
    let (leaf, others) = chain.split_first()?;
    verifier.verify_client_cert(leaf, others, now).ok()?;
    parsed(leaf).ok().map(|leaf| not_after(&leaf))
}

/// The authorities of sources, and how long they hold.
pub(crate) fn authorities<'a>(
    sources: impl Iterator<Item = (&'a Source, &'a Vec<u8>)>,
) -> Result<(Vec<CertificateDer<'static>>, Vec<Validity>), TlsError> {
    let (mut found, mut validities) = (Vec::new(), Vec::new());
    for (source, bytes) in sources {
        for encoded in pem::authorities(source, bytes)? {
            let bad = |_| TlsError::BadAuthority(source.to_string());
            validities.push(Validity::of(&parsed(&encoded).map_err(bad)?));
            found.push(encoded);
        }
    }
    Ok((found, validities))
}

/// The lists of revoked certificates of sources.
pub(crate) fn revocations<'a>(
    sources: impl Iterator<Item = (&'a Source, &'a Vec<u8>)>,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let mut found = Vec::new();
    for (source, bytes) in sources {
        found.extend(pem::revocations(source, bytes)?);
    }
    Ok(found)
}

/// Who checks the certificates of clients; `optional` lets those in that show none.
pub(crate) fn verifier(
    authorities: Vec<CertificateDer<'static>>,
    revocations: Vec<CertificateRevocationListDer<'static>>,
    provider: &Arc<CryptoProvider>,
    optional: bool,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|error| TlsError::BadAuthority(error.to_string()))?;
    }
    let mut verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    if !revocations.is_empty() {
        // An authority without a list has revoked nothing.
        verifier = verifier.with_crls(revocations).allow_unknown_revocation_status();
    }
    if optional {
        verifier = verifier.allow_unauthenticated();
    }
    verifier.build().map_err(|error| TlsError::Refused(error.to_string()))
}
