//! Other people's sessions, for administrators: who is signed in, and an end to it.
//!
//! On a server of its own these are calls as any other, decided and recorded. Pages in front of
//! another server keep sessions themselves, and that server says who its administrators are.

use std::sync::Arc;

use http::{HeaderMap, Method, request::Parts};
use percent_encoding::percent_decode_str;
use prost::Message;
use serde_json::{Value, json};
use single_sign_on::{
    EndSessionRequest, EndSessionResponse, ListSessionsRequest, ListSessionsResponse, OpenSession,
    SingleSignOn,
};
use tonic::Status;

use super::{
    Answer,
    call::{Failure, call},
    connection::Asked,
    pages::json_answer,
    permissions,
};

const PATH: &str = "/ui-api/sessions";

const LIST: &str = "ListSessions";

const END: &str = "EndSession";

/// What is asked.
pub(super) enum Question {
    /// Who is signed in.
    List,
    /// To end the session of this id.
    End(String),
}

/// The question that a request is, if it is one.
pub(super) fn question(parts: &Parts) -> Option<Question> {
    let rest = parts.uri.path().strip_prefix(PATH)?;
    match (&parts.method, rest.strip_prefix('/')) {
        (&Method::GET, None) if rest.is_empty() => Some(Question::List),
        (&Method::DELETE, Some(id)) if !id.is_empty() => {
            Some(Question::End(percent_decode_str(id).decode_utf8_lossy().into_owned()))
        }
        _ => None,
    }
}

/// Answers it.
pub(super) async fn answer(
    asked: &Arc<Asked>,
    parts: &Parts,
    question: Question,
) -> Result<Answer, Failure> {
    let headers = &parts.headers;
    let told = match question {
        Question::List => {
            let found = list(asked, headers).await?;
            json!({ "sessions": shown(&found.sessions), "total": found.total })
        }
        Question::End(id) => {
            let request = EndSessionRequest { id, person: String::new() };
            let ended = end(asked, headers, &request).await?.ended;
            if ended.is_empty() {
                return Err(Status::not_found("there is no such session").into());
            }
            json!({ "ended": shown(&ended) })
        }
    };
    Ok(json_answer(&told))
}

fn shown(sessions: &[OpenSession]) -> Vec<Value> {
    sessions.iter().map(OpenSession::to_json).collect()
}

async fn list(asked: &Asked, headers: &HeaderMap) -> Result<ListSessionsResponse, Failure> {
    if asked.calls.own().is_some() {
        return called(asked, headers, LIST, &ListSessionsRequest {}).await;
    }
    let (sign_on, _) = administrator(asked, headers, LIST).await?;
    Ok(sign_on.sessions())
}

async fn end(
    asked: &Asked,
    headers: &HeaderMap,
    request: &EndSessionRequest,
) -> Result<EndSessionResponse, Failure> {
    if asked.calls.own().is_some() {
        return called(asked, headers, END, request).await;
    }
    let (sign_on, by) = administrator(asked, headers, END).await?;
    let ended = sign_on.end_those(request).await;
    let ended = ended.map_err(|error| Status::unavailable(error.to_string()))?;
    for OpenSession { id, subject, .. } in &ended {
        // These pages keep no audit log; this is the place where it can be seen.
        tracing::warn!(by, id, subject, "a session was ended by an administrator");
    }
    Ok(EndSessionResponse { ended })
}

async fn called<A: Message + Default>(
    asked: &Asked,
    headers: &HeaderMap,
    method: &str,
    request: &impl Message,
) -> Result<A, Failure> {
    let path = format!("/{}/{method}", authz::Service::Admin.name());
    let answer = call(asked, &path, headers, &request.encode_to_vec()).await?;
    A::decode(answer).map_err(|error| Status::internal(error.to_string()).into())
}

/// The sessions of these pages, and the name of who may administer them: whoever may do so on the
/// server behind them.
async fn administrator<'a>(
    asked: &'a Asked,
    headers: &HeaderMap,
    method: &str,
) -> Result<(&'a Arc<SingleSignOn>, String), Failure> {
    let sign_on = asked.settings.single_sign_on.as_ref();
    let sign_on = sign_on.ok_or_else(|| Status::unimplemented("nobody signs in here"))?;
    let Some(told) = permissions::elsewhere(asked, headers, "").await? else {
        let text = "the server behind these pages does not say who its administrators are";
        return Err(Status::permission_denied(text).into());
    };
    let is_allowed = told.decisions.iter().any(|it| it.method == method && it.allowed);
    if !is_allowed {
        return Err(Status::permission_denied("Request unauthorized.").into());
    }
    Ok((sign_on, told.principal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_paths_are_questions() {
        let asked = |method: Method, path: &str| {
            let request = http::Request::builder().method(method).uri(path).body(()).unwrap();
            question(&request.into_parts().0)
        };
        assert!(matches!(asked(Method::GET, "/ui-api/sessions?x=1"), Some(Question::List)));
        let end = asked(Method::DELETE, "/ui-api/sessions/a%2Db");
        assert!(matches!(end, Some(Question::End(id)) if id == "a-b"));
        for (method, path) in [
            (Method::GET, "/ui-api/session"),
            (Method::GET, "/ui-api/sessions/a"),
            (Method::GET, "/ui-api/sessionsx"),
            (Method::DELETE, "/ui-api/sessions"),
            (Method::DELETE, "/ui-api/sessions/"),
            (Method::POST, "/ui-api/sessions"),
        ] {
            assert!(asked(method, path).is_none(), "{path}");
        }
    }
}
