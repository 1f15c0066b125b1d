//! Operations that ended without success, as an answer or as a completion.

use api::failure::v1::{CanceledFailureInfo, Failure as TemporalFailure, failure::FailureInfo};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    Failure,
    failure::{OPERATION_ERROR, TYPE, raw},
    handler_error::json_response,
    headers::OPERATION_STATE,
};

/// Marks a failure that says nothing itself: only its cause is Temporal's.
const WRAPPER: &str = "unwrap-error";

pub(crate) const FAILED: &str = "failed";
pub(crate) const CANCELED: &str = "canceled";

/// An operation that ended without success.
#[derive(Debug, Clone)]
pub struct OperationError {
    /// Whether it was cancelled.
    pub is_canceled: bool,
    /// Why it ended.
    pub cause: Failure,
}

impl OperationError {
    pub(crate) fn state(&self) -> &'static str {
        if self.is_canceled { CANCELED } else { FAILED }
    }

    /// The error as an answer to a start.
    pub fn to_response(&self, is_failure_supported: bool) -> Response<Bytes> {
        let status = StatusCode::FAILED_DEPENDENCY;
        let mut response = if is_failure_supported {
            let metadata = [(TYPE, OPERATION_ERROR), (WRAPPER, "true")];
            let wrapper = Failure {
                message: "operation error".to_owned(),
                metadata: metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
                details: raw(&json!({ "state": self.state() })),
                cause: Some(Box::new(self.cause.clone())),
                ..Failure::default()
            };
            json_response(status, &wrapper)
        } else {
            json_response(status, &self.cause)
        };
        let state = HeaderValue::from_static(self.state());
        response.headers_mut().insert(OPERATION_STATE, state);
        response
    }

    /// Reads a failure that came with a state: true when the operation was cancelled.
    ///
    /// # Errors
    /// When the state is none, or the failure is none of Nexus's.
    pub(crate) fn read(
        failure: Failure,
        state: &str,
    ) -> Result<(TemporalFailure, bool), Malformed> {
        let (failure, state) = if failure.kind() == OPERATION_ERROR {
            let stated = failure.details().get("state").and_then(Value::as_str).map(str::to_owned);
            let is_wrapper = failure.metadata.get(WRAPPER).is_some_and(|mark| mark == "true");
            let state = stated.unwrap_or_else(|| state.to_owned());
            match failure {
                Failure { cause: Some(cause), .. } if is_wrapper => (*cause, state),
                failure => (failure, state),
            }
        } else {
            (failure, state.to_owned())
        };
        let is_canceled = match state.as_str() {
            FAILED => false,
            CANCELED => true,
            _ => return Err(Malformed::State),
        };
        let failure = failure.into_temporal().ok_or(Malformed::Failure)?;
        Ok((if is_canceled { canceled(failure) } else { failure }, is_canceled))
    }
}

/// What is wrong with the end of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    State,
    Failure,
}

/// Older SDKs cancel with the failure of an application.
fn canceled(failure: TemporalFailure) -> TemporalFailure {
    if matches!(failure.failure_info, Some(FailureInfo::CanceledFailureInfo(_))) {
        return failure;
    }
    TemporalFailure {
        message: failure.message,
        stack_trace: failure.stack_trace,
        failure_info: Some(FailureInfo::CanceledFailureInfo(CanceledFailureInfo::default())),
        cause: failure.cause,
        ..TemporalFailure::default()
    }
}

/// A failure of a handler that knows only a text and a state.
#[cfg(test)]
pub(crate) fn plain(message: &str) -> Failure {
    Failure { message: message.to_owned(), ..Failure::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapper_is_taken_off_and_its_state_counts() {
        let error = OperationError { is_canceled: true, cause: plain("enough") };
        for is_supported in [true, false] {
            let response = error.to_response(is_supported);
            let state = response.headers()[OPERATION_STATE].to_str().unwrap().to_owned();
            let failure: Failure = serde_json::from_slice(response.body()).unwrap();
            let (failure, is_canceled) = OperationError::read(failure, &state).unwrap();
            assert!(is_canceled);
            assert_eq!(failure.message, "enough");
            assert!(matches!(failure.failure_info, Some(FailureInfo::CanceledFailureInfo(_))));
        }
    }

    #[test]
    fn an_operation_error_without_a_wrapper_says_itself_what_happened() {
        let failure = Failure::typed(OPERATION_ERROR, "no", &json!({ "state": "failed" }));
        let (failure, is_canceled) = OperationError::read(failure, "").unwrap();
        assert!(!is_canceled);
        let Some(FailureInfo::ApplicationFailureInfo(info)) = failure.failure_info else {
            panic!("not an application's failure");
        };
        assert_eq!((info.r#type.as_str(), info.non_retryable), ("OperationError", true));
    }

    #[test]
    fn a_state_that_is_none_is_refused() {
        let read = OperationError::read(plain("no"), "succeeded");
        assert_eq!(read.unwrap_err(), Malformed::State);
    }
}
