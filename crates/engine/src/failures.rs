//! Failures that the server itself reports.

use api::{
    common::v1::Payloads,
    enums::v1::TimeoutType,
    failure::v1::{
        ApplicationFailureInfo, Failure, ServerFailureInfo, TimeoutFailureInfo,
        failure::FailureInfo,
    },
};
use prost::Message as _;

const SOURCE: &str = "Server";

/// A worker's commands were bad.
pub(crate) fn bad_commands(message: &str) -> Failure {
    Failure {
        message: message.to_owned(),
        failure_info: Some(FailureInfo::ServerFailureInfo(ServerFailureInfo::default())),
        ..Default::default()
    }
}

/// A failure of the server that users see as one of an application; it is not retried.
pub(crate) fn application(kind: &str, message: &str) -> Failure {
    let info = ApplicationFailureInfo {
        r#type: kind.to_owned(),
        non_retryable: true,
        ..ApplicationFailureInfo::default()
    };
    Failure {
        message: message.to_owned(),
        source: SOURCE.to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Default::default()
    }
}

/// A time-out.
pub(crate) fn timeout(
    message: &str,
    timeout_type: TimeoutType,
    last_heartbeat_details: Option<Payloads>,
    cause: Option<Failure>,
) -> Failure {
    Failure {
        message: message.to_owned(),
        source: SOURCE.to_owned(),
        cause: cause.map(Box::new),
        failure_info: Some(FailureInfo::TimeoutFailureInfo(TimeoutFailureInfo {
            timeout_type: timeout_type as i32,
            last_heartbeat_details,
        })),
        ..Default::default()
    }
}

/// The failure as it is kept between attempts: whole if small, else its first words.
pub(crate) fn truncated(failure: Failure, bytes_max: usize) -> Failure {
    if failure.encoded_len() <= bytes_max {
        return failure;
    }
    let Failure { message, source, stack_trace: _, encoded_attributes: _, cause: _, failure_info } =
        failure;
    let non_retryable = matches!(
        failure_info,
        Some(FailureInfo::ApplicationFailureInfo(ref info)) if info.non_retryable
    );
    let end = message
        .char_indices()
        .map(|(index, character)| index + character.len_utf8())
        .take_while(|end| *end <= bytes_max / 2)
        .last()
        .unwrap_or(0);
    Failure {
        message: message.get(..end).unwrap_or_default().to_owned(),
        source,
        failure_info: Some(FailureInfo::ServerFailureInfo(ServerFailureInfo { non_retryable })),
        ..Default::default()
    }
}
