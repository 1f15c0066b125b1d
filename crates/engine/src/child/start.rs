//! The command that starts a child.

use api::{
    command::v1::StartChildWorkflowExecutionCommandAttributes,
    enums::v1::{ParentClosePolicy, TaskQueueKind, WorkflowIdReusePolicy, WorkflowTaskFailedCause},
    history::v1::{StartChildWorkflowExecutionInitiatedEventAttributes, history_event::Attributes},
};
use model::Span;
use prost::Message as _;
use prost_types::Duration;

use crate::{
    InitiatedRef, Task, TaskAction,
    commands::{CommandError, CommandScope},
    draft::Draft,
    external::check_namespace,
    normalize_retry_policy, time_skipping, validate_cron_schedule, validate_retry_policy,
};

const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadStartChildExecutionAttributes;

/// Longest fairness key in bytes (fact sheet section 16).
const FAIRNESS_KEY_BYTES_MAX: usize = 64;

/// Notes that a child is to be started; the start itself is a durable task.
pub(crate) fn start(
    draft: &mut Draft<'_>,
    scope: &mut CommandScope,
    mut command: StartChildWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    if command.namespace.is_empty() {
        draft.context().namespace.clone_into(&mut command.namespace);
    }
    scope.check_search_attributes_known()?;
    check(draft, scope, &mut command)?;
    let pending_max = draft.context().limits.pending_max;
    if draft.state().children.len() >= pending_max {
        return Err(CommandError::new(
            WorkflowTaskFailedCause::PendingChildWorkflowsLimitExceeded,
            format!(
                "the number of pending child workflow executions, {pending_max}, has reached the \
                 per-workflow limit of {pending_max}"
            ),
        ));
    }
    scope.initiated_children.insert(command.workflow_id.clone());
    let attributes = initiated(draft, scope, command);
    let initiated_event_id = draft.event_with(
        Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(attributes),
        scope.extras(),
    );
    draft.task(Task::now(TaskAction::StartChild(InitiatedRef { initiated_event_id })));
    Ok(())
}

fn initiated(
    draft: &Draft<'_>,
    scope: &CommandScope,
    command: StartChildWorkflowExecutionCommandAttributes,
) -> StartChildWorkflowExecutionInitiatedEventAttributes {
    let mut parent_close_policy = command.parent_close_policy();
    if parent_close_policy == ParentClosePolicy::Unspecified {
        parent_close_policy = ParentClosePolicy::Terminate;
    }
    let mut workflow_id_reuse_policy = command.workflow_id_reuse_policy();
    if workflow_id_reuse_policy == WorkflowIdReusePolicy::Unspecified {
        workflow_id_reuse_policy = WorkflowIdReusePolicy::AllowDuplicate;
    }
    let (time_skipping_config, time_skipping_state_propagation) =
        time_skipping::of_child(draft.state());
    StartChildWorkflowExecutionInitiatedEventAttributes {
        time_skipping_config,
        time_skipping_state_propagation,
        namespace: command.namespace,
        namespace_id: draft.state().namespace_id.clone(),
        workflow_id: command.workflow_id,
        workflow_type: command.workflow_type,
        task_queue: command.task_queue,
        input: command.input,
        workflow_execution_timeout: command.workflow_execution_timeout,
        workflow_run_timeout: command.workflow_run_timeout,
        workflow_task_timeout: command.workflow_task_timeout,
        parent_close_policy: parent_close_policy as i32,
        control: command.control,
        workflow_task_completed_event_id: scope.completed_event_id,
        workflow_id_reuse_policy: workflow_id_reuse_policy as i32,
        retry_policy: command.retry_policy,
        cron_schedule: command.cron_schedule,
        header: command.header,
        memo: command.memo,
        search_attributes: command.search_attributes,
        inherit_build_id: command.inherit_build_id,
        priority: command.priority,
        versioning_override: command.versioning_override,
    }
}

fn check(
    draft: &Draft<'_>,
    scope: &CommandScope,
    command: &mut StartChildWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    check_namespace(draft, BAD, &command.namespace)?;
    check_names(draft, command)?;
    let (workflow_id, namespace) = (&command.workflow_id, &command.namespace);
    let type_name = command.workflow_type.as_ref().map_or("", |named| &named.name);
    let place = format!("WorkflowId={workflow_id} WorkflowType={type_name} Namespace={namespace}");
    for (field, duration) in [
        ("WorkflowExecutionTimeout", &command.workflow_execution_timeout),
        ("WorkflowRunTimeout", &command.workflow_run_timeout),
        ("WorkflowTaskTimeout", &command.workflow_task_timeout),
    ] {
        if duration.as_ref().is_some_and(|duration| duration.seconds < 0 || duration.nanos < 0) {
            return Err(bad(format!(
                "Invalid {field} on StartChildWorkflowExecutionCommand: negative duration. {place}"
            )));
        }
    }
    if let Some(policy) = &mut command.retry_policy {
        normalize_retry_policy(policy);
        validate_retry_policy(policy).map_err(|text| {
            bad(format!(
                "invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand: {text}. {place}"
            ))
        })?;
    }
    validate_cron_schedule(&command.cron_schedule, draft.now()).map_err(|error| {
        bad(format!("invalid CronSchedule on StartChildWorkflowExecutionCommand: {error}. {place}"))
    })?;
    check_search_attributes(draft, scope, command, &place)?;
    if let Some(priority) = &command.priority
        && (priority.priority_key < 0 || priority.fairness_key.len() > FAIRNESS_KEY_BYTES_MAX)
    {
        return Err(bad("invalid priority".to_owned()));
    }
    if let Some(text) = &scope.versioning_override_refusal {
        return Err(bad(text.clone()));
    }
    fill_task_queue(draft, command, &place)?;
    fill_timeouts(draft, command);
    let bytes = command.input.as_ref().map_or(0, |input| input.encoded_len());
    scope.check_blob(BAD, "StartChildWorkflowExecutionCommandAttributes. Input", bytes)?;
    let bytes = command.memo.as_ref().map_or(0, |memo| memo.encoded_len());
    scope.check_blob(BAD, "StartChildWorkflowExecutionCommandAttributes.Memo", bytes)
}

