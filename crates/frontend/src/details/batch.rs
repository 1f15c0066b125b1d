//! What a batch operation does, to whom.

use api::workflowservice::v1::{
    StartBatchOperationRequest, start_batch_operation_request::Operation,
};
use authz::{Details, Part};
use batch_operation::is_of_activities;

use super::{
    after_reset,
    methods::{
        CANCEL, CANCEL_ACTIVITY, DELETE, DELETE_ACTIVITY, OPTIONS, RESET, RESET_ACTIVITY, SIGNAL,
        TERMINATE, TERMINATE_ACTIVITY, UNPAUSE, UPDATE_ACTIVITY,
    },
};

/// Most executions that are looked at: a request that names more is refused.
const EXECUTIONS_MAX: usize = 1000;

/// The name of the signal that is sent, if one is.
pub(super) fn signal_name(request: &StartBatchOperationRequest) -> &str {
    match &request.operation {
        Some(Operation::SignalOperation(signal)) => &signal.signal,
        Some(_) | None => "",
    }
}

/// The operation on each execution that is named, or once when a query finds them.
pub(super) fn parts(request: &StartBatchOperationRequest) -> Vec<Part<'_>> {
    let of_workflows = request.executions.iter().map(|execution| &execution.workflow_id);
    let of_any = request.target_executions.iter().map(|target| &target.business_id);
    let mut ids: Vec<&str> =
        of_workflows.chain(of_any).take(EXECUTIONS_MAX).map(String::as_str).collect();
    if ids.is_empty() {
        ids.push("");
    }
    ids.into_iter().flat_map(|id| of_member(request, id)).collect()
}

/// The operation on one execution.
pub(crate) fn of_member<'a>(request: &'a StartBatchOperationRequest, id: &'a str) -> Vec<Part<'a>> {
    let Some(operation) = &request.operation else { return Vec::new() };
    let (workflow_id, activity_id) = if is_of_activities(operation) { ("", id) } else { (id, "") };
    let signal_name = signal_name(request);
    let details = Details { workflow_id, activity_id, signal_name, ..Details::default() };
    let mut parts = vec![Part { rpc: rpc(operation), details }];
    if let Operation::ResetOperation(reset) = operation {
        parts.extend(after_reset(&reset.post_reset_operations, workflow_id));
    }
    parts
}

const fn rpc(operation: &Operation) -> &'static str {
    match operation {
        Operation::TerminationOperation(_) => TERMINATE,
        Operation::CancellationOperation(_) => CANCEL,
        Operation::SignalOperation(_) => SIGNAL,
        Operation::DeletionOperation(_) => DELETE,
        Operation::ResetOperation(_) => RESET,
        Operation::UpdateWorkflowOptionsOperation(_) => OPTIONS,
        Operation::UnpauseActivitiesOperation(_) => UNPAUSE,
        Operation::ResetActivitiesOperation(_) => RESET_ACTIVITY,
        Operation::UpdateActivityOptionsOperation(_) => UPDATE_ACTIVITY,
        Operation::CancelActivitiesOperation(_) => CANCEL_ACTIVITY,
        Operation::TerminateActivitiesOperation(_) => TERMINATE_ACTIVITY,
        Operation::DeleteActivitiesOperation(_) => DELETE_ACTIVITY,
    }
}
