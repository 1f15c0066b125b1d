//! Requests to cancel other workflows, children among them.

use api::{
    command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes,
    common::v1::WorkflowExecution,
    enums::v1::{CancelExternalWorkflowExecutionFailedCause, WorkflowTaskFailedCause},
    history::v1::{
        ExternalWorkflowExecutionCancelRequestedEventAttributes,
        RequestCancelExternalWorkflowExecutionFailedEventAttributes,
        RequestCancelExternalWorkflowExecutionInitiatedEventAttributes, history_event::Attributes,
    },
};

use crate::{
    InitiatedRef, Reply, Shared, State, Task, TaskAction,
    commands::{CommandError, CommandScope},
    draft::{Draft, EventExtras},
    outcome::wake,
};

const BAD: WorkflowTaskFailedCause =
    WorkflowTaskFailedCause::BadRequestCancelExternalWorkflowExecutionAttributes;
const COMMAND: &str = "RequestCancelExternalWorkflowExecutionCommand";

/// The command that asks another workflow to cancel.
pub(crate) fn cancel(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: RequestCancelExternalWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    check(draft, scope, &command)?;
    let pending_max = draft.context().limits.pending_max;
    if draft.state().external_cancels.len() >= pending_max {
        return Err(CommandError::new(
            WorkflowTaskFailedCause::PendingRequestCancelLimitExceeded,
            format!(
                "the number of pending requests to cancel external workflows, {pending_max}, has \
                 reached the per-workflow limit of {pending_max}"
            ),
        ));
    }
    let attributes = RequestCancelExternalWorkflowExecutionInitiatedEventAttributes {
        workflow_task_completed_event_id: scope.completed_event_id,
        namespace: command.namespace,
        namespace_id: draft.state().namespace_id.clone(),
        workflow_execution: Some(WorkflowExecution {
            workflow_id: command.workflow_id,
            run_id: command.run_id,
        }),
        control: command.control,
        child_workflow_only: command.child_workflow_only,
        reason: command.reason,
    };
    let initiated_event_id = draft.event_with(
        Attributes::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(attributes),
        scope.extras(),
    );
    draft.task(Task::now(TaskAction::CancelExternal(InitiatedRef { initiated_event_id })));
    Ok(())
}

fn check(
    draft: &Draft<'_>,
    scope: &CommandScope,
    command: &RequestCancelExternalWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    super::check_namespace(draft, BAD, &command.namespace)?;
    let RequestCancelExternalWorkflowExecutionCommandAttributes {
        namespace,
        workflow_id,
        run_id,
        ..
    } = command;
    let limit = draft.context().limits.id_length_max;
    let text = if workflow_id.is_empty() {
        format!("WorkflowId is not set on {COMMAND}. Namespace={namespace} RunId={run_id}")
    } else if workflow_id.len() > limit {
        format!(
            "WorkflowId on {COMMAND} exceeds length limit. WorkflowId={workflow_id} Length={} \
             Limit={limit} RunId={run_id} Namespace={namespace}",
            workflow_id.len()
        )
    } else if !run_id.is_empty() && !super::is_run_id(run_id) {
        format!(
            "Invalid RunId set on {COMMAND}. WorkflowId={workflow_id} RunId={run_id} \
             Namespace={namespace}"
        )
    } else if scope.initiated_children.contains(workflow_id) {
        format!(
            "Start and RequestCancel for child workflow is not allowed in same workflow task. \
             WorkflowId={workflow_id} RunId={run_id} Namespace={namespace}"
        )
    } else {
        return Ok(());
    };
    Err(CommandError::new(BAD, text))
}

/// The request has arrived, or cannot.
pub(crate) fn ended(
    draft: &mut Draft<'_>,
    initiated_event_id: i64,
    failed: Option<CancelExternalWorkflowExecutionFailedCause>,
) -> Reply {
    let Some(initiated) = draft.state().external_cancels.get(&initiated_event_id) else {
        return Reply::Repeated;
    };
    let initiated = initiated.to_owned_message();
    let attributes = match failed {
        None => Attributes::ExternalWorkflowExecutionCancelRequestedEventAttributes(
            ExternalWorkflowExecutionCancelRequestedEventAttributes {
                initiated_event_id,
                namespace: draft.context().namespace.to_owned(),
                namespace_id: initiated.namespace_id,
                workflow_execution: initiated.workflow_execution,
            },
        ),
        Some(cause) => Attributes::RequestCancelExternalWorkflowExecutionFailedEventAttributes(
            RequestCancelExternalWorkflowExecutionFailedEventAttributes {
                cause: cause as i32,
                workflow_task_completed_event_id: 0,
                namespace: draft.context().namespace.to_owned(),
                namespace_id: initiated.namespace_id,
                workflow_execution: initiated.workflow_execution,
                initiated_event_id,
                control: String::new(),
            },
        ),
    };
    draft.bufferable_event(attributes, EventExtras::default());
    wake(draft);
    Reply::Done
}

pub(crate) fn apply_initiated(
    state: &mut State,
    event_id: i64,
    initiated: &RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
) {
    state.external_cancels.insert(event_id, Shared::new(initiated.clone()));
}
