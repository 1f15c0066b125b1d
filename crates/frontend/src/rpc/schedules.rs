//! Schedules (fact sheet section 14).

mod list;
mod patch;

use std::sync::Arc;

use api::{
    common::v1::SearchAttributes,
    schedule::v1::{Schedule, ScheduleInfo, SchedulePatch, ScheduleSpec, schedule_action::Action},
    workflow::v1::NewWorkflowExecutionInfo,
    workflowservice::v1::{
        CreateScheduleRequest, CreateScheduleResponse, DeleteScheduleRequest,
        DeleteScheduleResponse, DescribeScheduleRequest, DescribeScheduleResponse,
        ListScheduleMatchingTimesRequest, ListScheduleMatchingTimesResponse, PatchScheduleRequest,
        PatchScheduleResponse, UpdateScheduleRequest, UpdateScheduleResponse,
    },
};
use bytes::Bytes;
use entity::{EntityKey, EntityKind};
use history::{EntityError, EntityView};
use model::Time;
use namespace::Namespace;
use prost::Message as _;
use schedule::{Create, FUTURE_TIMES_MAX, Input, Rejection, Reply, Update, WORKFLOW_ID_PREFIX};
use schedule_spec::Spec;

pub(crate) use self::list::{count_schedules, list_schedules};
use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::{
        check_blob, check_duration, check_length, check_memo, check_priority, normal_queue,
        typed_search_attributes,
    },
};

/// Longest note of a pause, in bytes.
const NOTES_BYTES_MAX: usize = 1000;

/// A time as it stands behind the id of a workflow that a schedule starts.
const APPENDED_TIME_BYTES: usize = "-2009-11-10T23:00:00Z".len();

pub(crate) async fn create_schedule(
    frontend: &Frontend,
    call: &Call,
    request: CreateScheduleRequest,
) -> ApiResult<CreateScheduleResponse> {
    let namespace = call.namespace()?;
    let limits = &namespace.limits;
    if request.schedule_id.is_empty() {
        return Err(no_id());
    }
    check_id_length(WORKFLOW_ID_PREFIX.len() + request.schedule_id.len(), namespace)?;
    if request.request_id.is_empty() {
        return Err(ApiError::invalid("RequestId is not set on request."));
    }
    check_length("RequestId", &request.request_id, limits)?;
    let schedule = checked(request.schedule.unwrap_or_default(), namespace)?;
    check_memo(request.memo.as_ref(), limits)?;
    let create = Create {
        schedule,
        initial_patch: request.initial_patch.map(|patch| at_present(patch, frontend)),
        request_id: request.request_id,
        memo: request.memo,
        search_attributes: typed_search_attributes(request.search_attributes, namespace)?,
    };
    let input = Input::Create(Box::new(create));
    let reply = apply(frontend, call, &request.schedule_id, input).await?;
    Ok(CreateScheduleResponse { conflict_token: token(reply.conflict_token) })
}

pub(crate) async fn update_schedule(
    frontend: &Frontend,
    call: &Call,
    request: UpdateScheduleRequest,
) -> ApiResult<UpdateScheduleResponse> {
    let namespace = call.namespace()?;
    check_length("RequestId", &request.request_id, &namespace.limits)?;
    let schedule = request.schedule.unwrap_or_default();
    if workflow(&schedule).is_none() {
        let text = "Only StartWorkflow action is supported for schedules";
        return Err(ApiError::invalid(text));
    }
    let schedule = checked(schedule, namespace)?;
    check_memo(request.memo.as_ref(), &namespace.limits)?;
    let conflict_token =
        request.conflict_token.first_chunk().map_or(0, |token| i64::from_be_bytes(*token));
    let update = Update {
        schedule,
        conflict_token,
        request_id: request.request_id,
        search_attributes: typed_search_attributes(request.search_attributes, namespace)?,
        memo: request.memo,
    };
    let input = Input::Update(Box::new(update));
    apply(frontend, call, &request.schedule_id, input).await?;
    Ok(UpdateScheduleResponse {})
}

pub(crate) async fn patch_schedule(
    frontend: &Frontend,
    call: &Call,
    request: PatchScheduleRequest,
) -> ApiResult<PatchScheduleResponse> {
    let namespace = call.namespace()?;
    let patch = request.patch.ok_or_else(|| ApiError::invalid("Patch is not set on request."))?;
    check_length("RequestId", &request.request_id, &namespace.limits)?;
    if patch.pause.len().max(patch.unpause.len()) > NOTES_BYTES_MAX {
        return Err(ApiError::invalid("Schedule notes exceeds limit."));
    }
    check_blob(Some(&patch), &namespace.limits)?;
    let patch = at_present(patch, frontend);
    patch::apply_patch(frontend, call, &request.schedule_id, patch, &request.request_id).await?;
    Ok(PatchScheduleResponse {})
}

