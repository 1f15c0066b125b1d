//! A workflow task that brings updates to a worker and is not stored (fact sheet sections 1.1, 5).
//!
//! Its events have ids that nothing else has yet. It ends without a trace when its worker only
//! rejects updates; as soon as anything else is stored its events are written first, and it is a
//! normal task from then on. A process that dies forgets it.

use api::history::v1::{
    WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes,
    history_event::Attributes,
};
use model::Span;

use crate::{
    Mutation, SpeculativeWorkflowTaskSet, Task, TaskAction, WorkflowTaskKind,
    draft::{Draft, EventExtras},
    input::CompleteWorkflowTask,
    state::{State, WorkflowTask},
    update,
};

use super::schedule::{emit_tasks, schedule, start_to_close_timeout, task_queue};

/// How long it waits for a worker at the normal queue. Nothing but memory holds it there.
pub(super) const SCHEDULE_TO_START: Span = Span::from_secs(5);

/// A worker that takes back events it has seen still does not get so many again and again.
const EVENTS_TWICE_MAX: i64 = 10;

/// Schedules a workflow task for updates, unless one is pending.
pub(crate) fn schedule_speculative(draft: &mut Draft<'_>) {
    let state = draft.state();
    if state.workflow_task.is_some() || !state.is_running() || state.is_paused() {
        return;
    }
    if state.workflow_task_failures > 0 {
        schedule(draft);
        return;
    }
    let now = draft.now();
    let task = WorkflowTask {
        scheduled_event_id: state.next_event_id,
        attempt: 1,
        kind: WorkflowTaskKind::Speculative as i32,
        start_to_close_timeout: start_to_close_timeout(state, 1, draft.context().limits),
        scheduled_time: now,
        original_scheduled_time: now,
        on_sticky_queue: state.sticky.is_some(),
        ..WorkflowTask::default()
    };
    set(draft, Some(task));
    emit_tasks(draft);
}

/// Changes the speculative task, or drops it.
pub(super) fn set(draft: &mut Draft<'_>, task: Option<WorkflowTask>) {
    let set = SpeculativeWorkflowTaskSet { task };
    draft.mutate(Mutation::SpeculativeWorkflowTaskSet(set));
}

/// Something is about to be stored: the task's events come first, and it is normal from now on.
pub(crate) fn keep(draft: &mut Draft<'_>) {
    let state = draft.state();
    let Some(task) = state.workflow_task.clone().filter(WorkflowTask::is_speculative) else {
        return;
    };
    let (scheduled, started) = attributes(state, &task);
    set(draft, None);
    let at = |time| EventExtras { time: Some(time), ..EventExtras::default() };
    draft.event_with(
        Attributes::WorkflowTaskScheduledEventAttributes(scheduled),
        at(task.scheduled_time),
    );
    if !task.is_started() {
        emit_tasks(draft);
        return;
    }
    draft
        .event_with(Attributes::WorkflowTaskStartedEventAttributes(started), at(task.started_time));
    draft.end_batch();
    let due = task.started_time + task.start_to_close_timeout;
    draft.task(Task::at(due, TaskAction::WorkflowTaskStartToClose(task.reference())));
}

/// The events that the task would have.
pub(super) fn attributes(
    state: &State,
    task: &WorkflowTask,
) -> (WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes) {
    let sticky = state.sticky.as_ref().filter(|_| task.on_sticky_queue);
    let scheduled = WorkflowTaskScheduledEventAttributes {
        task_queue: Some(task_queue(state, sticky)),
        start_to_close_timeout: Some(task.start_to_close_timeout.to_proto()),
        attempt: task.attempt,
    };
    (scheduled, super::start::started_attributes(task))
}

/// True when a worker's answer to its speculative task leaves no trace: it has no commands and
/// accepts nothing, and the worker can go back to the last task that it completed.
pub(super) fn leaves_no_trace(
    state: &State,
    task: &WorkflowTask,
    input: &CompleteWorkflowTask,
) -> bool {
    let extra_events_max = if input.takes_back_speculative_events { EVENTS_TWICE_MAX } else { 0 };
    // The last task's start is followed by its completion.
    let extra_events = state.next_event_id - (state.previous_started_event_id + 2);
    task.is_speculative()
        && input.commands.is_empty()
        && !input.force_create_new_workflow_task
        && !state.is_in_version_transition()
        && extra_events <= extra_events_max
        && input.messages.iter().all(update::is_rejection)
        && !state
            .updates
            .values()
            .any(|update| update.sent && update.is_durable() && !update.is_accepted())
}
