//! What batch operations do to activities that no workflow runs.

use api::workflowservice::v1::start_batch_operation_request::Operation;
use batch_operation::Target;
use model::RunId;
use standalone_activity::{Input, Rejection, RequestCancel, StandaloneActivity, Terminate};

use super::EntityError;
use crate::{History, HistoryError, context::Caller};

/// What an operation asks of an activity; none when it is about workflows. Asked twice under one
/// request id, an activity does it once.
pub(super) fn input(operation: &Operation, request_id: String) -> Option<Input> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other operations are of workflows")]
    match operation {
        Operation::CancelActivitiesOperation(cancel) => Some(Input::RequestCancel(RequestCancel {
            request_id,
            identity: cancel.identity.clone(),
            reason: cancel.reason.clone(),
        })),
        Operation::TerminateActivitiesOperation(terminate) => Some(Input::Terminate(Terminate {
            request_id,
            identity: terminate.identity.clone(),
            reason: terminate.reason.clone(),
        })),
        Operation::DeleteActivitiesOperation(_) => Some(Input::Delete),
        _ => None,
    }
}

/// Operates on one activity; false when that fails. One that is gone needs nothing any more.
pub(super) async fn apply(
    history: &History,
    caller: &Caller,
    target: &Target,
    run_id: Option<RunId>,
    input: Input,
) -> Result<bool, HistoryError> {
    let asked = history.request_instance_for::<StandaloneActivity>(
        caller,
        &target.workflow_id,
        run_id,
        input,
    );
    match asked.await {
        Ok(_) | Err(EntityError::Rejected(Rejection::NotFound)) => Ok(true),
        Err(EntityError::Rejected(_) | EntityError::History(HistoryError::Damaged(_))) => Ok(false),
        Err(EntityError::History(error)) => Err(error),
    }
}
