//! A worker takes an activity attempt.

use crate::{
    ActivityStarted, Mutation, Rejection, Reply, StartedActivity, State, draft::Draft,
    input::StartActivity, priority::merged_priority, rules, state::Activity, versioning,
};

/// Hands an attempt to a worker. The same poll may ask twice.
pub(crate) fn start(draft: &mut Draft<'_>, input: StartActivity) -> Result<Reply, Rejection> {
    let state = draft.state();
    let activity = state
        .activities
        .get(&input.scheduled_event_id)
        .filter(|_| state.is_running())
        .ok_or(Rejection::TaskObsolete)?;
    if activity.is_started() && activity.request_id == input.request_id {
        let started = started(state, input.scheduled_event_id, activity);
        return Ok(Reply::ActivityStarted(Box::new(started)));
    }
    if !activity.waits_for_worker() || activity.stamp != input.stamp {
        return Err(Rejection::TaskObsolete);
    }
    // It is placed again when the run has arrived, or goes on.
    if state.is_in_version_transition() || state.is_paused() {
        return Err(Rejection::TaskObsolete);
    }
    let first_attempt = activity.attempt <= 1;
    if versioning::schedule_elsewhere(draft, &input.dispatch) {
        return Ok(Reply::Refused(Rejection::TaskObsolete));
    }
    // Later attempts are looked at where they are scheduled.
    if first_attempt && rules::pause_by_rule(draft, input.scheduled_event_id) {
        return Ok(Reply::Refused(Rejection::TaskObsolete));
    }
    start_pending(draft, &input)
        .map(|started| Reply::ActivityStarted(Box::new(started)))
        .ok_or(Rejection::TaskObsolete)
}

/// Starts the pending attempt.
pub(super) fn start_pending(
    draft: &mut Draft<'_>,
    input: &StartActivity,
) -> Option<StartedActivity> {
    let scheduled_event_id = input.scheduled_event_id;
    draft.mutate(Mutation::ActivityStarted(ActivityStarted {
        scheduled_event_id,
        request_id: input.request_id.clone(),
        identity: input.identity.clone(),
        worker_control_task_queue: input.worker_control_task_queue.clone(),
        started_time: draft.now(),
    }));
    super::emit_tasks(draft, scheduled_event_id);
    let state = draft.state();
    let activity = state.activities.get(&scheduled_event_id)?;
    Some(started(state, scheduled_event_id, activity))
}

fn started(state: &State, scheduled_event_id: i64, activity: &Activity) -> StartedActivity {
    let scheduled = activity.scheduled.clone().unwrap_or_default();
    StartedActivity {
        scheduled_event_id,
        priority: merged_priority(scheduled.priority.as_ref(), state.priority.as_ref()),
        scheduled,
        attempt: activity.attempt,
        heartbeat_details: activity.heartbeat_details.clone(),
        last_failure: activity.last_failure.clone(),
        scheduled_time: activity.scheduled_time,
        attempt_scheduled_time: activity.attempt_scheduled_time,
        started_time: activity.started_time,
        workflow_type: state.workflow_type().to_owned(),
    }
}
