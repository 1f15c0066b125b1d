//! The workflow task: at most one per run (fact sheet section 1).
//!
//! A task of the first attempt is normal: its events are written as they happen. After a failure
//! the next attempt is *transient*: nothing is written until it completes, so that a failing worker
//! does not fill the history. An event that arrives meanwhile makes it normal again. A task for
//! updates alone is *speculative*: see `speculative.rs`.

mod apply;
mod complete;
mod fail;
mod schedule;
mod speculative;
mod start;
mod timeout;

pub(crate) use apply::{
    apply_completed, apply_detailed, apply_dropped, apply_failed, apply_scheduled, apply_started,
    apply_timed_out, apply_transient_scheduled, apply_transient_started,
};
pub(crate) use complete::complete;
pub(crate) use fail::{fail_by_worker, force_close, withdraw};
pub(crate) use schedule::{
    forget_sticky_queue, leave_sticky_queue, schedule, schedule_unless_delayed,
};
pub(crate) use speculative::{keep as keep_speculative, schedule_speculative};
pub(crate) use start::start;
pub(crate) use timeout::{schedule_to_start_due, start_to_close_due};

use model::Span;

use crate::{
    State, Task, TaskAction, WorkflowTaskRef, input::HeldWorkflowTask, rejection::Rejection,
    state::WorkflowTask,
};

impl WorkflowTask {
    /// The name under which tasks mean it.
    pub fn reference(&self) -> WorkflowTaskRef {
        WorkflowTaskRef {
            scheduled_event_id: self.scheduled_event_id,
            attempt: self.attempt,
            started_event_id: self.started_event_id,
        }
    }
}

/// The pending workflow task, by name.
pub(crate) fn reference(state: &State) -> Option<WorkflowTaskRef> {
    state.workflow_task.as_ref().map(WorkflowTask::reference)
}

/// The task that a worker says it holds.
///
/// # Errors
/// When it does not hold it any more.
pub fn held<'a>(state: &'a State, held: &HeldWorkflowTask) -> Result<&'a WorkflowTask, Rejection> {
    state
        .workflow_task
        .as_ref()
        .filter(|task| {
            state.is_running()
                && task.is_started()
                && task.scheduled_event_id == held.scheduled_event_id
                && task.started_event_id == held.started_event_id
                && task.attempt == held.attempt
                && (!held.started_time.is_set() || task.started_time == held.started_time)
        })
        .ok_or(Rejection::WorkflowTaskNotFound)
}

pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    let Some(task) = &state.workflow_task else { return };
    let reference = task.reference();
    if task.is_started() {
        let due = task.started_time + task.start_to_close_timeout;
        tasks.push(Task::at(due, TaskAction::WorkflowTaskStartToClose(reference)));
        return;
    }
    tasks.push(Task::now(TaskAction::DispatchWorkflowTask(reference)));
    if let Some(timeout) = schedule_to_start_timeout(state, task) {
        let due = task.scheduled_time + timeout;
        tasks.push(Task::at(due, TaskAction::WorkflowTaskScheduleToStart(reference)));
    }
}

/// How long the task waits for a worker before another one takes its place.
fn schedule_to_start_timeout(state: &State, task: &WorkflowTask) -> Option<Span> {
    let sticky = state.sticky.as_ref().filter(|_| task.on_sticky_queue);
    let on_normal_queue = task.is_speculative().then_some(speculative::SCHEDULE_TO_START);
    sticky.map(|sticky| sticky.schedule_to_start_timeout).or(on_normal_queue)
}
