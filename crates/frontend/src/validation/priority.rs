//! Priorities and fairness.

use api::common::v1::Priority;

use crate::error::{ApiError, ApiResult};

/// Longest fairness key, in bytes.
const FAIRNESS_KEY_BYTES_MAX: usize = 64;

/// Refuses a priority that makes no sense.
pub(crate) fn check_priority(priority: Option<&Priority>) -> ApiResult<()> {
    let Some(priority) = priority else { return Ok(()) };
    let refusal = if priority.priority_key < 0 {
        "priority key can't be negative"
    } else if priority.fairness_key.len() > FAIRNESS_KEY_BYTES_MAX {
        "fairness key length exceeds limit"
    } else if priority.fairness_weight < 0.0 {
        "must be greater than zero"
    } else {
        return Ok(());
    };
    Err(ApiError::invalid(refusal))
}
