//! What became of a child, as its parent learns it.

use api::{
    common::v1::{WorkflowExecution, WorkflowType},
    enums::v1::StartChildWorkflowExecutionFailedCause,
    history::v1::{
        ChildWorkflowExecutionCanceledEventAttributes,
        ChildWorkflowExecutionCompletedEventAttributes,
        ChildWorkflowExecutionFailedEventAttributes, ChildWorkflowExecutionStartedEventAttributes,
        ChildWorkflowExecutionTerminatedEventAttributes,
        ChildWorkflowExecutionTimedOutEventAttributes,
        StartChildWorkflowExecutionFailedEventAttributes, history_event::Attributes,
    },
};

use crate::{
    Rejection, Reply, Shared,
    child::Child,
    draft::{Draft, EventExtras},
    input::ChildClosed,
    outcome::wake,
};

/// The child's first run exists. A parent that has closed meanwhile learns nothing: its start task
/// stays, and finds out what to do about the child.
pub(crate) fn started(draft: &mut Draft<'_>, initiated_event_id: i64, run_id: String) -> Reply {
    let Some(child) = waiting(draft, initiated_event_id) else { return Reply::Repeated };
    write_started(draft, initiated_event_id, &child, run_id);
    wake(draft);
    Reply::Done
}

/// The child cannot be started.
pub(crate) fn start_failed(
    draft: &mut Draft<'_>,
    initiated_event_id: i64,
    cause: StartChildWorkflowExecutionFailedCause,
) -> Reply {
    let Some(child) = waiting(draft, initiated_event_id) else { return Reply::Repeated };
    write_start_failed(draft, initiated_event_id, &child, cause);
    wake(draft);
    Reply::Done
}

pub(super) fn write_start_failed(
    draft: &mut Draft<'_>,
    initiated_event_id: i64,
    child: &Child,
    cause: StartChildWorkflowExecutionFailedCause,
) {
    let initiated = child.initiated.as_deref().cloned().unwrap_or_default();
    let attributes = StartChildWorkflowExecutionFailedEventAttributes {
        namespace: initiated.namespace,
        namespace_id: initiated.namespace_id,
        workflow_id: initiated.workflow_id,
        workflow_type: initiated.workflow_type,
        cause: cause as i32,
        control: initiated.control,
        initiated_event_id,
        workflow_task_completed_event_id: 0,
    };
    draft.bufferable_event(
        Attributes::StartChildWorkflowExecutionFailedEventAttributes(attributes),
        EventExtras::default(),
    );
}

/// A child that a running parent waits to see started.
fn waiting(draft: &Draft<'_>, initiated_event_id: i64) -> Option<Shared<Child>> {
    let state = draft.state();
    let child = state.children.get(&initiated_event_id)?;
    (state.is_running() && !child.is_started()).then(|| child.clone())
}

/// The last run of a child has closed. What its parent does not wait for changes nothing. The
/// news may overtake that of its start: then both are written.
pub(crate) fn closed(draft: &mut Draft<'_>, input: ChildClosed) -> Result<Reply, Rejection> {
    if !draft.state().is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    let ChildClosed { initiated_event_id, execution, first_execution_run_id, close } = input;
    let Some(child) = draft.state().children.get(&initiated_event_id).cloned() else {
        return Ok(Reply::Repeated);
    };
    let is_other = child.is_started() && child.run_id != first_execution_run_id;
    if is_other || child.workflow_id() != execution.workflow_id {
        return Ok(Reply::Repeated);
    }
    if !child.is_started() {
        write_started(draft, initiated_event_id, &child, first_execution_run_id);
    }
    let child = draft.state().children.get(&initiated_event_id).cloned().unwrap_or(child);
    let closed = Closed::new(initiated_event_id, &child, execution);
    let event = closed.event(close).ok_or_else(|| Rejection::invalid("no close of a run"))?;
    draft.bufferable_event(event, EventExtras::default());
    wake(draft);
    Ok(Reply::Done)
}

