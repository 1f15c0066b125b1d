//! A worker answers its workflow task (fact sheet section 1.3).

use api::{
    command::v1::Command,
    enums::v1::{TimeoutType, WorkflowTaskFailedCause},
    history::v1::{WorkflowTaskCompletedEventAttributes, history_event::Attributes},
};

use crate::{
    ClosingSet, CompletedWorkflowTask, Context, Dispatch, Mutation, Rejection, Reply,
    StartedActivity, State, StickySet, Transition,
    commands::{self, CommandError, CommandScope},
    draft::{Draft, EventExtras},
    failures,
    input::{CompleteWorkflowTask, StartWorkflowTask},
    state::{Sticky, WorkflowTask},
    terminate, update, versioning,
};

use super::{
    fail::{TaskFailure, end, fail, schedule_after_failure},
    schedule::{schedule, schedule_since},
    speculative,
    start::{start_pending, started, transient_attributes},
    timeout::time_out,
};

/// Applies a worker's answer, or fails its task when a command is bad.
pub(crate) fn complete(
    state: &State,
    mut draft: Draft<'_>,
    input: CompleteWorkflowTask,
) -> Result<Transition, Rejection> {
    let context = draft.context();
    let task = super::held(state, &input.task)?.clone();
    if state.is_paused() && input.force_create_new_workflow_task {
        return Err(Rejection::FailedPrecondition(
            "Workflow is paused and force create new workflow task is not allowed.".to_owned(),
        ));
    }
    commands::check_sequence(&input.commands)?;
    if input.messages.iter().any(|message| message.body.is_none()) {
        return Err(Rejection::invalid("nil message body"));
    }
    if is_heartbeat_over(&task, &input, context) {
        return Ok(time_out_heartbeat(draft));
    }
    let blame = TaskFailure {
        identity: input.identity.clone(),
        binary_checksum: input.binary_checksum.clone(),
        worker_version: input.worker_version.clone(),
        ..Default::default()
    };
    match apply(&mut draft, &task, input) {
        Ok(reply) => {
            terminate::enforce_history_limits(&mut draft);
            Ok(draft.finish(Reply::WorkflowTaskCompleted(Box::new(reply))))
        }
        Err(error) => refuse(state, &task, error, blame, context),
    }
}

fn is_heartbeat_over(
    task: &WorkflowTask,
    input: &CompleteWorkflowTask,
    context: &Context<'_>,
) -> bool {
    let alive = context.now.since(task.original_scheduled_time);
    continues_heartbeat(input) && alive > context.limits.workflow_task_heartbeat_timeout
}

fn continues_heartbeat(input: &CompleteWorkflowTask) -> bool {
    input.force_create_new_workflow_task && input.commands.is_empty() && input.messages.is_empty()
}

fn time_out_heartbeat(mut draft: Draft<'_>) -> Transition {
    let flushed = time_out(&mut draft, TimeoutType::StartToClose);
    if draft.state().sticky.is_some() {
        draft.mutate(Mutation::StickySet(StickySet { sticky: None }));
    }
    schedule_after_failure(&mut draft, flushed);
    draft.finish(Reply::Refused(Rejection::WorkflowTaskHeartbeatTimeout))
}

/// Everything that a good answer changes. After an error the draft is thrown away.
fn apply(
    draft: &mut Draft<'_>,
    task: &WorkflowTask,
    mut input: CompleteWorkflowTask,
) -> Result<CompletedWorkflowTask, CommandError> {
    let heartbeat_since =
        if continues_heartbeat(&input) { task.original_scheduled_time } else { model::Time::UNSET };
    let place = versioning::place(draft.state());
    let mut in_transition = false;
    let mut completed_event_id = 0;
    let mut reset_history_event_id = 0;
    if speculative::leaves_no_trace(draft.state(), task, &input) {
        reset_history_event_id = draft.state().previous_started_event_id;
        speculative::set(draft, None);
    } else {
        completed_event_id = write_completed(draft, task, &input);
        in_transition = versioning::finish(draft, &place);
        // A worker of another version than the one that the run moves to gets nothing more of it.
        let stays = !in_transition && versioning::check(draft.state(), &dispatch(&input)).is_ok();
        set_sticky(draft, input.sticky.clone().filter(|_| stays));
        if draft.state().closing {
            draft.mutate(Mutation::ClosingSet(ClosingSet { closing: false }));
        }
    }
    let commands = std::mem::take(&mut input.commands);
    let eager_activities = handle_commands(draft, completed_event_id, &input, commands)?;
    if draft.state().is_running() && !input.force_create_new_workflow_task {
        update::reject_unanswered(draft);
    }
    let flushed = draft.flush();
    if flushed || input.force_create_new_workflow_task || in_transition {
        schedule_since(draft, heartbeat_since);
    } else if update::any_waits(draft.state()) && input.return_new_workflow_task {
        speculative::schedule_speculative(draft);
    } else if update::any_waits(draft.state()) {
        schedule(draft);
    }
    let workflow_task = if input.return_new_workflow_task && !in_transition {
        start_inline(draft, &input)
    } else {
        None
    };
    Ok(CompletedWorkflowTask { workflow_task, eager_activities, reset_history_event_id })
}

