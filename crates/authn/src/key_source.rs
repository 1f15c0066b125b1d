//! Where the keys come from that tokens are signed with.

use std::{fmt, path::PathBuf};

use http::Uri;

use crate::SettingsError;

/// A place that publishes a set of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file.
    File(PathBuf),
    /// An address to fetch it from.
    Address(Uri),
    /// An issuer that says where its keys are, by OpenID Connect discovery.
    Issuer(String),
}

impl KeySource {
    /// Reads an address as the reference takes it: `file:`, `http:` or `https:`.
    ///
    /// # Errors
    /// When it is another one.
    pub fn from_uri(text: &str) -> Result<Self, SettingsError> {
        let refused = || SettingsError::KeySource(text.to_owned());
        if let Some(rest) = text.strip_prefix("file://") {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            return if path.starts_with('/') {
                Ok(Self::File(PathBuf::from(path)))
            } else {
                Err(refused())
            };
        }
        let uri: Uri = text.parse().map_err(|_| refused())?;
        match (uri.scheme_str(), uri.host()) {
            (Some("http" | "https"), Some(_)) => Ok(Self::Address(uri)),
            _ => Err(refused()),
        }
    }

    /// Reads the name of an issuer, which is an address.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_issuer(text: &str) -> Result<Self, SettingsError> {
        match Self::from_uri(text)? {
            Self::Address(_) => Ok(Self::Issuer(text.to_owned())),
            Self::File(_) | Self::Issuer(_) => Err(SettingsError::KeySource(text.to_owned())),
        }
    }

    /// Whose tokens its keys are good for, when that is known.
    pub(crate) fn issuer(&self) -> Option<&str> {
        match self {
            Self::Issuer(issuer) => Some(issuer),
            Self::File(_) | Self::Address(_) => None,
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Address(uri) => uri.fmt(formatter),
            Self::Issuer(issuer) => formatter.write_str(issuer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_reference_s() {
        let file = |text: &str| KeySource::from_uri(text);
        assert_eq!(file("file:///a/b").unwrap(), KeySource::File("/a/b".into()));
        assert_eq!(file("file://localhost/a").unwrap(), KeySource::File("/a".into()));
        assert!(matches!(file("https://id/keys").unwrap(), KeySource::Address(_)));
        for bad in ["", "keys", "file://host/a", "file:a", "ftp://id/keys", "https://"] {
            assert!(file(bad).is_err(), "{bad}");
        }
        assert!(KeySource::from_issuer("file:///a").is_err());
    }
}
