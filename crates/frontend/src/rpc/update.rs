//! Updates.

use api::{
    common::v1::{
        Link,
        link::{self, WorkflowEvent, workflow_event::RequestIdReference},
    },
    enums::v1::{EventType, UpdateWorkflowExecutionLifecycleStage as Stage},
    update::v1::{Outcome, UpdateRef, outcome},
    workflowservice::v1::{
        PollWorkflowExecutionUpdateRequest, PollWorkflowExecutionUpdateResponse,
        UpdateWorkflowExecutionRequest, UpdateWorkflowExecutionResponse,
    },
};
use history::{Execution, RunKey, UpdateRequest, UpdateStage, UpdateStatus};
use namespace::Namespace;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::{check_callbacks, check_link_count, execution},
};

pub(crate) async fn update_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: UpdateWorkflowExecutionRequest,
) -> ApiResult<UpdateWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let (execution, request) = update_request(frontend, call, namespace, request)?;
    let request_id = request.request.request_id.clone();
    let updated =
        frontend.history.update_workflow(&call.permit, namespace, &execution, request).await?;
    call.reached(updated.run.run_id);
    Ok(update_response(namespace, updated, request_id))
}

pub(crate) async fn poll_workflow_execution_update(
    frontend: &Frontend,
    call: &Call,
    request: PollWorkflowExecutionUpdateRequest,
) -> ApiResult<PollWorkflowExecutionUpdateResponse> {
    let namespace = call.namespace()?;
    let Some(update_ref) = request.update_ref else {
        return Err(ApiError::invalid("UpdateRef is not set on request."));
    };
    let named = update_ref.workflow_execution.unwrap_or_default();
    if named.workflow_id.is_empty() {
        return Err(ApiError::invalid("Can't load workflow execution.  WorkflowId not set."));
    }
    let execution = execution(Some(named))?;
    let wait_stage = match request.wait_policy.unwrap_or_default().lifecycle_stage() {
        Stage::Unspecified => None,
        Stage::Admitted => Some(UpdateStage::Admitted),
        Stage::Accepted => Some(UpdateStage::Accepted),
        Stage::Completed => Some(UpdateStage::Completed),
    };
    let deadline = call.timeout.map(|timeout| call.received + timeout);
    let UpdateStatus { run, update_id, stage, outcome } = frontend
        .history
        .poll_update(
            &call.permit,
            namespace,
            &execution,
            &update_ref.update_id,
            wait_stage,
            deadline,
        )
        .await?;
    Ok(PollWorkflowExecutionUpdateResponse {
        outcome,
        stage: lifecycle_stage(stage) as i32,
        update_ref: Some(self::update_ref(&run, update_id)),
    })
}

/// Checks a request in the reference's order.
pub(crate) fn update_request(
    frontend: &Frontend,
    call: &Call,
    namespace: &Namespace,
    request: UpdateWorkflowExecutionRequest,
) -> ApiResult<(Execution, UpdateRequest)> {
    let execution = execution(request.workflow_execution)?;
    let mut update = request.request.unwrap_or_default();
    let Some(meta) = &mut update.meta else {
        return Err(ApiError::invalid("Update meta is not set on request."));
    };
    if meta.update_id.len() > namespace.limits.id_length_max {
        return Err(ApiError::invalid("UpdateId length exceeds limit."));
    }
    meta.update_id = frontend.request_id(std::mem::take(&mut meta.update_id));
    let Some(input) = &update.input else {
        return Err(ApiError::invalid("Update input is not set on request."));
    };
    if input.name.is_empty() {
        return Err(ApiError::invalid("Update name is not set on request."));
    }
    let wait_stage = match request.wait_policy.unwrap_or_default().lifecycle_stage() {
        Stage::Unspecified | Stage::Completed => UpdateStage::Completed,
        Stage::Accepted => UpdateStage::Accepted,
        Stage::Admitted => {
            return Err(ApiError::disabled(
                "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is \
                 not supported.",
            ));
        }
    };
    check_callbacks(&frontend.history, &mut update.completion_callbacks)?;
    if !update.completion_callbacks.is_empty() && update.request_id.is_empty() {
        return Err(ApiError::invalid(
            "invalid *update.Request: request_id is required when completion_callbacks are set",
        ));
    }
    check_link_count(update.links.len())?;
    let deadline = call.timeout.map(|timeout| call.received + timeout);
    let first_execution_run_id = request.first_execution_run_id;
    Ok((execution, UpdateRequest { request: update, first_execution_run_id, wait_stage, deadline }))
}

/// What the caller is told of an update.
pub(crate) fn update_response(
    namespace: &Namespace,
    status: UpdateStatus,
    request_id: String,
) -> UpdateWorkflowExecutionResponse {
    let UpdateStatus { run, update_id, stage, outcome } = status;
    UpdateWorkflowExecutionResponse {
        link: update_link(&namespace.name, &run, stage, outcome.as_ref(), request_id),
        update_ref: Some(update_ref(&run, update_id)),
        stage: lifecycle_stage(stage) as i32,
        outcome,
    }
}

/// A link to the event of the acceptance, or to the run of an update that failed: that one may
/// have no event.
fn update_link(
    namespace: &str,
    run: &RunKey,
    stage: UpdateStage,
    outcome: Option<&Outcome>,
    request_id: String,
) -> Option<Link> {
    let failed =
        outcome.is_some_and(|outcome| matches!(outcome.value, Some(outcome::Value::Failure(_))));
    let (namespace, run_id) = (namespace.to_owned(), run.run_id.to_string());
    let workflow_id = run.workflow.workflow_id.clone();
    let variant = match stage {
        UpdateStage::Admitted => return None,
        UpdateStage::Completed if failed => link::Variant::Workflow(link::Workflow {
            namespace,
            workflow_id,
            run_id,
            reason: "Update rejected".to_owned(),
        }),
        UpdateStage::Accepted | UpdateStage::Completed => {
            let event_type = EventType::WorkflowExecutionUpdateAccepted as i32;
            let reference = RequestIdReference { request_id, event_type };
            link::Variant::WorkflowEvent(WorkflowEvent {
                namespace,
                workflow_id,
                run_id,
                reference: Some(link::workflow_event::Reference::RequestIdRef(reference)),
            })
        }
    };
    Some(Link { variant: Some(variant) })
}

fn update_ref(run: &RunKey, update_id: String) -> UpdateRef {
    UpdateRef { workflow_execution: Some(run.to_execution()), update_id }
}

const fn lifecycle_stage(stage: UpdateStage) -> Stage {
    match stage {
        UpdateStage::Admitted => Stage::Admitted,
        UpdateStage::Accepted => Stage::Accepted,
        UpdateStage::Completed => Stage::Completed,
    }
}
