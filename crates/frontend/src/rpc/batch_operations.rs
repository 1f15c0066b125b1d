//! Batch operations (fact sheet section 15).

use api::{
    batch::v1::{
        BatchOperationInfo, BatchOperationReset, BatchOperationUpdateActivityOptions,
        batch_operation_reset_activities, batch_operation_unpause_activities,
        batch_operation_update_activity_options,
    },
    common::v1::Execution,
    enums::v1::{
        BatchOperationState, BatchOperationType, ExecutionType, ResetType, ResourceExhaustedCause,
        ResourceExhaustedScope, WorkflowExecutionStatus,
    },
    errordetails::v1::WorkflowExecutionAlreadyStartedFailure,
    workflow::v1::post_reset_operation::Variant,
    workflowservice::v1::{
        DescribeBatchOperationRequest, DescribeBatchOperationResponse, ListBatchOperationsRequest,
        ListBatchOperationsResponse, StartBatchOperationRequest, StartBatchOperationResponse,
        StopBatchOperationRequest, StopBatchOperationResponse,
        start_batch_operation_request::Operation,
    },
};
use batch_operation::{
    BatchOperation, DIVISION, Input, OPEN_MAX, Rejection, Start, State, Stop, TYPE_FIELD,
    is_of_activities, operation_name,
};
use history::{EntityError, EntityView, activity_schema, batch_starter};
use model::Limits;
use namespace::Namespace;
use visibility::Record;
use visibility_query::{
    Comparison, Condition, Predicate, QueryError, Schema, SystemAttribute, Test, Value, parse,
};

use super::{
    visibility::{catch_up, failed},
    workflow_options::options_update,
};
use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    token::{open_page, seal_page},
    validation::{check_blob, check_length, snake_case},
};

/// Most executions that one request may name, as in the reference.
const EXECUTIONS_MAX: usize = 1000;

pub(crate) async fn start_batch_operation(
    frontend: &Frontend,
    call: &Call,
    mut request: StartBatchOperationRequest,
) -> ApiResult<StartBatchOperationResponse> {
    let namespace = call.namespace()?;
    check_job_id(&request.job_id)?;
    check_length("WorkflowId", &request.job_id, &namespace.limits)?;
    check(frontend, namespace, &request)?;
    check_blob(Some(&request), &namespace.limits)?;
    catch_up(frontend).await;
    let open = frontend.visibility.count(namespace.id, &open_batches()).await.map_err(failed)?;
    if open >= OPEN_MAX {
        return Err(ApiError::exhausted(
            ResourceExhaustedCause::ConcurrentLimit,
            ResourceExhaustedScope::Namespace,
            "Max concurrent batch operations is reached",
        ));
    }
    let job_id = request.job_id.clone();
    prepare(frontend, &mut request, &namespace.limits)?;
    let starter = batch_starter(call.permit.caller());
    let input = Input::Start(Box::new(Start { request, starter }));
    apply(frontend, call, &job_id, input).await?;
    Ok(StartBatchOperationResponse {})
}

pub(crate) async fn stop_batch_operation(
    frontend: &Frontend,
    call: &Call,
    request: StopBatchOperationRequest,
) -> ApiResult<StopBatchOperationResponse> {
    check_job_id(&request.job_id)?;
    if request.reason.is_empty() {
        return Err(ApiError::invalid("Reason is not set on request."));
    }
    let StopBatchOperationRequest { job_id, reason, identity, .. } = request;
    apply(frontend, call, &job_id, Input::Stop(Stop { reason, identity })).await?;
    Ok(StopBatchOperationResponse {})
}

pub(crate) async fn describe_batch_operation(
    frontend: &Frontend,
    call: &Call,
    request: DescribeBatchOperationRequest,
) -> ApiResult<DescribeBatchOperationResponse> {
    check_job_id(&request.job_id)?;
    let namespace = call.namespace()?;
    let view: Option<EntityView<BatchOperation>> =
        frontend.history.read_entity(&call.permit, namespace, &request.job_id).await?;
    let view = view.ok_or_else(|| not_found(&request.job_id))?;
    let state = view.state().ok_or_else(|| not_found(&request.job_id))?;
    Ok(description(request.job_id, state))
}

fn description(job_id: String, state: &State) -> DescribeBatchOperationResponse {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let asked = state.request.clone().unwrap_or_default();
    let kind = asked.operation.as_ref().map_or(ExecutionType::Workflow, target_type);
    let named = asked.executions.into_iter().map(|execution| Execution {
        r#type: kind as i32,
        business_id: execution.workflow_id,
        run_id: execution.run_id,
    });
    DescribeBatchOperationResponse {
        operation_type: state.operation_type() as i32,
        job_id,
        state: state.status,
        start_time: state.start_time().to_proto(),
        close_time: state.close_time().to_proto(),
        total_operation_count: number(state.total),
        complete_operation_count: number(state.completed),
        failure_operation_count: number(state.failed),
        identity: state.identity().to_owned(),
        reason: asked.reason,
        query: asked.visibility_query,
        executions: named.chain(asked.target_executions).collect(),
    }
}

