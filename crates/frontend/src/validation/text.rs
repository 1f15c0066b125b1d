//! Names and ids that users choose.

use model::Limits;

use crate::error::{ApiError, ApiResult};

/// Refuses a text that is too long.
pub(crate) fn check_length(field: &str, text: &str, limits: &Limits) -> ApiResult<()> {
    if text.len() <= limits.id_length_max {
        return Ok(());
    }
    Err(ApiError::invalid(format!("{field} length exceeds limit.")))
}

/// Refuses a text that is missing or too long.
pub(crate) fn required(field: &str, text: &str, limits: &Limits) -> ApiResult<()> {
    if text.is_empty() {
        return Err(ApiError::invalid(format!("{field} is not set on request.")));
    }
    check_length(field, text, limits)
}
