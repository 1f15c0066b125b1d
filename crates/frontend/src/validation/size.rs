//! Sizes of what users hand in.

use api::{
    common::v1::Memo,
    failure::v1::{Failure, ServerFailureInfo, failure::FailureInfo},
};
use model::Limits;
use prost::Message;

use crate::error::{ApiError, ApiResult};

/// Refuses a blob (an input, a result, details) above the limit.
pub(crate) fn check_blob(blob: Option<&impl Message>, limits: &Limits) -> ApiResult<()> {
    if blob.is_none_or(|blob| blob.encoded_len() <= limits.blob_bytes_max) {
        return Ok(());
    }
    Err(ApiError::invalid("Blob data size exceeds limit."))
}

/// Refuses a memo above the limit.
pub(crate) fn check_memo(memo: Option<&Memo>, limits: &Limits) -> ApiResult<()> {
    if memo.is_none_or(|memo| memo.encoded_len() <= limits.memo_bytes_max) {
        return Ok(());
    }
    Err(ApiError::invalid("Memo size exceeds limit."))
}

/// The failure that an activity ends with when what its worker reports is too large: trying again
/// would report the same.
pub(crate) fn failure_of_size(
    what: &str,
    blob: Option<&impl Message>,
    limits: &Limits,
) -> Option<Failure> {
    blob.filter(|blob| blob.encoded_len() > limits.blob_bytes_max)?;
    Some(Failure {
        message: format!("{what} exceeds size limit."),
        source: "Server".to_owned(),
        failure_info: Some(FailureInfo::ServerFailureInfo(ServerFailureInfo {
            non_retryable: true,
        })),
        ..Failure::default()
    })
}
