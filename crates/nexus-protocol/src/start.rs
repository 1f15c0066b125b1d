//! Requests to start and to cancel an operation as the caller sends them, and their answers.

use api::{
    common::v1::Payload,
    enums::v1::NexusHandlerErrorRetryBehavior,
    failure::v1::{
        ApplicationFailureInfo, Failure as TemporalFailure, NexusHandlerFailureInfo,
        failure::FailureInfo,
    },
    nexus::v1::{Link, StartOperationRequest},
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::{
    Content, Failure, HandlerErrorKind, OperationError,
    handler_error::{json_response, retryable},
    headers::{
        CALLBACK_PREFIX, OPERATION_STATE, OPERATION_TOKEN, REQUEST_ID, USER_AGENT, is_json, set,
        set_all, text,
    },
    link::{read_links, write_links},
    operation_error::Malformed,
};

/// What stays as it is in a segment of a path, and in a query.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The state of an operation that was started and goes on.
const RUNNING: &str = "running";

/// What a handler outside answered to the request to start an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum StartAnswer {
    /// It is done.
    Succeeded {
        /// With this result.
        payload: Payload,
        /// Links to what was done.
        links: Vec<Link>,
    },
    /// It works on it.
    Started {
        /// What it calls the operation.
        operation_token: String,
        /// Links to what it does.
        links: Vec<Link>,
    },
    /// The operation has ended without success.
    Unsuccessful {
        /// Why.
        failure: TemporalFailure,
        /// Whether it was cancelled.
        is_canceled: bool,
    },
}

/// A call that was not answered as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct CallFailure {
    /// What happened, in Temporal's words.
    pub failure: TemporalFailure,
    /// Whether another attempt may help.
    pub retryable: bool,
}

impl CallFailure {
    /// A call without an answer that anybody understands.
    pub fn call_error(message: impl Into<String>, retryable: bool) -> Self {
        let info = ApplicationFailureInfo {
            r#type: "CallError".to_owned(),
            non_retryable: !retryable,
            ..Default::default()
        };
        let failure = TemporalFailure {
            message: message.into(),
            failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
            ..TemporalFailure::default()
        };
        Self { failure, retryable }
    }

    /// A failure that the handler sent.
    fn handler_error(failure: TemporalFailure) -> Self {
        const NOT_RETRYABLE: &[&str] = &[
            "BAD_REQUEST",
            "UNAUTHENTICATED",
            "UNAUTHORIZED",
            "NOT_FOUND",
            "CONFLICT",
            "NOT_IMPLEMENTED",
        ];
        let retryable = match &failure.failure_info {
            Some(FailureInfo::NexusHandlerFailureInfo(info)) => match info.retry_behavior() {
                NexusHandlerErrorRetryBehavior::Retryable => true,
                NexusHandlerErrorRetryBehavior::NonRetryable => false,
                NexusHandlerErrorRetryBehavior::Unspecified => {
                    !NOT_RETRYABLE.contains(&info.r#type.as_str())
                }
            },
            Some(_) | None => true,
        };
        Self { failure, retryable }
    }

    /// What a status other than the expected ones stands for.
    pub(crate) fn of_response(response: &Response<Bytes>) -> Self {
        let failure = read_failure(response).and_then(Failure::into_temporal);
        if let Some(failure) = &failure
            && matches!(failure.failure_info, Some(FailureInfo::NexusHandlerFailureInfo(_)))
        {
            return Self::handler_error(failure.clone());
        }
        let Some(kind) = HandlerErrorKind::of_status(response.status()) else {
            return Self::unexpected("unexpected response status", response);
        };
        let retry_behavior = match retryable(response.headers()) {
            None => NexusHandlerErrorRetryBehavior::Unspecified,
            Some(true) => NexusHandlerErrorRetryBehavior::Retryable,
            Some(false) => NexusHandlerErrorRetryBehavior::NonRetryable,
        };
        let info = NexusHandlerFailureInfo {
            r#type: kind.name().to_owned(),
            retry_behavior: retry_behavior as i32,
        };
        Self::handler_error(TemporalFailure {
            cause: failure.map(Box::new),
            failure_info: Some(FailureInfo::NexusHandlerFailureInfo(info)),
            ..TemporalFailure::default()
        })
    }

    fn unexpected(what: &str, response: &Response<Bytes>) -> Self {
        let mut message = format!("{what}: \"{}\"", response.status());
        if let Some(failure) = read_failure(response).filter(|failure| !failure.message.is_empty())
        {
            message = format!("{message}: {}", failure.message);
        }
        Self::call_error(message, true)
    }
}

/// What identifies an operation that runs.
#[derive(Debug, Serialize, Deserialize)]
struct OperationInfo {
    #[serde(default)]
    token: String,
    #[serde(default)]
    state: String,
}

/// The request that starts an operation at the service whose base is `base_url`; none when that is
/// no address.
pub fn start_request<'a>(
    base_url: &str,
    start: &StartOperationRequest,
    header: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Option<Request<Bytes>> {
    let mut url = operation_url(base_url, &start.service, &start.operation, "")?;
    if !start.callback.is_empty() {
        let separator = if url.contains('?') { '&' } else { '?' };
        let callback = utf8_percent_encode(&start.callback, SEGMENT);
        url = format!("{url}{separator}callback={callback}");
    }
    let content = Content::of(start.payload.as_ref());
    let mut request = post(&url, content.data.clone())?;
    let headers = request.headers_mut();
    set(headers, REQUEST_ID, &start.request_id);
    content.write(headers);
    set_all(headers, CALLBACK_PREFIX, &start.callback_header);
    write_links(headers, &start.links);
    set_all(headers, "", header);
    Some(request)
}

/// The request that cancels an operation; none when there is no such address.
pub fn cancel_request<'a>(
    base_url: &str,
    service: &str,
    operation: &str,
    operation_token: &str,
    header: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Option<Request<Bytes>> {
    let url = operation_url(base_url, service, operation, "/cancel")?;
    let mut request = post(&url, Bytes::new())?;
    set(request.headers_mut(), OPERATION_TOKEN, operation_token);
    set_all(request.headers_mut(), "", header);
    Some(request)
}

fn operation_url(base: &str, service: &str, operation: &str, rest: &str) -> Option<String> {
    let (path, query) = base.split_once('?').map_or((base, ""), |(path, query)| (path, query));
    let service = utf8_percent_encode(service, SEGMENT);
    let operation = utf8_percent_encode(operation, SEGMENT);
    let path = path.trim_end_matches('/');
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let url = format!("{path}/{service}/{operation}{rest}{query}");
    url.parse::<Uri>().ok()?.host()?;
    Some(url)
}

pub(crate) fn post(url: &str, body: Bytes) -> Option<Request<Bytes>> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.parse().ok()?;
    request.headers_mut().insert(http::header::USER_AGENT, USER_AGENT);
    Some(request)
}

