//! Completion callbacks: who outside wants to know how a chain of runs ended (fact sheet sections
//! 11 and 18).
//!
//! They come with the start, or are attached later, follow the chain from run to run, and are
//! delivered by durable tasks of the last run. A closed run writes no event about it.

use api::{
    common::v1::{Callback, callback::Variant},
    enums::v1::{CallbackState, WorkflowExecutionStatus},
    failure::v1::Failure,
    history::v1::HistoryEvent,
};
use model::Time;

use crate::{
    CallbackAttempted, CallbackRetryDue, Mutation, Rejection, Reply, Shared, State, Task,
    TaskAction, draft::Draft, reset, retry_policy::outbound_delay, update,
};

/// A completion callback of a run.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CompletionCallback {
    /// Where it goes.
    #[prost(message, optional, tag = "1")]
    pub callback: Option<Shared<Callback>>,
    /// When the run learned of it.
    #[prost(message, required, tag = "2")]
    pub registration_time: Time,
    /// Changes with every step: tasks with an older stamp are stale.
    #[prost(uint32, tag = "3")]
    pub stamp: u32,
    /// Attempts to deliver it that have ended.
    #[prost(int32, tag = "4")]
    pub attempt: i32,
    /// When the last of them ended.
    #[prost(message, required, tag = "5")]
    pub last_attempt_complete_time: Time,
    /// How it failed.
    #[prost(message, optional, tag = "6")]
    pub last_attempt_failure: Option<Shared<Failure>>,
    /// When the next one is due; unset while one is under way.
    #[prost(message, required, tag = "7")]
    pub next_attempt_time: Time,
    /// How far it is.
    #[prost(enumeration = "CallbackState", tag = "8")]
    pub state: i32,
    /// The update whose outcome it tells; empty when it tells how the chain of runs ended.
    #[prost(string, tag = "91")]
    pub update_id: String,
    /// Why the update was rejected, once it was.
    #[prost(message, optional, tag = "92")]
    pub rejection: Option<Shared<Failure>>,
    /// The request for the update that brought it.
    #[prost(string, tag = "93")]
    pub request_id: String,
}

/// Names a callback at one point of its life.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct CallbackRef {
    /// Its place among the callbacks of the run.
    #[prost(uint32, tag = "1")]
    pub index: u32,
    /// Its stamp.
    #[prost(uint32, tag = "2")]
    pub stamp: u32,
}

/// What came of an attempt to deliver a callback.
#[derive(Debug, Clone, PartialEq)]
pub enum CallbackDelivery {
    /// It arrived.
    Delivered,
    /// It did not.
    Failed {
        /// Why.
        failure: Failure,
        /// Whether another attempt may help.
        retryable: bool,
    },
}

/// The callback that a task names, unless it has moved on.
pub(crate) fn current<'a>(state: &'a State, task: &CallbackRef) -> Option<&'a CompletionCallback> {
    let callback = state.callbacks.get(usize::try_from(task.index).ok()?)?;
    (callback.stamp == task.stamp).then_some(&**callback)
}

pub(crate) fn is_due(state: &State, task: &CallbackRef, expected: CallbackState) -> bool {
    current(state, task).is_some_and(|callback| callback.state() == expected)
}

/// What is due; while the run is open only callbacks of updates are.
pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    tasks.extend((0..).zip(&state.callbacks).filter_map(|(index, known)| task_of(index, known)));
}

/// The task that a callback needs at this point of its life.
fn task_of(index: u32, callback: &CompletionCallback) -> Option<Task> {
    let reference = CallbackRef { index, stamp: callback.stamp };
    match callback.state() {
        CallbackState::Scheduled => Some(Task::now(TaskAction::DeliverCallback(reference))),
        CallbackState::BackingOff => {
            Some(Task::at(callback.next_attempt_time, TaskAction::CallbackRetry(reference)))
        }
        CallbackState::Unspecified
        | CallbackState::Standby
        | CallbackState::Failed
        | CallbackState::Succeeded
        | CallbackState::Blocked => None,
    }
}

/// What is due because the run has closed; callbacks of updates that were over before have their
/// tasks already.
pub(crate) fn emit_closing_tasks(draft: &mut Draft<'_>) {
    let updates = &draft.state().updates;
    let is_news = |callback: &CompletionCallback| {
        callback.update_id.is_empty()
            || (callback.rejection.is_none() && updates.contains_key(&callback.update_id))
    };
    let tasks = tasks_where(draft.state(), is_news);
    tasks.into_iter().for_each(|task| draft.task(task));
}

fn tasks_where(state: &State, is_wanted: impl Fn(&CompletionCallback) -> bool) -> Vec<Task> {
    let wanted = (0..).zip(&state.callbacks).filter(|(_, callback)| is_wanted(callback));
    wanted.filter_map(|(index, callback)| task_of(index, callback)).collect()
}

pub(crate) fn attempted(
    draft: &mut Draft<'_>,
    task: &CallbackRef,
    delivery: CallbackDelivery,
) -> Reply {
    if !is_due(draft.state(), task, CallbackState::Scheduled) {
        return Reply::Repeated;
    }
    let attempts = current(draft.state(), task).map_or(1, |callback| callback.attempt + 1);
    let mut attempted = CallbackAttempted {
        index: task.index,
        time: draft.now(),
        state: CallbackState::Succeeded as i32,
        ..CallbackAttempted::default()
    };
    if let CallbackDelivery::Failed { failure, retryable } = delivery {
        attempted.failure = Some(Shared::new(failure));
        attempted.state = CallbackState::Failed as i32;
        if retryable {
            attempted.state = CallbackState::BackingOff as i32;
            attempted.next_attempt_time = draft.now() + outbound_delay(attempts);
        }
    }
    draft.mutate(Mutation::CallbackAttempted(attempted));
    emit_one(draft, task.index);
    Reply::Done
}

