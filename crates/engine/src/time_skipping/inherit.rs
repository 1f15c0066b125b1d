//! What other runs take over of a run's time.

use api::common::v1::{TimeSkippingConfig, TimeSkippingStatePropagation};

use crate::State;

/// What a start event says of a run's time.
type Inherited = (Option<TimeSkippingConfig>, Option<TimeSkippingStatePropagation>);

/// The next run of the chain takes over everything.
pub(crate) fn of_next_run(state: &State) -> Inherited {
    let Some(skipping) = &state.time_skipping else { return (None, None) };
    let passed_on = TimeSkippingStatePropagation {
        initial_skipped_duration: Some(skipping.skipped.to_proto()),
        fast_forward_target_time: skipping
            .fast_forward
            .and_then(|fast_forward| fast_forward.target_time.to_proto()),
        initial_skip_count: skipping.skip_count,
    };
    (skipping.config.clone(), Some(passed_on))
}

/// A child lives in the time of its parent, and skips on its own account unless that was not
/// wanted. A fast-forward is its parent's alone.
pub(crate) fn of_child(state: &State) -> Inherited {
    let Some(skipping) = &state.time_skipping else { return (None, None) };
    let passed_on = (!skipping.skipped.is_zero()).then(|| TimeSkippingStatePropagation {
        initial_skipped_duration: Some(skipping.skipped.to_proto()),
        ..TimeSkippingStatePropagation::default()
    });
    let config = skipping.config.clone().filter(|config| !config.disable_propagation);
    let config = config.map(|config| TimeSkippingConfig { fast_forward_config: None, ..config });
    (config, passed_on)
}
