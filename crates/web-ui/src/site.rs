//! The files by their paths.

use std::{collections::BTreeMap, path::Path};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
};
use percent_encoding::percent_decode_str;

use crate::{
    FolderError, Settings,
    file::{Built, File},
    folder, headers,
};

const BUILT: &[Built] = include!(concat!(env!("OUT_DIR"), "/built.rs"));

/// The page of a build without pages.
const MISSING: &[u8] = include_bytes!("missing.html");

const INDEX: &str = "index.html";

/// How an index says below which path it is.
const BASE: &str = "<base href=\"/\"";

/// Why a UI cannot be below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicPathError {
    /// The path is none.
    #[error("it is no path such as /temporal")]
    NoPath,
    /// The UI does not say where it is.
    #[error("this UI works at `/` only: its index has no <base href=\"/\">")]
    NoBase,
}

/// Folders whose files have names that change with their contents.
const HASHED: [&str; 2] = ["assets/", "_app/immutable/"];

/// A web UI and what it is told.
#[derive(Debug)]
pub struct Site {
    files: BTreeMap<String, File>,
    policy: HeaderValue,
    settings: Settings,
    public_path: String,
}

impl Site {
    /// The UI that was built in. Without one there is a page that says so.
    pub fn built_in(settings: Settings) -> Self {
        let mut files: BTreeMap<String, File> =
            BUILT.iter().map(|built| (built.name.to_owned(), built.into())).collect();
        files.entry(INDEX.to_owned()).or_insert_with(|| {
            (&Built { name: INDEX, plain: MISSING, brotli: None, gzip: None }).into()
        });
        let policy = headers::policy(true, &settings.codec.endpoint);
        Self { files, policy, settings, public_path: String::new() }
    }

    /// The UI in a folder, which is read now and never again.
    ///
    /// # Errors
    /// When it cannot be read, or is no UI.
    pub fn from_folder(folder: &Path, settings: Settings) -> Result<Self, FolderError> {
        let files = folder::read(folder)?;
        let policy = headers::policy(false, "");
        Ok(Self { files, policy, settings, public_path: String::new() })
    }

    /// The same UI below a path, such as `/temporal`, for a proxy that leads other paths elsewhere.
    ///
    /// # Errors
    /// When the path is none, or the UI does not say which path it is below.
    pub fn below(mut self, path: &str) -> Result<Self, PublicPathError> {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Ok(self);
        }
        let is_plain = |letter: char| {
            letter.is_ascii_alphanumeric() || matches!(letter, '/' | '-' | '_' | '.')
        };
        let is_path = path.starts_with('/') && !path.contains("//") && !path.contains("..");
        if !is_path || !path.chars().all(is_plain) {
            return Err(PublicPathError::NoPath);
        }
        let index = self.files.get_mut(INDEX).ok_or(PublicPathError::NoBase)?;
        let text = String::from_utf8_lossy(&index.plain).into_owned();
        let moved = text.replacen(BASE, &format!("<base href=\"{path}/\""), 1);
        if moved == text {
            return Err(PublicPathError::NoBase);
        }
        *index = File { plain: moved.into(), brotli: None, gzip: None, kind: index.kind };
        path.clone_into(&mut self.public_path);
        Ok(self)
    }

    /// The path below which the pages are, without a slash at its end; empty when that is all paths.
    pub fn public_path(&self) -> &str {
        &self.public_path
    }

    /// Whether the build has a UI.
    pub const fn is_built_in() -> bool {
        !BUILT.is_empty()
    }

    /// What the UI is told.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Answers a request for a page or one of its parts.
    pub fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        encrypted: bool,
    ) -> Response<Bytes> {
        let mut response = if matches!(*method, Method::GET | Method::HEAD) {
            self.found(path, headers)
        } else {
            let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        };
        headers::secure(response.headers_mut(), &self.policy, encrypted);
        if *method == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        response
    }

    fn found(&self, path: &str, headers: &HeaderMap) -> Response<Bytes> {
        let Ok(path) = percent_decode_str(path.trim_start_matches('/')).decode_utf8() else {
            return status(StatusCode::BAD_REQUEST);
        };
        let hashed = HASHED.iter().any(|folder| path.starts_with(folder));
        let file = match self.files.get(&*path) {
            Some(file) => file,
            // What is no file is a view, which the UI makes itself.
            None if hashed || path.split(['/', '\\']).any(|step| step == "..") => {
                return status(StatusCode::NOT_FOUND);
            }
            None => match self.files.get(INDEX) {
                Some(index) => index,
                None => return status(StatusCode::NOT_FOUND),
            },
        };
        let tag = (!hashed).then(|| file.tag());
        if let Some(tag) = &tag
            && headers.get(IF_NONE_MATCH).is_some_and(|known| known == tag.as_str())
        {
            return tagged(status(StatusCode::NOT_MODIFIED), tag);
        }
        let (body, encoding) = file.form(headers);
        let mut response = Response::new(body);
        let sent = response.headers_mut();
        sent.insert(CONTENT_TYPE, HeaderValue::from_static(file.kind));
        sent.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            sent.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        match &tag {
            Some(tag) => tagged(response, tag),
            None => {
                let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
                response.headers_mut().insert(CACHE_CONTROL, forever);
                response
            }
        }
    }
}

