//! How the events and mutations of activities change a state.

use api::history::v1::{
    ActivityTaskCancelRequestedEventAttributes, ActivityTaskScheduledEventAttributes,
};
use model::Time;

use crate::{
    ActivityHeartbeat, ActivityRetryDue, ActivityRetryScheduled, ActivityStarted, Shared, State,
    pause_info, state::Activity,
};

use super::operations;

pub(crate) fn apply_scheduled(
    state: &mut State,
    event_id: i64,
    scheduled: &ActivityTaskScheduledEventAttributes,
    time: Time,
) {
    let activity = Activity {
        scheduled: Some(Shared::new(scheduled.clone())),
        scheduled_time: time,
        attempt: 1,
        stamp: 1,
        attempt_scheduled_time: time,
        retry_policy: scheduled.retry_policy.clone(),
        ..Default::default()
    };
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
        activity.stamp = activity.stamp.saturating_add(1);
        activity.started_time = started.started_time;
        activity.request_id.clone_from(&started.request_id);
        activity.identity.clone_from(&started.identity);
        activity.worker_control_task_queue.clone_from(&started.worker_control_task_queue);
    });
}

pub(crate) fn apply_heartbeat(state: &mut State, heartbeat: &ActivityHeartbeat) {
    edit(state, heartbeat.scheduled_event_id, |activity| {
        activity.heartbeat_details.clone_from(&heartbeat.details);
        activity.heartbeat_time = heartbeat.time;
    });
}

pub(crate) fn apply_retry_scheduled(state: &mut State, retry: &ActivityRetryScheduled) {
    edit(state, retry.scheduled_event_id, |activity| {
        activity.stamp = activity.stamp.saturating_add(1);
        activity.attempt = activity.attempt.saturating_add(1);
        activity.backing_off = true;
        activity.started_time = Time::UNSET;
        activity.attempt_scheduled_time = retry.next_attempt_time;
        activity.last_failure.clone_from(&retry.last_failure);
        activity.last_attempt_complete_time = retry.time;
        activity.last_identity = std::mem::take(&mut activity.identity);
        activity.request_id.clear();
        activity.worker_control_task_queue.clear();
        operations::begin_attempt(activity);
    });
}

pub(crate) fn apply_retry_due(state: &mut State, due: &ActivityRetryDue) {
    edit(state, due.scheduled_event_id, |activity| {
        activity.stamp = activity.stamp.saturating_add(1);
        activity.backing_off = false;
    });
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
