//! Signals to other workflows.

use api::{
    command::v1::SignalExternalWorkflowExecutionCommandAttributes,
    enums::v1::{SignalExternalWorkflowExecutionFailedCause, WorkflowTaskFailedCause},
    history::v1::{
        ExternalWorkflowExecutionSignaledEventAttributes,
        SignalExternalWorkflowExecutionFailedEventAttributes,
        SignalExternalWorkflowExecutionInitiatedEventAttributes, history_event::Attributes,
    },
};
use prost::Message as _;

use crate::{
    InitiatedRef, Reply, Shared, State, Task, TaskAction,
    commands::{CommandError, CommandScope},
    draft::{Draft, EventExtras},
    outcome::wake,
};

const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadSignalWorkflowExecutionAttributes;
const COMMAND: &str = "SignalExternalWorkflowExecutionCommand";

/// The command that signals another workflow.
pub(crate) fn signal(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: SignalExternalWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    check(draft, &command)?;
    let pending_max = draft.context().limits.pending_max;
    if draft.state().external_signals.len() >= pending_max {
        return Err(CommandError::new(
            WorkflowTaskFailedCause::PendingSignalsLimitExceeded,
            format!(
                "the number of pending signals to external workflows, {pending_max}, has reached \
                 the per-workflow limit of {pending_max}"
            ),
        ));
    }
    let bytes = command.input.as_ref().map_or(0, |input| input.encoded_len());
    scope.check_blob(BAD, "SignalExternalWorkflowExecutionCommandAttributes.Input", bytes)?;
    let attributes = SignalExternalWorkflowExecutionInitiatedEventAttributes {
        workflow_task_completed_event_id: scope.completed_event_id,
        namespace: command.namespace,
        namespace_id: draft.state().namespace_id.clone(),
        workflow_execution: command.execution,
        signal_name: command.signal_name,
        input: command.input,
        control: command.control,
        child_workflow_only: command.child_workflow_only,
        header: command.header,
    };
    let initiated_event_id = draft.event_with(
        Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(attributes),
        scope.extras(),
    );
    draft.task(Task::now(TaskAction::SignalExternal(InitiatedRef { initiated_event_id })));
    Ok(())
}

fn check(
    draft: &Draft<'_>,
    command: &SignalExternalWorkflowExecutionCommandAttributes,
) -> Result<(), CommandError> {
    let Some(execution) = &command.execution else {
        return Err(bad(format!("Execution is not set on {COMMAND}.")));
    };
    super::check_namespace(draft, BAD, &command.namespace)?;
    let (workflow_id, run_id) = (&execution.workflow_id, &execution.run_id);
    let (namespace, name) = (&command.namespace, &command.signal_name);
    let limit = draft.context().limits.id_length_max;
    if workflow_id.is_empty() {
        return Err(bad(format!(
            "WorkflowId is not set on {COMMAND}. Namespace={namespace} RunId={run_id} \
             SignalName={name}"
        )));
    }
    if workflow_id.len() > limit {
        return Err(bad(format!(
            "WorkflowId on {COMMAND} exceeds length limit. WorkflowId={workflow_id} Length={} \
             Limit={limit} Namespace={namespace} RunId={run_id} SignalName={name}",
            workflow_id.len()
        )));
    }
    if !run_id.is_empty() && !super::is_run_id(run_id) {
        return Err(bad(format!(
            "Invalid RunId set on {COMMAND}. WorkflowId={workflow_id} Namespace={namespace} \
             RunId={run_id} SignalName={name}"
        )));
    }
    if name.is_empty() {
        return Err(bad(format!(
            "SignalName is not set on {COMMAND}. WorkflowId={workflow_id} Namespace={namespace} \
             RunId={run_id}"
        )));
    }
    Ok(())
}

fn bad(text: String) -> CommandError {
    CommandError::new(BAD, text)
}

/// The signal has arrived, or cannot.
pub(crate) fn ended(
    draft: &mut Draft<'_>,
    initiated_event_id: i64,
    failed: Option<SignalExternalWorkflowExecutionFailedCause>,
) -> Reply {
    let Some(initiated) = draft.state().external_signals.get(&initiated_event_id) else {
        return Reply::Repeated;
    };
    let initiated = initiated.to_owned_message();
    let attributes = match failed {
        None => Attributes::ExternalWorkflowExecutionSignaledEventAttributes(
            ExternalWorkflowExecutionSignaledEventAttributes {
                initiated_event_id,
                namespace: draft.context().namespace.to_owned(),
                namespace_id: initiated.namespace_id,
                workflow_execution: initiated.workflow_execution,
                control: initiated.control,
            },
        ),
        Some(cause) => Attributes::SignalExternalWorkflowExecutionFailedEventAttributes(
            SignalExternalWorkflowExecutionFailedEventAttributes {
                cause: cause as i32,
                workflow_task_completed_event_id: 0,
                namespace: draft.context().namespace.to_owned(),
                namespace_id: initiated.namespace_id,
                workflow_execution: initiated.workflow_execution,
                initiated_event_id,
                control: initiated.control,
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
    initiated: &SignalExternalWorkflowExecutionInitiatedEventAttributes,
) {
    state.external_signals.insert(event_id, Shared::new(initiated.clone()));
}
