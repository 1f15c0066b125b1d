//! How the events and mutations of activities change a state.

use api::history::v1::{
    ActivityTaskCancelRequestedEventAttributes, ActivityTaskScheduledEventAttributes,
};
use model::Time;

use crate::{
    ActivityHeartbeat, ActivityRetryDue, ActivityRetryScheduled, ActivityStarted, Shared, State,
    pause_info, state::Activity,
};

pub(crate) fn apply_scheduled(
    state: &mut State,
    event_id: i64,
    scheduled: &ActivityTaskScheduledEventAttributes,
    time: Time,
) {
    let activity = Activity::scheduled_at(scheduled.clone(), time);
    state.activities.insert(event_id, Shared::new(activity));
}

pub(crate) fn apply_cancel_requested(
    state: &mut State,
    event_id: i64,
    requested: &ActivityTaskCancelRequestedEventAttributes,
) {
    edit(state, requested.scheduled_event_id, |activity| {
        activity.cancel_requested_event_id = event_id;
    });
}

pub(crate) fn apply_started(state: &mut State, started: &ActivityStarted) {
    edit(state, started.scheduled_event_id, |activity| {
        activity.start(&started.request_id, &started.identity, started.started_time);
        activity.worker_control_task_queue.clone_from(&started.worker_control_task_queue);
    });
}

pub(crate) fn apply_heartbeat(state: &mut State, heartbeat: &ActivityHeartbeat) {
    edit(state, heartbeat.scheduled_event_id, |activity| {
        activity.record_heartbeat(heartbeat.details.clone(), heartbeat.time);
    });
}

pub(crate) fn apply_retry_scheduled(state: &mut State, retry: &ActivityRetryScheduled) {
    edit(state, retry.scheduled_event_id, |activity| {
        activity.back_off(retry.last_failure.clone(), retry.time, retry.next_attempt_time);
    });
}

pub(crate) fn apply_retry_due(state: &mut State, due: &ActivityRetryDue) {
    edit(state, due.scheduled_event_id, Activity::end_back_off);
}

pub(crate) fn apply_closed(state: &mut State, scheduled_event_id: i64) {
    let closed = state.activities.remove(&scheduled_event_id);
    if closed.is_some_and(|activity| activity.paused.is_some()) {
        pause_info::refresh(state);
    }
}

pub(super) fn edit(state: &mut State, scheduled_event_id: i64, change: impl FnOnce(&mut Activity)) {
    if let Some(activity) = state.activities.get_mut(&scheduled_event_id) {
        change(activity.edit());
    }
}
