//! What events do to a run's own time.

use api::history::v1::{
    WorkflowExecutionOptionsUpdatedEventAttributes, WorkflowExecutionStartedEventAttributes,
    WorkflowExecutionTimeSkippingTransitionedEventAttributes,
};
use model::{Span, Time};

use super::{FastForward, TimeSkipping};
use crate::{Shared, State};

pub(crate) fn apply_started(
    state: &mut State,
    started: &WorkflowExecutionStartedEventAttributes,
    time: Time,
) {
    let inherited = started.time_skipping_state_propagation.unwrap_or_default();
    if started.time_skipping_config.is_none() && inherited.initial_skipped_duration.is_none() {
        return;
    }
    let mut skipping = TimeSkipping {
        config: started.time_skipping_config.clone(),
        skipped: Span::from_proto(inherited.initial_skipped_duration.as_ref()),
        skip_count: inherited.initial_skip_count,
        fast_forward: None,
    };
    let target = Time::from_proto(inherited.fast_forward_target_time.as_ref());
    set_fast_forward(&mut skipping, target, time);
    state.time_skipping = Some(Shared::new(skipping));
}

pub(crate) fn apply_options_updated(
    state: &mut State,
    updated: &WorkflowExecutionOptionsUpdatedEventAttributes,
    time: Time,
) {
    if !updated.time_skipping_config_updated {
        return;
    }
    let mut skipping = state.time_skipping.as_deref().cloned().unwrap_or_default();
    skipping.config.clone_from(&updated.time_skipping_config);
    skipping.skip_count = 0;
    set_fast_forward(&mut skipping, Time::UNSET, time);
    state.time_skipping = Some(Shared::new(skipping));
}

/// Sets the fast-forward that the configuration asks for: to the target of the run before, or to
/// one of its own.
fn set_fast_forward(skipping: &mut TimeSkipping, inherited: Time, now: Time) {
    skipping.fast_forward = None;
    let Some(config) = &mut skipping.config else { return };
    let Some(asked) = &config.fast_forward_config else { return };
    let target_time = if inherited.is_set() {
        inherited
    } else {
        now + Span::from_proto(asked.duration.as_ref())
    };
    let reached = inherited.is_set() && inherited <= now;
    if reached {
        config.enabled = false;
    }
    skipping.fast_forward = Some(FastForward { target_time, reached });
}

pub(crate) fn apply_transitioned(
    state: &mut State,
    transitioned: &WorkflowExecutionTimeSkippingTransitionedEventAttributes,
    time: Time,
) {
    let Some(skipping) = &mut state.time_skipping else { return };
    let skipping = skipping.edit();
    let target = Time::from_proto(transitioned.target_time.as_ref());
    if !target.is_set() && skipping.fast_forward.is_some_and(|known| known.reached) {
        // Known since it went into the buffer.
        return;
    }
    if target.is_set() {
        skipping.skipped = skipping.skipped + target.since(time);
    }
    skipping.skip_count = skipping.skip_count.saturating_add(1);
    let Some(config) = &mut skipping.config else { return };
    if transitioned.disabled_after_fast_forward
        && let Some(fast_forward) = &mut skipping.fast_forward
    {
        fast_forward.reached = true;
        config.enabled = false;
    }
    if skipping.skip_count >= config.max_session_skip_count {
        config.enabled = false;
    }
}