/// An update with none takes all search attributes away: then there is nothing to describe.
fn is_not_empty(attributes: &SearchAttributes) -> bool {
    !attributes.indexed_fields.is_empty()
}

pub(crate) async fn delete_schedule(
    frontend: &Frontend,
    call: &Call,
    request: DeleteScheduleRequest,
) -> ApiResult<DeleteScheduleResponse> {
    apply(frontend, call, &request.schedule_id, Input::Delete).await?;
    Ok(DeleteScheduleResponse {})
}

pub(crate) async fn describe_schedule(
    frontend: &Frontend,
    call: &Call,
    request: DescribeScheduleRequest,
) -> ApiResult<DescribeScheduleResponse> {
    if request.schedule_id.is_empty() {
        return Err(no_id());
    }
    let view = read(frontend, call, &request.schedule_id).await?;
    let key = key(call.namespace()?, &request.schedule_id);
    let state = view.state().ok_or_else(|| not_found(&request.schedule_id))?;
    let mut schedule = state.schedule.clone().unwrap_or_default();
    schedule_spec::clean(schedule.spec.get_or_insert_default());
    let future = state.future_times(&key, FUTURE_TIMES_MAX);
    let info = ScheduleInfo {
        action_count: state.action_count,
        missed_catchup_window: state.missed_catchup_window,
        overlap_skipped: state.overlap_skipped,
        buffer_dropped: state.buffer_dropped,
        buffer_size: i64::try_from(state.buffered_starts.len()).unwrap_or(i64::MAX),
        running_workflows: state.running_workflows.clone(),
        recent_actions: state.recent_actions.clone(),
        future_action_times: future.into_iter().filter_map(Time::to_proto).collect(),
        create_time: state.create_time.to_proto(),
        update_time: state.update_time.to_proto(),
        state_size_bytes: i64::try_from(state.encoded_len()).unwrap_or(i64::MAX),
        ..ScheduleInfo::default()
    };
    Ok(DescribeScheduleResponse {
        schedule: Some(schedule),
        info: Some(info),
        memo: state.memo.clone(),
        search_attributes: state.search_attributes.clone().filter(is_not_empty),
        conflict_token: token(state.conflict_token),
    })
}

pub(crate) async fn list_schedule_matching_times(
    frontend: &Frontend,
    call: &Call,
    request: ListScheduleMatchingTimesRequest,
) -> ApiResult<ListScheduleMatchingTimesResponse> {
    let view = read(frontend, call, &request.schedule_id).await?;
    let state = view.state().ok_or_else(|| not_found(&request.schedule_id))?;
    let (Some(start), Some(end)) = (&request.start_time, &request.end_time) else {
        return Err(ApiError::query_failed("missing or invalid query", None));
    };
    let key = key(call.namespace()?, &request.schedule_id);
    let (start, end) = (Time::from_proto(Some(start)), Time::from_proto(Some(end)));
    let times = state.matching_times(&key, start, end);
    let start_time = times.into_iter().filter_map(Time::to_proto).collect();
    Ok(ListScheduleMatchingTimesResponse { start_time })
}

async fn apply(frontend: &Frontend, call: &Call, id: &str, input: Input) -> ApiResult<Reply> {
    let applied = ask(frontend, call, call.namespace()?, id, input).await;
    applied.map_err(|error| refusal(id, error))
}

async fn ask(
    frontend: &Frontend,
    call: &Call,
    namespace: &Arc<Namespace>,
    id: &str,
    input: Input,
) -> Result<Reply, EntityError<Rejection>> {
    frontend.history.request_entity::<schedule::Schedule>(&call.permit, namespace, id, input).await
}

fn refusal(id: &str, error: EntityError<Rejection>) -> ApiError {
    match error {
        EntityError::History(error) => error.into(),
        EntityError::Rejected(Rejection::NotFound) => not_found(id),
        EntityError::Rejected(Rejection::AlreadyExists) => ApiError::schedule_already_exists(id),
        EntityError::Rejected(rejection @ Rejection::Conflict) => {
            ApiError::precondition(rejection.to_string())
        }
        EntityError::Rejected(Rejection::Spec(error)) => bad_spec(&error),
    }
}

