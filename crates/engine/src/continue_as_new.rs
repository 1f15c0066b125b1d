//! A run that follows another of the same workflow: by command, by retry, or by its cron
//! schedule (fact sheet section 8).

use api::{
    command::v1::ContinueAsNewWorkflowExecutionCommandAttributes,
    common::v1::Payloads,
    enums::v1::{ContinueAsNewInitiator, TaskQueueKind, WorkflowTaskFailedCause},
    failure::v1::Failure,
    history::v1::{
        WorkflowExecutionContinuedAsNewEventAttributes, WorkflowExecutionStartedEventAttributes,
        history_event::Attributes,
    },
};
use model::Span;
use prost::Message as _;

use crate::{
    Inherited, Input, State, callback, close,
    commands::{CommandError, CommandScope},
    cron, decide,
    draft::Draft,
    input::Start,
    reset_points, time_skipping, validate_retry_policy,
};

const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadContinueAsNewAttributes;

/// The command that closes the run and starts the next.
pub(crate) fn continue_as_new(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    mut command: ContinueAsNewWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    scope.check_search_attributes_known()?;
    check(draft, scope, &command)?;
    draft.flush();
    let Some(started) = draft.state().started.clone() else { return Ok(()) };
    if command.workflow_type.as_ref().is_none_or(|workflow_type| workflow_type.name.is_empty()) {
        command.workflow_type.clone_from(&started.workflow_type);
    }
    if command.task_queue.as_ref().is_none_or(|task_queue| task_queue.name.is_empty()) {
        command.task_queue.clone_from(&started.task_queue);
    }
    if let Some(task_queue) = &mut command.task_queue {
        task_queue.kind = TaskQueueKind::Normal as i32;
    }
    if Span::from_proto(command.workflow_run_timeout.as_ref()).is_zero() {
        let inherited = Span::from_proto(started.workflow_run_timeout.as_ref());
        command.workflow_run_timeout = Some(inherited.to_proto());
    }
    if Span::from_proto(command.workflow_task_timeout.as_ref()).is_zero() {
        command.workflow_task_timeout = started.workflow_task_timeout;
    }
    let asked_by = command.initiator;
    let backoff = backoff(draft, Span::from_proto(command.backoff_start_interval.as_ref()));
    let initiator = command.initiator();
    let attempt = if initiator == ContinueAsNewInitiator::Retry {
        started.attempt.saturating_add(1)
    } else {
        1
    };
    let queue_name = command.task_queue.as_ref().map_or("", |task_queue| &task_queue.name);
    let serves =
        queue_name == draft.state().task_queue() || scope.version_task_queues.contains(queue_name);
    let inherited =
        Inherited::by_continuation(draft.state(), serves, command.initial_versioning_behavior());
    let next = WorkflowExecutionStartedEventAttributes {
        workflow_type: command.workflow_type.clone(),
        task_queue: command.task_queue.clone(),
        input: command.input.clone(),
        header: command.header.clone(),
        memo: command.memo.clone(),
        search_attributes: command.search_attributes.clone(),
        retry_policy: command.retry_policy.clone(),
        cron_schedule: command.cron_schedule.clone(),
        workflow_run_timeout: command.workflow_run_timeout,
        workflow_task_timeout: command.workflow_task_timeout,
        first_workflow_task_backoff: Some(backoff.to_proto()),
        initiator: if initiator == ContinueAsNewInitiator::Unspecified {
            ContinueAsNewInitiator::Workflow as i32
        } else {
            initiator as i32
        },
        continued_failure: command.failure.clone(),
        last_completion_result: command.last_completion_result.clone(),
        attempt,
        ..carried_over(draft.state(), &started, inherited)
    };
    start_next(draft, next);
    let attributes = WorkflowExecutionContinuedAsNewEventAttributes {
        new_execution_run_id: draft.context().new_run_id.clone(),
        workflow_type: command.workflow_type,
        task_queue: command.task_queue,
        input: command.input,
        workflow_run_timeout: command.workflow_run_timeout,
        workflow_task_timeout: command.workflow_task_timeout,
        workflow_task_completed_event_id: scope.completed_event_id,
        backoff_start_interval: command.backoff_start_interval,
        initiator: asked_by,
        failure: command.failure,
        last_completion_result: command.last_completion_result,
        header: command.header,
        memo: command.memo,
        search_attributes: command.search_attributes,
        inherit_build_id: command.inherit_build_id,
        initial_versioning_behavior: command.initial_versioning_behavior,
    };
    draft.event_with(
        Attributes::WorkflowExecutionContinuedAsNewEventAttributes(attributes),
        scope.extras(),
    );
    close::emit_tasks(draft);
    Ok(())
}

