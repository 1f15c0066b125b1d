//! Signals and requests to cancel that a workflow sends to others.

use std::str::FromStr as _;

use api::{
    common::v1::WorkflowExecution,
    enums::v1::{
        CancelExternalWorkflowExecutionFailedCause, SignalExternalWorkflowExecutionFailedCause,
    },
};
use engine::{Input, Outcome, Rejection, RequestCancel, Shared, Signal};
use model::RunId;

use super::{IDENTITY, Source};
use crate::{Execution, History, HistoryError};

/// Delivers a signal.
pub(super) async fn signal(
    history: &History,
    source: &Source,
    initiated_event_id: i64,
) -> Result<Option<Outcome>, HistoryError> {
    use SignalExternalWorkflowExecutionFailedCause as Cause;
    let Some(initiated) = source.state.external_signals.get(&initiated_event_id) else {
        return Ok(None);
    };
    let initiated = Shared::to_owned_message(initiated);
    let ended = |failed| Ok(Some(Outcome::ExternalSignal { initiated_event_id, failed }));
    let Some(target) = target(source, initiated.workflow_execution.as_ref()) else {
        return ended(Some(Cause::ExternalWorkflowExecutionNotFound));
    };
    let input = Input::Signal(Box::new(Signal {
        signal_name: initiated.signal_name,
        input: initiated.input,
        identity: IDENTITY.to_owned(),
        header: initiated.header,
        request_id: source.request_id(initiated_event_id).to_string(),
        external_workflow_execution: Some(source.execution()),
        only_child_of: initiated.child_workflow_only.then(|| source.execution()),
        links: Vec::new(),
    }));
    match history.apply_checked(&source.caller(), &target, "", input).await {
        Ok(_) => ended(None),
        Err(HistoryError::Rejected(rejection)) if is_absent(&rejection) => {
            ended(Some(Cause::ExternalWorkflowExecutionNotFound))
        }
        Err(HistoryError::Rejected(Rejection::InvalidArgument(_))) => {
            ended(Some(Cause::SignalCountLimitExceeded))
        }
        // A workflow that is about to close takes the signal, or has closed, a little later.
        Err(error) => Err(error),
    }
}

/// Delivers a request to cancel. One that comes too late has been fulfilled.
pub(super) async fn cancel(
    history: &History,
    source: &Source,
    initiated_event_id: i64,
) -> Result<Option<Outcome>, HistoryError> {
    use CancelExternalWorkflowExecutionFailedCause as Cause;
    let Some(initiated) = source.state.external_cancels.get(&initiated_event_id) else {
        return Ok(None);
    };
    let initiated = Shared::to_owned_message(initiated);
    let ended = |failed| Ok(Some(Outcome::ExternalCancel { initiated_event_id, failed }));
    let Some(target) = target(source, initiated.workflow_execution.as_ref()) else {
        return ended(Some(Cause::ExternalWorkflowExecutionNotFound));
    };
    let input = Input::RequestCancel(RequestCancel {
        reason: initiated.reason,
        identity: IDENTITY.to_owned(),
        external_initiated_event_id: initiated_event_id,
        external_workflow_execution: Some(source.execution()),
        only_child_of: initiated.child_workflow_only.then(|| source.execution()),
        links: Vec::new(),
    });
    match history.apply_checked(&source.caller(), &target, "", input).await {
        Ok(_) => ended(None),
        Err(HistoryError::Rejected(rejection)) if is_absent(&rejection) => {
            ended(Some(Cause::ExternalWorkflowExecutionNotFound))
        }
        Err(error) => Err(error),
    }
}

/// The run that is meant. A workflow does not find itself, whichever run it names.
fn target(source: &Source, execution: Option<&WorkflowExecution>) -> Option<Execution> {
    let execution = execution?;
    if execution.workflow_id == source.key.workflow.workflow_id {
        return None;
    }
    let run_id = match execution.run_id.as_str() {
        "" => None,
        named => Some(RunId::from_str(named).ok()?),
    };
    Some(Execution { workflow_id: execution.workflow_id.clone(), run_id })
}

fn is_absent(rejection: &Rejection) -> bool {
    matches!(
        rejection,
        Rejection::WorkflowNotFound { .. }
            | Rejection::RunNotFound { .. }
            | Rejection::ChainNotFound
            | Rejection::ParentMismatch
            | Rejection::WorkflowClosed
    )
}
