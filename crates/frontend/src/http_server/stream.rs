//! Answers that go on while something changes: events as browsers read them (server-sent events).
//!
//! Nothing here decides or waits by itself: a stream is the same calls that a client would make one
//! after the other, each identified, permitted, limited and recorded as any other. Who may no longer
//! make them, or whose credentials are over, is told so, and the stream ends.

mod answers;
mod download;
mod history;
mod rows;
mod watch;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{
    HeaderMap, HeaderValue, Method, Response,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    request::Parts,
};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use percent_encoding::percent_decode_str;
use prost::Message;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Code, Status};
use transcoding::{Form, Found, error_body, query_value};

use super::{
    Streamed,
    call::{Failure, call},
    connection::Asked,
};

/// Most streams of a server at the same time.
pub(super) const STREAMS_MAX: usize = 256;

/// Which stream a path means.
enum Route {
    History { workflow_id: String, run_id: String },
    Download { workflow_id: String, run_id: String },
    Rows,
    Answers(Found),
}

/// A stream between two of its calls.
struct Open {
    asked: Arc<Asked>,
    headers: HeaderMap,
    namespace: String,
    form: Form,
    _place: OwnedSemaphorePermit,
}

/// The stream that a request is for, if it is for one. The first call is made before the answer
/// begins, so that a refusal is one.
pub(super) async fn answer(
    asked: &Arc<Asked>,
    parts: &Parts,
    form: Form,
) -> Option<Result<Streamed, Failure>> {
    let (namespace, route) = match route(parts)? {
        Ok(found) => found,
        Err(status) => return Some(Err(status.into())),
    };
    let Ok(place) = Arc::clone(&asked.streams).try_acquire_owned() else {
        return Some(Err(Status::resource_exhausted("too many streams").into()));
    };
    let open = Open {
        asked: Arc::clone(asked),
        headers: parts.headers.clone(),
        namespace,
        form: Form { pretty: false, ..form },
        _place: place,
    };
    let query = parts.uri.query().unwrap_or_default();
    Some(match route {
        Route::History { workflow_id, run_id } => {
            history::open(open, workflow_id, run_id, query).await.map(streamed)
        }
        Route::Rows => rows::open(open, query).await.map(streamed),
        Route::Answers(found) => answers::open(open, found, query).await.map(streamed),
        Route::Download { workflow_id, run_id } => {
            download::open(open, workflow_id, run_id).await.map(|text| {
                let mut response = streamed(text);
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let kept = HeaderValue::from_static("attachment; filename=\"history.json\"");
                headers.insert(CONTENT_DISPOSITION, kept);
                response
            })
        }
    })
}

fn route(parts: &Parts) -> Option<Result<(String, Route), Status>> {
    let path = parts.uri.path();
    let is_own = path.starts_with("/ui-api/");
    let path = path.strip_prefix("/ui-api/").or_else(|| path.strip_prefix("/api/v1/"))?;
    if parts.method != Method::GET {
        return None;
    }
    let segments: Vec<&str> = path.split('/').collect();
    let decoded = |segment: &str| {
        let text = percent_decode_str(segment).decode_utf8();
        text.map(|text| text.into_owned()).map_err(|_| Status::invalid_argument("not text"))
    };
    let read = |namespace: &str, workflow: Option<(&str, &str)>| {
        let route = match workflow {
            None => Route::Rows,
            Some((workflow_id, run_id)) => {
                let (workflow_id, run_id) = (decoded(workflow_id)?, decoded(run_id)?);
                if is_own {
                    Route::History { workflow_id, run_id }
                } else {
                    Route::Download { workflow_id, run_id }
                }
            }
        };
        Ok((decoded(namespace)?, route))
    };
    match segments.as_slice() {
        ["namespaces", namespace, "workflows", "stream"] if is_own => Some(read(namespace, None)),
        ["namespaces", namespace, "workflows", id, "runs", run, "history", "stream"] if is_own => {
            Some(read(namespace, Some((id, run))))
        }
        ["namespaces", namespace, "workflows", id, "run", run, "history.json"] if !is_own => {
            Some(read(namespace, Some((id, run))))
        }
        [.., "stream"] if is_own => {
            let found = answers::find(&format!("/api/v1/{}", path.strip_suffix("/stream")?))?;
            Some(Ok((String::new(), Route::Answers(found))))
        }
        _ => None,
    }
}

fn streamed(events: impl Stream<Item = Bytes> + Send + 'static) -> Streamed {
    let frames = events.map(|event| Ok::<_, Infallible>(Frame::data(event)));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // For proxies that would collect an answer before they pass it on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

impl Open {
    /// Makes a call. None when the server stops.
    async fn call<Request: Message, Answer: Message + Default>(
        &self,
        path: &str,
        request: &Request,
    ) -> Option<Result<Answer, Failure>> {
        let answer = self.call_bytes(path, &request.encode_to_vec()).await?;
        let decoded = |bytes: Bytes| {
            Answer::decode(bytes).map_err(|error| Status::internal(error.to_string()).into())
        };
        Some(answer.and_then(decoded))
    }

    /// The same with encoded messages.
    async fn call_bytes(&self, path: &str, message: &[u8]) -> Option<Result<Bytes, Failure>> {
        tokio::select! {
            biased;
            () = self.asked.draining.cancelled() => None,
            answer = call(&self.asked, path, &self.headers, message) => Some(answer),
        }
    }

    /// The last event of a stream that cannot go on.
    fn failed(&self, failure: &Failure) -> Bytes {
        let status = &failure.status;
        let body = error_body(status.code() as i32, status.message(), status.details(), self.form);
        event(None, "failure", &body)
    }

    fn json(&self, name: &str, message: &impl Message) -> Vec<u8> {
        transcoding::json(name, &message.encode_to_vec(), self.form).unwrap_or_default()
    }
}

/// The answer to the first call.
fn first<Answer>(answer: Option<Result<Answer, Failure>>) -> Result<Answer, Failure> {
    answer.unwrap_or_else(|| Err(Status::unavailable("the server is shutting down").into()))
}

/// Whether a later call may succeed where one failed.
fn passes(failure: &Failure) -> bool {
    matches!(failure.status.code(), Code::ResourceExhausted | Code::Unavailable)
}

/// One event. Lines of its data are lines of JSON, put together again by the browser.
fn event(id: Option<i64>, name: &str, data: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(data.len() + 64);
    if let Some(id) = id {
        event.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    event.extend_from_slice(format!("event: {name}\n").as_bytes());
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event.into()
}

/// Keeps a connection alive on which nothing happens.
fn quiet() -> Bytes {
    Bytes::from_static(b": nothing new\n\n")
}

/// A value of a query.
fn asked_for(query: &str, name: &str) -> Result<String, Failure> {
    let value = query_value(query, name);
    let value = value.map_err(|error| Status::invalid_argument(error.to_string()))?;
    Ok(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_lines_stays_one_event() {
        let text = event(Some(7), "history", b"{\n\"a\": 1}\r");
        assert_eq!(text, "id: 7\nevent: history\ndata: {\ndata: \"a\": 1}\ndata: \n\n");
    }
}
