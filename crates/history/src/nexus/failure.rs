//! Failures of Nexus handlers, in the two forms that workers send them.

use api::{
    enums::v1::NexusHandlerErrorRetryBehavior,
    failure::v1::{CanceledFailureInfo, Failure, NexusHandlerFailureInfo, failure::FailureInfo},
    nexus::v1::{Failure as NexusFailure, HandlerError, UnsuccessfulOperationError},
};

/// Kinds of handler errors that another attempt does not mend.
const NOT_RETRYABLE: &[&str] =
    &["BAD_REQUEST", "UNAUTHENTICATED", "UNAUTHORIZED", "NOT_FOUND", "CONFLICT", "NOT_IMPLEMENTED"];

/// A handler error.
pub(crate) fn handler_failure(kind: &str, message: impl Into<String>) -> Failure {
    let info = NexusHandlerFailureInfo { r#type: kind.to_owned(), ..Default::default() };
    Failure {
        message: message.into(),
        failure_info: Some(FailureInfo::NexusHandlerFailureInfo(info)),
        ..Failure::default()
    }
}

/// Whether another attempt may help after a handler failed like this.
pub(super) fn is_retryable(failure: &Failure) -> bool {
    let Some(FailureInfo::NexusHandlerFailureInfo(info)) = &failure.failure_info else {
        return true;
    };
    match info.retry_behavior() {
        NexusHandlerErrorRetryBehavior::Retryable => true,
        NexusHandlerErrorRetryBehavior::NonRetryable => false,
        NexusHandlerErrorRetryBehavior::Unspecified => {
            !NOT_RETRYABLE.contains(&info.r#type.as_str())
        }
    }
}

/// A handler error as older workers send it.
pub(super) fn from_handler_error(error: HandlerError) -> Failure {
    let info =
        NexusHandlerFailureInfo { r#type: error.error_type, retry_behavior: error.retry_behavior };
    Failure {
        cause: error.failure.map(|failure| Box::new(from_nexus(failure))),
        failure_info: Some(FailureInfo::NexusHandlerFailureInfo(info)),
        ..Failure::default()
    }
}

/// An operation's failure as older workers send it; true when it says that it was cancelled.
pub(super) fn from_unsuccessful(error: UnsuccessfulOperationError) -> (Failure, bool) {
    let is_canceled = error.operation_state == "canceled";
    let mut failure = from_nexus(error.failure.unwrap_or_default());
    if is_canceled {
        let info = match failure.failure_info.take() {
            Some(FailureInfo::CanceledFailureInfo(info)) => info,
            Some(FailureInfo::ApplicationFailureInfo(info)) => {
                CanceledFailureInfo { details: info.details, ..Default::default() }
            }
            Some(_) | None => CanceledFailureInfo::default(),
        };
        failure.failure_info = Some(FailureInfo::CanceledFailureInfo(info));
    }
    (failure, is_canceled)
}

/// A failure in Nexus's own form. What cannot be read keeps its text.
pub(super) fn from_nexus(failure: NexusFailure) -> Failure {
    let read = nexus_protocol::Failure::of_message(&failure).into_temporal();
    let NexusFailure { message, stack_trace, .. } = failure;
    read.unwrap_or_else(|| Failure { message, stack_trace, ..Failure::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_error_is_retried_by_its_kind_unless_it_says_otherwise() {
        assert!(is_retryable(&handler_failure("INTERNAL", "")));
        assert!(is_retryable(&handler_failure("UPSTREAM_TIMEOUT", "")));
        assert!(!is_retryable(&handler_failure("BAD_REQUEST", "")));
        let info = NexusHandlerFailureInfo {
            r#type: "BAD_REQUEST".to_owned(),
            retry_behavior: NexusHandlerErrorRetryBehavior::Retryable as i32,
        };
        let failure = Failure {
            failure_info: Some(FailureInfo::NexusHandlerFailureInfo(info)),
            ..Failure::default()
        };
        assert!(is_retryable(&failure));
    }

    #[test]
    fn an_older_worker_says_by_a_word_that_an_operation_was_cancelled() {
        let error = UnsuccessfulOperationError {
            operation_state: "canceled".to_owned(),
            failure: Some(NexusFailure { message: "enough".to_owned(), ..Default::default() }),
        };
        let (failure, is_canceled) = from_unsuccessful(error);
        assert!(is_canceled);
        assert_eq!(failure.message, "enough");
        assert!(matches!(failure.failure_info, Some(FailureInfo::CanceledFailureInfo(_))));
    }

    #[test]
    fn an_older_worker_s_failure_is_read_as_the_one_that_it_carries() {
        let failure = from_nexus(NexusFailure {
            message: "no".to_owned(),
            metadata: [("type".to_owned(), "temporal.api.failure.v1.Failure".to_owned())].into(),
            details: br#"{"applicationFailureInfo":{"type":"Refused"}}"#.as_slice().into(),
            ..Default::default()
        });
        assert_eq!(failure.message, "no");
        let Some(FailureInfo::ApplicationFailureInfo(info)) = failure.failure_info else {
            panic!("not an application's failure");
        };
        assert_eq!(info.r#type, "Refused");
    }
}
