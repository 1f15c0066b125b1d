//! Names and ids that users choose.

use api::common::v1::Link;
use model::Limits;

use crate::error::{ApiError, ApiResult};

/// Most links of one request.
const LINKS_MAX: usize = 10;

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

/// Refuses too many links.
pub(crate) fn check_links(links: &[Link]) -> ApiResult<()> {
    if links.len() <= LINKS_MAX {
        return Ok(());
    }
    let count = links.len();
    Err(ApiError::invalid(format!(
        "cannot attach more than {LINKS_MAX} links per request, got {count}"
    )))
}
