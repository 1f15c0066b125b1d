//! Nexus operations: scheduled by a command, started at an endpoint's handler, completed by its
//! answer or, later, by a callback (fact sheet section 18).
//!
//! Attempts leave no events. A handler that answers with a token works on; its completion names the
//! operation by the id of the request that started it.

mod apply;
mod attempt;
mod cancel;
mod complete;
mod operation;
mod schedule;
mod steps;
mod timeout;

pub(crate) use apply::{
    apply_attempt_failed, apply_cancel_delivered, apply_cancel_ended, apply_cancel_requested,
    apply_cancellation_failed, apply_cancellation_retry_due, apply_closed, apply_retry_due,
    apply_scheduled, apply_started,
};
pub use attempt::{NexusOperationAnswer, NexusOperationEnd};
pub(crate) use attempt::{attempted, retry_due};
pub use cancel::NexusCancellationAnswer;
pub(crate) use cancel::{cancellation_attempted, cancellation_retry_due, request_cancel};
pub use complete::CompleteNexusOperation;
pub(crate) use complete::complete;
pub use operation::{NexusCancellation, NexusOperation};
pub use schedule::SYSTEM_ENDPOINT;
pub(crate) use schedule::schedule;
pub(crate) use timeout::timeout_due;

use crate::{NexusOperationRef, State, Task, TaskAction, draft::Draft};

/// The operation that a task names, unless it has moved on.
pub(crate) fn current<'a>(
    state: &'a State,
    task: &NexusOperationRef,
) -> Option<&'a NexusOperation> {
    let operation = state.nexus_operations.get(&task.scheduled_event_id)?;
    (operation.stamp == task.stamp).then_some(&**operation)
}

/// The request to cancel that a task names, unless it has moved on.
pub(crate) fn current_cancellation<'a>(
    state: &'a State,
    task: &NexusOperationRef,
) -> Option<&'a NexusCancellation> {
    let operation = state.nexus_operations.get(&task.scheduled_event_id)?;
    let cancellation = operation.cancellation.as_ref()?;
    (operation.is_started() && !cancellation.ended && cancellation.stamp == task.stamp)
        .then_some(cancellation)
}

pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    for (scheduled_event_id, operation) in &state.nexus_operations {
        tasks_of(*scheduled_event_id, operation, tasks);
    }
}

/// The tasks that an operation needs at this point of its life.
fn tasks_of(scheduled_event_id: i64, operation: &NexusOperation, tasks: &mut Vec<Task>) {
    let reference = NexusOperationRef { scheduled_event_id, stamp: operation.stamp };
    if operation.is_backing_off() {
        let due = operation.next_attempt_time;
        tasks.push(Task::at(due, TaskAction::NexusOperationRetry(reference)));
    } else if !operation.is_started() {
        tasks.push(Task::now(TaskAction::StartNexusOperation(reference)));
    }
    let deadline = operation.deadline();
    if deadline.is_set() {
        tasks.push(Task::at(deadline, TaskAction::NexusOperationTimeout(reference)));
    }
    let cancellation = operation.cancellation.as_ref().filter(|_| operation.is_started());
    let Some(cancellation) = cancellation.filter(|cancellation| !cancellation.ended) else {
        return;
    };
    let reference = NexusOperationRef { scheduled_event_id, stamp: cancellation.stamp };
    if cancellation.is_backing_off() {
        let due = cancellation.next_attempt_time;
        tasks.push(Task::at(due, TaskAction::NexusCancellationRetry(reference)));
    } else {
        tasks.push(Task::now(TaskAction::CancelNexusOperation(reference)));
    }
}

/// Emits the tasks of an operation that has just taken a step.
fn emit_tasks(draft: &mut Draft<'_>, scheduled_event_id: i64) {
    let mut tasks = Vec::new();
    if let Some(operation) = draft.state().nexus_operations.get(&scheduled_event_id) {
        tasks_of(scheduled_event_id, operation, &mut tasks);
    }
    for task in tasks {
        draft.task(task);
    }
}
