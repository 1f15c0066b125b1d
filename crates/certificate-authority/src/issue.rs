//! What is issued.

use std::{net::IpAddr, time::Duration};

use environment::Entropy;
use model::{Span, Time};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose,
    SanType, SerialNumber, date_time_ymd,
};

use crate::AuthorityError;

/// Certificates hold from so long before they are made: clocks differ.
const BACKDATED: Span = Span::from_secs(3600);

/// Bytes of a serial number; at most twenty are allowed.
const SERIAL_BYTES: usize = 16;

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The key, PKCS#8.
    pub key: String,
}

/// The key is never shown.
impl std::fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Issued").finish_non_exhaustive()
    }
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To prove who a server is.
    Server,
    /// To prove who a client is.
    Client,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// The common name.
    pub common_name: String,
    /// The organization; none when empty.
    pub organization: String,
    /// The organizational unit; none when empty.
    pub organizational_unit: String,
    /// The names and addresses that it stands for.
    pub names: Vec<String>,
}

/// What every certificate has.
pub(crate) fn parameters(
    subject: &Subject,
    now: Time,
    validity: Span,
    entropy: &dyn Entropy,
) -> Result<CertificateParams, AuthorityError> {
    let mut parameters = CertificateParams::default();
    let mut name = DistinguishedName::new();
    for (kind, value) in [
        (DnType::OrganizationName, &subject.organization),
        (DnType::OrganizationalUnitName, &subject.organizational_unit),
        (DnType::CommonName, &subject.common_name),
    ] {
        if !value.is_empty() {
            name.push(kind, value.as_str());
        }
    }
    parameters.distinguished_name = name;
    for name in &subject.names {
        parameters.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => {
                let bad = |_| AuthorityError::Name(name.clone());
                SanType::DnsName(name.as_str().try_into().map_err(bad)?)
            }
        });
    }
    let mut serial = [0; SERIAL_BYTES];
    entropy.fill(&mut serial);
    // A serial number is positive and has no needless zeros in front.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    let begin = now - BACKDATED;
    let at = |time: Time| {
        date_time_ymd(1970, 1, 1) + Duration::from_nanos(time.nanos().max(0).unsigned_abs())
    };
    parameters.not_before = at(begin);
    parameters.not_after = at(now + validity);
    Ok(parameters)
}

/// What a certificate may be used for.
pub(crate) fn usages(parameters: &mut CertificateParams, purpose: Purpose) {
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![match purpose {
        Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
}