fn write_completed(
    draft: &mut Draft<'_>,
    task: &WorkflowTask,
    input: &CompleteWorkflowTask,
) -> i64 {
    if task.is_transient() {
        let (scheduled, started) = transient_attributes(draft.state(), task);
        draft.event_with(
            Attributes::WorkflowTaskScheduledEventAttributes(scheduled),
            EventExtras { time: Some(task.scheduled_time), ..Default::default() },
        );
        draft.event_with(
            Attributes::WorkflowTaskStartedEventAttributes(started),
            EventExtras { time: Some(task.started_time), ..Default::default() },
        );
        // A worker that caches the run reads on after the start of its last task.
        draft.end_batch();
    }
    draft.event(Attributes::WorkflowTaskCompletedEventAttributes(
        WorkflowTaskCompletedEventAttributes {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            identity: input.identity.clone(),
            binary_checksum: input.binary_checksum.clone(),
            worker_version: input.worker_version.clone(),
            sdk_metadata: input.sdk_metadata.clone(),
            metering_metadata: input.metering_metadata,
            versioning_behavior: input.versioning_behavior as i32,
            worker_deployment_name: input.worker_deployment_name.clone(),
            deployment_version: input.deployment_version.clone(),
            ..Default::default()
        },
    ))
}

fn set_sticky(draft: &mut Draft<'_>, sticky: Option<Sticky>) {
    if draft.state().sticky != sticky {
        draft.mutate(Mutation::StickySet(StickySet { sticky }));
    }
}

fn handle_commands(
    draft: &mut Draft<'_>,
    completed_event_id: i64,
    input: &CompleteWorkflowTask,
    commands: Vec<Command>,
) -> Result<Vec<StartedActivity>, CommandError> {
    if input.is_too_large {
        return Err(CommandError::terminating(
            WorkflowTaskFailedCause::RequestTooLarge,
            "workflow task completion buffer size exceeds the per-workflow limit",
        ));
    }
    let mut scope = CommandScope::new(completed_event_id, input, draft.context());
    draft.defer_bufferable_events();
    for (index, mut command) in commands.into_iter().enumerate() {
        scope.user_metadata = command.user_metadata.take();
        scope.search_attributes_refusal = input.search_attributes_refusals.get(&index).cloned();
        scope.versioning_override_refusal = input.versioning_override_refusals.get(&index).cloned();
        scope.nexus_operation_refusal = input.nexus_operation_refusals.get(&index).cloned();
        scope.event_group_markers = std::mem::take(&mut command.event_group_markers);
        if commands::closes(command.command_type()) && !draft.state().buffered_events.is_empty() {
            return Err(CommandError::new(WorkflowTaskFailedCause::UnhandledCommand, ""));
        }
        commands::handle(draft, &mut scope, command)?;
    }
    // What no command named comes after all of them: rejections, and all messages of old SDKs.
    for message in std::mem::take(&mut scope.messages) {
        update::handle_message(draft, &mut scope, message)?;
    }
    Ok(scope.eager_activities)
}

/// The worker that answers, as one that gets a task.
fn dispatch(input: &CompleteWorkflowTask) -> Dispatch {
    Dispatch { version: input.deployment_version.clone(), target: None }
}

/// The worker gets the next task with the answer, without a poll.
fn start_inline(
    draft: &mut Draft<'_>,
    input: &CompleteWorkflowTask,
) -> Option<crate::StartedWorkflowTask> {
    let pending = draft.state().workflow_task.as_ref().filter(|task| !task.is_started())?;
    let dispatch = dispatch(input);
    // An override that came during the task may have moved the run.
    versioning::check(draft.state(), &dispatch).ok()?;
    let on_sticky_queue = draft.state().sticky.is_some();
    let start = StartWorkflowTask {
        scheduled_event_id: pending.scheduled_event_id,
        attempt: pending.attempt,
        request_id: input.request_id.clone(),
        identity: input.identity.clone(),
        on_sticky_queue,
        dispatch,
    };
    start_pending(draft, &start);
    // A worker that asks for more time still has what it got before.
    let messages = update::send(draft, !input.force_create_new_workflow_task);
    // The worker has just answered: it knows everything up to its last task.
    started(draft.state(), true, messages)
}

/// A bad command undoes the whole answer and fails the task. A task that has failed before is left
/// to time out, which slows a broken worker down; what must not wait is an unhandled closing
/// command, because its cause is news that the worker has not seen.
fn refuse(
    state: &State,
    task: &WorkflowTask,
    error: CommandError,
    blame: TaskFailure,
    context: &Context<'_>,
) -> Result<Transition, Rejection> {
    let unhandled = error.cause == WorkflowTaskFailedCause::UnhandledCommand;
    let message = error.message();
    let mut draft = Draft::new(state, context);
    let failed_updates = update::fail_delivered(&mut draft);
    if task.is_transient() && !unhandled && !error.terminates {
        let rejection = Rejection::InvalidArgument(message);
        return if failed_updates {
            Ok(draft.finish(Reply::Refused(rejection)))
        } else {
            Err(rejection)
        };
    }
    let identity = blame.identity.clone();
    let failure = TaskFailure {
        cause: error.cause,
        failure: Some(failures::bad_commands(&message)),
        ..blame
    };
    if error.terminates {
        end(&mut draft, failure);
        let reason = message.clone();
        terminate::append(&mut draft, crate::Terminate { reason, identity, ..Default::default() });
    } else {
        fail(&mut draft, failure);
        if unhandled {
            draft.mutate(Mutation::ClosingSet(ClosingSet { closing: true }));
        }
    }
    Ok(draft.finish(Reply::Refused(Rejection::InvalidArgument(message))))
}
