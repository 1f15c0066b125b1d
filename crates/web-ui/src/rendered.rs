//! A text as a page for a frame, in which the reference's UI shows what people have written.
//!
//! The reference makes HTML of the Markdown in it. Here it stays text: nothing that somebody has
//! written becomes markup.

use bytes::Bytes;
use http::{
    HeaderValue, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, X_FRAME_OPTIONS},
};

use crate::{Site, headers};

/// It runs and loads nothing, and stands in the UI's own frames only.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'self'; sandbox";

impl Site {
    /// The page for a text.
    pub fn rendered(text: &str, encrypted: bool) -> Response<Bytes> {
        let mut page = String::from("<!doctype html><meta charset=\"utf-8\"><pre>");
        for letter in text.chars() {
            match letter {
                '&' => page.push_str("&amp;"),
                '<' => page.push_str("&lt;"),
                '>' => page.push_str("&gt;"),
                other => page.push(other),
            }
        }
        page.push_str("</pre>\n");
        let mut response = Response::new(Bytes::from(page));
        let sent = response.headers_mut();
        headers::secure(sent, &HeaderValue::from_static(POLICY), encrypted);
        sent.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        sent.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        sent.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_SECURITY_POLICY;

    use super::*;

    #[test]
    fn what_is_written_never_becomes_markup() {
        let answer = Site::rendered("# a <script>alert(1)</script> & </pre><img src=x>", false);
        let page = std::str::from_utf8(answer.body()).unwrap().to_owned();
        assert!(page.contains("# a &lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;/pre&gt;"));
        assert_eq!(page.matches('<').count(), 4, "{page}");
        let policy = answer.headers().get(CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.to_str().unwrap().contains("sandbox"));
    }
}
