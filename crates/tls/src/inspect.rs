//! Looks at certificates without using them.

use std::net::IpAddr;

use model::Time;
use x509_parser::extensions::GeneralName;

use crate::{
    Source, TlsError,
    peer::{not_after, parsed},
    pem,
};

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whom it is for.
    pub subject: String,
    /// Whether it is an authority's.
    pub is_authority: bool,
    /// The end of its validity.
    pub not_after: Time,
    /// The DNS names and addresses that it stands for.
    pub names: Vec<String>,
}

/// Reads all certificates of a source.
///
/// # Errors
/// When there is none, or one of them cannot be read.
pub fn inspect(source: &Source) -> Result<Vec<CertificateFacts>, TlsError> {
    let found = pem::certificates(source, &source.read()?)?;
    found
        .iter()
        .map(|encoded| {
            let malformed = |error: String| TlsError::Malformed(source.to_string(), error);
            let certificate = parsed(encoded).map_err(malformed)?;
            let names = certificate.subject_alternative_name();
            let names = names.map_err(|error| malformed(error.to_string()))?;
            let names = names.iter().flat_map(|extension| &extension.value.general_names);
            Ok(CertificateFacts {
                subject: certificate.subject().to_string(),
                is_authority: certificate.is_ca(),
                not_after: not_after(&certificate),
                names: names.filter_map(named).collect(),
            })
        })
        .collect()
}

fn named(name: &GeneralName<'_>) -> Option<String> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "servers are known by no other names")]
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()?;
            Some(address.to_string())
        }
        _ => None,
    }
}
