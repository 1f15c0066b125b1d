//! How JSON looks.

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};

use crate::query;

/// What a caller wants JSON to look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    /// Lines and indentation.
    pub pretty: bool,
    /// Payloads of JSON are the values in them.
    pub shorthand: bool,
    /// With the above, a payload of nothing is `null`, for who reads it and does not write it back: a
    /// field that is `null` is not there.
    pub bare_null: bool,
}

impl Form {
    /// The form of an answer. `shorthand` is what holds when the caller does not say.
    pub fn of_answer(headers: &HeaderMap, query: &str, shorthand: bool) -> Self {
        let asked = |name| query::has(query, name);
        let (pretty, full) = (asked("pretty"), asked("noPayloadShorthand"));
        if pretty || full {
            return Self { pretty, shorthand: shorthand && !full, bare_null: false };
        }
        let named = headers.get_all(ACCEPT).iter().filter_map(Self::named).next();
        let named = named.or_else(|| headers.get(CONTENT_TYPE).and_then(Self::named));
        match named {
            Some(form) => Self { shorthand: shorthand && form.shorthand, ..form },
            None => Self { pretty: false, shorthand, bare_null: false },
        }
    }

    /// The form of a request's body: payloads may be short, unless the caller says otherwise.
    pub fn of_body(headers: &HeaderMap) -> Self {
        let named = headers.get(CONTENT_TYPE).and_then(Self::named);
        named.unwrap_or(Self { pretty: false, shorthand: true, bare_null: false })
    }

    /// The content type of an answer in this form.
    pub const fn content_type(self) -> &'static str {
        match (self.pretty, self.shorthand) {
            (false, true) => "application/json",
            (true, true) => "application/json+pretty",
            (false, false) => "application/json+no-payload-shorthand",
            (true, false) => "application/json+pretty+no-payload-shorthand",
        }
    }

    fn named(value: &HeaderValue) -> Option<Self> {
        let text = value.to_str().ok()?;
        let kind = text.split(';').next().unwrap_or_default().trim();
        let mut parts = kind.strip_prefix("application/json")?.split('+');
        if parts.next() != Some("") {
            return None;
        }
        let mut form = Self { pretty: false, shorthand: true, bare_null: false };
        for part in parts {
            match part {
                "pretty" => form.pretty = true,
                "no-payload-shorthand" => form.shorthand = false,
                _ => return None,
            }
        }
        Some(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(kind))])
    }

    fn form(kind: &'static str, query: &str) -> (bool, bool) {
        let form = Form::of_answer(&accept(kind), query, true);
        (form.pretty, form.shorthand)
    }

    #[test]
    fn a_form_is_asked_for_by_header_or_query() {
        assert_eq!(form("*/*", ""), (false, true));
        assert_eq!(form("application/json", ""), (false, true));
        assert_eq!(form("application/json+pretty", "pageSize=1"), (true, true));
        assert_eq!(form("application/json+no-payload-shorthand", ""), (false, false));
        assert_eq!(form("application/json+pretty+no-payload-shorthand", ""), (true, false));
        assert_eq!(form("*/*", "pretty"), (true, true));
        assert_eq!(form("*/*", "a=b&noPayloadShorthand=&pretty=1"), (true, false));
        assert_eq!(form("application/jsonx", ""), (false, true));
    }

    #[test]
    fn a_server_may_leave_payloads_whole_by_default() {
        let of = |kind, query| Form::of_answer(&accept(kind), query, false).shorthand;
        assert!(!of("*/*", "") && !of("application/json", "") && !of("*/*", "pretty"));
    }

    #[test]
    fn a_content_type_names_its_form() {
        for pretty in [false, true] {
            for shorthand in [false, true] {
                let form = Form { pretty, shorthand, bare_null: false };
                let named = Form::named(&HeaderValue::from_static(form.content_type()));
                assert_eq!(named, Some(form));
            }
        }
    }
}