pub(crate) async fn list_batch_operations(
    frontend: &Frontend,
    call: &Call,
    request: ListBatchOperationsRequest,
) -> ApiResult<ListBatchOperationsResponse> {
    let namespace = call.namespace()?;
    catch_up(frontend).await;
    let page_size = usize::try_from(request.page_size).unwrap_or(0);
    let keys = frontend.token_keys();
    let token = open_page(keys, namespace.id, &request.next_page_token)?;
    let page = frontend
        .visibility
        .list(namespace.id, &batches(), page_size, token)
        .await
        .map_err(failed)?;
    Ok(ListBatchOperationsResponse {
        next_page_token: seal_page(keys, namespace.id, &page.next_page_token),
        operation_info: page.records.into_iter().map(info).collect(),
    })
}

fn info(record: Record) -> BatchOperationInfo {
    let name = record.memo.as_ref().and_then(|memo| memo.fields.get(TYPE_FIELD));
    let name: Option<String> = name.and_then(|name| serde_json::from_slice(&name.data).ok());
    let numbers = 0..=i32::from(u8::MAX);
    let kind = numbers
        .filter_map(|number| BatchOperationType::try_from(number).ok())
        .find(|kind| name.as_deref().is_some_and(|name| name == operation_name(*kind)));
    let state = match WorkflowExecutionStatus::try_from(record.status) {
        Ok(WorkflowExecutionStatus::Running) => BatchOperationState::Running,
        Ok(WorkflowExecutionStatus::Completed) => BatchOperationState::Completed,
        _ => BatchOperationState::Failed,
    };
    BatchOperationInfo {
        job_id: record.workflow_id,
        state: state as i32,
        start_time: record.start_time.to_proto(),
        close_time: record.close_time.to_proto(),
        operation_type: kind.unwrap_or_default() as i32,
    }
}

/// The batch operations of a namespace.
fn batches() -> Predicate {
    condition(SystemAttribute::TemporalNamespaceDivision, Value::String(DIVISION.to_owned()))
}

fn open_batches() -> Predicate {
    let running = i64::from(WorkflowExecutionStatus::Running as i32);
    let open = condition(SystemAttribute::ExecutionStatus, Value::Int(running));
    Predicate::all([batches(), open])
}

fn condition(attribute: SystemAttribute, value: Value) -> Predicate {
    let test = Test::Compare(Comparison::Equal, value);
    Predicate::Condition(Condition { attribute: attribute.into(), test })
}

async fn apply(frontend: &Frontend, call: &Call, job_id: &str, input: Input) -> ApiResult<()> {
    let namespace = call.namespace()?;
    let applied = frontend
        .history
        .request_entity::<BatchOperation>(&call.permit, namespace, job_id, input)
        .await;
    match applied {
        Ok(()) => Ok(()),
        Err(EntityError::History(error)) => Err(error.into()),
        Err(EntityError::Rejected(rejection)) => Err(refusal(job_id, &rejection)),
    }
}

/// In the reference a batch operation is a workflow with the job's id; so are the texts.
fn refusal(job_id: &str, rejection: &Rejection) -> ApiError {
    match rejection {
        Rejection::NotFound => not_found(job_id),
        Rejection::Closed => ApiError::not_found("workflow execution already completed"),
        Rejection::AlreadyStarted { instance, is_open } => {
            let message = if *is_open {
                format!(
                    "Workflow execution is already running. WorkflowId: {job_id}, RunId: {instance}."
                )
            } else {
                format!(
                    "Workflow execution already finished. WorkflowId: {job_id}, RunId: {instance}. \
                     Workflow Id reuse policy: reject duplicate workflow Id."
                )
            };
            let failure = WorkflowExecutionAlreadyStartedFailure {
                run_id: instance.clone(),
                ..WorkflowExecutionAlreadyStartedFailure::default()
            };
            ApiError::already_started(message, &failure)
        }
    }
}

fn not_found(job_id: &str) -> ApiError {
    ApiError::not_found(format!("workflow not found for ID: {job_id}"))
}

fn check_job_id(job_id: &str) -> ApiResult<()> {
    if job_id.is_empty() {
        return Err(ApiError::invalid("JobId is not set on request."));
    }
    Ok(())
}

