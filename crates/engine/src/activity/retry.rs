//! Another attempt of an activity.

use api::{enums::v1::RetryState, failure::v1::Failure};
use model::Time;

use crate::{
    ActivityRef, ActivityRetryDue, ActivityRetryScheduled, Mutation, RetryDecision, Task,
    TaskAction, draft::Draft, rules, state::Activity,
};

/// Schedules another attempt if the policy allows one, else says why not.
pub(super) fn attempt_again(
    draft: &mut Draft<'_>,
    scheduled_event_id: i64,
    failure: &Failure,
) -> Result<(), RetryState> {
    let now = draft.now();
    let Some(activity) = draft.state().activities.get(&scheduled_event_id) else {
        return Err(RetryState::InternalServerError);
    };
    if activity.cancel_requested_event_id != 0 {
        return Err(RetryState::CancelRequested);
    }
    let delay = match activity.decide_retry(failure, now) {
        RetryDecision::After(delay) => delay,
        RetryDecision::Stop(retry_state) => return Err(retry_state),
    };
    rules::pause_by_rule(draft, scheduled_event_id);
    let bytes_max = draft.context().limits.activity_last_failure_bytes_max;
    draft.mutate(Mutation::ActivityRetryScheduled(ActivityRetryScheduled {
        scheduled_event_id,
        last_failure: Some(Activity::kept_failure(failure, bytes_max)),
        time: now,
        next_attempt_time: now + delay,
    }));
    super::emit_tasks(draft, scheduled_event_id);
    Ok(())
}

/// The back-off is over: the attempt waits for a worker.
pub(crate) fn retry_due(draft: &mut Draft<'_>, task: ActivityRef) {
    let due = super::current(draft.state(), &task)
        .map_or(Time::UNSET, |activity| activity.attempt_scheduled_time);
    if draft.now() < due {
        draft.task(Task::at(due, TaskAction::ActivityRetry(task)));
        return;
    }
    let scheduled_event_id = task.scheduled_event_id;
    if rules::pause_by_rule(draft, scheduled_event_id) {
        return;
    }
    draft.mutate(Mutation::ActivityRetryDue(ActivityRetryDue { scheduled_event_id }));
    super::emit_tasks(draft, scheduled_event_id);
}
