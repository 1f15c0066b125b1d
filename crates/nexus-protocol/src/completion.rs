//! The news that an operation has ended, from its handler to its caller.

use api::{common::v1::Payload, failure::v1::Failure as TemporalFailure, nexus::v1::Link};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::CONTENT_TYPE};
use model::Time;

use crate::{
    CallFailure, Content, Failure, HandlerError, HandlerErrorKind, OperationError,
    headers::{
        JSON, OPERATION_CLOSE_TIME, OPERATION_START_TIME, OPERATION_STATE, OPERATION_TOKEN,
        is_json, set, set_all, text,
    },
    link::{read_links, write_links},
    operation_error::{CANCELED, FAILED},
    start::post,
    timestamp,
};

const SUCCEEDED: &str = "succeeded";

/// How an operation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CompletionEnd {
    /// With a result.
    Succeeded(Option<Payload>),
    /// Without success.
    Unsuccessful {
        /// Why.
        failure: Box<TemporalFailure>,
        /// Whether it was cancelled.
        is_canceled: bool,
    },
}

/// The news.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// What the handler calls the operation; may be empty.
    pub operation_token: String,
    /// When it started; may be unset.
    pub start_time: Time,
    /// When it ended; may be unset.
    pub close_time: Time,
    /// Links to what was done.
    pub links: Vec<Link>,
    /// How it ended.
    pub end: CompletionEnd,
}

/// The request that brings the news to `url`, with the headers that the caller asked for; none when
/// that is no address.
pub fn write_completion<'a>(
    url: &str,
    completion: &Completion,
    header: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Option<Request<Bytes>> {
    let mut request = post(url, Bytes::new())?;
    request.uri().host()?;
    let headers = request.headers_mut();
    set_all(headers, "", header);
    let (state, body) = match &completion.end {
        CompletionEnd::Succeeded(payload) => {
            let content = Content::of(payload.as_ref());
            content.write(headers);
            (SUCCEEDED, content.data)
        }
        CompletionEnd::Unsuccessful { failure, is_canceled } => {
            headers.insert(CONTENT_TYPE, JSON);
            let body = serde_json::to_vec(&Failure::of(failure)).ok()?;
            (if *is_canceled { CANCELED } else { FAILED }, body.into())
        }
    };
    set(headers, OPERATION_STATE, state);
    if !headers.contains_key(OPERATION_TOKEN) && !completion.operation_token.is_empty() {
        set(headers, OPERATION_TOKEN, &completion.operation_token);
    }
    if let Some(time) = timestamp::write_http(completion.start_time) {
        set(headers, OPERATION_START_TIME, &time);
    }
    if let Some(time) = timestamp::write_precise(completion.close_time) {
        set(headers, OPERATION_CLOSE_TIME, &time);
    }
    write_links(headers, &completion.links);
    *request.body_mut() = body;
    Some(request)
}

/// Reads the news.
///
/// # Errors
/// When it is none.
pub fn read_completion(headers: &HeaderMap, body: Bytes) -> Result<Completion, HandlerError> {
    let bad = |text: &str| HandlerError::new(HandlerErrorKind::BadRequest, text);
    let start_time = match text(headers, OPERATION_START_TIME) {
        "" => Time::UNSET,
        given => timestamp::read_http(given)
            .ok_or_else(|| bad("failed to parse operation start time header"))?,
    };
    let close_time = match text(headers, OPERATION_CLOSE_TIME) {
        "" => Time::UNSET,
        given => timestamp::read_precise(given)
            .ok_or_else(|| bad("failed to parse operation close time header"))?,
    };
    let links =
        read_links(headers).ok_or_else(|| bad("failed to decode links from request headers"))?;
    let state = text(headers, OPERATION_STATE);
    let end = match state {
        SUCCEEDED => {
            let payload = Content::read(headers, body).into_payload();
            CompletionEnd::Succeeded(Some(payload.map_err(|_| bad("invalid result content"))?))
        }
        FAILED | CANCELED => {
            if !is_json(headers) {
                let kind = text(headers, "content-type");
                return Err(bad(&format!("invalid request content type: \"{kind}\"")));
            }
            let malformed = || bad("failed to decode Failure from request body");
            let failure: Failure = serde_json::from_slice(&body).map_err(|_| malformed())?;
            let (failure, is_canceled) =
                OperationError::read(failure, state).map_err(|_| malformed())?;
            CompletionEnd::Unsuccessful { failure: Box::new(failure), is_canceled }
        }
        other => return Err(bad(&format!("invalid request operation state: \"{other}\""))),
    };
    let operation_token = text(headers, OPERATION_TOKEN).to_owned();
    Ok(Completion { operation_token, start_time, close_time, links, end })
}

/// Reads the answer to the news.
///
/// # Errors
/// When the receiver did not take it.
pub fn read_completion_answer(response: &Response<Bytes>) -> Result<(), CallFailure> {
    if response.status().is_success() {
        return Ok(());
    }
    Err(CallFailure::of_response(response))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use api::failure::v1::{ApplicationFailureInfo, failure::FailureInfo};

    use super::*;

    fn completion(end: CompletionEnd) -> Completion {
        Completion {
            operation_token: "token".to_owned(),
            start_time: Time::from_nanos(1_700_000_000_000_000_000),
            close_time: Time::from_nanos(1_700_000_001_500_000_000),
            links: vec![Link { url: "a:b".to_owned(), r#type: "c".to_owned() }],
            end,
        }
    }

    #[test]
    fn the_caller_reads_what_the_handler_writes() {
        let metadata = [("encoding".to_owned(), "json/plain".into())].into();
        let payload = Payload { metadata, data: "1".into(), ..Payload::default() };
        let info = ApplicationFailureInfo { r#type: "Refused".to_owned(), ..Default::default() };
        let failure = TemporalFailure {
            message: "no".to_owned(),
            failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
            ..TemporalFailure::default()
        };
        let ends = [
            CompletionEnd::Succeeded(Some(payload)),
            CompletionEnd::Unsuccessful { failure: Box::new(failure), is_canceled: false },
        ];
        for end in ends {
            let given = completion(end);
            let header: BTreeMap<_, _> =
                [("temporal-callback-token".to_owned(), "t".to_owned())].into();
            let request = write_completion("http://host/cb?x=y", &given, &header).unwrap();
            assert_eq!(request.uri(), "http://host/cb?x=y");
            assert_eq!(request.headers()["temporal-callback-token"], "t");
            let (parts, body) = request.into_parts();
            assert_eq!(read_completion(&parts.headers, body).unwrap(), given);
        }
    }

    #[test]
    fn what_is_no_news_is_refused_with_a_reason() {
        let reason = |headers: &[(&str, &str)], body: &'static str| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                set(&mut map, name, value);
            }
            read_completion(&map, body.into()).unwrap_err().failure.message
        };
        assert_eq!(reason(&[], ""), "invalid request operation state: \"\"");
        let failed = (OPERATION_STATE, FAILED);
        assert_eq!(reason(&[failed], "{}"), "invalid request content type: \"\"");
        let json = ("content-type", "application/json; charset=utf-8");
        let malformed = "failed to decode Failure from request body";
        assert_eq!(reason(&[failed, json], "["), malformed);
        let temporal = r#"{"metadata":{"type":"temporal.api.failure.v1.Failure"},"details":[]}"#;
        assert_eq!(reason(&[failed, json], temporal), malformed);
        assert_eq!(
            reason(&[(OPERATION_STATE, SUCCEEDED), (OPERATION_START_TIME, "x")], ""),
            "failed to parse operation start time header"
        );
    }
}
