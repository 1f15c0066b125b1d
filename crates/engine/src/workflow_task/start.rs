//! A worker takes the workflow task.

use api::{
    enums::v1::SuggestContinueAsNewReason,
    history::v1::{
        HistoryEvent, WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes,
        history_event::Attributes,
    },
    protocol::v1::Message,
    taskqueue::v1::TaskQueue,
};
use model::Limits;

use crate::{
    Mutation, Rejection, Reply, StartedWorkflowTask, State, StickySet, Task, TaskAction,
    WorkflowTaskStarted, draft::Draft, events::event_type, input::StartWorkflowTask,
    state::WorkflowTask, update, versioning,
};

use super::speculative;

/// Hands the workflow task to a worker. The same poll may ask twice.
pub(crate) fn start(draft: &mut Draft<'_>, input: StartWorkflowTask) -> Result<Reply, Rejection> {
    let state = draft.state();
    let task = state
        .workflow_task
        .as_ref()
        .filter(|task| {
            state.is_running()
                && task.scheduled_event_id == input.scheduled_event_id
                && task.attempt == input.attempt
        })
        .ok_or(Rejection::TaskObsolete)?;
    if input.on_sticky_queue && !task.on_sticky_queue {
        return Err(Rejection::TaskObsolete);
    }
    if task.is_started() {
        if task.request_id != input.request_id {
            return Err(Rejection::TaskObsolete);
        }
    } else {
        versioning::check(state, &input.dispatch)?;
        start_pending(draft, &input);
        versioning::begin(draft, &input.dispatch);
    }
    let messages = update::send(draft, true);
    let reply = started(draft.state(), input.on_sticky_queue, messages);
    Ok(reply.map_or(Reply::Done, |task| Reply::WorkflowTaskStarted(Box::new(task))))
}

/// Starts the pending, unstarted task.
pub(super) fn start_pending(draft: &mut Draft<'_>, input: &StartWorkflowTask) {
    make_normal_after_new_events(draft);
    let target_version_changed = versioning::notify(draft, &input.dispatch);
    let state = draft.state();
    let Some(task) = &state.workflow_task else { return };
    let reasons = suggest_continue_as_new(state, draft.context().limits);
    if task.is_speculative() {
        let task = WorkflowTask {
            started_event_id: task.scheduled_event_id + 1,
            started_time: draft.now(),
            request_id: input.request_id.clone(),
            identity: input.identity.clone(),
            history_bytes: state.history_bytes,
            suggest_continue_as_new_reasons: reasons,
            target_version_changed,
            ..task.clone()
        };
        speculative::set(draft, Some(task));
    } else if task.is_transient() {
        let started = WorkflowTaskStarted {
            started_event_id: task.scheduled_event_id + 1,
            request_id: input.request_id.clone(),
            identity: input.identity.clone(),
            started_time: draft.now(),
            history_bytes: state.history_bytes,
            suggest_continue_as_new_reasons: reasons,
            target_version_changed,
        };
        draft.mutate(Mutation::WorkflowTaskStarted(started));
    } else {
        // The scheduling was another step: readers of the history get it as another batch.
        let attributes = WorkflowTaskStartedEventAttributes {
            scheduled_event_id: task.scheduled_event_id,
            identity: input.identity.clone(),
            request_id: input.request_id.clone(),
            suggest_continue_as_new: !reasons.is_empty(),
            suggest_continue_as_new_reasons: reasons,
            history_size_bytes: state.history_bytes,
            target_worker_deployment_version_changed: target_version_changed,
            ..Default::default()
        };
        draft.end_batch();
        draft.event(Attributes::WorkflowTaskStartedEventAttributes(attributes));
        draft.end_batch();
    }
    let stored = draft.state().workflow_task.as_ref().is_some_and(|task| !task.is_speculative());
    if stored && !input.on_sticky_queue && draft.state().sticky.is_some() {
        draft.mutate(Mutation::StickySet(StickySet { sticky: None }));
    }
    if let Some(task) = &draft.state().workflow_task {
        let due = draft.now() + task.start_to_close_timeout;
        let action = TaskAction::WorkflowTaskStartToClose(task.reference());
        draft.task(Task::at(due, action));
    }
}

/// Events have been written since a transient task was scheduled: it becomes a normal one.
fn make_normal_after_new_events(draft: &mut Draft<'_>) {
    let state = draft.state();
    let Some(task) = &state.workflow_task else { return };
    if !task.is_transient() || task.scheduled_event_id == state.next_event_id {
        return;
    }
    let attributes = scheduled_attributes(state, task, 1);
    draft.event(Attributes::WorkflowTaskScheduledEventAttributes(attributes));
}

