//! The start of a run.

use api::{
    common::v1::{Callback, RetryPolicy},
    enums::v1::{ContinueAsNewInitiator, WorkflowExecutionStatus},
    history::v1::{WorkflowExecutionStartedEventAttributes, history_event::Attributes},
    sdk::v1::UserMetadata,
};
use model::{Span, Time};

use crate::{
    Context, Mutation, Rejection, Reply, RunCreated, RunRef, Shared, State, Task, TaskAction,
    callback, cron,
    draft::{Draft, EventExtras},
    input::Start,
    normalize_retry_policy, signal, time_skipping, update, workflow_task,
};

/// Starts a run.
pub(crate) fn start(draft: &mut Draft<'_>, input: Start) -> Result<Reply, Rejection> {
    if draft.state().is_started() {
        return Err(Rejection::invalid("the run has started already"));
    }
    let Start {
        namespace_id,
        run_id,
        request_id,
        mut attributes,
        links,
        user_metadata,
        signal,
        update,
    } = input;
    complete_attributes(&mut attributes, &run_id, draft.context());
    let (watchers, callbacks) =
        attributes.completion_callbacks.into_iter().partition(callback::is_internal);
    attributes.completion_callbacks = callbacks;
    let watchers: Vec<Callback> = watchers;
    draft.mutate(Mutation::RunCreated(RunCreated {
        namespace_id,
        workflow_id: attributes.workflow_id.clone(),
        run_id,
        request_id,
        watchers: watchers.into_iter().map(Shared::new).collect(),
    }));
    let extras = EventExtras { user_metadata, links, ..EventExtras::default() };
    draft.event_with(Attributes::WorkflowExecutionStartedEventAttributes(attributes), extras);
    if let Some(signal) = signal {
        signal::append(draft, *signal);
    }
    if draft.state().first_workflow_task_due.is_set() {
        let due = draft.state().first_workflow_task_due;
        draft.task(Task::at(due, TaskAction::FirstWorkflowTask(RunRef {})));
    } else {
        workflow_task::schedule(draft);
    }
    if let Some(update) = update {
        update::admit_with_start(draft, update);
    }
    let deadline = draft.state().workflow_deadline();
    if deadline.is_set() {
        draft.task(Task::at(deadline, TaskAction::WorkflowTimeout(RunRef {})));
    }
    time_skipping::emit_tasks(draft);
    Ok(Reply::Done)
}

/// Fills in what the starter left open (fact sheet sections 8 and 12).
fn complete_attributes(
    attributes: &mut WorkflowExecutionStartedEventAttributes,
    run_id: &str,
    context: &Context<'_>,
) {
    let limits = context.limits;
    let execution_timeout = Span::from_proto(attributes.workflow_execution_timeout.as_ref());
    let run_timeout =
        Span::from_proto(attributes.workflow_run_timeout.as_ref()).capped_by(execution_timeout);
    let task_timeout = Span::from_proto(attributes.workflow_task_timeout.as_ref())
        .or(limits.workflow_task_timeout)
        .capped_by(limits.workflow_task_timeout_max)
        .capped_by(run_timeout);
    // A limit that nobody asked for stays out of the history.
    if !run_timeout.is_zero() {
        attributes.workflow_run_timeout = Some(run_timeout.to_proto());
    }
    attributes.workflow_task_timeout = Some(task_timeout.to_proto());
    attributes.attempt = attributes.attempt.max(1);
    run_id.clone_into(&mut attributes.original_execution_run_id);
    if attributes.first_execution_run_id.is_empty() {
        run_id.clone_into(&mut attributes.first_execution_run_id);
    }
    // The execution's time runs while a schedule waits, but not during a delay.
    let delay = Span::from_proto(attributes.first_workflow_task_backoff.as_ref());
    if attributes.workflow_execution_expiration_time.is_none() && !execution_timeout.is_zero() {
        attributes.workflow_execution_expiration_time =
            (context.now + delay + execution_timeout).whole_millis().to_proto();
    }
    cron::delay_first_run(attributes, context.now);
    let backoff = Span::from_proto(attributes.first_workflow_task_backoff.as_ref());
    let is_first = attributes.continued_execution_run_id.is_empty();
    attributes.first_workflow_task_backoff =
        (is_first || !backoff.is_zero()).then(|| backoff.to_proto());
    if let Some(policy) = &mut attributes.retry_policy {
        normalize_retry_policy(policy);
    }
    attributes.memo = attributes.memo.take().filter(|memo| !memo.fields.is_empty());
    attributes.search_attributes = attributes
        .search_attributes
        .take()
        .filter(|search_attributes| !search_attributes.indexed_fields.is_empty());
}

/// The delay before the first workflow task is over.
pub(crate) fn first_workflow_task_due(draft: &mut Draft<'_>) {
    if draft.now() >= draft.state().first_workflow_task_due {
        // One that is there for an update alone becomes the first.
        workflow_task::keep_speculative(draft);
        workflow_task::schedule(draft);
    } else {
        let due = draft.state().first_workflow_task_due;
        draft.task(Task::at(due, TaskAction::FirstWorkflowTask(RunRef {})));
    }
}

pub(crate) fn apply_started(
    state: &mut State,
    started: &WorkflowExecutionStartedEventAttributes,
    user_metadata: Option<&UserMetadata>,
    time: Time,
) {
    let backoff = Span::from_proto(started.first_workflow_task_backoff.as_ref());
    let run_timeout = Span::from_proto(started.workflow_run_timeout.as_ref());
    state.workflow_id.clone_from(&started.workflow_id);
    state.run_id.clone_from(&started.original_execution_run_id);
    state.status = WorkflowExecutionStatus::Running as i32;
    state.start_time = time;
    state.execution_expiration =
        Time::from_proto(started.workflow_execution_expiration_time.as_ref());
    state.run_expiration =
        if run_timeout.is_zero() { Time::UNSET } else { time + backoff + run_timeout };
    state.first_workflow_task_due = if backoff.is_zero() { Time::UNSET } else { time + backoff };
    state.memo = started.memo.clone().map(Shared::new);
    state.search_attributes = started.search_attributes.clone().map(Shared::new);
    state.reset_points = started.prev_auto_reset_points.clone().map(Shared::new);
    state.priority.clone_from(&started.priority);
    callback::apply_registered(state, &started.completion_callbacks, time);
    state.user_metadata = user_metadata.cloned().map(Shared::new);
    state.started = Some(Shared::new(started.clone()));
}

impl State {
    /// When the run times out, by its own limit or its execution's; unset for never.
    pub fn workflow_deadline(&self) -> Time {
        match (self.run_expiration.is_set(), self.execution_expiration.is_set()) {
            (false, _) => self.execution_expiration,
            (true, false) => self.run_expiration,
            (true, true) => self.run_expiration.min(self.execution_expiration),
        }
    }

    /// The workflow's retry policy.
    pub fn retry_policy(&self) -> Option<&RetryPolicy> {
        self.started.as_ref().and_then(|started| started.retry_policy.as_ref())
    }

    /// The workflow task time-out that the starter chose, or the default.
    pub fn workflow_task_timeout(&self) -> Span {
        self.started
            .as_ref()
            .map_or(Span::ZERO, |started| Span::from_proto(started.workflow_task_timeout.as_ref()))
    }

    /// True for a run that follows another by retry.
    pub fn is_retry(&self) -> bool {
        self.started
            .as_ref()
            .is_some_and(|started| started.initiator == ContinueAsNewInitiator::Retry as i32)
    }
}