fn check(
    draft: &Draft<'_>,
    scope: &CommandScope,
    command: &ContinueAsNewWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    const COMMAND: &str = "ContinueAsNewWorkflowExecutionCommand";
    let type_name = command.workflow_type.as_ref().map_or("", |workflow_type| &workflow_type.name);
    let queue_name = command.task_queue.as_ref().map(|task_queue| task_queue.name.as_str());
    let queue_name = queue_name.filter(|name| !name.is_empty());
    let queue_name = queue_name.unwrap_or_else(|| draft.state().task_queue());
    scope.check_length(BAD, "WorkflowType", COMMAND, type_name)?;
    let subject = format!(
        ". WorkflowType={type_name} TaskQueue=name:\"{queue_name}\"  kind:TASK_QUEUE_KIND_NORMAL"
    );
    if queue_name.len() > draft.context().limits.id_length_max {
        let text = format!(
            "error validating {COMMAND} TaskQueue: taskQueue length exceeds limit{subject}"
        );
        return Err(CommandError::new(BAD, text));
    }
    for (field, duration) in [
        ("WorkflowRunTimeout", &command.workflow_run_timeout),
        ("WorkflowTaskTimeout", &command.workflow_task_timeout),
        ("BackoffStartInterval", &command.backoff_start_interval),
    ] {
        if duration.as_ref().is_some_and(|duration| duration.seconds < 0 || duration.nanos < 0) {
            let text = format!("Invalid {field} on {COMMAND}: negative duration{subject}");
            return Err(CommandError::new(BAD, text));
        }
    }
    if let Some(policy) = &command.retry_policy {
        validate_retry_policy(policy).map_err(|text| CommandError::new(BAD, text))?;
    }
    scope.check_search_attributes_fit(|refusal| {
        format!("invalid SearchAttributes on {COMMAND}: {refusal}{subject}")
    })?;
    let bytes = command.input.as_ref().map_or(0, |input| input.encoded_len());
    scope.check_blob(BAD, "ContinueAsNewWorkflowExecutionCommandAttributes. Input", bytes)?;
    let bytes = command.memo.as_ref().map_or(0, |memo| memo.encoded_len());
    scope.check_blob(BAD, "ContinueAsNewWorkflowExecutionCommandAttributes.Memo", bytes)
}

/// A workflow that continues faster than once in the minimal interval waits for its end.
fn backoff(draft: &Draft<'_>, wanted: Span) -> Span {
    let lived = draft.now().since(draft.state().start_time);
    let minimum = draft.context().limits.continue_as_new_interval_min;
    wanted.max(minimum - lived)
}

/// Starts the run that a retry policy grants after a failure or a time-out. As in the reference,
/// it does not get the result of an earlier run that succeeded.
pub(crate) fn retry(draft: &mut Draft<'_>, backoff: Span, failure: Option<Failure>) {
    let Some(started) = draft.state().started.clone() else { return };
    let next = WorkflowExecutionStartedEventAttributes {
        initiator: ContinueAsNewInitiator::Retry as i32,
        continued_failure: failure,
        attempt: started.attempt.saturating_add(1),
        ..started_again(draft.state(), &started, backoff, Inherited::by_retry(draft.state()))
    };
    start_next(draft, next);
}