fn check(
    frontend: &Frontend,
    namespace: &Namespace,
    request: &StartBatchOperationRequest,
) -> ApiResult<()> {
    let sources = [
        !request.visibility_query.is_empty(),
        !request.executions.is_empty(),
        !request.target_executions.is_empty(),
    ];
    let sources = sources.into_iter().filter(|given| *given).count();
    let Some(operation) =
        request.operation.as_ref().filter(|_| sources > 0 && !request.reason.is_empty())
    else {
        return Err(ApiError::invalid(
            "must provide required parameters: BatchType,Reason,Namespace, AND one of (Query OR \
             Executions OR TargetExecutions)",
        ));
    };
    if sources > 1 {
        return Err(ApiError::invalid(
            "visibility query, executions, and target executions are mutually exclusive",
        ));
    }
    if request.executions.len().max(request.target_executions.len()) > EXECUTIONS_MAX {
        let text = format!("batch executions count exceeds limit {EXECUTIONS_MAX}");
        return Err(ApiError::invalid(text));
    }
    let expected = target_type(operation);
    let other = request.target_executions.iter().enumerate();
    let mut other = other.filter(|(_, target)| target.r#type() != expected);
    if let Some((index, target)) = other.next() {
        return Err(ApiError::invalid(format!(
            "target_executions[{index}] has type {}, but operation \
             *workflowservice.StartBatchOperationRequest_{} requires {}",
            type_name(target.r#type()),
            go_name(operation),
            type_name(expected),
        )));
    }
    check_operation(operation)?;
    if request.visibility_query.is_empty() {
        return Ok(());
    }
    let mut schema = namespace.schema.clone();
    if is_of_activities(operation) {
        schema = activity_schema(schema);
    }
    check_query(frontend, &schema, &request.visibility_query)
}

/// What an operation is about.
const fn target_type(operation: &Operation) -> ExecutionType {
    if is_of_activities(operation) { ExecutionType::Activity } else { ExecutionType::Workflow }
}

const fn type_name(kind: ExecutionType) -> &'static str {
    match kind {
        ExecutionType::Unspecified => "Unspecified",
        ExecutionType::Workflow => "Workflow",
        ExecutionType::Activity => "Activity",
        ExecutionType::NexusOperation => "NexusOperation",
    }
}

/// A query that will never run is refused before anything is done.
fn check_query(frontend: &Frontend, schema: &Schema, query: &str) -> ApiResult<()> {
    let refused =
        |text: String| Err(ApiError::invalid(format!("invalid visibility query: {text}")));
    match parse(query, schema, frontend.now()) {
        Ok(parsed) if parsed.group_by.is_some() => {
            refused("operation is not supported: 'GROUP BY' clause".to_owned())
        }
        Ok(parsed) if !parsed.order_by.is_empty() => {
            refused("operation is not supported: 'ORDER BY' clause".to_owned())
        }
        Ok(_) => Ok(()),
        // The reference reads it as a query of another table, whose name is a letter shorter.
        Err(QueryError::Malformed { position, near }) => {
            let near = if near.is_empty() { near } else { format!(" near '{near}'") };
            refused(format!("syntax error at position {}{near}", position.saturating_sub(1)))
        }
        Err(error) => {
            let text = error.to_string();
            refused(text.strip_prefix("invalid query: ").unwrap_or(&text).to_owned())
        }
    }
}

fn check_operation(operation: &Operation) -> ApiResult<()> {
    match operation {
        Operation::TerminationOperation(_)
        | Operation::CancellationOperation(_)
        | Operation::DeletionOperation(_) => Ok(()),
        Operation::SignalOperation(signal) if signal.signal.is_empty() => {
            Err(ApiError::invalid("must provide signal name"))
        }
        Operation::SignalOperation(_) => Ok(()),
        Operation::ResetOperation(reset) => check_reset(reset),
        Operation::UpdateWorkflowOptionsOperation(update) => {
            if update.workflow_execution_options.is_none() {
                return Err(ApiError::invalid("must provide UpdateOptions"));
            }
            if update.update_mask.is_none() {
                return Err(ApiError::invalid("must provide UpdateMask"));
            }
            Ok(())
        }
        Operation::UnpauseActivitiesOperation(unpause) => {
            use batch_operation_unpause_activities::Activity;
            match &unpause.activity {
                None => Err(ApiError::invalid("activity filter must be set")),
                Some(Activity::Type(name)) if name.is_empty() => Err(nothing_selected()),
                Some(Activity::MatchAll(false)) => Err(nothing_selected()),
                Some(_) => Ok(()),
            }
        }
        Operation::ResetActivitiesOperation(reset) => {
            use batch_operation_reset_activities::Activity;
            match &reset.activity {
                None => Err(ApiError::invalid("must provide ActivityType or MatchAll")),
                Some(Activity::Type(name)) if name.is_empty() => Err(nothing_selected()),
                Some(Activity::MatchAll(false)) => Err(nothing_selected()),
                Some(_) => Ok(()),
            }
        }
        Operation::UpdateActivityOptionsOperation(update) => check_activity_options(update),
        Operation::CancelActivitiesOperation(_)
        | Operation::TerminateActivitiesOperation(_)
        | Operation::DeleteActivitiesOperation(_) => Ok(()),
    }
}

fn check_reset(reset: &BatchOperationReset) -> ApiResult<()> {
    match &reset.options {
        Some(options) if options.target.is_none() => {
            Err(ApiError::invalid("batch reset missing target"))
        }
        Some(_) => Ok(()),
        None if reset.reset_type() == ResetType::Unspecified => {
            let text = match ResetType::try_from(reset.reset_type) {
                Ok(_) => "Unspecified".to_owned(),
                Err(_) => reset.reset_type.to_string(),
            };
            Err(ApiError::invalid(format!("unknown batch reset type {text}")))
        }
        None => Ok(()),
    }
}

fn check_activity_options(update: &BatchOperationUpdateActivityOptions) -> ApiResult<()> {
    use batch_operation_update_activity_options::Activity;
    match (&update.activity_options, update.restore_original) {
        (Some(_), true) => {
            let text = "cannot set both activity options and restore original";
            return Err(ApiError::invalid(text));
        }
        (None, false) => {
            return Err(ApiError::invalid(
                "Either activity type must be set, or restore original should be set to true",
            ));
        }
        _ => {}
    }
    match &update.activity {
        Some(Activity::Type(name)) if name.is_empty() => Err(nothing_selected()),
        Some(Activity::MatchAll(false)) => Err(nothing_selected()),
        _ => Ok(()),
    }
}

fn nothing_selected() -> ApiError {
    ApiError::invalid("Either activity type must be set, or match all should be set to true")
}

/// Writes the operation the way it is carried out.
fn prepare(
    frontend: &Frontend,
    request: &mut StartBatchOperationRequest,
    limits: &Limits,
) -> ApiResult<()> {
    use batch_operation_unpause_activities::Activity;
    match &mut request.operation {
        Some(Operation::ResetOperation(reset)) => {
            for operation in &mut reset.post_reset_operations {
                if let Some(Variant::UpdateWorkflowOptions(update)) = &mut operation.variant {
                    let options = update.workflow_execution_options.take().unwrap_or_default();
                    let mask = update.update_mask.clone().unwrap_or_default();
                    let checked = options_update(frontend, options, mask, String::new(), limits)?;
                    update.workflow_execution_options = Some(checked.options);
                }
            }
        }
        Some(Operation::UpdateWorkflowOptionsOperation(update)) => {
            let options = update.workflow_execution_options.take().unwrap_or_default();
            let mask = update.update_mask.clone().unwrap_or_default();
            let checked = options_update(frontend, options, mask, String::new(), limits)?;
            update.workflow_execution_options = Some(checked.options);
        }
        Some(Operation::UpdateActivityOptionsOperation(update)) => {
            for path in update.update_mask.iter_mut().flat_map(|mask| &mut mask.paths) {
                *path = snake_case(path);
            }
        }
        // The runs are found by what is paused in them, whatever the query says.
        Some(Operation::UnpauseActivitiesOperation(unpause))
            if !request.visibility_query.is_empty() =>
        {
            if let Some(Activity::Type(name)) = &unpause.activity {
                let name = name.replace('\\', "\\\\").replace('\'', "\\'");
                request.visibility_query =
                    format!("TemporalPauseInfo = 'property:activityType={name}'");
            }
        }
        _ => {}
    }
    Ok(())
}

/// What the reference calls an operation in the text about wrong targets.
const fn go_name(operation: &Operation) -> &'static str {
    match operation {
        Operation::TerminationOperation(_) => "TerminationOperation",
        Operation::SignalOperation(_) => "SignalOperation",
        Operation::CancellationOperation(_) => "CancellationOperation",
        Operation::DeletionOperation(_) => "DeletionOperation",
        Operation::ResetOperation(_) => "ResetOperation",
        Operation::UpdateWorkflowOptionsOperation(_) => "UpdateWorkflowOptionsOperation",
        Operation::UnpauseActivitiesOperation(_) => "UnpauseActivitiesOperation",
        Operation::ResetActivitiesOperation(_) => "ResetActivitiesOperation",
        Operation::UpdateActivityOptionsOperation(_) => "UpdateActivityOptionsOperation",
        Operation::CancelActivitiesOperation(_) => "CancelActivitiesOperation",
        Operation::TerminateActivitiesOperation(_) => "TerminateActivitiesOperation",
        Operation::DeleteActivitiesOperation(_) => "DeleteActivitiesOperation",
    }
}
