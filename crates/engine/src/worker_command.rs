//! Commands to workers: an activity is to stop now, and not when its next heartbeat is answered.
//!
//! A worker that takes commands names, with its polls, a queue of its own where it does. What is
//! to be told to one worker goes there as one Nexus task. It is a favour: the activity learns the
//! same from a heartbeat or a time-out, so what no worker takes within a few attempts is dropped.

use api::history::v1::ActivityTaskCancelRequestedEventAttributes;

use crate::{
    Mutation, Reply, Shared, State, Task, TaskAction, WorkerCommandsSent, draft::Draft,
    state::Activity,
};

/// Most messages to workers that wait at once; what is beyond is not sent.
const PENDING_MAX: usize = 64;

/// What one worker is told at once.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WorkerCommands {
    /// The worker's queue for commands.
    #[prost(string, tag = "1")]
    pub control_task_queue: String,
    /// The event because of which: what it leads to for one worker goes together.
    #[prost(int64, tag = "2")]
    pub cause_event_id: i64,
    /// The activities that are to stop.
    #[prost(message, repeated, tag = "3")]
    pub cancelled: Vec<CancelledAttempt>,
}

/// An attempt that is to stop.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct CancelledAttempt {
    /// The activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// The attempt that the worker holds.
    #[prost(int32, tag = "2")]
    pub attempt: i32,
}

/// Names what one worker is told at once.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct WorkerCommandsRef {
    /// Its number within the run, never used twice.
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

/// The workflow asks an activity to stop.
pub(crate) fn note_cancel_requested(
    state: &mut State,
    requested: &ActivityTaskCancelRequestedEventAttributes,
) {
    let scheduled_event_id = requested.scheduled_event_id;
    let activity = state.activities.get(&scheduled_event_id);
    if let Some((queue, attempt)) = activity.and_then(|it| told(scheduled_event_id, it)) {
        issue(state, requested.workflow_task_completed_event_id, queue, attempt);
    }
}

/// The run closes: what its activities still do is of no use. Called before it forgets them.
pub(crate) fn note_close(state: &mut State) {
    let held: Vec<_> = state.activities.iter().filter_map(|(id, it)| told(*id, it)).collect();
    let closing_event_id = state.last_event_id();
    for (queue, attempt) in held {
        issue(state, closing_event_id, queue, attempt);
    }
}

/// The attempt that a worker holds which takes commands, and where.
fn told(scheduled_event_id: i64, activity: &Activity) -> Option<(String, CancelledAttempt)> {
    let queue = &activity.worker_control_task_queue;
    let takes_commands = activity.is_started() && !queue.is_empty();
    let attempt = CancelledAttempt { scheduled_event_id, attempt: activity.attempt };
    takes_commands.then(|| (queue.clone(), attempt))
}

fn issue(
    state: &mut State,
    cause_event_id: i64,
    control_task_queue: String,
    attempt: CancelledAttempt,
) {
    let together = state.worker_commands.values_mut().find(|commands| {
        commands.cause_event_id == cause_event_id
            && commands.control_task_queue == control_task_queue
    });
    if let Some(commands) = together {
        commands.edit().cancelled.push(attempt);
    } else if state.worker_commands.len() < PENDING_MAX {
        state.worker_commands_issued += 1;
        let commands =
            WorkerCommands { control_task_queue, cause_event_id, cancelled: vec![attempt] };
        state.worker_commands.insert(state.worker_commands_issued, Shared::new(commands));
    }
}

/// Emits the tasks of what was issued after a number.
pub(crate) fn emit_tasks_after(draft: &mut Draft<'_>, number: u64) {
    let issued = draft.state().worker_commands.keys().filter(|issued| **issued > number);
    let tasks: Vec<Task> = issued.map(|issued| task(*issued)).collect();
    for task in tasks {
        draft.task(task);
    }
}

/// Emits the tasks of what the run's close, its last event, has led to.
pub(crate) fn emit_closing_tasks(draft: &mut Draft<'_>) {
    let state = draft.state();
    let closing_event_id = state.last_event_id();
    let issued = state.worker_commands.iter();
    let of_close = issued.filter(|(_, commands)| commands.cause_event_id == closing_event_id);
    let tasks: Vec<Task> = of_close.map(|(number, _)| task(*number)).collect();
    for task in tasks {
        draft.task(task);
    }
}

pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    tasks.extend(state.worker_commands.keys().map(|number| task(*number)));
}

fn task(number: u64) -> Task {
    Task::now(TaskAction::SendWorkerCommands(WorkerCommandsRef { number }))
}

/// The worker knows, or never will.
pub(crate) fn sent(draft: &mut Draft<'_>, commands: &WorkerCommandsRef) -> Reply {
    let WorkerCommandsRef { number } = *commands;
    if !draft.state().worker_commands.contains_key(&number) {
        return Reply::Repeated;
    }
    draft.mutate(Mutation::WorkerCommandsSent(WorkerCommandsSent { number }));
    Reply::Done
}

pub(crate) fn apply_sent(state: &mut State, sent: WorkerCommandsSent) {
    state.worker_commands.remove(&sent.number);
}
