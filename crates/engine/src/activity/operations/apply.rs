//! How these operations change a state.

use model::Time;

use crate::{
    ActivityOptionsSet, ActivityPaused, ActivityReset, ActivityUnpaused, State,
    activity::apply::edit, pause_info, state::Activity,
};

pub(crate) fn apply_paused(state: &mut State, paused: &ActivityPaused) {
    edit(state, paused.scheduled_event_id, |activity| {
        // A running attempt goes on under its stamp.
        if !activity.is_started() {
            activity.stamp = activity.stamp.saturating_add(1);
        }
        activity.paused = Some(paused.pause.clone());
    });
    pause_info::refresh(state);
}

pub(crate) fn apply_unpaused(state: &mut State, unpaused: &ActivityUnpaused) {
    edit(state, unpaused.scheduled_event_id, |activity| {
        activity.paused = None;
        if unpaused.resets_attempts {
            activity.attempt = 1;
        }
        if unpaused.resets_heartbeat {
            clear_heartbeat(activity);
        }
        start_again(activity, unpaused.time, unpaused.next_attempt_time);
    });
    pause_info::refresh(state);
}

pub(crate) fn apply_reset(state: &mut State, reset: &ActivityReset) {
    edit(state, reset.scheduled_event_id, |activity| {
        activity.attempt = 1;
        activity.is_reset = true;
        activity.resets_heartbeat |= reset.resets_heartbeat;
        if reset.restores_options
            && let Some(original) = activity.original.take()
        {
            activity.retry_policy.clone_from(&original.retry_policy);
            activity.scheduled = Some(original);
            activity.stamp = activity.stamp.saturating_add(1);
        }
        if activity.is_started() || (activity.paused.is_some() && reset.keeps_paused) {
            return;
        }
        activity.paused = None;
        start_again(activity, reset.time, reset.next_attempt_time);
    });
    pause_info::refresh(state);
}

pub(crate) fn apply_options_set(state: &mut State, set: &ActivityOptionsSet) {
    edit(state, set.scheduled_event_id, |activity| {
        let original = activity.original.take().or_else(|| activity.scheduled.take());
        let is_original = original.as_ref() == Some(&set.scheduled);
        activity.original = original.filter(|_| !is_original);
        activity.scheduled = Some(set.scheduled.clone());
        activity.retry_policy.clone_from(&set.scheduled.retry_policy);
        activity.attempt_scheduled_time = set.next_attempt_time;
        activity.stamp = activity.stamp.saturating_add(1);
    });
}

/// Forgets the failure that an attempt waits after, and lets it start.
fn start_again(activity: &mut Activity, now: Time, next_attempt_time: Time) {
    if activity.is_started() {
        return;
    }
    activity.stamp = activity.stamp.saturating_add(1);
    activity.attempt_scheduled_time = next_attempt_time;
    activity.backing_off = next_attempt_time > now;
    activity.last_failure = None;
    begin_attempt(activity);
}

/// What a reset asked for comes true with the next attempt.
pub(in crate::activity) fn begin_attempt(activity: &mut Activity) {
    if std::mem::take(&mut activity.resets_heartbeat) {
        clear_heartbeat(activity);
    }
    activity.is_reset = false;
}

fn clear_heartbeat(activity: &mut Activity) {
    activity.heartbeat_details = None;
    activity.heartbeat_time = Time::UNSET;
}
