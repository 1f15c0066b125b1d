//! A workflow task fails.

use api::{
    enums::v1::WorkflowTaskFailedCause,
    failure::v1::Failure,
    history::v1::{WorkflowTaskFailedEventAttributes, history_event::Attributes},
};

use crate::{
    ClosingSet, Mutation, Rejection, Reply, WorkflowTaskDropped, WorkflowTaskFailuresForgiven,
    draft::Draft, input::FailWorkflowTask, state::WorkflowTask, terminate,
};

use super::{apply::counts, schedule, speculative};

/// Who fails tasks that no worker failed.
const SERVER: &str = "history-service";

/// Why and by whom.
#[derive(Debug, Default)]
pub(super) struct TaskFailure {
    pub(super) cause: WorkflowTaskFailedCause,
    pub(super) failure: Option<Failure>,
    pub(super) identity: String,
    pub(super) binary_checksum: String,
    pub(super) worker_version: Option<api::common::v1::WorkerVersionStamp>,
}

/// A worker reports that it could not handle its task.
pub(crate) fn fail_by_worker(
    draft: &mut Draft<'_>,
    input: FailWorkflowTask,
) -> Result<Reply, Rejection> {
    super::held(draft.state(), &input.task)?;
    let FailWorkflowTask { task: _, cause, failure, identity, binary_checksum, worker_version } =
        input;
    if cause == WorkflowTaskFailedCause::GrpcMessageTooLarge {
        let terminate = crate::Terminate {
            reason: "GrpcMessageTooLarge".to_owned(),
            identity,
            ..Default::default()
        };
        terminate::append(draft, terminate);
        return Ok(Reply::Done);
    }
    fail(draft, TaskFailure { cause, failure, identity, binary_checksum, worker_version });
    Ok(Reply::Done)
}

/// Ends the started task as failed, lets in what waited, and schedules the next attempt.
pub(super) fn fail(draft: &mut Draft<'_>, failure: TaskFailure) {
    let flushed = end(draft, failure);
    schedule_after_failure(draft, flushed);
}

/// Schedules the next attempt. What waited for the failed one to end is news for the worker: then
/// the next task is a normal one again.
pub(super) fn schedule_after_failure(draft: &mut Draft<'_>, flushed: bool) {
    if flushed && draft.state().workflow_task_failures > 0 {
        let forgiven = WorkflowTaskFailuresForgiven {};
        draft.mutate(Mutation::WorkflowTaskFailuresForgiven(forgiven));
    }
    schedule(draft);
}

/// Ends a started task because something stronger than the worker's answer comes; without one it
/// only lets in what waits.
pub(crate) fn force_close(draft: &mut Draft<'_>) {
    if draft.state().has_started_workflow_task() {
        let cause = WorkflowTaskFailedCause::ForceCloseCommand;
        let identity = SERVER.to_owned();
        end(draft, TaskFailure { cause, identity, ..Default::default() });
    } else {
        let task = draft.state().workflow_task.as_ref();
        if task.is_some_and(WorkflowTask::is_speculative) {
            speculative::set(draft, None);
        }
        draft.flush();
    }
}

/// Takes back a task that no worker holds. The next one is again the first attempt.
pub(crate) fn withdraw(draft: &mut Draft<'_>, cause: WorkflowTaskFailedCause) {
    let waiting = draft.state().workflow_task.as_ref().filter(|task| !task.is_started());
    let Some(task) = waiting else { return };
    if task.is_speculative() {
        speculative::set(draft, None);
        return;
    }
    end(draft, TaskFailure { cause, identity: SERVER.to_owned(), ..Default::default() });
    if draft.state().workflow_task_failures > 0 {
        let forgiven = WorkflowTaskFailuresForgiven {};
        draft.mutate(Mutation::WorkflowTaskFailuresForgiven(forgiven));
    }
}

/// Ends the started task as failed and lets in what waited; true when something did. Only a first
/// attempt leaves an event.
pub(super) fn end(draft: &mut Draft<'_>, failure: TaskFailure) -> bool {
    let Some(task) = draft.state().workflow_task.as_ref() else { return false };
    if task.is_transient() {
        draft.mutate(Mutation::WorkflowTaskDropped(WorkflowTaskDropped {
            failed: counts(failure.cause),
            cause: failure.cause as i32,
        }));
    } else {
        let TaskFailure { cause, failure, identity, binary_checksum, worker_version } = failure;
        let attributes = WorkflowTaskFailedEventAttributes {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            cause: cause as i32,
            failure,
            identity,
            binary_checksum,
            worker_version,
            ..Default::default()
        };
        draft.event(Attributes::WorkflowTaskFailedEventAttributes(attributes));
    }
    open_after_end(draft)
}

/// What every end of a task has in common; true when something had waited for it.
pub(super) fn open_after_end(draft: &mut Draft<'_>) -> bool {
    if draft.state().closing {
        draft.mutate(Mutation::ClosingSet(ClosingSet { closing: false }));
    }
    draft.flush()
}
