//! Durations.

use prost_types::Duration;

use crate::error::{ApiError, ApiResult};

/// Refuses a negative duration, or one whose parts have different signs.
pub(crate) fn check_duration(field: &str, duration: Option<&Duration>) -> ApiResult<()> {
    let Some(Duration { seconds, nanos }) = duration else { return Ok(()) };
    let cause = if (*seconds > 0 && *nanos < 0) || (*seconds < 0 && *nanos > 0) {
        "mismatched sign of seconds and nanos"
    } else if *seconds < 0 || *nanos < 0 {
        "negative duration"
    } else {
        return Ok(());
    };
    Err(ApiError::invalid(format!("An invalid {field} is set on request. cause: {cause}")))
}
