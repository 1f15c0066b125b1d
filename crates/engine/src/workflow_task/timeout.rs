//! A workflow task's time is over.

use api::{
    enums::v1::{TimeoutType, WorkflowTaskFailedCause},
    history::v1::{WorkflowTaskTimedOutEventAttributes, history_event::Attributes},
};

use crate::{Mutation, Task, TaskAction, WorkflowTaskDropped, draft::Draft};

use super::{
    fail::{open_after_end, schedule_after_failure},
    schedule,
};

/// The worker did not answer in time.
pub(crate) fn start_to_close_due(draft: &mut Draft<'_>) {
    let Some(task) = draft.state().workflow_task.as_ref() else { return };
    let due = task.started_time + task.start_to_close_timeout;
    if draft.now() < due {
        let action = TaskAction::WorkflowTaskStartToClose(task.reference());
        draft.task(Task::at(due, action));
        return;
    }
    let flushed = time_out(draft, TimeoutType::StartToClose);
    schedule_after_failure(draft, flushed);
}

/// Nobody took the task from the sticky queue, or a speculative one from any: the next one goes to
/// the normal queue, and is a normal one.
pub(crate) fn schedule_to_start_due(draft: &mut Draft<'_>) {
    let state = draft.state();
    let Some(task) = state.workflow_task.as_ref() else { return };
    let Some(timeout) = super::schedule_to_start_timeout(state, task) else { return };
    let due = task.scheduled_time + timeout;
    if draft.now() < due {
        let action = TaskAction::WorkflowTaskScheduleToStart(task.reference());
        draft.task(Task::at(due, action));
        return;
    }
    time_out(draft, TimeoutType::ScheduleToStart);
    schedule(draft);
}

/// Ends the task as timed out and lets in what waited; true when something did. Only a first
/// attempt leaves an event.
pub(super) fn time_out(draft: &mut Draft<'_>, timeout_type: TimeoutType) -> bool {
    let Some(task) = draft.state().workflow_task.as_ref() else { return false };
    if task.is_transient() {
        draft.mutate(Mutation::WorkflowTaskDropped(WorkflowTaskDropped {
            failed: true,
            cause: WorkflowTaskFailedCause::Unspecified as i32,
        }));
    } else {
        let attributes = WorkflowTaskTimedOutEventAttributes {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            timeout_type: timeout_type as i32,
        };
        draft.event(Attributes::WorkflowTaskTimedOutEventAttributes(attributes));
    }
    open_after_end(draft)
}