/// Reads the answer to a start.
///
/// # Errors
/// When the handler did not handle the request.
pub fn read_start_answer(response: Response<Bytes>) -> Result<StartAnswer, CallFailure> {
    let Some(links) = read_links(response.headers()) else {
        return Err(CallFailure::unexpected("invalid links header", &response));
    };
    match response.status() {
        StatusCode::OK => {
            let content = Content::read(response.headers(), response.body().clone());
            let payload = content
                .into_payload()
                .map_err(|error| CallFailure::call_error(error.to_string(), true))?;
            Ok(StartAnswer::Succeeded { payload, links })
        }
        StatusCode::CREATED => {
            let info = read_json::<OperationInfo>(&response)?;
            if info.state != RUNNING {
                let text = format!("invalid operation state in response info: \"{}\"", info.state);
                return Err(CallFailure::call_error(text, true));
            }
            if info.token.is_empty() {
                return Err(CallFailure::call_error("empty operation token in response", true));
            }
            Ok(StartAnswer::Started { operation_token: info.token, links })
        }
        StatusCode::FAILED_DEPENDENCY => {
            let failure = read_json::<Failure>(&response)?;
            let state = text(response.headers(), OPERATION_STATE);
            let (failure, is_canceled) =
                OperationError::read(failure, state).map_err(|malformed| match malformed {
                    Malformed::State => {
                        let text = format!("invalid operation state header: \"{state}\"");
                        CallFailure::call_error(text, true)
                    }
                    Malformed::Failure => CallFailure::call_error("invalid failure", true),
                })?;
            Ok(StartAnswer::Unsuccessful { failure, is_canceled })
        }
        _ => Err(CallFailure::of_response(&response)),
    }
}

/// Reads the answer to a request to cancel.
///
/// # Errors
/// When the handler did not handle the request.
pub fn read_cancel_answer(response: &Response<Bytes>) -> Result<(), CallFailure> {
    if response.status() == StatusCode::ACCEPTED {
        return Ok(());
    }
    Err(CallFailure::of_response(response))
}

fn read_failure(response: &Response<Bytes>) -> Option<Failure> {
    is_json(response.headers()).then(|| serde_json::from_slice(response.body()).ok())?
}