/// The scheduled event of a task that was not scheduled on a sticky queue.
fn scheduled_attributes(
    state: &State,
    task: &WorkflowTask,
    attempt: i32,
) -> WorkflowTaskScheduledEventAttributes {
    WorkflowTaskScheduledEventAttributes {
        task_queue: Some(TaskQueue {
            name: state.task_queue().to_owned(),
            kind: api::enums::v1::TaskQueueKind::Normal as i32,
            ..Default::default()
        }),
        start_to_close_timeout: Some(task.start_to_close_timeout.to_proto()),
        attempt,
    }
}

/// The events of a transient task: made up for its worker, written when it completes.
pub(super) fn transient_attributes(
    state: &State,
    task: &WorkflowTask,
) -> (WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes) {
    (scheduled_attributes(state, task, task.attempt), started_attributes(task))
}

/// The started event of a task whose events are not written yet.
pub(super) fn started_attributes(task: &WorkflowTask) -> WorkflowTaskStartedEventAttributes {
    WorkflowTaskStartedEventAttributes {
        scheduled_event_id: task.scheduled_event_id,
        identity: task.identity.clone(),
        request_id: task.request_id.clone(),
        suggest_continue_as_new: !task.suggest_continue_as_new_reasons.is_empty(),
        suggest_continue_as_new_reasons: task.suggest_continue_as_new_reasons.clone(),
        history_size_bytes: task.history_bytes,
        target_worker_deployment_version_changed: task.target_version_changed,
        ..Default::default()
    }
}

fn unwritten_events(state: &State, task: &WorkflowTask) -> Vec<HistoryEvent> {
    let (scheduled, started) = if task.is_speculative() {
        speculative::attributes(state, task)
    } else {
        transient_attributes(state, task)
    };
    let scheduled = Attributes::WorkflowTaskScheduledEventAttributes(scheduled);
    let started = Attributes::WorkflowTaskStartedEventAttributes(started);
    [
        (task.scheduled_event_id, task.scheduled_time, scheduled),
        (task.started_event_id, task.started_time, started),
    ]
    .map(|(event_id, time, attributes)| HistoryEvent {
        event_id,
        event_time: time.to_proto(),
        event_type: event_type(&attributes) as i32,
        attributes: Some(attributes),
        ..Default::default()
    })
    .into()
}

impl State {
    /// The events of the workflow task that the history does not have yet and workers see all the
    /// same: those of a transient or speculative one that comes next. It has no start before a
    /// worker has taken it.
    pub fn transient_events(&self) -> Vec<HistoryEvent> {
        let comes_next = |task: &&WorkflowTask| {
            !task.is_written() && task.scheduled_event_id == self.next_event_id
        };
        let Some(task) = self.workflow_task.as_ref().filter(comes_next) else {
            return Vec::new();
        };
        let mut events = unwritten_events(self, task);
        if !task.is_started() {
            events.truncate(1);
        }
        events
    }
}

/// The started task as its worker gets it, with the history since the last completed task if it
/// caches the run; `None` when no task is started.
pub(super) fn started(
    state: &State,
    caches_run: bool,
    messages: Vec<Message>,
) -> Option<StartedWorkflowTask> {
    let task = state.workflow_task.as_ref().filter(|task| task.is_started())?;
    let transient_events =
        if task.is_written() { Vec::new() } else { unwritten_events(state, task) };
    let history_from = if caches_run { state.previous_started_event_id + 1 } else { 1 };
    let history_through =
        if task.is_written() { task.started_event_id } else { task.scheduled_event_id - 1 };
    Some(StartedWorkflowTask {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        previous_started_event_id: state.previous_started_event_id,
        scheduled_time: task.scheduled_time,
        started_time: task.started_time,
        history_from,
        history_through,
        transient_events,
        messages,
        workflow_type: state.workflow_type().to_owned(),
        task_queue: state.task_queue().to_owned(),
    })
}

/// Why the worker should continue as new, if it should (fact sheet section 21).
fn suggest_continue_as_new(state: &State, limits: &Limits) -> Vec<i32> {
    let mut reasons = Vec::new();
    if state.history_bytes >= limits.history_bytes_suggest {
        reasons.push(SuggestContinueAsNewReason::HistorySizeTooLarge as i32);
    }
    if state.next_event_id >= limits.history_events_suggest {
        reasons.push(SuggestContinueAsNewReason::TooManyHistoryEvents as i32);
    }
    if update::too_many(state, limits) {
        reasons.push(SuggestContinueAsNewReason::TooManyUpdates as i32);
    }
    reasons
}
