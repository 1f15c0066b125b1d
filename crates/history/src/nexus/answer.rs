//! Workers' answers as the run that asked understands them.

use api::{
    failure::v1::{Failure, failure::FailureInfo},
    nexus::v1::{Response, response, start_operation_response::Variant},
};
use engine::{NexusCancellationAnswer, NexusOperationAnswer, NexusOperationEnd};

use super::{
    failure::{from_handler_error, from_unsuccessful, handler_failure, is_retryable},
    link::to_common_links,
    task::NexusTaskAnswer,
};

/// Nobody answered in time.
fn timed_out() -> Failure {
    handler_failure("UPSTREAM_TIMEOUT", "upstream timeout")
}

fn unexpected() -> Failure {
    handler_failure("INTERNAL", "the handler's answer is not one to this request")
}

/// The answer to a request that starts an operation.
pub(crate) fn to_operation_answer(answer: Option<NexusTaskAnswer>) -> NexusOperationAnswer {
    let handler_failed = |failure: Failure| {
        let retryable = is_retryable(&failure);
        NexusOperationAnswer::HandlerFailed { failure, retryable }
    };
    let response = match answer {
        None => return handler_failed(timed_out()),
        Some(NexusTaskAnswer::Failed(failure)) => return handler_failed(failure),
        Some(NexusTaskAnswer::Refused(error)) => return handler_failed(from_handler_error(error)),
        Some(NexusTaskAnswer::Completed(response)) => response,
    };
    let Response { variant: Some(response::Variant::StartOperation(started)) } = response else {
        return handler_failed(unexpected());
    };
    let ended = NexusOperationAnswer::Ended;
    #[expect(deprecated, reason = "older SDKs answer in these forms")]
    match started.variant {
        Some(Variant::SyncSuccess(success)) => ended(NexusOperationEnd::Succeeded {
            result: success.payload,
            links: to_common_links(success.links),
        }),
        Some(Variant::AsyncSuccess(success)) => NexusOperationAnswer::Started {
            operation_token: if success.operation_token.is_empty() {
                success.operation_id
            } else {
                success.operation_token
            },
            links: to_common_links(success.links),
        },
        Some(Variant::OperationError(error)) => {
            let (failure, is_canceled) = from_unsuccessful(error);
            ended(if is_canceled {
                NexusOperationEnd::Canceled(failure)
            } else {
                NexusOperationEnd::Failed(failure)
            })
        }
        Some(Variant::Failure(failure)) => ended(match &failure.failure_info {
            Some(FailureInfo::CanceledFailureInfo(_)) => NexusOperationEnd::Canceled(failure),
            Some(_) | None => NexusOperationEnd::Failed(failure),
        }),
        None => handler_failed(handler_failure("INTERNAL", "empty outcome")),
    }
}

/// The answer to a request that cancels an operation.
pub(crate) fn to_cancellation_answer(answer: Option<NexusTaskAnswer>) -> NexusCancellationAnswer {
    let failure = match answer {
        Some(NexusTaskAnswer::Completed(Response {
            variant: Some(response::Variant::CancelOperation(_)),
        })) => return NexusCancellationAnswer::Accepted,
        Some(NexusTaskAnswer::Completed(_)) => unexpected(),
        Some(NexusTaskAnswer::Failed(failure)) => failure,
        Some(NexusTaskAnswer::Refused(error)) => from_handler_error(error),
        None => timed_out(),
    };
    let retryable = is_retryable(&failure);
    NexusCancellationAnswer::HandlerFailed { failure, retryable }
}

#[cfg(test)]
mod tests {
    use api::nexus::v1::{StartOperationResponse, start_operation_response::Async};

    use super::*;

    #[test]
    fn an_answer_without_a_worker_is_retried() {
        let NexusOperationAnswer::HandlerFailed { retryable: true, .. } = to_operation_answer(None)
        else {
            panic!("not retried");
        };
    }

    #[test]
    fn a_token_under_its_former_name_is_understood() {
        #[expect(deprecated, reason = "what older SDKs send")]
        let started = Async { operation_id: "token".to_owned(), ..Default::default() };
        let variant = Some(Variant::AsyncSuccess(started));
        let response = Response {
            variant: Some(response::Variant::StartOperation(StartOperationResponse { variant })),
        };
        let answer = to_operation_answer(Some(NexusTaskAnswer::Completed(response)));
        let operation_token = "token".to_owned();
        assert_eq!(answer, NexusOperationAnswer::Started { operation_token, links: Vec::new() });
    }
}