fn read_json<T: for<'de> Deserialize<'de>>(response: &Response<Bytes>) -> Result<T, CallFailure> {
    if !is_json(response.headers()) {
        let kind = text(response.headers(), "content-type");
        let text = format!("invalid response content type: \"{kind}\"");
        return Err(CallFailure::call_error(text, true));
    }
    let parsed = serde_json::from_slice(response.body());
    parsed.map_err(|error| CallFailure::call_error(error.to_string(), true))
}

/// The answer of a handler that is done.
pub fn write_succeeded(payload: Option<&Payload>, links: &[Link]) -> Response<Bytes> {
    let content = Content::of(payload);
    let mut response = Response::new(content.data.clone());
    content.write(response.headers_mut());
    write_links(response.headers_mut(), links);
    response
}

/// The answer of a handler that works on it.
pub fn write_started(operation_token: String, links: &[Link]) -> Response<Bytes> {
    let info = OperationInfo { token: operation_token, state: RUNNING.to_owned() };
    let mut response = json_response(StatusCode::CREATED, &info);
    write_links(response.headers_mut(), links);
    response
}

/// The answer of a handler that will try to cancel.
pub fn write_canceling() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{HandlerError, read_operation};

    use super::*;

    fn start() -> StartOperationRequest {
        let metadata = [("encoding".to_owned(), "json/plain".into())].into();
        StartOperationRequest {
            service: "My Service/x".to_owned(),
            operation: "do?it".to_owned(),
            request_id: "request".to_owned(),
            callback: "http://host/cb?a=b".to_owned(),
            payload: Some(Payload { metadata, data: "1".into(), ..Payload::default() }),
            callback_header: [("token".to_owned(), "t".to_owned())].into(),
            links: vec![Link { url: "a:b".to_owned(), r#type: "c".to_owned() }],
        }
    }

    #[test]
    fn the_handler_reads_what_the_caller_writes() {
        let header: BTreeMap<_, _> = [("x-mine".to_owned(), "y".to_owned())].into();
        let request = start_request("http://host/base/", &start(), &header).unwrap();
        assert_eq!(
            request.uri().to_string(),
            "http://host/base/My%20Service%2Fx/do%3Fit?callback=http%3A%2F%2Fhost%2Fcb%3Fa%3Db"
        );
        let rest = request.uri().path().strip_prefix("/base").unwrap().to_owned();
        let (parts, body) = request.into_parts();
        let read = read_operation(&rest, &parts, body).unwrap();
        let crate::OperationRequest::Start { request, header, .. } = read else {
            panic!("not a start");
        };
        assert_eq!(request, start());
        assert_eq!(header["x-mine"], "y");
        assert!(!header.contains_key("content-type"));
    }

    #[test]
    fn the_caller_reads_every_answer_that_the_handler_writes() {
        let links = start().links;
        let payload = start().payload;
        let done = read_start_answer(write_succeeded(payload.as_ref(), &links)).unwrap();
        let expected = StartAnswer::Succeeded { payload: payload.unwrap(), links: links.clone() };
        assert_eq!(done, expected);
        let started = read_start_answer(write_started("token".to_owned(), &links)).unwrap();
        let operation_token = "token".to_owned();
        assert_eq!(started, StartAnswer::Started { operation_token, links });
        assert!(read_cancel_answer(&write_canceling()).is_ok());
    }

    #[test]
    fn a_handler_error_says_whether_it_is_tried_again() {
        let read = |error: &HandlerError| {
            read_start_answer(error.to_response(true)).unwrap_err().retryable
        };
        assert!(read(&HandlerError::new(HandlerErrorKind::Internal, "")));
        assert!(!read(&HandlerError::new(HandlerErrorKind::NotFound, "")));
        assert!(!read(&HandlerError::not_retryable(HandlerErrorKind::Internal, "")));
    }

    #[test]
    fn a_status_without_a_failure_is_a_handler_error_of_its_kind() {
        let mut response = Response::new(Bytes::from_static(b"<html>"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let refused = read_start_answer(response.clone()).unwrap_err();
        assert!(refused.retryable);
        let Some(FailureInfo::NexusHandlerFailureInfo(info)) = refused.failure.failure_info else {
            panic!("not a handler error");
        };
        assert_eq!(info.r#type, "UNAVAILABLE");
        *response.status_mut() = StatusCode::FOUND;
        let refused = read_start_answer(response).unwrap_err();
        assert_eq!(refused.failure.message, "unexpected response status: \"302 Found\"");
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_no_answer() {
        for body in ["{}", r#"{"state":"running"}"#, r#"{"token":"t","state":"done"}"#, "["] {
            let response = json_response(StatusCode::CREATED, "");
            let response = response.map(|_| Bytes::from(body));
            assert!(read_start_answer(response).unwrap_err().retryable, "{body}");
        }
        assert!(start_request("not an address", &start(), &BTreeMap::new()).is_none());
    }
}
