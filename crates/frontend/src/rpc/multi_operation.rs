//! Several operations as one: a start with an update.

use api::workflowservice::v1::{
    ExecuteMultiOperationRequest, ExecuteMultiOperationResponse, StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse, UpdateWorkflowExecutionRequest,
    execute_multi_operation_request::{Operation, operation},
    execute_multi_operation_response::{Response, response},
};
use history::{
    Execution, StartRequest, UpdateRequest, UpdateWithStartError, UpdateWithStartOutcome,
    UpdateWithStartRequest,
};
use namespace::Namespace;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::{
        start::{start_link, start_request},
        update::{update_request, update_response},
    },
    validation::check_callbacks,
};

pub(crate) async fn execute_multi_operation(
    frontend: &Frontend,
    call: &Call,
    request: ExecuteMultiOperationRequest,
) -> ApiResult<ExecuteMultiOperationResponse> {
    let namespace = call.namespace()?;
    let (start, update) = start_and_update(request.operations)?;
    let start = check_start(frontend, namespace, start);
    let update = check_update(frontend, call, namespace, update);
    let (start, update) = match (start, update) {
        (Ok(start), Ok((execution, update))) => {
            if start.start.attributes.workflow_id != execution.workflow_id {
                let text = "WorkflowId is not consistent with previous operation(s).";
                return Err(multi_operation([aborted(), Some(ApiError::invalid(text))]));
            }
            (start, update)
        }
        (start, update) => {
            let errors = [start.err().or_else(aborted), update.err().or_else(aborted)];
            return Err(multi_operation(errors));
        }
    };
    let request_id = update.request.request_id.clone();
    let both = UpdateWithStartRequest { start, update };
    let outcome = frontend.history.update_with_start(&call.permit, namespace, both).await;
    let UpdateWithStartOutcome { started, status, update } = outcome.map_err(failed)?;
    call.reached(update.run.run_id);
    let run_id = update.run.run_id.to_string();
    let start = StartWorkflowExecutionResponse {
        first_execution_run_id: if started { run_id.clone() } else { String::new() },
        run_id,
        started,
        status: status as i32,
        link: Some(start_link(&namespace.name, &update.run)),
        ..StartWorkflowExecutionResponse::default()
    };
    let update = update_response(namespace, update, request_id);
    let responses =
        [response::Response::StartWorkflow(start), response::Response::UpdateWorkflow(update)];
    Ok(ExecuteMultiOperationResponse {
        responses: responses.map(|response| Response { response: Some(response) }).into(),
    })
}

/// Nothing else is supported.
fn start_and_update(
    operations: Vec<Operation>,
) -> ApiResult<(StartWorkflowExecutionRequest, UpdateWorkflowExecutionRequest)> {
    let mut operations = operations.into_iter().map(|operation| operation.operation);
    match (operations.next(), operations.next(), operations.next()) {
        (
            Some(Some(operation::Operation::StartWorkflow(start))),
            Some(Some(operation::Operation::UpdateWorkflow(update))),
            None,
        ) => Ok((start, update)),
        _ => Err(ApiError::invalid("Operations have to be exactly [Start, Update].")),
    }
}

fn check_start(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: StartWorkflowExecutionRequest,
) -> ApiResult<StartRequest> {
    check_namespace(&request.namespace, namespace)?;
    if !request.cron_schedule.is_empty() {
        return Err(ApiError::invalid("CronSchedule is not allowed."));
    }
    if request.request_eager_execution {
        return Err(ApiError::invalid("RequestEagerExecution is not supported."));
    }
    if request.workflow_start_delay.is_some_and(|delay| delay.seconds > 0 || delay.nanos > 0) {
        return Err(ApiError::invalid("WorkflowStartDelay is not supported."));
    }
    check_callbacks(&frontend.history, &mut request.completion_callbacks)?;
    start_request(frontend, namespace, request)
}

fn check_update(
    frontend: &Frontend,
    call: &Call,
    namespace: &Namespace,
    request: UpdateWorkflowExecutionRequest,
) -> ApiResult<(Execution, UpdateRequest)> {
    check_namespace(&request.namespace, namespace)?;
    let (execution, update) = update_request(frontend, call, namespace, request)?;
    if !update.first_execution_run_id.is_empty() {
        return Err(ApiError::invalid("FirstExecutionRunId is not allowed."));
    }
    if execution.run_id.is_some() {
        return Err(ApiError::invalid("RunId is not allowed."));
    }
    Ok((execution, update))
}

fn check_namespace(named: &str, namespace: &Namespace) -> ApiResult<()> {
    if named.is_empty() || named == namespace.name {
        return Ok(());
    }
    Err(ApiError::invalid("Operation namespace did not match request's namespace."))
}

fn failed(error: UpdateWithStartError) -> ApiError {
    multi_operation(match error {
        UpdateWithStartError::Start(error) => [Some(error.into()), aborted()],
        UpdateWithStartError::Update(error) => [aborted(), Some(error.into())],
        UpdateWithStartError::UpdateAfterStart(error) => [None, Some(error.into())],
    })
}

fn aborted() -> Option<ApiError> {
    Some(ApiError::operation_aborted())
}

fn multi_operation(errors: [Option<ApiError>; 2]) -> ApiError {
    ApiError::multi_operation("Update-with-Start could not be executed.", errors)
}
