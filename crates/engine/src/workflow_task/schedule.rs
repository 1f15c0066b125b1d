//! A workflow task is scheduled.

use api::{
    enums::v1::TaskQueueKind,
    history::v1::{WorkflowTaskScheduledEventAttributes, history_event::Attributes},
    taskqueue::v1::TaskQueue,
};
use model::{Limits, Span, Time};

use crate::{
    Mutation, Reply, State, StickySet, Task, TaskAction, WorkflowTaskDetailed, WorkflowTaskKind,
    WorkflowTaskScheduled,
    draft::Draft,
    state::{Sticky, WorkflowTask},
};

use super::speculative;

/// Schedules a workflow task, unless one is pending or the run is paused.
pub(crate) fn schedule(draft: &mut Draft<'_>) {
    schedule_since(draft, Time::UNSET);
}

/// Schedules a workflow task, unless one is pending or the first one is still delayed.
pub(crate) fn schedule_unless_delayed(draft: &mut Draft<'_>) {
    if !draft.state().first_workflow_task_due.is_set() {
        schedule(draft);
    }
}

/// Schedules a workflow task that continues a chain of heartbeats since `original_time`.
pub(crate) fn schedule_since(draft: &mut Draft<'_>, original_time: Time) {
    let state = draft.state();
    if state.workflow_task.is_some() || !state.is_running() || state.is_paused() {
        return;
    }
    let attempt = state.workflow_task_failures + 1;
    let timeout = start_to_close_timeout(state, attempt, draft.context().limits);
    if attempt == 1 {
        let attributes = WorkflowTaskScheduledEventAttributes {
            task_queue: Some(task_queue(state, state.sticky.as_ref())),
            start_to_close_timeout: Some(timeout.to_proto()),
            attempt,
        };
        draft.event(Attributes::WorkflowTaskScheduledEventAttributes(attributes));
    } else {
        let scheduled = WorkflowTaskScheduled {
            scheduled_event_id: state.next_event_id,
            attempt,
            kind: WorkflowTaskKind::Normal as i32,
            start_to_close_timeout: timeout,
            scheduled_time: draft.now(),
        };
        draft.mutate(Mutation::WorkflowTaskScheduled(scheduled));
    }
    if original_time.is_set() {
        let on_sticky_queue = is_on_sticky_queue(draft.state());
        draft.mutate(Mutation::WorkflowTaskDetailed(WorkflowTaskDetailed {
            original_scheduled_time: original_time,
            on_sticky_queue,
        }));
    }
    emit_tasks(draft);
}

pub(super) fn emit_tasks(draft: &mut Draft<'_>) {
    let mut tasks = Vec::new();
    super::outstanding(draft.state(), &mut tasks);
    for task in tasks {
        draft.task(task);
    }
}

/// The queue that the next task goes to: the sticky one while a worker caches the run.
pub(super) fn task_queue(state: &State, sticky: Option<&Sticky>) -> TaskQueue {
    let normal_name = state.task_queue();
    match sticky {
        Some(sticky) => TaskQueue {
            name: sticky.task_queue.clone(),
            kind: TaskQueueKind::Sticky as i32,
            normal_name: normal_name.to_owned(),
        },
        None => TaskQueue {
            name: normal_name.to_owned(),
            kind: TaskQueueKind::Normal as i32,
            ..Default::default()
        },
    }
}

fn is_on_sticky_queue(state: &State) -> bool {
    state.workflow_task.as_ref().is_some_and(|task| task.on_sticky_queue)
}

/// The worker's time: what the starter chose, and longer while its code keeps failing.
pub(super) fn start_to_close_timeout(state: &State, attempt: i32, limits: &Limits) -> Span {
    const STEP: Span = Span::from_secs(5);
    const DOUBLINGS_MAX: i32 = 16;
    let base = state.workflow_task_timeout();
    let steps = attempt - limits.workflow_task_backoff_attempt;
    if steps < 0 {
        return base;
    }
    let growth = STEP.scaled(2_f64.powi(steps.min(DOUBLINGS_MAX)));
    (base + growth).min(limits.workflow_task_backoff_max)
}

/// The worker that caches the run is of another version: a task that waits for it, too, goes to the
/// normal queue.
pub(crate) fn forget_sticky_queue(draft: &mut Draft<'_>) {
    leave_sticky_queue(draft);
    if draft.state().sticky.is_some() {
        draft.mutate(Mutation::StickySet(StickySet { sticky: None }));
    }
}

/// Nobody polls at the sticky queue: the waiting task goes to the normal one.
pub(crate) fn leave_sticky_queue(draft: &mut Draft<'_>) -> Reply {
    let state = draft.state();
    let Some(task) = state.workflow_task.as_ref() else { return Reply::Done };
    if task.is_started() || !task.on_sticky_queue {
        return Reply::Done;
    }
    let reference = task.reference();
    if task.is_speculative() {
        // Stickiness is stored: it goes with the next thing that is.
        let task = WorkflowTask { on_sticky_queue: false, ..task.clone() };
        speculative::set(draft, Some(task));
        emit_tasks(draft);
        return Reply::Done;
    }
    let detailed = WorkflowTaskDetailed {
        original_scheduled_time: task.original_scheduled_time,
        on_sticky_queue: false,
    };
    draft.mutate(Mutation::StickySet(StickySet { sticky: None }));
    draft.mutate(Mutation::WorkflowTaskDetailed(detailed));
    draft.task(Task::now(TaskAction::DispatchWorkflowTask(reference)));
    Reply::Done
}
