//! A cron schedule as a run sees it: when its first run begins, and whether another follows.

use api::{
    enums::v1::ContinueAsNewInitiator, history::v1::WorkflowExecutionStartedEventAttributes,
};
use model::{Span, Time};

use crate::State;

use super::CronSchedule;

/// Delays the first run of a scheduled workflow until its time. The runs that follow come with
/// their delay.
pub(crate) fn delay_first_run(attributes: &mut WorkflowExecutionStartedEventAttributes, now: Time) {
    if attributes.cron_schedule.is_empty() || !attributes.continued_execution_run_id.is_empty() {
        return;
    }
    attributes.initiator = ContinueAsNewInitiator::CronSchedule as i32;
    let schedule = CronSchedule::parse(&attributes.cron_schedule);
    let backoff = schedule.and_then(|schedule| schedule.backoff(now, now));
    attributes.first_workflow_task_backoff = backoff.map(Span::to_proto);
}

/// How long after `now` the next run of the workflow starts; `None` when its schedule, if it has
/// one, wants no other.
pub(crate) fn next_run(state: &State, now: Time) -> Option<Span> {
    let started = state.started.as_ref()?;
    let schedule = CronSchedule::parse(&started.cron_schedule)?;
    schedule.backoff(state.execution_time(), now)
}
