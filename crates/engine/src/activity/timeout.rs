//! The four time-outs of an activity.

use api::{
    enums::v1::{RetryState, TimeoutType},
    failure::v1::Failure,
    history::v1::{ActivityTaskTimedOutEventAttributes, history_event::Attributes},
};
use model::{Span, Time};

use crate::{ActivityRef, Shared, Task, TaskAction, draft::Draft, failures, state::Activity};

use super::{close, retry};

/// What the reference says when the activity's whole time is over, or leaves no room for another
/// attempt.
const NO_TIME_LEFT: &str = "Not enough time to schedule next retry before activity \
                            ScheduleToClose timeout, giving up retrying";

/// The earliest time-out of an activity.
pub(super) fn earliest(activity: &Activity) -> Option<(Time, TimeoutType)> {
    let after = |start: Time, timeout: Span, timeout_type: TimeoutType| {
        (!timeout.is_zero()).then(|| (start + timeout, timeout_type))
    };
    let schedule_to_close = after(
        activity.scheduled_time,
        activity.schedule_to_close_timeout(),
        TimeoutType::ScheduleToClose,
    );
    let (attempt, heartbeat) = if activity.is_started() {
        let heard = activity.started_time.max(activity.heartbeat_time);
        (
            after(
                activity.started_time,
                activity.span(|scheduled| scheduled.start_to_close_timeout.as_ref()),
                TimeoutType::StartToClose,
            ),
            after(
                heard,
                activity.span(|scheduled| scheduled.heartbeat_timeout.as_ref()),
                TimeoutType::Heartbeat,
            ),
        )
    } else if !activity.waits_for_worker() {
        (None, None)
    } else {
        (
            after(
                activity.attempt_scheduled_time,
                activity.span(|scheduled| scheduled.schedule_to_start_timeout.as_ref()),
                TimeoutType::ScheduleToStart,
            ),
            None,
        )
    };
    [attempt, schedule_to_close, heartbeat].into_iter().flatten().min_by_key(|(due, _)| *due)
}

/// A time-out may have passed; if a heartbeat has moved it, it is looked at again then.
pub(crate) fn timeout_due(draft: &mut Draft<'_>, task: ActivityRef) {
    let Some(activity) = draft.state().activities.get(&task.scheduled_event_id).cloned() else {
        return;
    };
    let Some((due, timeout_type)) = earliest(&activity) else { return };
    if draft.now() < due {
        draft.task(Task::at(due, TaskAction::ActivityTimeout(task)));
        return;
    }
    let retries = matches!(timeout_type, TimeoutType::StartToClose | TimeoutType::Heartbeat);
    let retry_state = if retries {
        // Between attempts only what happened is told; the next attempt has the details.
        let plain = failures::timeout(text(timeout_type), timeout_type, None, None);
        match retry::attempt_again(draft, task.scheduled_event_id, &plain) {
            Ok(()) => return,
            Err(retry_state) => retry_state,
        }
    } else {
        RetryState::Timeout
    };
    let out_of_time = retries && retry_state == RetryState::Timeout;
    let timeout_type = if out_of_time { TimeoutType::ScheduleToClose } else { timeout_type };
    let failure = final_failure(&activity, timeout_type);
    let started_event_id = close::write_started(draft, task.scheduled_event_id);
    let attributes = ActivityTaskTimedOutEventAttributes {
        failure: Some(failure),
        scheduled_event_id: task.scheduled_event_id,
        started_event_id,
        retry_state: retry_state as i32,
    };
    close::close(draft, Attributes::ActivityTaskTimedOutEventAttributes(attributes));
}

/// The failure that ends the activity: with the last attempt's details, and because of how the
/// attempt before it ended.
fn final_failure(activity: &Activity, timeout_type: TimeoutType) -> Failure {
    let details = activity.heartbeat_details.as_ref().map(Shared::to_owned_message);
    let before = activity.last_failure.as_ref().map(Shared::to_owned_message);
    failures::timeout(text(timeout_type), timeout_type, details, before)
}

const fn text(timeout_type: TimeoutType) -> &'static str {
    match timeout_type {
        TimeoutType::ScheduleToStart => "activity ScheduleToStart timeout",
        TimeoutType::ScheduleToClose => NO_TIME_LEFT,
        TimeoutType::StartToClose => "activity StartToClose timeout",
        TimeoutType::Heartbeat => "activity Heartbeat timeout",
        TimeoutType::Unspecified => "activity timeout",
    }
}
