//! One file, and the form in which a browser takes it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};

/// A file of the UI.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) kind: &'static str,
    pub(crate) plain: Bytes,
    pub(crate) brotli: Option<Bytes>,
    pub(crate) gzip: Option<Bytes>,
}

/// A file as the build script found it.
pub(crate) struct Built {
    pub(crate) name: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) brotli: Option<&'static [u8]>,
    pub(crate) gzip: Option<&'static [u8]>,
}

impl From<&Built> for File {
    fn from(built: &Built) -> Self {
        Self {
            kind: kind(built.name),
            plain: Bytes::from_static(built.plain),
            brotli: built.brotli.map(Bytes::from_static),
            gzip: built.gzip.map(Bytes::from_static),
        }
    }
}

impl File {
    /// The best form that a request takes, and what it is called.
    pub(crate) fn form(&self, headers: &HeaderMap) -> (Bytes, Option<&'static str>) {
        let accepted = headers.get(ACCEPT_ENCODING);
        for (name, form) in [("br", &self.brotli), ("gzip", &self.gzip)] {
            if let Some(form) = form
                && accepted.is_some_and(|value| takes(value, name))
            {
                return (form.clone(), Some(name));
            }
        }
        (self.plain.clone(), None)
    }

    /// Changes with the contents.
    pub(crate) fn tag(&self) -> String {
        // FNV-1a: nobody gains by two contents of one tag.
        let hash = self.plain.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("\"{hash:016x}\"")
    }
}

fn takes(value: &HeaderValue, name: &str) -> bool {
    let text = value.to_str().unwrap_or_default();
    text.split(',').any(|part| {
        let mut parts = part.split(';').map(str::trim);
        parts.next() == Some(name) && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0"))
    })
}

/// The content type of a file by the end of its name.
pub(crate) fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
