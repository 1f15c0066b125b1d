//! Which web pages may ask: none but those of the server itself.
//!
//! A server on loopback has no credentials, and a browser on the same machine reaches it. A page
//! from elsewhere could ask under its own name for the server's address (DNS rebinding: told by the
//! `Host`), or send a request whose answer it cannot read (told by the `Origin`, and by what the
//! browser says of where the request came from).

use std::net::IpAddr;

use http::{
    HeaderMap,
    header::{HOST, HeaderName, ORIGIN},
};

/// The names under which a server may be asked. Loopback names and addresses are always among them:
/// nobody else can make them lead elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// These names; `*.example.com` stands for all names below, `*` for any name.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request may name this host, with or without a port.
    fn allow(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return true;
        }
        let address = name.trim_start_matches('[').trim_end_matches(']');
        if address.parse::<IpAddr>().is_ok() {
            return true;
        }
        self.0.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some(rest) => rest.is_empty() || (rest.starts_with('.') && name.ends_with(rest)),
            None => *allowed == name,
        })
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Why a request may not be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    Host,
    Origin,
}

impl Foreign {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Host => "Host not allowed",
            Self::Origin => "this is not for pages of other origins",
        }
    }
}

/// Refuses what a page from elsewhere asks. On an encrypted connection every host is good: the
/// browser has compared it with the certificate.
pub(super) fn check(headers: &HeaderMap, hosts: &Hosts, encrypted: bool) -> Result<(), Foreign> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(HOST).unwrap_or_default();
    if !encrypted && !hosts.allow(host) {
        return Err(Foreign::Host);
    }
    if let Some(origin) = text(ORIGIN) {
        let own = origin.split_once("://").map(|(_, rest)| rest);
        if !own.is_some_and(|own| own.eq_ignore_ascii_case(host)) {
            return Err(Foreign::Origin);
        }
    }
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let mode = text(HeaderName::from_static("sec-fetch-mode"));
    if matches!(site, Some("cross-site" | "same-site")) && mode != Some("navigate") {
        return Err(Foreign::Origin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(host: &str, further: &[(&'static str, &str)], encrypted: bool) -> Option<Foreign> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        for (name, value) in further {
            headers.insert(*name, value.parse().unwrap());
        }
        let hosts = Hosts::new(["ui.example.com".to_owned(), "*.Inside".to_owned()]);
        check(&headers, &hosts, encrypted).err()
    }

    #[test]
    fn only_loopback_addresses_and_named_hosts_are_taken() {
        for host in [
            "localhost",
            "localhost:7243",
            "a.localhost:1",
            "127.0.0.1:7243",
            "[::1]:7243",
            "10.0.0.1",
            "ui.example.com:443",
            "UI.EXAMPLE.COM",
            "x.inside",
            "localhost.:80",
        ] {
            assert_eq!(checked(host, &[], false), None, "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:7243",
            "localhost.evil.example",
            "ui.example.com.evil",
            "127.0.0.1.evil.example",
            "inside",
            "xinside",
            "notlocalhost",
        ] {
            assert_eq!(checked(host, &[], false), Some(Foreign::Host), "{host}");
            assert_eq!(checked(host, &[], true), None, "{host}");
        }
        assert_eq!(check(&HeaderMap::new(), &Hosts::default(), false), Err(Foreign::Host));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let own = [("origin", "http://localhost:8233"), ("sec-fetch-site", "same-origin")];
        assert_eq!(checked("localhost:8233", &own, false), None);
        for foreign in [
            [("origin", "http://evil.example"), ("x", "")],
            [("origin", "http://localhost:8000"), ("x", "")],
            [("origin", "null"), ("x", "")],
            [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
            [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
        ] {
            let refused = checked("localhost:8233", &foreign, true);
            assert_eq!(refused, Some(Foreign::Origin), "{foreign:?}");
        }
        let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(checked("localhost:8233", &link, false), None);
    }
}
