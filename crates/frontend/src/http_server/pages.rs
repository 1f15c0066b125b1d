//! What the pages of a web UI ask, besides the API.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE, LOCATION},
    request::Parts,
    uri::PathAndQuery,
};
use serde_json::{Value, json};
use transcoding::{Form, query_value};
use web_ui::Site;

use super::{Answer, Face};

/// Where the API is when pages have all other paths.
const API_PATHS: [&str; 3] = ["/api/", "/auth/", "/ui-api/"];

/// Where Nexus is, where it is served beside pages.
const NEXUS_PATH: &str = "/nexus/";

const DESCRIPTIONS: [&str; 2] = ["/openapi.yaml", "/swagger.json"];

/// Takes the path below which the pages are off a request's path. Who asks for a page elsewhere is
/// led there.
pub(super) fn below(face: &Face, parts: &mut Parts) -> Option<Answer> {
    let Face::Pages(site) = face else { return None };
    let base = site.public_path();
    if base.is_empty() || parts.uri.path() == "/healthz" {
        return None;
    }
    let asked = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = match asked.strip_prefix(base) {
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        Some(rest) if rest.is_empty() || rest.starts_with('?') => format!("/{rest}"),
        _ => {
            let mut moved = status(StatusCode::PERMANENT_REDIRECT);
            // It begins with the path, and so never leads to another server.
            let place = HeaderValue::try_from(format!("{base}{asked}")).ok()?;
            moved.headers_mut().insert(LOCATION, place);
            return Some(moved);
        }
    };
    match Uri::builder().path_and_query(rest).build() {
        Ok(uri) => parts.uri = uri,
        Err(_) => return Some(status(StatusCode::BAD_REQUEST)),
    }
    None
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// The page that a request is for, if it is for one.
pub(super) fn page(face: &Face, parts: &Parts, encrypted: bool) -> Option<Answer> {
    let path = parts.uri.path();
    let of_api = API_PATHS.iter().any(|own| path.starts_with(own)) || DESCRIPTIONS.contains(&path);
    let site = match face {
        Face::Pages(site) if !of_api => site,
        // Paths without `/api/` are of the API, too, unless a browser wants to show one.
        Face::ApiAndPages(site)
            if !of_api && !path.starts_with(NEXUS_PATH) && (is_shown(parts) || !is_call(parts)) =>
        {
            site
        }
        _ => return None,
    };
    if path == "/healthz" {
        return Some(json_answer(&json!({ "status": "OK" })));
    }
    if path == "/render" && parts.method == Method::GET {
        let content = query_value(parts.uri.query().unwrap_or_default(), "content");
        return Some(Site::rendered(&content.ok().flatten().unwrap_or_default(), encrypted));
    }
    Some(site.answer(&parts.method, path, &parts.headers, encrypted))
}

fn is_shown(parts: &Parts) -> bool {
    let accepted = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    parts.method == Method::GET && accepted.is_some_and(|text| text.contains("text/html"))
}

fn is_call(parts: &Parts) -> bool {
    transcoding::find(&parts.method, parts.uri.path()).is_ok()
}

/// What the server that a UI is for is like.
pub(super) fn settings(face: &Face, parts: &Parts) -> Option<Answer> {
    let site = face.site()?;
    let asked = parts.method == Method::GET && parts.uri.path() == "/api/v1/settings";
    asked.then(|| json_answer(&serde_json::to_value(Site::settings(site)).unwrap_or_default()))
}

pub(super) fn json_answer(value: &Value) -> Answer {
    let mut answer = Response::new(Bytes::from(value.to_string()));
    *answer.status_mut() = StatusCode::OK;
    let kind = Form { pretty: false, shorthand: true, bare_null: false }.content_type();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
