//! From the permissions of a token to claims.

use authz::Claims;
use regex::Regex;

use crate::SettingsError;

/// How permissions are written.
#[derive(Debug, Clone, Default)]
pub(crate) enum Pattern {
    /// `namespace:role`.
    #[default]
    Colon,
    /// A pattern with the groups `namespace` and `role`.
    Groups(Regex),
}

impl Pattern {
    /// Reads the setting; nothing stands for the usual way.
    pub(crate) fn from_setting(text: &str) -> Result<Self, SettingsError> {
        if text.is_empty() {
            return Ok(Self::Colon);
        }
        let pattern =
            Regex::new(text).map_err(|error| SettingsError::Pattern(error.to_string()))?;
        let names: Vec<&str> = pattern.capture_names().flatten().collect();
        if !names.contains(&"namespace") || !names.contains(&"role") {
            let text = "the groups `namespace` and `role` are needed";
            return Err(SettingsError::Pattern(text.to_owned()));
        }
        Ok(Self::Groups(pattern))
    }

    /// Adds what a permission speaks of; what speaks of nothing is left out.
    pub(crate) fn grant(&self, permission: &str, claims: &mut Claims) {
        match self {
            Self::Colon => {
                claims.grant_permission(permission);
            }
            Self::Groups(pattern) => {
                let Some(found) = pattern.captures(permission) else { return };
                let (namespace, role) = (found.name("namespace"), found.name("role"));
                if let (Some(namespace), Some(role)) = (namespace, role) {
                    claims.grant_named(namespace.as_str(), role.as_str());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use authz::Role;

    use super::*;

    #[test]
    fn a_pattern_says_where_the_parts_are() {
        let pattern = Pattern::from_setting("^tc/(?P<namespace>[^/]+)/(?P<role>.+)$").unwrap();
        let mut claims = Claims::default();
        pattern.grant("tc/orders/write", &mut claims);
        pattern.grant("orders:admin", &mut claims);
        assert_eq!(claims.on("orders"), Role::WRITER);
    }

    #[test]
    fn a_pattern_without_its_groups_is_refused() {
        for text in ["(", "(?P<namespace>.*)", "(?P<role>.*)"] {
            assert!(Pattern::from_setting(text).is_err(), "{text}");
        }
    }
}
