//! Requests of callers as the handler's server reads them.

use std::collections::BTreeMap;

use api::nexus::v1::StartOperationRequest;
use bytes::Bytes;
use http::{Method, request::Parts};
use model::Span;
use percent_encoding::percent_decode_str;

use crate::{
    Content, HandlerError, HandlerErrorKind,
    duration::parse_duration,
    headers::{
        CALLBACK_PREFIX, CONTENT_PREFIX, OPERATION_TOKEN, REQUEST_ID, REQUEST_TIMEOUT,
        nexus_header, text, with_prefix,
    },
    link::read_links,
};

/// A request for an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationRequest {
    /// Start one.
    Start {
        /// What is to be done.
        request: StartOperationRequest,
        /// The headers for the handler.
        header: BTreeMap<String, String>,
        /// How long the caller waits; none when it does not say.
        timeout: Option<Span>,
    },
    /// Cancel one.
    Cancel {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// What the handler calls it.
        operation_token: String,
        /// The headers for the handler.
        header: BTreeMap<String, String>,
        /// How long the caller waits; none when it does not say.
        timeout: Option<Span>,
    },
}

/// Reads a request whose path, after the part that names the handler, is `rest`: a slash, the
/// service and the operation.
///
/// # Errors
/// When it is none.
pub fn read_operation(
    rest: &str,
    parts: &Parts,
    body: Bytes,
) -> Result<OperationRequest, HandlerError> {
    let bad = |text: &str| HandlerError::new(HandlerErrorKind::BadRequest, text);
    let not_found = || HandlerError::new(HandlerErrorKind::NotFound, "not found");
    if parts.method != Method::POST {
        let text = format!("invalid request method: expected POST, got \"{}\"", parts.method);
        return Err(bad(&text));
    }
    let mut segments = Vec::new();
    for segment in rest.split('/').skip(1) {
        let decoded = percent_decode_str(segment).decode_utf8();
        segments.push(decoded.map_err(|_| bad("failed to parse URL path"))?.into_owned());
    }
    let timeout = match text(&parts.headers, REQUEST_TIMEOUT) {
        "" => None,
        given => Some(parse_duration(given).ok_or_else(|| bad("invalid request timeout header"))?),
    };
    match segments.as_slice() {
        [service, operation] => {
            let links =
                read_links(&parts.headers).ok_or_else(|| bad("invalid \"nexus-link\" header"))?;
            let payload = Content::read(&parts.headers, body).into_payload();
            let request = StartOperationRequest {
                service: service.clone(),
                operation: operation.clone(),
                request_id: text(&parts.headers, REQUEST_ID).to_owned(),
                callback: query(parts, "callback"),
                payload: Some(payload.map_err(|_| bad("invalid input"))?),
                callback_header: with_prefix(&parts.headers, CALLBACK_PREFIX),
                links,
            };
            let header = nexus_header(&parts.headers, &[CONTENT_PREFIX, CALLBACK_PREFIX]);
            Ok(OperationRequest::Start { request, header, timeout })
        }
        [service, operation, cancel] if cancel == "cancel" => {
            let mut header = nexus_header(&parts.headers, &[]);
            let token = header.remove(OPERATION_TOKEN).unwrap_or_default();
            let operation_token = if token.is_empty() { query(parts, "token") } else { token };
            if operation_token.is_empty() {
                return Err(bad("missing operation token"));
            }
            Ok(OperationRequest::Cancel {
                service: service.clone(),
                operation: operation.clone(),
                operation_token,
                header,
                timeout,
            })
        }
        _ => Err(not_found()),
    }
}

fn query(parts: &Parts, name: &str) -> String {
    let query = parts.uri.query().unwrap_or_default();
    let value = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    });
    let plain = value.unwrap_or_default().replace('+', " ");
    percent_decode_str(&plain).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn read(
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<OperationRequest, String> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let rest = parts.uri.path().to_owned();
        read_operation(&rest, &parts, Bytes::new()).map_err(|error| error.failure.message)
    }

    #[test]
    fn a_cancel_names_its_operation_in_a_header_or_in_the_query() {
        let expected = |header: &[(&str, &str)]| OperationRequest::Cancel {
            service: "s".to_owned(),
            operation: "o".to_owned(),
            operation_token: "t 1".to_owned(),
            header: header
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            timeout: None,
        };
        let by_header = read(Method::POST, "/s/o/cancel", &[("Nexus-Operation-Token", "t 1")]);
        assert_eq!(by_header, Ok(expected(&[])));
        let by_query = read(Method::POST, "/s/o/cancel?token=t+1", &[("x", "y")]);
        assert_eq!(by_query, Ok(expected(&[("x", "y")])));
        assert_eq!(
            read(Method::POST, "/s/o/cancel", &[]),
            Err("missing operation token".to_owned())
        );
    }

    #[test]
    fn what_is_no_request_is_refused_with_a_reason() {
        let reason = |method, url, headers: &[_]| read(method, url, headers).unwrap_err();
        assert_eq!(
            reason(Method::GET, "/s/o", &[]),
            "invalid request method: expected POST, got \"GET\""
        );
        assert_eq!(reason(Method::POST, "/s", &[]), "not found");
        assert_eq!(reason(Method::POST, "/s/o/x", &[]), "not found");
        assert_eq!(
            reason(Method::POST, "/s/o", &[("request-timeout", "soon")]),
            "invalid request timeout header"
        );
        assert_eq!(
            reason(Method::POST, "/s/o", &[("nexus-link", "x")]),
            "invalid \"nexus-link\" header"
        );
        assert_eq!(reason(Method::POST, "/%ff/o", &[]), "failed to parse URL path");
    }
}