fn check_names(
    draft: &Draft<'_>,
    command: &StartChildWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    const COMMAND: &str = "StartChildWorkflowExecutionCommand";
    let (workflow_id, namespace) = (&command.workflow_id, &command.namespace);
    let type_name = command.workflow_type.as_ref().map_or("", |named| &named.name);
    let limit = draft.context().limits.id_length_max;
    if workflow_id.is_empty() {
        return Err(bad(format!(
            "Required field WorkflowId is not set on {COMMAND}. WorkflowType={type_name} \
             Namespace={namespace}"
        )));
    }
    if type_name.is_empty() {
        return Err(bad(format!(
            "Required field WorkflowType is not set on {COMMAND}. WorkflowId={workflow_id} \
             Namespace={namespace}"
        )));
    }
    if workflow_id.len() > limit {
        return Err(bad(format!(
            "WorkflowId on {COMMAND} exceeds length limit. WorkflowId={workflow_id} Length={} \
             Limit={limit} WorkflowType={type_name} Namespace={namespace}",
            workflow_id.len()
        )));
    }
    if type_name.len() > limit {
        return Err(bad(format!(
            "WorkflowType on {COMMAND} exceeds length limit. WorkflowId={workflow_id} \
             WorkflowType={type_name} Length={} Limit={limit} Namespace={namespace}",
            type_name.len()
        )));
    }
    Ok(())
}

fn check_search_attributes(
    draft: &Draft<'_>,
    scope: &CommandScope,
    command: &StartChildWorkflowExecutionCommandAttributes,
    place: &str,
) -> Result<(), CommandError> {
    let Some(search_attributes) = &command.search_attributes else { return Ok(()) };
    scope.check_search_attributes_fit(|refusal| {
        format!("invalid SearchAttributes on StartChildWorkflowCommand: {refusal}. {place}")
    })?;
    if search_attributes.encoded_len() > draft.context().limits.search_attributes_bytes_max {
        return Err(CommandError::terminating(
            BAD,
            "StartChildWorkflowExecutionCommandAttributes.SearchAttributes exceeds size limit.",
        ));
    }
    Ok(())
}

/// A child runs where its parent does, unless the command names another queue.
fn fill_task_queue(
    draft: &Draft<'_>,
    command: &mut StartChildWorkflowExecutionCommandAttributes,
    place: &str,
) -> Result<(), CommandError> {
    let task_queue = command.task_queue.get_or_insert_default();
    if task_queue.name.is_empty() {
        draft.state().task_queue().clone_into(&mut task_queue.name);
    }
    task_queue.kind = TaskQueueKind::Normal as i32;
    let limit = draft.context().limits.id_length_max;
    let problem = if task_queue.name.len() > limit {
        format!("taskQueue length exceeds limit: {limit}")
    } else if task_queue.name.starts_with("/_sys/") {
        format!("task queue name cannot start with reserved prefix /_sys/: {}", task_queue.name)
    } else {
        return Ok(());
    };
    Err(bad(format!("invalid TaskQueue on StartChildWorkflowExecutionCommand: {problem}. {place}")))
}

/// The run's time is within the execution's, the workflow task's within the run's.
fn fill_timeouts(draft: &Draft<'_>, command: &mut StartChildWorkflowExecutionCommandAttributes) {
    let limits = draft.context().limits;
    let span = |duration: &Option<Duration>| Span::from_proto(duration.as_ref());
    let run =
        span(&command.workflow_run_timeout).capped_by(span(&command.workflow_execution_timeout));
    let task = span(&command.workflow_task_timeout)
        .or(limits.workflow_task_timeout)
        .capped_by(limits.workflow_task_timeout_max)
        .capped_by(run);
    command.workflow_run_timeout = Some(run.to_proto());
    command.workflow_task_timeout = Some(task.to_proto());
}

fn bad(text: String) -> CommandError {
    CommandError::new(BAD, text)
}