/// Emits the tasks of callbacks of an update that is over.
pub(crate) fn emit_of_update(
    draft: &mut Draft<'_>,
    update_id: &str,
    is_wanted: impl Fn(&CompletionCallback) -> bool,
) {
    let tasks = tasks_where(draft.state(), |callback| {
        callback.update_id == update_id && is_wanted(callback)
    });
    for task in tasks {
        if !draft.has_task(&task) {
            draft.task(task);
        }
    }
}

/// Refuses more callbacks than a run takes in all its life.
pub(crate) fn check_total(draft: &Draft<'_>, more: usize) -> Result<(), Rejection> {
    let (state, most) = (draft.state(), draft.context().limits.callbacks_per_run_max);
    let present = state.callbacks.len() + update::waiting_callbacks(state);
    if more == 0 || present + more <= most {
        return Ok(());
    }
    Err(Rejection::FailedPrecondition(format!(
        "cannot attach more than {most} callbacks to a workflow ({present} callbacks already \
         attached)"
    )))
}

/// The back-off of a callback is over.
pub(crate) fn retry_due(draft: &mut Draft<'_>, task: &CallbackRef) {
    draft.mutate(Mutation::CallbackRetryDue(CallbackRetryDue { index: task.index }));
    emit_one(draft, task.index);
}

/// Emits the task of a callback that has just taken a step.
fn emit_one(draft: &mut Draft<'_>, index: u32) {
    let known = usize::try_from(index).ok().and_then(|place| draft.state().callbacks.get(place));
    if let Some(task) = known.and_then(|callback| task_of(index, callback)) {
        draft.task(task);
    }
}

/// The callbacks that a following run takes over, those of the server's own first.
pub(crate) fn of_chain(state: &State) -> Vec<Callback> {
    let others = state.callbacks.iter().filter(|callback| callback.update_id.is_empty());
    let others = others.filter_map(|callback| callback.callback.as_ref());
    state.watchers().chain(others.map(Shared::to_owned_message)).collect()
}

impl State {
    /// Whom of the server to tell when the chain of runs has closed. Earlier versions kept them in
    /// the start event.
    pub fn watchers(&self) -> impl Iterator<Item = Callback> + '_ {
        let started = self.started.iter().flat_map(|started| &started.completion_callbacks);
        let shown = started.filter(|callback| is_internal(callback)).cloned();
        self.watchers.iter().map(Shared::to_owned_message).chain(shown)
    }
}

/// True for a callback of the server itself.
pub(crate) fn is_internal(callback: &Callback) -> bool {
    matches!(callback.variant, Some(Variant::Internal(_)))
}

/// Callbacks that came with the start, or with a request that was attached. Those of the internal
/// kind are the server's own business.
pub(crate) fn apply_registered(state: &mut State, callbacks: &[Callback], time: Time) {
    for callback in callbacks.iter().filter(|callback| !is_internal(callback)) {
        state.callbacks.push(Shared::new(CompletionCallback {
            callback: Some(Shared::new(callback.clone())),
            registration_time: time,
            stamp: 1,
            state: CallbackState::Standby as i32,
            ..CompletionCallback::default()
        }));
    }
}

/// The run has closed. If no other follows it, its callbacks are due, and its close event is what
/// they tell. A run that a reset replaces tells nothing: the one that replaces it will.
pub(crate) fn note_close(state: &mut State, event: &HistoryEvent) {
    if reset::is_replacement(event) {
        return;
    }
    let ends_chain = state.new_execution_run_id.is_empty()
        && state.status != WorkflowExecutionStatus::ContinuedAsNew as i32;
    // No update that the run leaves behind will ever have an outcome.
    let waits = |callback: &CompletionCallback| {
        callback.state() == CallbackState::Standby && (ends_chain || !callback.update_id.is_empty())
    };
    for callback in state.callbacks.iter_mut().filter(|callback| waits(callback)) {
        callback.edit().state = CallbackState::Scheduled as i32;
    }
    if ends_chain && state.callbacks.iter().any(|callback| callback.update_id.is_empty()) {
        state.close_event = Some(Shared::new(event.clone()));
    }
}

/// A run begins again after these: of updates that are over the base tells.
pub(crate) fn apply_reset(state: &mut State) {
    state.callbacks.retain(|callback| {
        callback.update_id.is_empty() || callback.state() == CallbackState::Standby
    });
}

pub(crate) fn apply_attempted(state: &mut State, attempted: &CallbackAttempted) {
    edit(state, attempted.index, |callback| {
        callback.stamp = callback.stamp.saturating_add(1);
        callback.attempt = callback.attempt.saturating_add(1);
        callback.state = attempted.state;
        callback.last_attempt_complete_time = attempted.time;
        callback.last_attempt_failure.clone_from(&attempted.failure);
        callback.next_attempt_time = attempted.next_attempt_time;
    });
}

pub(crate) fn apply_retry_due(state: &mut State, due: CallbackRetryDue) {
    edit(state, due.index, |callback| {
        callback.stamp = callback.stamp.saturating_add(1);
        callback.state = CallbackState::Scheduled as i32;
        callback.next_attempt_time = Time::UNSET;
    });
}

fn edit(state: &mut State, index: u32, change: impl FnOnce(&mut CompletionCallback)) {
    let found = usize::try_from(index).ok().and_then(|index| state.callbacks.get_mut(index));
    if let Some(callback) = found {
        change(callback.edit());
    }
}