/// Starts the next run of a workflow with a cron schedule, and gives its id; empty when none
/// follows. A run that failed hands on the result of the last that did not.
pub(crate) fn scheduled(
    draft: &mut Draft<'_>,
    failure: Option<&Failure>,
    result: Option<&Payloads>,
) -> String {
    let Some(started) = draft.state().started.clone() else { return String::new() };
    let Some(backoff) = cron::next_run(draft.state(), draft.now()) else { return String::new() };
    let last_completion_result =
        if failure.is_some() { started.last_completion_result.clone() } else { result.cloned() };
    let next = WorkflowExecutionStartedEventAttributes {
        initiator: ContinueAsNewInitiator::CronSchedule as i32,
        continued_failure: failure.cloned(),
        last_completion_result,
        attempt: 1,
        completion_callbacks: Vec::new(),
        ..started_again(draft.state(), &started, backoff, Inherited::default())
    };
    start_next(draft, next);
    draft.context().new_run_id.clone()
}

/// What a run that repeats another is started with.
fn started_again(
    state: &State,
    started: &WorkflowExecutionStartedEventAttributes,
    backoff: Span,
    inherited: Inherited,
) -> WorkflowExecutionStartedEventAttributes {
    WorkflowExecutionStartedEventAttributes {
        workflow_type: started.workflow_type.clone(),
        task_queue: started.task_queue.clone(),
        input: started.input.clone(),
        header: started.header.clone(),
        memo: started.memo.clone(),
        search_attributes: started.search_attributes.clone(),
        retry_policy: started.retry_policy.clone(),
        cron_schedule: started.cron_schedule.clone(),
        workflow_run_timeout: started.workflow_run_timeout,
        workflow_task_timeout: started.workflow_task_timeout,
        first_workflow_task_backoff: Some(backoff.to_proto()),
        ..carried_over(state, started, inherited)
    }
}

/// What every next run takes over.
fn carried_over(
    state: &State,
    started: &WorkflowExecutionStartedEventAttributes,
    inherited: Inherited,
) -> WorkflowExecutionStartedEventAttributes {
    let (time_skipping_config, time_skipping_state_propagation) = time_skipping::of_next_run(state);
    WorkflowExecutionStartedEventAttributes {
        time_skipping_config,
        time_skipping_state_propagation,
        inherited_pinned_version: inherited.pinned_version,
        inherited_auto_upgrade_info: inherited.auto_upgrade,
        versioning_override: inherited.versioning_override,
        declined_target_version_upgrade: inherited.declined_target_version_upgrade,
        workflow_id: started.workflow_id.clone(),
        continued_execution_run_id: state.run_id.clone(),
        first_execution_run_id: started.first_execution_run_id.clone(),
        workflow_execution_timeout: started.workflow_execution_timeout,
        workflow_execution_expiration_time: started.workflow_execution_expiration_time,
        parent_workflow_namespace: started.parent_workflow_namespace.clone(),
        parent_workflow_namespace_id: started.parent_workflow_namespace_id.clone(),
        parent_workflow_execution: started.parent_workflow_execution.clone(),
        parent_initiated_event_id: started.parent_initiated_event_id,
        root_workflow_execution: started.root_workflow_execution.clone(),
        completion_callbacks: callback::of_chain(state),
        prev_auto_reset_points: Some(
            state.reset_points.as_ref().map(crate::Shared::to_owned_message).unwrap_or_default(),
        ),
        priority: state.priority.clone(),
        ..Default::default()
    }
}

fn start_next(draft: &mut Draft<'_>, mut attributes: WorkflowExecutionStartedEventAttributes) {
    let context = draft.context();
    if let Some(points) = &mut attributes.prev_auto_reset_points {
        reset_points::expire(points, &draft.state().run_id, context.now + context.retention);
    }
    let state = draft.state();
    let start = Start {
        namespace_id: state.namespace_id.clone(),
        run_id: context.new_run_id.clone(),
        request_id: context.new_run_id.clone(),
        attributes,
        links: Vec::new(),
        user_metadata: state.user_metadata.as_ref().map(crate::Shared::to_owned_message),
        signal: None,
        update: None,
    };
    // The start of an empty state is refused by nothing.
    let context = time_skipping::context_on_the_wall(state, context);
    if let Ok(transition) = decide(&State::not_started(), Input::Start(Box::new(start)), &context) {
        draft.new_run(transition);
    }
}
