//! The authority itself.

use environment::Entropy;
use model::{Span, Time};
use rcgen::{BasicConstraints, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::{
    AuthorityError, Issued, Purpose, Subject,
    issue::{parameters, usages},
};

/// A key and the certificate that others trust.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

/// The key is never shown.
impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes an authority: its certificate and its key.
    ///
    /// # Errors
    /// When a name in `subject` cannot be one.
    pub fn make(
        subject: &Subject,
        now: Time,
        validity: Span,
        entropy: &dyn Entropy,
    ) -> Result<Issued, AuthorityError> {
        let refused = |error: rcgen::Error| AuthorityError::refused(&error);
        let mut parameters = parameters(subject, now, validity, entropy)?;
        // It issues certificates of servers and clients, and none of other authorities.
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(refused)?;
        let certificate = parameters.self_signed(&key).map_err(refused)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// Reads an authority from PEM.
    ///
    /// # Errors
    /// When its certificate or its key cannot be read.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(key).map_err(|error| AuthorityError::Key(error.to_string()))?;
        let issuer = Issuer::from_ca_cert_pem(certificate, key);
        let issuer = issuer.map_err(|error| AuthorityError::Certificate(error.to_string()))?;
        Ok(Self { issuer })
    }

    /// Issues a certificate with a key of its own.
    ///
    /// # Errors
    /// When a name in `subject` cannot be one.
    pub fn issue(
        &self,
        purpose: Purpose,
        subject: &Subject,
        now: Time,
        validity: Span,
        entropy: &dyn Entropy,
    ) -> Result<Issued, AuthorityError> {
        let refused = |error: rcgen::Error| AuthorityError::refused(&error);
        let mut parameters = parameters(subject, now, validity, entropy)?;
        usages(&mut parameters, purpose);
        let key = KeyPair::generate().map_err(refused)?;
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(refused)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;

    const NOW: Time = Time::from_nanos(1_800_000_000_000_000_000);
    const YEAR: Span = Span::from_secs(365 * 24 * 3600);

    fn subject(name: &str) -> Subject {
        Subject { common_name: name.to_owned(), ..Subject::default() }
    }

    #[test]
    fn an_authority_survives_its_text_and_issues() {
        let entropy = SeededEntropy::new(1);
        let made = Authority::make(&subject("authority"), NOW, YEAR, &entropy).unwrap();
        let authority = Authority::from_pem(&made.certificate, &made.key).unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let server = Subject { names, ..subject("server") };
        let issued = authority.issue(Purpose::Server, &server, NOW, YEAR, &entropy).unwrap();
        assert!(issued.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(issued.key.starts_with("-----BEGIN PRIVATE KEY-----"));
        let again = authority.issue(Purpose::Server, &server, NOW, YEAR, &entropy).unwrap();
        assert_ne!(issued.certificate, again.certificate);
        assert!(!format!("{made:?} {authority:?} {issued:?}").contains("BEGIN"));
    }

    #[test]
    fn a_key_of_another_is_none() {
        let entropy = SeededEntropy::new(1);
        let made = Authority::make(&subject("authority"), NOW, YEAR, &entropy).unwrap();
        let wrong = Authority::from_pem(&made.key, &made.certificate);
        assert!(matches!(wrong, Err(AuthorityError::Key(_))), "{wrong:?}");
        let authority = Authority::from_pem(&made.certificate, &made.key).unwrap();
        let odd = Subject { names: vec!["käse".to_owned()], ..Subject::default() };
        let refused = authority.issue(Purpose::Server, &odd, NOW, YEAR, &entropy);
        assert!(matches!(refused, Err(AuthorityError::Name(_))), "{refused:?}");
    }
}
