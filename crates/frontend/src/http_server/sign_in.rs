//! Signing in to the web UI: what browsers ask for it, and what a session does for their requests.
//!
//! A request with credentials of its own is not touched. One with the cookie of a session gets the
//! person's token into its headers before anybody asks who calls; from then on it is a request like
//! any other. Browsers send cookies by themselves, so what changes something has to prove that a
//! page of this server asks for it.
//!
//! In front of another server nobody here can tell a token that is good from one that is not, and
//! the connection may have credentials of its own: only sessions lead there.

use std::sync::Arc;

use audit::{AuditLog, Call, Decision, Names, Who};
use authz::{Caller, Principal};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{LOCATION, ORIGIN, SET_COOKIE},
    request::Parts,
};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use hyper::body::{Body as _, Incoming};
use serde_json::{Value, json};
use single_sign_on::{
    Completed, Session, SessionError, SignInError, SignedIn, SingleSignOn, sign_in_page,
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::{
    Answer, Streamed,
    api::unread,
    call::{Failure, call},
    connection::Asked,
    pages::json_answer,
};
use crate::auditing::code_name;

/// What the audit log calls signing in and out.
const SERVICE: &str = "longtide.SingleSignOn";

/// A method that every server has, and that needs no right.
const OPEN_METHOD: &str = "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo";

/// The header by which a page proves that it is of this server.
const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// What a browser asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Page {
    Session,
    Begin,
    Complete,
    SignOut,
    Exit,
    BackChannel,
}

/// The page that a request is for, if it is for one.
pub(super) fn page(asked: &Asked, parts: &Parts) -> Option<Page> {
    let page = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/ui-api/session") => return Some(Page::Session),
        (&Method::GET, "/auth/sso") => Page::Begin,
        (&Method::GET, "/auth/sso/callback" | "/auth/sso_callback") => Page::Complete,
        (&Method::POST, "/auth/logout") => Page::SignOut,
        (&Method::GET, "/auth/end-session") => Page::Exit,
        (&Method::POST, "/auth/backchannel-logout") => Page::BackChannel,
        _ => return None,
    };
    asked.settings.single_sign_on.is_some().then_some(page)
}

/// Answers it.
pub(super) async fn answer(
    asked: &Asked,
    page: Page,
    parts: &Parts,
    body: Incoming,
) -> Result<Answer, Failure> {
    let sign_on = asked.settings.single_sign_on.as_ref();
    let query = parts.uri.query().unwrap_or_default();
    let mut answer = match (page, sign_on) {
        (Page::Session, sign_on) => session_of(sign_on, &parts.headers).await,
        (Page::Begin, Some(sign_on)) => begin(sign_on, query).await?,
        (Page::Complete, Some(sign_on)) => complete(asked, sign_on, query, &parts.headers).await?,
        (Page::SignOut, Some(sign_on)) => sign_out(asked, sign_on, &parts.headers).await?,
        (Page::Exit, Some(sign_on)) => {
            redirect(&sign_on.exit(query).unwrap_or_else(|| "/".to_owned()))
        }
        (Page::BackChannel, Some(sign_on)) => {
            let body = asked.read(body).await.map_err(unread)?;
            signed_out_elsewhere(asked, sign_on, &body).await?
        }
        (_, None) => return Err(Status::not_found("there is no signing in").into()),
    };
    let encrypted = asked.peer.encrypted || sign_on.is_some_and(|sign_on| sign_on.is_secure());
    web_ui::secure_answer(answer.headers_mut(), encrypted);
    Ok(answer)
}

/// Who is signed in, and how others can be; for everybody.
async fn session_of(sign_on: Option<&Arc<SingleSignOn>>, headers: &HeaderMap) -> Answer {
    let Some(sign_on) = sign_on else {
        return json_answer(&json!({
            "enabled": false, "redirectToProvider": false, "providers": [],
            "user": null, "expires": null, "csrfToken": null,
        }));
    };
    let providers: Vec<Value> =
        sign_on.providers().map(|(name, label)| json!({ "name": name, "label": label })).collect();
    let session = sign_on.session(headers).await;
    let session = session.as_ref();
    json_answer(&json!({
        "enabled": true,
        "redirectToProvider": sign_on.redirects_to_provider(),
        "providers": providers,
        "user": session.map(|it| json!({ "name": it.name, "email": it.email })),
        "expires": session.map(Session::expires_text),
        "csrfToken": session.map(|it| it.csrf_token.as_str()),
    }))
}

