//! How lists show a batch operation.

use api::{
    common::v1::{Memo, Payload},
    enums::v1::{BatchOperationState, BatchOperationType, WorkflowExecutionStatus},
    workflowservice::v1::start_batch_operation_request::Operation,
};
use entity::{EntityKey, Listing};

use crate::State;

/// The namespace division of batch operations.
pub const DIVISION: &str = "TemporalBatcher";

/// The memo field with the [`operation_name`].
pub const TYPE_FIELD: &str = "batch_operation_type";

/// The operations with the names that their lists have for them.
const NAMES: [(BatchOperationType, &str); 12] = [
    (BatchOperationType::TerminateWorkflow, "terminate"),
    (BatchOperationType::CancelWorkflow, "cancel"),
    (BatchOperationType::SignalWorkflow, "signal"),
    (BatchOperationType::DeleteWorkflow, "delete"),
    (BatchOperationType::ResetWorkflow, "reset"),
    (BatchOperationType::UpdateWorkflowExecutionOptions, "update_options"),
    (BatchOperationType::UnpauseActivity, "unpause_activities"),
    (BatchOperationType::ResetActivity, "reset_activities"),
    (BatchOperationType::UpdateActivityOptions, "update_activity_options"),
    (BatchOperationType::CancelActivity, "cancel_activities"),
    (BatchOperationType::TerminateActivity, "terminate_activities"),
    (BatchOperationType::DeleteActivity, "delete_activities"),
];

/// The type of an operation.
pub const fn operation_type(operation: &Operation) -> BatchOperationType {
    match operation {
        Operation::TerminationOperation(_) => BatchOperationType::TerminateWorkflow,
        Operation::CancellationOperation(_) => BatchOperationType::CancelWorkflow,
        Operation::SignalOperation(_) => BatchOperationType::SignalWorkflow,
        Operation::DeletionOperation(_) => BatchOperationType::DeleteWorkflow,
        Operation::ResetOperation(_) => BatchOperationType::ResetWorkflow,
        Operation::UpdateWorkflowOptionsOperation(_) => {
            BatchOperationType::UpdateWorkflowExecutionOptions
        }
        Operation::UnpauseActivitiesOperation(_) => BatchOperationType::UnpauseActivity,
        Operation::ResetActivitiesOperation(_) => BatchOperationType::ResetActivity,
        Operation::UpdateActivityOptionsOperation(_) => BatchOperationType::UpdateActivityOptions,
        Operation::CancelActivitiesOperation(_) => BatchOperationType::CancelActivity,
        Operation::TerminateActivitiesOperation(_) => BatchOperationType::TerminateActivity,
        Operation::DeleteActivitiesOperation(_) => BatchOperationType::DeleteActivity,
    }
}

/// Whether an operation is about activities that no workflow runs; all others are about workflows.
pub const fn is_of_activities(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::CancelActivitiesOperation(_)
            | Operation::TerminateActivitiesOperation(_)
            | Operation::DeleteActivitiesOperation(_)
    )
}

/// The name of a type of operation in the memo.
pub fn operation_name(kind: BatchOperationType) -> &'static str {
    NAMES.into_iter().find(|(known, _)| *known == kind).map_or("", |(_, name)| name)
}

impl State {
    /// What it does.
    pub fn operation_type(&self) -> BatchOperationType {
        let operation = self.request.as_ref().and_then(|request| request.operation.as_ref());
        operation.map_or(BatchOperationType::Unspecified, operation_type)
    }

    /// Who began it, as the operation says.
    pub fn identity(&self) -> &str {
        let operation = self.request.as_ref().and_then(|request| request.operation.as_ref());
        match operation {
            Some(Operation::TerminationOperation(operation)) => &operation.identity,
            Some(Operation::CancellationOperation(operation)) => &operation.identity,
            Some(Operation::SignalOperation(operation)) => &operation.identity,
            Some(Operation::DeletionOperation(operation)) => &operation.identity,
            Some(Operation::ResetOperation(operation)) => &operation.identity,
            Some(Operation::UpdateWorkflowOptionsOperation(operation)) => &operation.identity,
            Some(Operation::UnpauseActivitiesOperation(operation)) => &operation.identity,
            Some(Operation::ResetActivitiesOperation(operation)) => &operation.identity,
            Some(Operation::UpdateActivityOptionsOperation(operation)) => &operation.identity,
            Some(Operation::CancelActivitiesOperation(operation)) => &operation.identity,
            Some(Operation::TerminateActivitiesOperation(operation)) => &operation.identity,
            Some(Operation::DeleteActivitiesOperation(_)) | None => "",
        }
    }
}

/// What the visibility index is told: when it begins and when it ends, not at each step.
pub(crate) fn listing(state: &State, key: &EntityKey) -> Listing {
    let request = state.request.clone().unwrap_or_default();
    let mut memo = Memo::default();
    let mut remember = |name: &str, json: serde_json::Value| {
        memo.fields.insert(name.to_owned(), payload(&json, None));
    };
    remember(TYPE_FIELD, operation_name(state.operation_type()).into());
    remember("batch_operation_reason", request.reason.into());
    if !request.visibility_query.is_empty() {
        remember("batch_operation_visibility_query", request.visibility_query.into());
    }
    if !state.is_open() {
        let stats = serde_json::json!({"NumSuccess": state.completed, "NumFailure": state.failed});
        remember("batch_operation_stats", stats);
    }
    let status = match state.status() {
        BatchOperationState::Unspecified | BatchOperationState::Running => {
            WorkflowExecutionStatus::Running
        }
        BatchOperationState::Completed => WorkflowExecutionStatus::Completed,
        BatchOperationState::Failed if state.stop_reason.is_empty() => {
            WorkflowExecutionStatus::Failed
        }
        BatchOperationState::Failed => WorkflowExecutionStatus::Terminated,
    };
    let user = payload(&state.identity().into(), Some("Keyword"));
    Listing {
        division: DIVISION,
        workflow_id: key.id.clone(),
        workflow_type: "temporal-sys-batch-workflow-protobuf".to_owned(),
        task_queue: "temporal-sys-per-ns-tq".to_owned(),
        status: status as i32,
        start_time: state.start_time(),
        close_time: state.close_time(),
        memo: Some(memo),
        search_attributes: [("BatcherUser".to_owned(), user)].into(),
        ..Listing::default()
    }
}

fn payload(json: &serde_json::Value, kind: Option<&'static str>) -> Payload {
    let mut metadata =
        std::collections::BTreeMap::from([("encoding".to_owned(), "json/plain".into())]);
    if let Some(kind) = kind {
        metadata.insert("type".to_owned(), kind.into());
    }
    Payload { metadata, data: json.to_string().into(), ..Payload::default() }
}
