//! Which addresses may be called (fact sheet section 18; the reference's
//! `callback.allowedAddresses`).

use std::net::IpAddr;

use http::Uri;

/// Most rules that are kept; a list of them is written by hand.
const RULES_MAX: usize = 1000;

/// Addresses that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRule {
    /// What the host, with its port if the address names one, looks like; `*` stands for anything.
    pub pattern: String,
    /// Whether it may be called without encryption.
    pub allow_insecure: bool,
}

/// The addresses that may be called. By default none that a user names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressRules {
    rules: Vec<AddressRule>,
}

/// Why an address may not be called. The texts are the reference's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no address at all.
    #[error("invalid callback url: {0}")]
    Malformed(String),
    /// It is neither http nor https.
    #[error("invalid url: unknown scheme: {0}")]
    Scheme(String),
    /// It names no host.
    #[error("invalid url: missing host")]
    NoHost,
    /// It needs encryption.
    #[error("invalid url: callback address does not allow insecure connections: {0}")]
    Insecure(String),
    /// No rule allows it.
    #[error("invalid url: url does not match any configured callback address: {0}")]
    NoRule(String),
}

impl AddressRules {
    /// The rules in their order. One without a pattern matches nothing.
    pub fn new(rules: impl IntoIterator<Item = AddressRule>) -> Self {
        let named = rules.into_iter().filter(|rule| !rule.pattern.is_empty());
        Self { rules: named.take(RULES_MAX).collect() }
    }

    /// Checks an address that a user named: a rule has to allow it. The first rule that fits
    /// decides.
    ///
    /// # Errors
    /// When it may not be called.
    pub fn check_callback(&self, url: &str) -> Result<(), AddressError> {
        let address = Address::parse(url)?;
        match self.rule_for(&address) {
            None => Err(AddressError::NoRule(url.to_owned())),
            Some(rule) if address.is_secure || rule.allow_insecure => Ok(()),
            Some(_) => Err(AddressError::Insecure(url.to_owned())),
        }
    }

    /// Checks an address that an operator named. Without encryption it has to be on loopback, or a
    /// rule has to allow it.
    ///
    /// # Errors
    /// When it may not be called.
    pub fn check_endpoint(&self, url: &str) -> Result<(), AddressError> {
        let address = Address::parse(url)?;
        if address.is_secure || address.is_loopback() {
            return Ok(());
        }
        match self.rule_for(&address) {
            Some(rule) if rule.allow_insecure => Ok(()),
            Some(_) | None => Err(AddressError::Insecure(url.to_owned())),
        }
    }

    fn rule_for(&self, address: &Address) -> Option<&AddressRule> {
        self.rules.iter().find(|rule| matches(&rule.pattern, &address.authority))
    }
}

struct Address {
    is_secure: bool,
    host: String,
    /// The host, and the port if there is one.
    authority: String,
}

impl Address {
    fn parse(url: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(AddressError::Scheme(url.to_owned())),
        };
        if rest.is_empty() || rest.starts_with(['/', '?', '#']) {
            return Err(AddressError::NoHost);
        }
        let uri: Uri =
            url.parse().map_err(|error| AddressError::Malformed(format!("{error}: {url}")))?;
        let authority = uri.authority().ok_or(AddressError::NoHost)?;
        if authority.host().is_empty() {
            return Err(AddressError::NoHost);
        }
        let host = authority.host().to_ascii_lowercase();
        let authority = match authority.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        Ok(Self { is_secure, host, authority })
    }

    fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Whether a pattern fits: its parts between the stars follow each other in the text.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rules: &[(&str, bool)]) -> AddressRules {
        let rule = |(pattern, allow_insecure): &(&str, bool)| AddressRule {
            pattern: (*pattern).to_owned(),
            allow_insecure: *allow_insecure,
        };
        AddressRules::new(rules.iter().map(rule))
    }

    #[test]
    fn without_rules_no_callback_is_allowed() {
        let none = AddressRules::default();
        for url in ["https://example.com", "http://localhost:7243", "https://10.0.0.1/x"] {
            let refused = none.check_callback(url).unwrap_err();
            assert_eq!(refused, AddressError::NoRule(url.to_owned()));
        }
        assert_eq!(
            none.check_callback("ftp://example.com").unwrap_err().to_string(),
            "invalid url: unknown scheme: ftp://example.com"
        );
        assert!(none.check_callback("/nexus/callback").is_err());
        assert!(none.check_callback("").is_err());
        assert_eq!(none.check_callback("http:///x"), Err(AddressError::NoHost));
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = rules(&[("*.example.com", false), ("*", true), ("", true)]);
        assert!(rules.check_callback("https://a.b.EXAMPLE.com/x").is_ok());
        assert_eq!(
            rules.check_callback("http://a.example.com").unwrap_err(),
            AddressError::Insecure("http://a.example.com".to_owned())
        );
        assert!(rules.check_callback("http://other").is_ok());
    }

    #[test]
    fn stars_stand_for_anything_and_the_rest_is_literal() {
        for (pattern, text, expected) in [
            ("*", "host:1", true),
            ("host:1", "host:1", true),
            ("host", "host:1", false),
            ("host:*", "host:1", true),
            ("prefix.*.domain", "prefix.a.b.domain", true),
            ("prefix.*.domain", "prefix.domain", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("a*a", "a", false),
            ("h.st", "host", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn an_endpoint_without_encryption_is_on_loopback_or_allowed_by_a_rule() {
        let none = AddressRules::default();
        for url in
            ["https://anywhere", "http://localhost:1", "http://127.8.9.1", "http://[::1]:2/x"]
        {
            assert_eq!(none.check_endpoint(url), Ok(()), "{url}");
        }
        // What only looks like loopback is none.
        for url in ["http://localhost.example.com", "http://10.0.0.1", "http://user@host"] {
            assert!(none.check_endpoint(url).is_err(), "{url}");
        }
        assert!(rules(&[("10.*", true)]).check_endpoint("http://10.0.0.1").is_ok());
        assert!(rules(&[("10.*", false)]).check_endpoint("http://10.0.0.1").is_err());
    }
}
