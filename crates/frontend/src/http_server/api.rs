//! The API in JSON.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONNECTION, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE,
        X_CONTENT_TYPE_OPTIONS,
    },
    request::Parts,
};
use hyper::body::Incoming;
use tonic::{Code, Status};
use transcoding::{Form, NotRouted, error_body, find, http_status};

use super::{
    Answer, Face, Streamed, audit_log,
    call::{Failure, call},
    connection::{Asked, BodyError},
    forbidden, guard, pages, permissions, sessions, sign_in, stream, whole,
};

/// Browsers that came once over an encrypted connection come only that way for a year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Answers a request to the API, or for a page of the web UI.
pub(super) async fn answer(asked: &Arc<Asked>, mut parts: Parts, body: Incoming) -> Streamed {
    if let Some(moved) = pages::below(&asked.settings.face, &mut parts) {
        return whole(moved);
    }
    let query = parts.uri.query().unwrap_or_default();
    let shorthand = !matches!(asked.settings.face, Face::Pages(_));
    let form = Form::of_answer(&parts.headers, query, shorthand);
    let mut answer = match answered(asked, parts, body, form).await {
        Ok(answer) => answer,
        Err(failure) => whole(refused(asked, &failure, form)),
    };
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if asked.peer.encrypted {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    answer
}

async fn answered(
    asked: &Arc<Asked>,
    mut parts: Parts,
    body: Incoming,
    form: Form,
) -> Result<Streamed, Failure> {
    let encrypted = asked.peer.encrypted;
    guard::check(&parts.headers, &asked.settings.hosts, encrypted)
        .map_err(|foreign| Status::permission_denied(foreign.text()))?;
    if let Some(page) = sign_in::page(asked, &parts) {
        return sign_in::answer(asked, page, &parts, body).await.map(whole);
    }
    let face = &asked.settings.face;
    let page = pages::page(face, &parts, encrypted).or_else(|| pages::settings(face, &parts));
    if let Some(page) = page {
        return Ok(whole(page));
    }
    let path = parts.uri.path();
    if let Some(description) = described(&parts.method, path) {
        return Ok(whole(description));
    }
    let visit = sign_in::visit(asked, &mut parts).await?;
    visit.during(told(asked, &parts, body, form)).await
}

/// Answers what somebody asks who has credentials, or none.
async fn told(
    asked: &Arc<Asked>,
    parts: &Parts,
    body: Incoming,
    form: Form,
) -> Result<Streamed, Failure> {
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/ui-api/permissions") => {
            return permissions::answer(asked, parts).await.map(whole);
        }
        (&Method::GET, "/ui-api/audit") => return audit_log::answer(asked, parts).await.map(whole),
        _ => {}
    }
    if let Some(question) = sessions::question(parts) {
        return sessions::answer(asked, parts, question).await.map(whole);
    }
    if let Some(stream) = stream::answer(asked, parts, form).await {
        return stream;
    }
    called(asked, parts, body, form).await.map(whole)
}

/// Makes the call that a request is.
async fn called(
    asked: &Asked,
    parts: &Parts,
    body: Incoming,
    form: Form,
) -> Result<Answer, Failure> {
    let found = find(&parts.method, parts.uri.path());
    let (face, path) = (&asked.settings.face, found.as_ref().ok().map(|found| found.rule().path()));
    if forbidden::is_forbidden(face, &parts.method, path, &[]) {
        return Ok(forbidden::refusal());
    }
    let found = found.map_err(|error| {
        let text = error.to_string();
        match error {
            NotRouted::Path => Status::not_found(text),
            NotRouted::Method => Status::unimplemented(text),
            NotRouted::Malformed => Status::invalid_argument(text),
        }
    })?;
    let invalid = |error: transcoding::BadRequest| Status::invalid_argument(error.to_string());
    let body = asked.read(body).await.map_err(unread)?;
    let query = parts.uri.query().unwrap_or_default();
    let message = found.message(query, &body, Form::of_body(&parts.headers)).map_err(invalid)?;
    let path = found.rule().path();
    if forbidden::is_forbidden(face, &parts.method, Some(path), &message) {
        return Ok(forbidden::refusal());
    }
    let answer = call(asked, path, &parts.headers, &message).await?;
    let body = found.answer(&answer, form);
    let body = body.map_err(|error| Status::internal(error.to_string()))?;
    Ok(json(StatusCode::OK, body.into(), form))
}

pub(super) fn unread(error: BodyError) -> Status {
    match error {
        BodyError::TooLarge => Status::invalid_argument("http: request body too large"),
        BodyError::Broken => Status::invalid_argument("failed to read request body"),
        BodyError::Late => Status::deadline_exceeded("the request was not received in time"),
    }
}

/// The description of the API, which says nothing that is not public.
fn described(method: &Method, path: &str) -> Option<Answer> {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let (kind, text) = match path {
        "/openapi.yaml" => ("application/yaml", transcoding::openapi_yaml as fn() -> Bytes),
        "/swagger.json" => ("application/json", transcoding::swagger_json as fn() -> Bytes),
        _ => return None,
    };
    if method != Method::GET {
        return None;
    }
    let mut answer = Response::new(text());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Some(answer)
}

fn json(status: StatusCode, body: Bytes, form: Form) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(form.content_type());
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn refused(asked: &Asked, failure: &Failure, form: Form) -> Answer {
    let Failure { status, is_unread } = failure;
    let code = status.code();
    let body = error_body(code as i32, status.message(), status.details(), form);
    let mut answer = json(http_status(code as i32), body, form);
    if code == Code::Unauthenticated {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if *is_unread && !asked.visitor.may_go_on() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}