/// To be asked for again each time, and sent again only when it has changed.
fn tagged(mut response: Response<Bytes>, tag: &str) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT_ENCODING, CONTENT_SECURITY_POLICY};

    use super::*;

    fn site() -> Site {
        let file = |name: &'static str, plain: &'static str, brotli| {
            let built = Built { name, plain: plain.as_bytes(), brotli, gzip: None };
            (name.to_owned(), File::from(&built))
        };
        let files = BTreeMap::from([
            file(INDEX, "<html>", None),
            file("favicon.svg", "<svg>", None),
            file("assets/main-x1.js", "let x", Some(b"br".as_slice())),
        ]);
        let settings = Settings::default();
        let public_path = String::new();
        Site { files, policy: headers::policy(true, ""), settings, public_path }
    }

    fn get(path: &str, headers: &HeaderMap) -> Response<Bytes> {
        site().answer(&Method::GET, path, headers, false)
    }

    fn header(response: &Response<Bytes>, name: http::HeaderName) -> String {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_ui_below_a_path_says_so_to_its_pages() {
        assert_eq!(site().below("/x").unwrap_err(), PublicPathError::NoBase);
        let mut at_top = site();
        let plain = b"<head><base href=\"/\" /></head>";
        let index = Built { name: INDEX, plain, brotli: Some(b"br"), gzip: None };
        at_top.files.insert(INDEX.to_owned(), File::from(&index));
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, "br".parse().unwrap())]);
        let below = at_top.below("/team/temporal/").unwrap();
        assert_eq!(below.public_path(), "/team/temporal");
        let answer = below.answer(&Method::GET, "/", &headers, false);
        assert_eq!(&answer.body()[..], b"<head><base href=\"/team/temporal/\" /></head>");
        for odd in ["x", "//evil.example", "/a\"b", "/a/../b", "/a b"] {
            assert_eq!(site().below(odd).unwrap_err(), PublicPathError::NoPath, "{odd}");
        }
    }

    #[test]
    fn what_is_no_file_is_a_view() {
        for path in ["/", "/index.html", "/namespaces/default/workflows/a.b/run"] {
            let answer = get(path, &HeaderMap::new());
            assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::OK, &b"<html>"[..]));
            assert_eq!(header(&answer, CACHE_CONTROL), "no-cache");
            assert!(header(&answer, CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"));
        }
    }

    #[test]
    fn no_path_leads_out() {
        for path in [
            "/../Cargo.toml",
            "/assets/../../Cargo.toml",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/..%5c..%5cetc",
            "/assets/none.js",
        ] {
            let answer = get(path, &HeaderMap::new());
            assert_eq!(
                (answer.status(), answer.body().len()),
                (StatusCode::NOT_FOUND, 0),
                "{path}"
            );
        }
        assert_eq!(get("/%ff", &HeaderMap::new()).status(), StatusCode::BAD_REQUEST);
        let post = site().answer(&Method::POST, "/", &HeaderMap::new(), false);
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn a_name_that_changes_with_its_contents_is_kept_for_good() {
        let path = "/assets/main-x1.js";
        let plain = get(path, &HeaderMap::new());
        assert!(header(&plain, CACHE_CONTROL).contains("immutable"));
        assert_eq!(header(&plain, CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert_eq!(
            (&plain.body()[..], header(&plain, CONTENT_ENCODING).as_str()),
            (&b"let x"[..], "")
        );
        for (accepted, body) in [("gzip, br", "br"), ("gzip", "let x"), ("br;q=0", "let x")] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, accepted.parse().unwrap())]);
            assert_eq!(&get(path, &headers).body()[..], body.as_bytes(), "{accepted}");
        }
    }

    #[test]
    fn what_has_not_changed_is_not_sent_again() {
        let first = get("/favicon.svg", &HeaderMap::new());
        let tag = first.headers().get(ETAG).unwrap().clone();
        let again = get("/favicon.svg", &HeaderMap::from_iter([(IF_NONE_MATCH, tag)]));
        assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
    }

    #[test]
    fn a_folder_is_read_once_and_its_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Site::from_folder(folder.path(), Settings::default()).is_err());
        std::fs::write(folder.path().join(INDEX), "old").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.txt")).unwrap();
        let site = Site::from_folder(folder.path(), Settings::default()).unwrap();
        std::fs::write(folder.path().join(INDEX), "new").unwrap();
        for path in ["/", "/link.txt"] {
            let answer = site.answer(&Method::GET, path, &HeaderMap::new(), true);
            assert_eq!(&answer.body()[..], b"old");
            assert!(answer.headers().contains_key("strict-transport-security"));
        }
    }
}
