//! What browsers are told about every page.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

/// A UI that is not ours brings a policy for its scripts of its own.
const FOREIGN: &str = "object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/// What is no page does nothing.
const NO_PAGE: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Only the UI's own scripts and styles, and nothing inline. Pages talk to the server that sent
/// them, and to codec servers: on this machine, or those that the operator names.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                   font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'self'; \
                   form-action 'self'; frame-ancestors 'none'; \
                   connect-src 'self' http://localhost:* http://127.0.0.1:*";

/// The policy for pages, with the codec server that they may ask.
pub(crate) fn policy(own: bool, codec_endpoint: &str) -> HeaderValue {
    let text = match origin(codec_endpoint) {
        _ if !own => FOREIGN.to_owned(),
        Some(origin) => format!("{OWN} {origin}"),
        None => OWN.to_owned(),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(OWN))
}

/// The origin of an address; none when it has none, or would say more than an origin.
fn origin(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = |letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':' | '[' | ']')
    };
    if host.is_empty() || !host.chars().all(is_plain) {
        return None;
    }
    address.get(..scheme.len() + 3 + host.len())
}

/// Tells browsers to run nothing and to show nothing of an answer that is no page.
pub fn secure_answer(headers: &mut HeaderMap, encrypted: bool) {
    secure(headers, &HeaderValue::from_static(NO_PAGE), encrypted);
}

pub(crate) fn secure(headers: &mut HeaderMap, policy: &HeaderValue, encrypted: bool) {
    let text = HeaderValue::from_static;
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, text("nosniff"));
    headers.insert(X_FRAME_OPTIONS, text("DENY"));
    headers.insert(REFERRER_POLICY, text("no-referrer"));
    let same_origin = text("same-origin");
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        headers.insert(HeaderName::from_static(name), same_origin.clone());
    }
    if encrypted {
        headers.insert(STRICT_TRANSPORT_SECURITY, text("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_the_codec_server_and_nothing_that_came_with_it() {
        let of = |endpoint| policy(true, endpoint).to_str().unwrap().to_owned();
        assert!(
            of("https://codec.example:8080/{namespace}").ends_with(" https://codec.example:8080")
        );
        for odd in
            ["", "codec", "javascript://x", "https://a b/", "https://x;script-src *", "https://"]
        {
            assert_eq!(of(odd), OWN, "{odd}");
        }
        assert!(!OWN.contains("unsafe"));
    }
}
