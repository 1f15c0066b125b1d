//! Activities: scheduled by a command, attempted by workers until one attempt closes them (fact
//! sheet section 9).
//!
//! Attempts leave no events. The start of the last attempt is written together with the event that
//! closes the activity.

mod apply;
mod attempt;
mod cancel;
mod close;
mod heartbeat;
mod operations;
mod retry;
mod schedule;
mod start;
mod timeout;

pub(crate) use apply::{
    apply_cancel_requested, apply_closed, apply_heartbeat, apply_retry_due, apply_retry_scheduled,
    apply_scheduled, apply_started,
};
pub use attempt::next_retry_delay;
pub(crate) use cancel::request_cancel;
pub(crate) use close::{cancel, complete, fail};
pub(crate) use heartbeat::heartbeat;
pub use operations::{activity_options, merge_activity_options};
pub(crate) use operations::{
    apply_options_set, apply_paused, apply_reset, apply_unpaused, pause, reset, set_options,
    unpause,
};
pub(crate) use retry::retry_due;
pub use schedule::normalize_activity_timeouts;
pub(crate) use schedule::schedule;
pub(crate) use start::start;
pub(crate) use timeout::timeout_due;

use api::history::v1::ActivityTaskScheduledEventAttributes;
use model::{Span, Time};

use crate::{
    ActivityRef, Rejection, State, Task, TaskAction, draft::Draft, input::HeldActivity,
    state::Activity,
};

impl Activity {
    /// True between a failed attempt and the time of the next.
    pub fn is_backing_off(&self) -> bool {
        self.backing_off
    }

    /// True when a worker may take the current attempt.
    pub fn waits_for_worker(&self) -> bool {
        !self.is_started() && !self.backing_off && self.paused.is_none()
    }

    /// True when the next attempt comes by itself.
    pub fn waits_for_attempt(&self) -> bool {
        self.backing_off && self.paused.is_none()
    }

    /// The earliest time at which one of its time-outs passes; unset when it has none.
    pub fn deadline(&self) -> Time {
        timeout::earliest(self).map_or(Time::UNSET, |(due, _)| due)
    }

    fn span(
        &self,
        field: impl Fn(&ActivityTaskScheduledEventAttributes) -> Option<&prost_types::Duration>,
    ) -> Span {
        self.scheduled.as_ref().map_or(Span::ZERO, |scheduled| Span::from_proto(field(scheduled)))
    }

    fn schedule_to_close_timeout(&self) -> Span {
        self.span(|scheduled| scheduled.schedule_to_close_timeout.as_ref())
    }

    /// When the activity must be closed, over all attempts; unset for never.
    pub fn expiration(&self) -> Time {
        let timeout = self.schedule_to_close_timeout();
        if timeout.is_zero() { Time::UNSET } else { self.scheduled_time + timeout }
    }
}

/// The activity that a task names, unless it has moved on.
pub(crate) fn current<'a>(state: &'a State, task: &ActivityRef) -> Option<&'a Activity> {
    state
        .activities
        .get(&task.scheduled_event_id)
        .map(|activity| &**activity)
        .filter(|activity| activity.stamp == task.stamp)
}

/// The activity that a worker means and holds, and its scheduled event id.
fn held<'a>(state: &'a State, held: &HeldActivity) -> Result<(i64, &'a Activity), Rejection> {
    let (id, activity) = meant(state, held)?;
    if activity.is_started() { Ok((id, activity)) } else { Err(Rejection::ActivityNotFound) }
}

/// The activity that is meant, held by a worker or not, and its scheduled event id.
fn meant<'a>(state: &'a State, held: &HeldActivity) -> Result<(i64, &'a Activity), Rejection> {
    if !state.is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    let found = match held {
        HeldActivity::Token { scheduled_event_id, attempt } => state
            .activities
            .get(scheduled_event_id)
            .map(|activity| (*scheduled_event_id, &**activity))
            .filter(|(_, activity)| activity.attempt == *attempt),
        HeldActivity::Id(activity_id) => {
            let unknown = || Rejection::ActivityIdNotFound(activity_id.clone());
            Some(state.activity_by_id(activity_id).ok_or_else(unknown)?)
        }
    };
    found.ok_or(Rejection::ActivityNotFound)
}

pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    for (scheduled_event_id, activity) in &state.activities {
        tasks_of(*scheduled_event_id, activity, tasks);
    }
}

/// The tasks that an activity needs at this point of its life.
fn tasks_of(scheduled_event_id: i64, activity: &Activity, tasks: &mut Vec<Task>) {
    let reference = ActivityRef { scheduled_event_id, stamp: activity.stamp };
    if activity.waits_for_attempt() {
        let due = activity.attempt_scheduled_time;
        tasks.push(Task::at(due, TaskAction::ActivityRetry(reference)));
    } else if activity.waits_for_worker() {
        tasks.push(Task::now(TaskAction::DispatchActivity(reference)));
    }
    let deadline = activity.deadline();
    if deadline.is_set() {
        tasks.push(Task::at(deadline, TaskAction::ActivityTimeout(reference)));
    }
}

/// Emits the tasks of an activity whose stamp has just changed.
pub(crate) fn emit_tasks(draft: &mut Draft<'_>, scheduled_event_id: i64) {
    let mut tasks = Vec::new();
    if let Some(activity) = draft.state().activities.get(&scheduled_event_id) {
        tasks_of(scheduled_event_id, activity, &mut tasks);
    }
    for task in tasks {
        draft.task(task);
    }
}

/// Activities that wait for a worker are offered again: their place may have changed.
pub(crate) fn place_again(draft: &mut Draft<'_>) {
    let waiting: Vec<ActivityRef> = draft
        .state()
        .activities
        .iter()
        .filter(|(_, activity)| !activity.is_started() && !activity.is_backing_off())
        .map(|(id, activity)| ActivityRef { scheduled_event_id: *id, stamp: activity.stamp })
        .collect();
    for activity in waiting {
        draft.task(Task::now(TaskAction::DispatchActivity(activity)));
    }
}

/// The run goes on: everything that its activities wait for is asked for again.
pub(crate) fn offer_again(draft: &mut Draft<'_>) {
    let mut tasks = Vec::new();
    outstanding(draft.state(), &mut tasks);
    for task in tasks {
        draft.task(task);
    }
}