async fn begin(sign_on: &SingleSignOn, query: &str) -> Result<Answer, Failure> {
    match sign_on.begin(query).await {
        Ok(begun) => {
            let mut answer = redirect(&begun.location);
            answer.headers_mut().append(SET_COOKIE, begun.cookie);
            Ok(answer)
        }
        Err(refused) if matches!(refused.error, SignInError::ReturnUrl(_)) => {
            Err(Status::invalid_argument(refused.error.to_string()).into())
        }
        Err(refused) => {
            tracing::warn!(error = %refused.error, "nobody can sign in");
            Ok(redirect(&sign_in_page(&refused.error, &refused.return_url)))
        }
    }
}

async fn complete(
    asked: &Asked,
    sign_on: &SingleSignOn,
    query: &str,
    headers: &HeaderMap,
) -> Result<Answer, Failure> {
    check_audit(asked)?;
    let Completed { return_url, outcome, cookie } = sign_on.complete(query, headers).await;
    let signed_in = match outcome {
        Ok(signed_in) => taken(asked, sign_on, signed_in).await,
        Err(error) => Err(error),
    };
    let mut answer = match signed_in {
        Ok((signed_in, caller)) => {
            let address = asked.peer.address.ip();
            let kept = sign_on.admit(signed_in, headers, address).await.map_err(not_stored)?;
            // The browser gets its cookie when this is written: nobody is signed in unseen.
            record(asked, "SignIn", &caller, Decision::Allowed, String::new()).await;
            let mut answer = redirect(&return_url);
            answer.headers_mut().append(SET_COOKIE, kept);
            answer
        }
        Err(error) => {
            let address = asked.peer.address;
            let say = || tracing::warn!(%error, %address, "somebody is not signed in");
            seldom(asked, say);
            let decision = match error {
                SignInError::NotAllowed(_) | SignInError::Denied(_) => Decision::Denied,
                _ => Decision::Unauthenticated,
            };
            let rule = error.to_string();
            record(asked, "SignIn", &Caller::anonymous(), decision, rule).await;
            redirect(&sign_in_page(&error, &return_url))
        }
    };
    if let Some(cookie) = cookie {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Asks who it is as for any request: whoever would be refused each time is refused now.
async fn taken(
    asked: &Asked,
    sign_on: &SingleSignOn,
    signed_in: SignedIn,
) -> Result<(SignedIn, Caller), SignInError> {
    let wrong = |text: String| SignInError::Provider(text);
    let bearer = signed_in.bearer().ok_or_else(|| wrong("the token is no header".to_owned()))?;
    let server = match asked.calls.own() {
        Some(_) => "global.authorization",
        None => "the server behind these pages",
    };
    let caller = identify(asked, sign_on, bearer).await;
    let caller = caller.map_err(|reason| {
        wrong(format!("{server} does not take the provider's token: {reason}"))
    })?;
    Ok((signed_in, caller))
}

async fn identify(
    asked: &Asked,
    sign_on: &SingleSignOn,
    bearer: HeaderValue,
) -> Result<Caller, String> {
    let headers = HeaderMap::from_iter([(sign_on.header().clone(), bearer)]);
    let Some(own) = asked.calls.own() else { return identified_elsewhere(asked, &headers).await };
    let Some(authentication) = own.authentication() else { return Ok(Caller::anonymous()) };
    authentication.identify(&headers, &asked.peer).await
}

/// Asks the server behind the pages something that is open to everybody: it refuses those whose
/// token it does not take. A server that cannot be reached is no reason to keep people out.
async fn identified_elsewhere(asked: &Asked, headers: &HeaderMap) -> Result<Caller, String> {
    match call(asked, OPEN_METHOD, headers, &[]).await {
        Err(Failure { status, .. })
            if matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated) =>
        {
            Err(status.message().to_owned())
        }
        _ => Ok(Caller::anonymous()),
    }
}

async fn sign_out(
    asked: &Asked,
    sign_on: &Arc<SingleSignOn>,
    headers: &HeaderMap,
) -> Result<Answer, Failure> {
    let mut address = None;
    if let Some(session) = sign_on.any_session(headers).await {
        check_own(sign_on, &session, headers)?;
        address = sign_on.end(&session).await.map_err(not_stored)?;
        let caller = identify(asked, sign_on, session.bearer.clone()).await;
        let caller =
            caller.unwrap_or_else(|_| Principal::named("jwt", session.subject.as_str()).into());
        record(asked, "SignOut", &caller, Decision::Allowed, String::new()).await;
    }
    let mut answer = json_answer(&json!({ "endSessionUrl": address }));
    if let Some(cookie) = sign_on.forgotten() {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(answer)
}

async fn signed_out_elsewhere(
    asked: &Asked,
    sign_on: &SingleSignOn,
    body: &Bytes,
) -> Result<Answer, Failure> {
    let form = String::from_utf8_lossy(body);
    match sign_on.signed_out_elsewhere(&form).await {
        Ok(sessions) => {
            tracing::info!(sessions, "a provider has signed somebody out");
            let caller = Principal::named("provider", "back-channel").into();
            record(asked, "SignOut", &caller, Decision::Allowed, String::new()).await;
            Ok(json_answer(&json!({})))
        }
        Err(error) => {
            let say = || tracing::warn!(error, "a logout token is not taken");
            seldom(asked, say);
            Err(Status::invalid_argument("the logout token is not taken").into())
        }
    }
}

/// Whose credentials a request has.
pub(super) enum Visit {
    /// Its own, or nobody signs in here.
    Own,
    /// Nobody's.
    Nobody,
    /// Those of a session.
    Session(Box<Session>),
}

/// Puts the token of the session that a request belongs to into its headers.
pub(super) async fn visit(asked: &Asked, parts: &mut Parts) -> Result<Visit, Failure> {
    let Some(sign_on) = &asked.settings.single_sign_on else { return Ok(Visit::Own) };
    let is_in_front = asked.calls.own().is_none();
    if has_credentials(&parts.headers, sign_on.header()) {
        if !is_in_front {
            return Ok(Visit::Own);
        }
        return Err(not_signed_in());
    }
    let Some(session) = sign_on.session(&parts.headers).await else {
        return if is_in_front { Err(not_signed_in()) } else { Ok(Visit::Nobody) };
    };
    if !parts.method.is_safe() {
        check_own(sign_on, &session, &parts.headers)?;
    }
    parts.headers.insert(sign_on.header().clone(), session.bearer.clone());
    Ok(Visit::Session(Box::new(session)))
}

/// Whether a request brings credentials itself, in any of the forms that they may have.
fn has_credentials(headers: &HeaderMap, header: &HeaderName) -> bool {
    let is_one = |name: &HeaderName| {
        let name = name.as_str();
        let name = name.strip_prefix("grpc-metadata-").unwrap_or(name);
        name == "authorization" || name == header.as_str()
    };
    headers.keys().any(is_one)
}

/// Refuses what no page of this server has asked for: the page knows a token, and the browser says
/// where a request comes from. What comes from elsewhere by its own word was refused before.
fn check_own(
    sign_on: &SingleSignOn,
    session: &Session,
    headers: &HeaderMap,
) -> Result<(), Failure> {
    let refused = |text: &str| Err(Status::permission_denied(text).into());
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(ORIGIN);
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let is_secure = origin.is_none_or(|it| !sign_on.is_secure() || it.starts_with("https://"));
    let is_same = site.is_none_or(|site| site == "same-origin");
    if (origin.is_none() && site.is_none()) || !is_secure || !is_same {
        return refused("the request does not say that a page of this server made it");
    }
    match headers.get(CSRF_TOKEN) {
        Some(token) if session.is_csrf_token(token.as_bytes()) => Ok(()),
        Some(_) => refused("the CSRF token is not that of the session"),
        None => refused("the CSRF token is missing"),
    }
}

impl Visit {
    /// Answers, as long as the session lasts. Whoever has none is told to sign in.
    pub(super) async fn during(
        self,
        answering: impl Future<Output = Result<Streamed, Failure>>,
    ) -> Result<Streamed, Failure> {
        let answer = match &self {
            Self::Own => return answering.await,
            Self::Nobody => answering.await,
            Self::Session(session) => tokio::select! {
                biased;
                () = session.ended.cancelled() => Err(not_signed_in()),
                answer = answering => answer,
            },
        };
        match (answer, self) {
            (Err(failure), _) if failure.is_unread && is_denied(&failure) => Err(not_signed_in()),
            (Ok(answer), Self::Session(session)) => Ok(until(answer, session.ended)),
            (answer, _) => answer,
        }
    }
}

fn is_denied(failure: &Failure) -> bool {
    failure.status.code() == Code::PermissionDenied
}

fn not_signed_in() -> Failure {
    Failure { status: Status::unauthenticated("Request unauthorized."), is_unread: true }
}

/// The same answer, cut when the session ends.
fn until(answer: Streamed, ended: CancellationToken) -> Streamed {
    if answer.body().size_hint().exact().is_some() {
        return answer;
    }
    answer.map(|body| {
        let frames = BodyStream::new(body).take_until(ended.cancelled_owned());
        StreamBody::new(frames).boxed_unsync()
    })
}

/// Logs what somebody could repeat without end; not each time.
fn seldom(asked: &Asked, line: impl FnOnce()) {
    asked.calls.own().map_or(&*asked.lines, |own| &own.frontend().refusal_lines).say(line);
}

fn log(asked: &Asked) -> Option<&Arc<AuditLog>> {
    asked.calls.own()?.frontend().audit.as_ref()
}

/// Refuses while nothing may happen because nobody could see it.
fn check_audit(asked: &Asked) -> Result<(), Failure> {
    match log(asked) {
        Some(log) if log.is_blocked() => {
            Err(Status::unavailable("the audit log cannot be written").into())
        }
        _ => Ok(()),
    }
}

/// Tells the audit log who came or left.
async fn record(
    asked: &Asked,
    what: &'static str,
    caller: &Caller,
    decision: Decision,
    rule: String,
) {
    let Some(log) = log(asked) else { return };
    let outcome = match decision {
        Decision::Allowed => Code::Ok,
        Decision::Denied => Code::PermissionDenied,
        Decision::Unauthenticated => Code::Unauthenticated,
    };
    let call = Call {
        principal: Who::from(caller.principal()),
        source: asked.peer.address.to_string(),
        rpc: what,
        service: SERVICE,
        namespace: String::new(),
        target: Names::default(),
        decision,
        rule,
        outcome: code_name(outcome),
    };
    log.record(call).await;
}

fn not_stored(error: SessionError) -> Failure {
    tracing::error!(%error, "a session was not stored");
    Status::unavailable("the session was not stored").into()
}

fn redirect(location: &str) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::FOUND;
    let location = HeaderValue::try_from(location).unwrap_or(HeaderValue::from_static("/"));
    answer.headers_mut().insert(LOCATION, location);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_credentials_of_its_own_is_not_touched() {
        let own = HeaderName::from_static("x-token");
        for name in ["authorization", "x-token", "grpc-metadata-authorization"] {
            let header = (name.parse().unwrap(), HeaderValue::from_static("Bearer x"));
            assert!(has_credentials(&HeaderMap::from_iter([header]), &own), "{name}");
        }
        let cookie = (http::header::COOKIE, HeaderValue::from_static("authorization=x"));
        assert!(!has_credentials(&HeaderMap::from_iter([cookie]), &own));
    }
}
