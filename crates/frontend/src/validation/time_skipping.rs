//! The configuration of a run's time.

use api::common::v1::TimeSkippingConfig;
use model::Span;

use crate::error::{ApiError, ApiResult};

/// Checks a configuration and fills in what it leaves open. `skips_max` is how often a run may
/// skip unless it says otherwise; none where runs may not skip time.
pub(crate) fn check_time_skipping(
    config: Option<&mut TimeSkippingConfig>,
    skips_max: Option<i32>,
) -> ApiResult<()> {
    let Some(config) = config else { return Ok(()) };
    let skips_max = may_skip_time(skips_max)?;
    if config.max_session_skip_count <= 0 {
        config.max_session_skip_count = skips_max.max(1);
    }
    let Some(fast_forward) = &config.fast_forward_config else { return Ok(()) };
    if Span::from_proto(fast_forward.duration.as_ref()) <= Span::ZERO {
        return Err(ApiError::invalid(
            "Time skipping config invalid: fast_forward duration must be positive",
        ));
    }
    check_fast_forward_id(&fast_forward.id)?;
    if !config.enabled {
        return Err(ApiError::invalid(
            "time_skipping_config: cannot set fast_forward when enabled is false",
        ));
    }
    Ok(())
}

/// Refuses what is about time skipping where it is switched off.
pub(crate) fn may_skip_time(skips_max: Option<i32>) -> ApiResult<i32> {
    skips_max.ok_or_else(|| {
        ApiError::unimplemented("The Time-Skipping feature is not enabled for namespace.")
    })
}

/// A fast-forward is asked for by its id.
pub(crate) fn check_fast_forward_id(id: &str) -> ApiResult<()> {
    if id.trim().is_empty() {
        return Err(ApiError::invalid("Time skipping config invalid: fast_forward_id must be set"));
    }
    Ok(())
}
