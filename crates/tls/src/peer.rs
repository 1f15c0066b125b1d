//! What certificates say.

use listener::PeerCertificate;
use model::Time;
use rustls::pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, parse_x509_certificate,
    x509::AttributeTypeAndValue,
};

/// Reads a client's certificate. The library has checked it, so a failure here is odd, and refuses
/// the connection.
pub(crate) fn peer_certificate(encoded: &CertificateDer<'_>) -> Result<PeerCertificate, String> {
    let certificate = parsed(encoded)?;
    let subject = certificate.subject();
    let mut peer = PeerCertificate {
        subject: subject.to_string(),
        common_names: texts(subject.iter_common_name()),
        organizations: texts(subject.iter_organization()),
        organizational_units: texts(subject.iter_organizational_unit()),
        serial: certificate.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
        not_after: not_after(&certificate),
        ..PeerCertificate::default()
    };
    let alternatives = certificate.subject_alternative_name().map_err(|error| error.to_string())?;
    for name in alternatives.iter().flat_map(|extension| &extension.value.general_names) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "no rule speaks of other names")]
        match name {
            GeneralName::DNSName(name) => peer.dns_names.push((*name).to_owned()),
            GeneralName::URI(name) => peer.uris.push((*name).to_owned()),
            GeneralName::RFC822Name(name) => peer.emails.push((*name).to_owned()),
            _ => {}
        }
    }
    Ok(peer)
}

/// Reads a certificate.
pub(crate) fn parsed<'a>(encoded: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, String> {
    let (_, certificate) = parse_x509_certificate(encoded).map_err(|error| error.to_string())?;
    Ok(certificate)
}

/// The end of its validity.
pub(crate) fn not_after(certificate: &X509Certificate<'_>) -> Time {
    let seconds = certificate.validity().not_after.timestamp();
    Time::from_nanos(seconds.saturating_mul(1_000_000_000))
}

fn texts<'a>(values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Vec<String> {
    values.filter_map(|value| Some(value.as_str().ok()?.to_owned())).collect()
}
