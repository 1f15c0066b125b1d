//! From PEM to what the library takes.

use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject,
};

use crate::{Source, TlsError};

/// All certificates of a source, at least one.
pub(crate) fn certificates(
    source: &Source,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(TlsError::NoCertificate(source.to_string())),
    }
}

/// The first key of a source.
pub(crate) fn key(source: &Source, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(bytes).map_err(|_| TlsError::NoKey(source.to_string()))
}

/// All authorities of a source, at least one.
pub(crate) fn authorities(
    source: &Source,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates(source, bytes).map_err(|_| TlsError::BadAuthority(source.to_string()))
}

/// All lists of a source, at least one.
pub(crate) fn revocations(
    source: &Source,
    bytes: &[u8],
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let bad = |text: String| TlsError::BadRevocations(source.to_string(), text);
    let found: Vec<_> = CertificateRevocationListDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(error.to_string()))?;
    if found.is_empty() { Err(bad("there is none".to_owned())) } else { Ok(found) }
}
