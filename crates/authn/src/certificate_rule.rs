//! What client certificates may do.

use authz::{Claims, CustomRoles};
use listener::{CertificatePattern, PeerCertificate};

use crate::SettingsError;

/// Permissions for the certificates that fit a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificateRule {
    /// What the certificate has to say.
    pub pattern: CertificatePattern,
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
        if self.pattern.fits(certificate) {
            for permission in &self.permissions {
                claims.grant_permission(permission);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use authz::Role;

    use super::*;

    #[test]
    fn who_fits_the_pattern_gets_the_permissions() {
        let pattern =
            CertificatePattern { common_name: "worker-*".to_owned(), ..Default::default() };
        let rule = CertificateRule { pattern, permissions: vec!["orders:worker".to_owned()] };
        let role = |name: &str| {
            let mut claims = Claims::default();
            let common_names = vec![name.to_owned()];
            let certificate = PeerCertificate { common_names, ..PeerCertificate::default() };
            rule.apply(&certificate, &mut claims);
            claims.on("orders")
        };
        assert_eq!(role("Worker-7"), Role::WORKER);
        assert_eq!(role("starter-7"), Role::NONE);
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
