//! The cookies that browsers hold.
//!
//! Over encrypted connections their names begin with `__Host-`: browsers take such a cookie only
//! from this very host, and send it nowhere else. Without encryption, which is for loopback, there is
//! no such name, and browsers would not keep a cookie that has to be `Secure`.

use http::{HeaderMap, HeaderValue, header::COOKIE};
use model::Span;

/// How cookies are named and kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    pub(crate) is_secure: bool,
}

/// What a cookie is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Holds the id of a session.
    Session,
    /// Holds what a sign-in that is under way has to remember.
    Attempt,
}

impl Cookies {
    const fn name(self, kind: Kind) -> &'static str {
        match (kind, self.is_secure) {
            (Kind::Session, true) => "__Host-longtide-session",
            (Kind::Session, false) => "longtide-session",
            (Kind::Attempt, true) => "__Host-longtide-sign-in",
            (Kind::Attempt, false) => "longtide-sign-in",
        }
    }

    /// The value that a browser shows.
    pub(crate) fn read(self, headers: &HeaderMap, kind: Kind) -> Option<&str> {
        let name = self.name(kind);
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// Tells a browser to keep a value for so long. No script can read it, and pages of others make
    /// the browser send it only when somebody follows a link.
    pub(crate) fn keep(self, kind: Kind, value: &str, age: Span) -> Option<HeaderValue> {
        let seconds = age.millis() / 1000;
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = self.name(kind);
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Tells a browser to forget it.
    pub(crate) fn forget(self, kind: Kind) -> Option<HeaderValue> {
        self.keep(kind, "", Span::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_bound_to_its_host_where_that_can_be() {
        let of = |is_secure| {
            let kept = Cookies { is_secure }.keep(Kind::Session, "x", Span::from_secs(60)).unwrap();
            kept.to_str().unwrap().to_owned()
        };
        let plain = "longtide-session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(of(false), plain);
        assert_eq!(of(true), format!("__Host-{plain}; Secure"));
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; xlongtide-session=1"));
        headers.append(COOKIE, HeaderValue::from_static("longtide-sessions=2;longtide-session=3"));
        let cookies = Cookies { is_secure: false };
        assert_eq!(cookies.read(&headers, Kind::Session), Some("3"));
        assert_eq!(cookies.read(&headers, Kind::Attempt), None);
        assert_eq!(Cookies { is_secure: true }.read(&headers, Kind::Session), None);
    }
}