async fn read(
    frontend: &Frontend,
    call: &Call,
    id: &str,
) -> ApiResult<EntityView<schedule::Schedule>> {
    let found = frontend.history.read_entity(&call.permit, call.namespace()?, id).await?;
    found.ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found(format!("workflow not found for ID: {WORKFLOW_ID_PREFIX}{id}"))
}

fn no_id() -> ApiError {
    ApiError::invalid("Can't load workflow execution.  WorkflowId not set.")
}

fn bad_spec(error: &schedule_spec::SpecError) -> ApiError {
    ApiError::invalid(format!("Invalid schedule spec: {error}"))
}

fn key(namespace: &Namespace, id: &str) -> EntityKey {
    EntityKey { kind: EntityKind::Schedule, namespace_id: namespace.id, id: id.to_owned() }
}

fn token(number: i64) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

/// A trigger without a time means now, also when the request is repeated later.
fn at_present(mut patch: SchedulePatch, frontend: &Frontend) -> SchedulePatch {
    if let Some(trigger) = &mut patch.trigger_immediately
        && trigger.scheduled_time.is_none()
    {
        trigger.scheduled_time = frontend.now().to_proto();
    }
    patch
}

fn workflow(schedule: &Schedule) -> Option<&NewWorkflowExecutionInfo> {
    let Action::StartWorkflow(workflow) = schedule.action.as_ref()?.action.as_ref()?;
    Some(workflow)
}

/// Checks a schedule, and fills in what its parts leave open.
fn checked(mut schedule: Schedule, namespace: &Namespace) -> ApiResult<Schedule> {
    let spec = schedule.spec.take().unwrap_or_default();
    schedule.spec = Some(canonical(&spec)?);
    let action = schedule.action.as_mut().and_then(|action| action.action.take());
    if let Some(Action::StartWorkflow(workflow)) = action {
        let workflow = checked_workflow(workflow, namespace)?;
        let action = Action::StartWorkflow(workflow);
        schedule.action.get_or_insert_default().action = Some(action);
    }
    check_blob(Some(&schedule), &namespace.limits)?;
    Ok(schedule)
}

fn canonical(spec: &ScheduleSpec) -> ApiResult<ScheduleSpec> {
    Ok(Spec::new(spec).map_err(|error| bad_spec(&error))?.canonical().clone())
}

fn checked_workflow(
    workflow: NewWorkflowExecutionInfo,
    namespace: &Namespace,
) -> ApiResult<NewWorkflowExecutionInfo> {
    use api::enums::v1::WorkflowIdReusePolicy as Reuse;
    let limits = &namespace.limits;
    check_id_length(workflow.workflow_id.len() + APPENDED_TIME_BYTES, namespace)?;
    let type_name = workflow.workflow_type.as_ref().map_or("", |kind| kind.name.as_str());
    if type_name.is_empty() {
        return Err(ApiError::invalid("WorkflowType is not set on request."));
    }
    check_length("WorkflowType", type_name, limits)?;
    let task_queue = Some(normal_queue(workflow.task_queue.clone(), limits)?);
    for (field, duration) in [
        ("WorkflowExecutionTimeoutSeconds", &workflow.workflow_execution_timeout),
        ("WorkflowRunTimeoutSeconds", &workflow.workflow_run_timeout),
        ("WorkflowTaskTimeoutSeconds", &workflow.workflow_task_timeout),
    ] {
        check_duration(field, duration.as_ref())?;
    }
    if !workflow.cron_schedule.is_empty() {
        return Err(ApiError::invalid("Scheduled workflow must not contain CronSchedule"));
    }
    if !matches!(workflow.workflow_id_reuse_policy(), Reuse::Unspecified | Reuse::AllowDuplicate) {
        let text = "Scheduled workflow must not contain WorkflowIDReusePolicy";
        return Err(ApiError::invalid(text));
    }
    check_priority(workflow.priority.as_ref())?;
    check_blob(workflow.input.as_ref(), limits)?;
    check_memo(workflow.memo.as_ref(), limits)?;
    let search_attributes = typed_search_attributes(workflow.search_attributes.clone(), namespace)?;
    Ok(NewWorkflowExecutionInfo { task_queue, search_attributes, ..workflow })
}

fn check_id_length(length: usize, namespace: &Namespace) -> ApiResult<()> {
    let most = namespace.limits.id_length_max;
    if length <= most {
        return Ok(());
    }
    let text = format!("WorkflowId exceeds maximum allowed length ({length}/{most})");
    Err(ApiError::invalid(text))
}