pub(super) fn write_started(
    draft: &mut Draft<'_>,
    initiated_event_id: i64,
    child: &Child,
    run_id: String,
) {
    let initiated = child.initiated.as_deref().cloned().unwrap_or_default();
    let attributes = ChildWorkflowExecutionStartedEventAttributes {
        namespace: initiated.namespace,
        namespace_id: initiated.namespace_id,
        initiated_event_id,
        workflow_execution: Some(WorkflowExecution { workflow_id: initiated.workflow_id, run_id }),
        workflow_type: initiated.workflow_type,
        header: initiated.header,
    };
    draft.bufferable_event(
        Attributes::ChildWorkflowExecutionStartedEventAttributes(attributes),
        EventExtras::default(),
    );
}

/// What all closing events of a child say.
pub(super) struct Closed {
    namespace: String,
    namespace_id: String,
    execution: Option<WorkflowExecution>,
    workflow_type: Option<WorkflowType>,
    initiated_event_id: i64,
    started_event_id: i64,
}

impl Closed {
    pub(super) fn new(
        initiated_event_id: i64,
        child: &Child,
        execution: WorkflowExecution,
    ) -> Self {
        let initiated = child.initiated.as_deref().cloned().unwrap_or_default();
        Self {
            namespace: initiated.namespace,
            namespace_id: initiated.namespace_id,
            execution: Some(execution),
            workflow_type: initiated.workflow_type,
            initiated_event_id,
            started_event_id: child.started_event_id,
        }
    }

    /// How the parent's history says what the child's close event says; `None` for any other event.
    pub(super) fn event(self, close: Attributes) -> Option<Attributes> {
        let Self {
            namespace,
            namespace_id,
            execution: workflow_execution,
            workflow_type,
            initiated_event_id,
            started_event_id,
        } = self;
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other event closes a chain of runs")]
        Some(match close {
            Attributes::WorkflowExecutionCompletedEventAttributes(close) => {
                Attributes::ChildWorkflowExecutionCompletedEventAttributes(
                    ChildWorkflowExecutionCompletedEventAttributes {
                        result: close.result,
                        namespace,
                        namespace_id,
                        workflow_execution,
                        workflow_type,
                        initiated_event_id,
                        started_event_id,
                    },
                )
            }
            Attributes::WorkflowExecutionFailedEventAttributes(close) => {
                Attributes::ChildWorkflowExecutionFailedEventAttributes(
                    ChildWorkflowExecutionFailedEventAttributes {
                        failure: close.failure,
                        retry_state: close.retry_state,
                        namespace,
                        namespace_id,
                        workflow_execution,
                        workflow_type,
                        initiated_event_id,
                        started_event_id,
                    },
                )
            }
            Attributes::WorkflowExecutionCanceledEventAttributes(close) => {
                Attributes::ChildWorkflowExecutionCanceledEventAttributes(
                    ChildWorkflowExecutionCanceledEventAttributes {
                        details: close.details,
                        namespace,
                        namespace_id,
                        workflow_execution,
                        workflow_type,
                        initiated_event_id,
                        started_event_id,
                    },
                )
            }
            Attributes::WorkflowExecutionTimedOutEventAttributes(close) => {
                Attributes::ChildWorkflowExecutionTimedOutEventAttributes(
                    ChildWorkflowExecutionTimedOutEventAttributes {
                        retry_state: close.retry_state,
                        namespace,
                        namespace_id,
                        workflow_execution,
                        workflow_type,
                        initiated_event_id,
                        started_event_id,
                    },
                )
            }
            Attributes::WorkflowExecutionTerminatedEventAttributes(_) => {
                Attributes::ChildWorkflowExecutionTerminatedEventAttributes(
                    ChildWorkflowExecutionTerminatedEventAttributes {
                        namespace,
                        namespace_id,
                        workflow_execution,
                        workflow_type,
                        initiated_event_id,
                        started_event_id,
                    },
                )
            }
            _ => return None,
        })
    }
}
