//! Other options for a pending activity than it was scheduled with.

use api::{
    activity::v1::ActivityOptions,
    common::v1::{Priority, RetryPolicy},
    enums::v1::TaskQueueKind,
    history::v1::ActivityTaskScheduledEventAttributes,
};
use model::Time;

use crate::{
    ActivityOptionsSet, Mutation, Rejection, Reply, Shared,
    activity::{
        emit_tasks,
        schedule::{normalize_activity_timeouts, run_timeout},
    },
    draft::Draft,
    input::SetActivityOptions,
    retry_policy::retry_interval,
    state::Activity,
};

use super::{activity, selected};

/// Changes the options that the paths name, or gives activities their own back.
pub(crate) fn set_options(
    draft: &mut Draft<'_>,
    input: SetActivityOptions,
) -> Result<Reply, Rejection> {
    let SetActivityOptions { selection, change } = input;
    let mut options = ActivityOptions::default();
    for scheduled_event_id in selected(draft.state(), &selection)? {
        let found = activity(draft, scheduled_event_id)?;
        let scheduled = match &change {
            None => found.original().cloned().unwrap_or_default(),
            Some((from, paths)) => changed(draft, found, from, paths)?,
        };
        let next_attempt_time = next_attempt_time(found, scheduled.retry_policy.as_ref());
        options = activity_options(&scheduled);
        draft.mutate(Mutation::ActivityOptionsSet(ActivityOptionsSet {
            scheduled_event_id,
            scheduled: Shared::new(scheduled),
            next_attempt_time,
        }));
        emit_tasks(draft, scheduled_event_id);
    }
    Ok(Reply::ActivityOptions(Box::new(options)))
}

/// The options in force, as clients see them.
pub fn activity_options(scheduled: &ActivityTaskScheduledEventAttributes) -> ActivityOptions {
    ActivityOptions {
        task_queue: scheduled.task_queue.clone(),
        schedule_to_close_timeout: scheduled.schedule_to_close_timeout,
        schedule_to_start_timeout: scheduled.schedule_to_start_timeout,
        start_to_close_timeout: scheduled.start_to_close_timeout,
        heartbeat_timeout: scheduled.heartbeat_timeout,
        retry_policy: scheduled.retry_policy.clone(),
        priority: scheduled.priority.clone(),
        ..Default::default()
    }
}

/// A back-off under way goes by the new policy.
fn next_attempt_time(activity: &Activity, policy: Option<&RetryPolicy>) -> Time {
    match policy {
        Some(policy) if activity.is_backing_off() && activity.attempt > 1 => {
            activity.last_attempt_complete_time + retry_interval(policy, activity.attempt - 1)
        }
        Some(_) | None => activity.attempt_scheduled_time,
    }
}

fn changed(
    draft: &Draft<'_>,
    activity: &Activity,
    from: &ActivityOptions,
    paths: &[String],
) -> Result<ActivityTaskScheduledEventAttributes, Rejection> {
    let mut to = activity.scheduled.as_ref().map(Shared::to_owned_message).unwrap_or_default();
    to.retry_policy.clone_from(&activity.retry_policy);
    for path in paths {
        merge_activity_options(&mut to, from, path).map_err(Rejection::invalid)?;
    }
    for (field, duration) in [
        ("ScheduleToCloseTimeout", &to.schedule_to_close_timeout),
        ("ScheduleToStartTimeout", &to.schedule_to_start_timeout),
        ("StartToCloseTimeout", &to.start_to_close_timeout),
        ("HeartbeatTimeout", &to.heartbeat_timeout),
    ] {
        if duration.is_some_and(|duration| duration.seconds < 0 || duration.nanos < 0) {
            return Err(Rejection::invalid(format!("invalid {field}: negative duration")));
        }
    }
    normalize_activity_timeouts(&mut to, run_timeout(draft)).map_err(Rejection::invalid)?;
    Ok(to)
}

/// Sets what one path of a field mask names; unknown paths name nothing.
///
/// # Errors
/// The reference's text for an option that is not there.
pub fn merge_activity_options(
    to: &mut ActivityTaskScheduledEventAttributes,
    from: &ActivityOptions,
    path: &str,
) -> Result<(), String> {
    match path {
        "task_queue" | "task_queue.name" => {
            let queue =
                from.task_queue.as_ref().ok_or_else(|| "TaskQueue is not provided".to_owned())?;
            if queue.name.is_empty() {
                return Err("missing task queue name".to_owned());
            }
            let queue_now = to.task_queue.get_or_insert_default();
            queue_now.name.clone_from(&queue.name);
            queue_now.kind = TaskQueueKind::Normal as i32;
        }
        "schedule_to_close_timeout" => {
            to.schedule_to_close_timeout = from.schedule_to_close_timeout;
        }
        "schedule_to_start_timeout" => {
            to.schedule_to_start_timeout = from.schedule_to_start_timeout;
        }
        "start_to_close_timeout" => to.start_to_close_timeout = from.start_to_close_timeout,
        "heartbeat_timeout" => to.heartbeat_timeout = from.heartbeat_timeout,
        "retry_policy" => to.retry_policy = Some(given(from)?.clone()),
        "priority" => to.priority.clone_from(&from.priority),
        _ => {
            if let Some(field) = path.strip_prefix("retry_policy.") {
                set_retry_policy(to.retry_policy.get_or_insert_default(), given(from)?, field);
            } else if let Some(field) = path.strip_prefix("priority.") {
                let none = Priority::default();
                let from = from.priority.as_ref().unwrap_or(&none);
                set_priority(to.priority.get_or_insert_default(), from, field);
            }
        }
    }
    Ok(())
}

fn given(from: &ActivityOptions) -> Result<&RetryPolicy, String> {
    from.retry_policy.as_ref().ok_or_else(|| "RetryPolicy is not provided".to_owned())
}

fn set_retry_policy(to: &mut RetryPolicy, from: &RetryPolicy, field: &str) {
    match field {
        "initial_interval" => to.initial_interval = from.initial_interval,
        "backoff_coefficient" => to.backoff_coefficient = from.backoff_coefficient,
        "maximum_interval" => to.maximum_interval = from.maximum_interval,
        "maximum_attempts" => to.maximum_attempts = from.maximum_attempts,
        _ => {}
    }
}

fn set_priority(to: &mut Priority, from: &Priority, field: &str) {
    match field {
        "priority_key" => to.priority_key = from.priority_key,
        "fairness_key" => to.fairness_key.clone_from(&from.fairness_key),
        "fairness_weight" => to.fairness_weight = from.fairness_weight,
        _ => {}
    }
}
