//! What pages of which origins may ask.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode, Uri,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ORIGIN,
        VARY,
    },
};
use http_body_util::Full;

/// The headers that the web interfaces send.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization,authorization-extras,content-type,x-namespace,x-workflow-id",
);

/// The origins, such as `https://temporal.example.com`, whose pages may ask. `*` is not among them:
/// pages send credentials.
#[derive(Debug, Clone, Default)]
pub struct Origins(BTreeSet<String>);

/// What is no origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginsError(String);

impl std::fmt::Display for OriginsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?} is no origin, such as https://temporal.example.com", self.0)
    }
}

impl std::error::Error for OriginsError {}

impl Origins {
    /// These and no others.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn new(origins: impl IntoIterator<Item = String>) -> Result<Self, OriginsError> {
        let checked = |origin: String| {
            let uri: Uri = origin.parse().map_err(|_| OriginsError(origin.clone()))?;
            let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
            let is_origin = has_scheme && uri.host().is_some() && !origin.ends_with('/');
            if !is_origin || uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
                return Err(OriginsError(origin));
            }
            Ok(origin.to_ascii_lowercase())
        };
        origins.into_iter().map(checked).collect::<Result<_, _>>().map(Self)
    }

    /// What to answer the page that asks, if one does.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Allowed {
        let origin = headers.get(ORIGIN);
        let is_known = |origin: &&HeaderValue| {
            origin.to_str().is_ok_and(|text| self.0.contains(&text.to_ascii_lowercase()))
        };
        Allowed(origin.filter(is_known).cloned())
    }

    /// The answer to a browser that asks what it may ask.
    pub(crate) fn preflight(&self, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let mut answer = Response::new(Full::default());
        let known = self.of(headers).0.is_some();
        *answer.status_mut() = if known { StatusCode::NO_CONTENT } else { StatusCode::FORBIDDEN };
        if known {
            let headers = answer.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
        answer
    }
}

/// The origin that may read an answer.
pub(crate) struct Allowed(Option<HeaderValue>);

impl Allowed {
    pub(crate) fn mark(self, headers: &mut HeaderMap) {
        headers.insert(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.0 {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let yes = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_are_origins() {
        let one = |origin: &str| Origins::new([origin.to_owned()]).map(drop).map_err(|_| ());
        for good in ["https://ui.example.com", "http://127.0.0.1:8233"] {
            assert_eq!(one(good), Ok(()), "{good}");
        }
        for bad in
            ["*", "ui.example.com", "https://a.example/", "https://a.example/x", "ftp://a", ""]
        {
            assert_eq!(one(bad), Err(()), "{bad}");
        }
    }
}
