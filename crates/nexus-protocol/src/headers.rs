//! The names of headers, and headers as Nexus knows them: lower case, one value each.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

/// How long the sender waits for the answer to this request.
pub const REQUEST_TIMEOUT: &str = "request-timeout";
/// How long the whole operation may take.
pub const OPERATION_TIMEOUT: &str = "operation-timeout";
/// What the handler calls the operation.
pub const OPERATION_TOKEN: &str = "nexus-operation-token";
/// Names the operation that a completion is for.
pub const CALLBACK_TOKEN: &str = "temporal-callback-token";
/// `true` when the sender understands Temporal's own failures inside of Nexus's.
pub const FAILURE_SUPPORT: &str = "temporal-nexus-failure-support";
/// `worker` when a failure does not come from the server itself.
pub const FAILURE_SOURCE: &str = "temporal-nexus-failure-source";

pub(crate) const REQUEST_ID: &str = "nexus-request-id";
pub(crate) const OPERATION_STATE: &str = "nexus-operation-state";
pub(crate) const OPERATION_START_TIME: &str = "nexus-operation-start-time";
pub(crate) const OPERATION_CLOSE_TIME: &str = "nexus-operation-close-time";
pub(crate) const RETRYABLE: &str = "nexus-request-retryable";
pub(crate) const LINK: &str = "nexus-link";
pub(crate) const CONTENT_PREFIX: &str = "content-";
pub(crate) const CALLBACK_PREFIX: &str = "nexus-callback-";
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Who calls.
pub(crate) const USER_AGENT: HeaderValue = HeaderValue::from_static("longtide/server");

/// The headers without those that start with one of the prefixes. Of several values the first
/// counts, and what is no text does not.
pub fn nexus_header(headers: &HeaderMap, without: &[&str]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in headers {
        let is_left_out = without.iter().any(|prefix| name.as_str().starts_with(prefix));
        if let Ok(value) = value.to_str()
            && !is_left_out
        {
            found.entry(name.as_str().to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    found
}

/// The headers that start with a prefix, without it.
pub(crate) fn with_prefix(headers: &HeaderMap, prefix: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in headers {
        if let (Some(rest), Ok(value)) = (name.as_str().strip_prefix(prefix), value.to_str()) {
            found.entry(rest.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    found
}

/// Sets headers from text; what cannot be a header is left out.
pub(crate) fn set_all<'a>(
    headers: &mut HeaderMap,
    prefix: &str,
    given: impl IntoIterator<Item = (&'a String, &'a String)>,
) {
    for (name, value) in given {
        set(headers, &format!("{prefix}{name}"), value);
    }
}

/// What says how a message is framed and where it goes; never taken from a user.
const FRAMING: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Sets one header; what cannot be one, and what frames the message, is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
        return;
    }
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}

/// A header's text; empty when it is not there.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether the body is said to be JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, "content-type");
    let kind = kind.split_once(';').map_or(kind, |(kind, _)| kind);
    kind.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_s_headers_cannot_frame_another_message() {
        let mut headers = HeaderMap::new();
        let names = ["Transfer-Encoding", "content-length", "HOST", "x-mine", "bad name", "x\r\ny"];
        let given: BTreeMap<String, String> =
            names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect();
        set_all(&mut headers, "", &given);
        assert_eq!(nexus_header(&headers, &[]), [("x-mine".to_owned(), "1".to_owned())].into());
    }
}
