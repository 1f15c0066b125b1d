//! Completion callbacks of a start. Texts are the reference's.

use api::common::v1::{Callback, callback::Variant};
use history::History;

use crate::error::{ApiError, ApiResult};

/// Most callbacks of a run.
const CALLBACKS_MAX: usize = 32;

/// Longest URL, and largest header, in bytes.
const URL_BYTES_MAX: usize = 1000;
const HEADER_BYTES_MAX: usize = 8192;

/// The address of the server itself.
const SYSTEM_URL: &str = "temporal://system";

/// Checks the callbacks that a client registers, and writes the names of their headers in lower
/// case.
pub(crate) fn check_callbacks(history: &History, callbacks: &mut [Callback]) -> ApiResult<()> {
    if callbacks.len() > CALLBACKS_MAX {
        let text = format!("cannot attach more than {CALLBACKS_MAX} callbacks to a workflow");
        return Err(ApiError::invalid(text));
    }
    for callback in callbacks {
        // Those of the internal kind are the server's own.
        let Some(Variant::Nexus(nexus)) = &mut callback.variant else {
            return Err(ApiError::unimplemented("unknown callback variant"));
        };
        if nexus.url.len() > URL_BYTES_MAX {
            return Err(ApiError::invalid(format!(
                "invalid url: url length longer than max length allowed of {URL_BYTES_MAX}"
            )));
        }
        if nexus.url != SYSTEM_URL {
            history
                .check_callback_address(&nexus.url)
                .map_err(|error| ApiError::invalid(error.to_string()))?;
        }
        let header = nexus.header.iter().map(|(key, value)| key.len() + value.len());
        if header.sum::<usize>() > HEADER_BYTES_MAX {
            return Err(ApiError::invalid(format!(
                "invalid header: header size longer than max allowed size of {HEADER_BYTES_MAX}"
            )));
        }
        let header = std::mem::take(&mut nexus.header).into_iter();
        nexus.header = header.map(|(key, value)| (key.to_lowercase(), value)).collect();
    }
    Ok(())
}
