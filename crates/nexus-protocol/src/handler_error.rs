//! Handler errors: what kinds there are, and as which status they travel.

use api::{
    enums::v1::NexusHandlerErrorRetryBehavior,
    failure::v1::{Failure as TemporalFailure, NexusHandlerFailureInfo, failure::FailureInfo},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};

use crate::{
    Failure,
    headers::{JSON, RETRYABLE, text},
};

/// What kind of handler error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandlerErrorKind {
    /// The request makes no sense.
    BadRequest,
    /// Nobody knows who calls.
    Unauthenticated,
    /// The caller may not.
    Unauthorized,
    /// There is no such thing.
    NotFound,
    /// The server gave the request up.
    RequestTimeout,
    /// It does not fit what is there.
    Conflict,
    /// Too much at the moment.
    ResourceExhausted,
    /// The server's own fault.
    Internal,
    /// Not built.
    NotImplemented,
    /// Not at the moment.
    Unavailable,
    /// Those behind the server did not answer.
    UpstreamTimeout,
}

use HandlerErrorKind as Kind;

const KINDS: [(Kind, &str, u16); 11] = [
    (Kind::BadRequest, "BAD_REQUEST", 400),
    (Kind::Unauthenticated, "UNAUTHENTICATED", 401),
    (Kind::Unauthorized, "UNAUTHORIZED", 403),
    (Kind::NotFound, "NOT_FOUND", 404),
    (Kind::RequestTimeout, "REQUEST_TIMEOUT", 408),
    (Kind::Conflict, "CONFLICT", 409),
    (Kind::ResourceExhausted, "RESOURCE_EXHAUSTED", 429),
    (Kind::Internal, "INTERNAL", 500),
    (Kind::NotImplemented, "NOT_IMPLEMENTED", 501),
    (Kind::Unavailable, "UNAVAILABLE", 503),
    (Kind::UpstreamTimeout, "UPSTREAM_TIMEOUT", 520),
];

impl HandlerErrorKind {
    /// The name, as in failures.
    pub fn name(self) -> &'static str {
        let found = KINDS.iter().find(|(kind, _, _)| *kind == self);
        found.map_or("INTERNAL", |(_, name, _)| name)
    }

    /// The kind that a status stands for.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        let found = KINDS.iter().find(|(_, _, code)| *code == status.as_u16());
        found.map(|(kind, _, _)| *kind)
    }
}

fn status_of(name: &str) -> StatusCode {
    let found = KINDS.iter().find(|(_, known, _)| *known == name);
    let code = found.and_then(|(_, _, code)| StatusCode::from_u16(*code).ok());
    code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A request that was not handled.
#[derive(Debug, Clone)]
pub struct HandlerError {
    /// What kind of error, by its name.
    pub kind: String,
    /// Whether another attempt may help, if the handler says so.
    pub retryable: Option<bool>,
    /// The whole of it.
    pub failure: Failure,
}

impl HandlerError {
    /// An error of the server's own.
    pub fn new(kind: HandlerErrorKind, message: &str) -> Self {
        Self::of(&TemporalFailure {
            message: message.to_owned(),
            failure_info: Some(FailureInfo::NexusHandlerFailureInfo(NexusHandlerFailureInfo {
                r#type: kind.name().to_owned(),
                ..Default::default()
            })),
            ..TemporalFailure::default()
        })
    }

    /// The same error, which no other attempt mends.
    #[must_use]
    pub fn not_retryable(kind: HandlerErrorKind, message: &str) -> Self {
        Self::of(&TemporalFailure {
            message: message.to_owned(),
            failure_info: Some(FailureInfo::NexusHandlerFailureInfo(NexusHandlerFailureInfo {
                r#type: kind.name().to_owned(),
                retry_behavior: NexusHandlerErrorRetryBehavior::NonRetryable as i32,
            })),
            ..TemporalFailure::default()
        })
    }

    /// A worker's failure.
    pub fn of(failure: &TemporalFailure) -> Self {
        let (kind, retryable) = match &failure.failure_info {
            Some(FailureInfo::NexusHandlerFailureInfo(info)) => {
                let retryable = match info.retry_behavior() {
                    NexusHandlerErrorRetryBehavior::Unspecified => None,
                    NexusHandlerErrorRetryBehavior::Retryable => Some(true),
                    NexusHandlerErrorRetryBehavior::NonRetryable => Some(false),
                };
                (info.r#type.clone(), retryable)
            }
            Some(_) | None => (Kind::Internal.name().to_owned(), None),
        };
        Self { kind, retryable, failure: Failure::of(failure) }
    }

    /// A worker's error in the form of older workers.
    pub fn of_message(error: &api::nexus::v1::HandlerError) -> Self {
        let retryable = match error.retry_behavior() {
            NexusHandlerErrorRetryBehavior::Unspecified => None,
            NexusHandlerErrorRetryBehavior::Retryable => Some(true),
            NexusHandlerErrorRetryBehavior::NonRetryable => Some(false),
        };
        let cause = error.failure.as_ref().map(Failure::of_message).unwrap_or_default();
        let outer = Failure::of(&TemporalFailure {
            failure_info: Some(FailureInfo::NexusHandlerFailureInfo(NexusHandlerFailureInfo {
                r#type: error.error_type.clone(),
                retry_behavior: error.retry_behavior,
            })),
            ..TemporalFailure::default()
        });
        let failure = Failure { cause: Some(Box::new(cause)), ..outer };
        Self { kind: error.error_type.clone(), retryable, failure }
    }

    /// The error as an answer. A caller that does not know Temporal's failures gets the cause, as
    /// before there were any.
    pub fn to_response(&self, is_failure_supported: bool) -> Response<Bytes> {
        let failure = match &self.failure.cause {
            Some(cause) if !is_failure_supported => cause,
            Some(_) | None => &self.failure,
        };
        let mut response = json_response(status_of(&self.kind), failure);
        if let Some(retryable) = self.retryable {
            let value = HeaderValue::from_static(if retryable { "true" } else { "false" });
            response.headers_mut().insert(RETRYABLE, value);
        }
        response
    }
}

/// An answer with a body of JSON.
pub(crate) fn json_response(
    status: StatusCode,
    body: &(impl serde::Serialize + ?Sized),
) -> Response<Bytes> {
    let mut response = Response::new(serde_json::to_vec(body).unwrap_or_default().into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// What the header says about another attempt.
pub(crate) fn retryable(headers: &HeaderMap) -> Option<bool> {
    match text(headers, RETRYABLE).to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_status_of_its_own_and_others_are_internal() {
        for (kind, name, code) in KINDS {
            assert_eq!((kind.name(), status_of(name).as_u16()), (name, code));
            assert_eq!(HandlerErrorKind::of_status(status_of(name)), Some(kind));
        }
        assert_eq!(status_of("OF_THE_FUTURE"), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(HandlerErrorKind::of_status(StatusCode::IM_A_TEAPOT), None);
    }

    #[test]
    fn an_old_caller_gets_the_cause() {
        let error = HandlerError::of(&TemporalFailure {
            message: "outer".to_owned(),
            cause: Some(Box::new(TemporalFailure {
                message: "inner".to_owned(),
                ..Default::default()
            })),
            ..TemporalFailure::default()
        });
        let message = |is_supported| {
            let body = error.to_response(is_supported).into_body();
            serde_json::from_slice::<Failure>(&body).unwrap().message
        };
        assert_eq!((message(true).as_str(), message(false).as_str()), ("outer", "inner"));
    }
}
