//! An attempt ends, and with it, unless another follows, the activity.

use api::{
    common::v1::Payloads,
    enums::v1::RetryState,
    failure::v1::Failure,
    history::v1::{
        ActivityTaskCanceledEventAttributes, ActivityTaskCompletedEventAttributes,
        ActivityTaskFailedEventAttributes, ActivityTaskStartedEventAttributes,
        history_event::Attributes,
    },
};

use crate::{
    ActivityStarted, Mutation, Rejection, Reply,
    draft::{Draft, EventExtras},
    input::{CancelActivity, CompleteActivity, FailActivity, HeldActivity},
    workflow_task,
};

use super::{heartbeat, retry};

/// A worker completed an activity. Who names it by its id may do so before a worker takes it: then
/// it starts and ends at once.
pub(crate) fn complete(draft: &mut Draft<'_>, input: CompleteActivity) -> Result<Reply, Rejection> {
    let (scheduled_event_id, activity) = super::meant(draft.state(), &input.activity)?;
    let is_started = activity.is_started();
    let CompleteActivity { activity, result, identity } = input;
    if !is_started {
        if let HeldActivity::Token { .. } = activity {
            return Err(Rejection::ActivityNotFound);
        }
        draft.mutate(Mutation::ActivityStarted(ActivityStarted {
            scheduled_event_id,
            request_id: String::new(),
            identity: identity.clone(),
            started_time: draft.now(),
            worker_control_task_queue: String::new(),
        }));
    }
    let started_event_id = write_started(draft, scheduled_event_id);
    let attributes = ActivityTaskCompletedEventAttributes {
        result,
        scheduled_event_id,
        started_event_id,
        identity,
        ..Default::default()
    };
    close(draft, Attributes::ActivityTaskCompletedEventAttributes(attributes));
    Ok(Reply::Done)
}

/// A worker failed an activity: another attempt follows, or it is closed.
pub(crate) fn fail(draft: &mut Draft<'_>, input: FailActivity) -> Result<Reply, Rejection> {
    let (scheduled_event_id, _) = super::held(draft.state(), &input.activity)?;
    let FailActivity { activity: _, failure, identity, last_heartbeat_details } = input;
    if last_heartbeat_details.is_some() {
        heartbeat::record(draft, scheduled_event_id, last_heartbeat_details);
    }
    let failure = failure.unwrap_or_default();
    match retry::attempt_again(draft, scheduled_event_id, &failure) {
        Ok(()) => {}
        Err(retry_state) => {
            write_failed(draft, scheduled_event_id, failure, identity, retry_state);
        }
    }
    Ok(Reply::Done)
}

fn write_failed(
    draft: &mut Draft<'_>,
    scheduled_event_id: i64,
    failure: Failure,
    identity: String,
    retry_state: RetryState,
) {
    let started_event_id = write_started(draft, scheduled_event_id);
    let attributes = ActivityTaskFailedEventAttributes {
        failure: Some(failure),
        scheduled_event_id,
        started_event_id,
        identity,
        retry_state: retry_state as i32,
        ..Default::default()
    };
    close(draft, Attributes::ActivityTaskFailedEventAttributes(attributes));
}

/// A worker confirms that an activity was cancelled: only after somebody asked for it.
pub(crate) fn cancel(draft: &mut Draft<'_>, input: CancelActivity) -> Result<Reply, Rejection> {
    let (scheduled_event_id, activity) = super::held(draft.state(), &input.activity)?;
    let requested = activity.cancel_requested_event_id;
    if requested == 0 {
        return Err(Rejection::invalid(
            "unable to mark activity as canceled without activity being request canceled first",
        ));
    }
    let CancelActivity { activity: _, details, identity } = input;
    let started_event_id = write_started(draft, scheduled_event_id);
    let canceled = canceled(details, requested, scheduled_event_id, started_event_id, identity);
    close(draft, canceled);
    Ok(Reply::Done)
}

/// The event of a cancelled activity.
pub(super) fn canceled(
    details: Option<Payloads>,
    latest_cancel_requested_event_id: i64,
    scheduled_event_id: i64,
    started_event_id: i64,
    identity: String,
) -> Attributes {
    Attributes::ActivityTaskCanceledEventAttributes(ActivityTaskCanceledEventAttributes {
        details,
        latest_cancel_requested_event_id,
        scheduled_event_id,
        started_event_id,
        identity,
        ..Default::default()
    })
}

/// Writes the start of the last attempt, which the history has not shown so far, and gives its
/// event id: 0 when it has to wait with the event that follows it, which gets the id when both
/// are flushed.
pub(super) fn write_started(draft: &mut Draft<'_>, scheduled_event_id: i64) -> i64 {
    let Some(activity) = draft.state().activities.get(&scheduled_event_id).cloned() else {
        return 0;
    };
    if !activity.is_started() {
        return 0;
    }
    let attributes = ActivityTaskStartedEventAttributes {
        scheduled_event_id,
        identity: activity.identity.clone(),
        request_id: activity.request_id.clone(),
        attempt: activity.attempt,
        last_failure: activity.last_failure.as_ref().map(crate::Shared::to_owned_message),
        ..Default::default()
    };
    let waits = draft.state().has_started_workflow_task();
    draft.bufferable_event(
        Attributes::ActivityTaskStartedEventAttributes(attributes),
        EventExtras { time: Some(activity.started_time), ..Default::default() },
    );
    if waits { 0 } else { draft.state().last_event_id() }
}

/// Writes the closing event and wakes the workflow.
pub(super) fn close(draft: &mut Draft<'_>, attributes: Attributes) {
    draft.bufferable_event(attributes, EventExtras::default());
    workflow_task::schedule_unless_delayed(draft);
}
