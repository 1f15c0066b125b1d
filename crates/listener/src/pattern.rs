//! Which client certificates are meant.

use crate::PeerCertificate;

/// What a certificate has to say of its holder. Texts are compared without case; one `*` may stand
/// at the start or the end. What is empty is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificatePattern {
    /// One of the common names.
    pub common_name: String,
    /// One of the organizations.
    pub organization: String,
    /// One of the organizational units.
    pub organizational_unit: String,
    /// One of the alternative names: DNS, URI or mail address.
    pub alternative_name: String,
}

impl CertificatePattern {
    /// True when everything that is asked fits.
    pub fn fits(&self, certificate: &PeerCertificate) -> bool {
        let alternatives =
            [&certificate.dns_names, &certificate.uris, &certificate.emails].into_iter().flatten();
        any(&self.common_name, &certificate.common_names)
            && any(&self.organization, &certificate.organizations)
            && any(&self.organizational_unit, &certificate.organizational_units)
            && any(&self.alternative_name, alternatives)
    }
}

/// True when one of the names fits the pattern, or there is no pattern.
fn any<'a>(pattern: &str, names: impl IntoIterator<Item = &'a String>) -> bool {
    pattern.is_empty() || names.into_iter().any(|name| fits(pattern, name))
}

fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    if let Some(end) = pattern.strip_prefix('*') {
        return name.ends_with(end);
    }
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_that_is_set_has_to_fit() {
        let certificate = PeerCertificate {
            common_names: vec!["Worker-7".to_owned()],
            organizations: vec!["Shop".to_owned()],
            uris: vec!["spiffe://shop/ns/orders".to_owned()],
            ..PeerCertificate::default()
        };
        let fits = |common_name: &str, organization: &str, alternative_name: &str| {
            let pattern = CertificatePattern {
                common_name: common_name.to_owned(),
                organization: organization.to_owned(),
                alternative_name: alternative_name.to_owned(),
                ..CertificatePattern::default()
            };
            pattern.fits(&certificate)
        };
        assert!(fits("", "", ""));
        assert!(fits("worker-7", "", ""));
        assert!(fits("worker-*", "SHOP", ""));
        assert!(fits("", "", "spiffe://shop/*"));
        assert!(fits("", "", "*/orders"));
        assert!(!fits("worker", "", ""));
        assert!(!fits("worker-*", "Shops", ""));
        assert!(!fits("", "", "spiffe://other/*"));
    }
}
