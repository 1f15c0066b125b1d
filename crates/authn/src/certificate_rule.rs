//! What client certificates may do.

use authz::{Claims, CustomRoles};
use listener::PeerCertificate;

use crate::SettingsError;

/// Permissions for the certificates that match every pattern that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificateRule {
    /// Pattern of the common name; empty for any.
    pub common_name: String,
    /// Pattern of the organization.
    pub organization: String,
    /// Pattern of the organizational unit.
    pub organizational_unit: String,
    /// Pattern of an alternative name: DNS, URI or mail address.
    pub alternative_name: String,
    /// What the holder may do, such as `orders:write`.
    pub permissions: Vec<String>,
}

impl CertificateRule {
    /// Refuses permissions that are none: a rule says what it means.
    pub(crate) fn check(&self, roles: &CustomRoles) -> Result<(), SettingsError> {
        for permission in &self.permissions {
            if !roles.knows(permission) {
                return Err(SettingsError::Permission(permission.clone()));
            }
        }
        Ok(())
    }

    /// Adds the permissions when the certificate matches.
    pub(crate) fn apply(&self, certificate: &PeerCertificate, claims: &mut Claims) {
        if self.matches(certificate) {
            for permission in &self.permissions {
                claims.grant_permission(permission);
            }
        }
    }

    fn matches(&self, certificate: &PeerCertificate) -> bool {
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
    use authz::Role;

    use super::*;

    fn certificate() -> PeerCertificate {
        PeerCertificate {
            common_names: vec!["Worker-7".to_owned()],
            organizations: vec!["Shop".to_owned()],
            uris: vec!["spiffe://shop/ns/orders".to_owned()],
            ..PeerCertificate::default()
        }
    }

    fn role(rule: CertificateRule) -> Role {
        let mut claims = Claims::default();
        let permissions = vec!["orders:worker".to_owned()];
        CertificateRule { permissions, ..rule }.apply(&certificate(), &mut claims);
        claims.on("orders")
    }

    #[test]
    fn every_pattern_that_is_set_has_to_fit() {
        let rule = |common_name: &str, organization: &str, alternative_name: &str| {
            role(CertificateRule {
                common_name: common_name.to_owned(),
                organization: organization.to_owned(),
                alternative_name: alternative_name.to_owned(),
                ..CertificateRule::default()
            })
        };
        assert_eq!(rule("worker-7", "", ""), Role::WORKER);
        assert_eq!(rule("worker-*", "SHOP", ""), Role::WORKER);
        assert_eq!(rule("", "", "spiffe://shop/*"), Role::WORKER);
        assert_eq!(rule("", "", "*/orders"), Role::WORKER);
        for (name, organization, alternative) in
            [("worker", "", ""), ("worker-*", "Shops", ""), ("", "", "spiffe://other/*")]
        {
            assert_eq!(rule(name, organization, alternative), Role::NONE);
        }
    }

    #[test]
    fn a_rule_with_a_permission_that_is_none_is_refused() {
        let permissions = vec!["orders:own".to_owned()];
        let rule = CertificateRule { permissions, ..CertificateRule::default() };
        assert_eq!(
            rule.check(&CustomRoles::default()),
            Err(SettingsError::Permission("orders:own".to_owned()))
        );
    }
}
