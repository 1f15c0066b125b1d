//! Starts of activities that no workflow runs.

use api::{
    common::v1::{
        Link, SearchAttributes,
        link::{Activity, Variant},
    },
    enums::v1::{ActivityIdConflictPolicy, ActivityIdReusePolicy},
    history::v1::ActivityTaskScheduledEventAttributes,
    sdk::v1::UserMetadata,
    workflowservice::v1::{StartActivityExecutionRequest, StartActivityExecutionResponse},
};
use engine::{normalize_activity_timeouts, normalize_retry_policy, validate_retry_policy};
use model::Span;
use prost::Message as _;
use prost_types::Duration;
use standalone_activity::{Input, Reply, Start};

use super::{Named, check_id_length};
use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::{
        check_callbacks, check_links, check_priority, normal_queue, typed_search_attributes,
    },
};

pub(crate) async fn start_activity_execution(
    frontend: &Frontend,
    call: &Call,
    request: StartActivityExecutionRequest,
) -> ApiResult<StartActivityExecutionResponse> {
    let activity_id = request.activity_id.clone();
    let start = checked(frontend, call, request)?;
    let named = Named::known(activity_id.clone(), None);
    let reply = named.ask(frontend, call, Input::Start(Box::new(start))).await?;
    let Reply::Started { instance, is_new } = reply else {
        return Err(ApiError::internal(&"a start was answered as something else"));
    };
    call.reached(instance);
    let run_id = instance.to_string();
    let namespace = call.namespace()?.name.clone();
    let link = Activity { namespace, activity_id, run_id: run_id.clone() };
    Ok(StartActivityExecutionResponse {
        run_id,
        started: is_new,
        link: Some(Link { variant: Some(Variant::Activity(link)) }),
    })
}

/// Checks a start in the reference's order, and fills in what it leaves open.
fn checked(
    frontend: &Frontend,
    call: &Call,
    request: StartActivityExecutionRequest,
) -> ApiResult<Start> {
    let namespace = call.namespace()?;
    let limits = &namespace.limits;
    let (reuse, conflict) = (request.id_reuse_policy, request.id_conflict_policy);
    let request_id = frontend.request_id(request.request_id);
    check_timeout("StartDelay", request.start_delay.as_ref())?;
    let task_queue = Some(normal_queue(request.task_queue, limits)?);
    let name = |kind: &Option<api::common::v1::ActivityType>| {
        kind.as_ref().map(|kind| kind.name.clone()).unwrap_or_default()
    };
    let type_name = name(&request.activity_type);
    if request.activity_id.is_empty() {
        return Err(ApiError::invalid("activityId is not set"));
    }
    if type_name.is_empty() {
        return Err(ApiError::invalid("activityType is not set"));
    }
    let mut retry_policy = request.retry_policy.unwrap_or_default();
    normalize_retry_policy(&mut retry_policy);
    validate_retry_policy(&retry_policy).map_err(ApiError::invalid)?;
    check_id_length(call, "activityId", &request.activity_id)?;
    check_id_length(call, "activityType", &type_name)?;
    check_priority(request.priority.as_ref())
        .map_err(|error| error.prefixed("invalid priorities: "))?;
    for (field, duration) in [
        ("ScheduleToCloseTimeout", &request.schedule_to_close_timeout),
        ("ScheduleToStartTimeout", &request.schedule_to_start_timeout),
        ("StartToCloseTimeout", &request.start_to_close_timeout),
        ("HeartbeatTimeout", &request.heartbeat_timeout),
    ] {
        check_timeout(field, duration.as_ref())?;
    }
    let mut scheduled = ActivityTaskScheduledEventAttributes {
        activity_id: request.activity_id,
        activity_type: request.activity_type,
        task_queue,
        header: request.header,
        input: request.input,
        schedule_to_close_timeout: request.schedule_to_close_timeout,
        schedule_to_start_timeout: request.schedule_to_start_timeout,
        start_to_close_timeout: request.start_to_close_timeout,
        heartbeat_timeout: request.heartbeat_timeout,
        retry_policy: Some(retry_policy),
        priority: request.priority,
        ..ActivityTaskScheduledEventAttributes::default()
    };
    normalize_activity_timeouts(&mut scheduled, Span::ZERO).map_err(ApiError::invalid)?;
    check_id_length(call, "request ID", &request_id)?;
    check_id_length(call, "identity", &request.identity)?;
    if scheduled.input.as_ref().is_some_and(|input| input.encoded_len() > limits.blob_bytes_max) {
        return Err(ApiError::invalid("input exceeds length limit"));
    }
    check_user_metadata(call, request.user_metadata.as_ref())?;
    let untyped_attributes = untyped(request.search_attributes.as_ref());
    let search_attributes = typed_search_attributes(request.search_attributes, namespace)?;
    let mut callbacks = request.completion_callbacks;
    check_callbacks(&frontend.history, &mut callbacks)?;
    check_links(&request.links)?;
    let options = request.on_conflict_options.unwrap_or_default();
    if options.attach_completion_callbacks && !options.attach_request_id {
        return Err(ApiError::invalid(
            "on_conflict_options: attach_completion_callbacks requires attach_request_id to be set",
        ));
    }
    let brings_nothing = callbacks.is_empty() && request.links.is_empty();
    if options.attach_request_id && brings_nothing {
        return Err(ApiError::invalid(
            "on_conflict_options: attach_request_id requires at least one completion callback or \
             link",
        ));
    }
    let reuse = ActivityIdReusePolicy::try_from(reuse)
        .map_err(|_| ApiError::invalid(format!("unsupported ID reuse policy: {reuse}")))?;
    let conflict = ActivityIdConflictPolicy::try_from(conflict)
        .map_err(|_| ApiError::invalid(format!("unsupported ID conflict policy: {conflict}")))?;
    Ok(Start {
        request_id,
        scheduled,
        start_delay: request.start_delay,
        search_attributes,
        untyped_attributes,
        user_metadata: request.user_metadata,
        callbacks,
        links: request.links,
        reuse,
        conflict,
        attaches_callbacks: options.attach_completion_callbacks,
        attaches_links: options.attach_links,
    })
}

/// The search attributes that say nothing of their types.
pub(crate) fn untyped(attributes: Option<&SearchAttributes>) -> Vec<String> {
    let given = attributes.into_iter().flat_map(|attributes| &attributes.indexed_fields);
    given
        .filter(|(_, value)| !value.metadata.contains_key("type"))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Refuses a duration that is none.
pub(crate) fn check_timeout(field: &str, duration: Option<&Duration>) -> ApiResult<()> {
    let Some(Duration { seconds, nanos }) = duration else { return Ok(()) };
    let cause = if (*seconds > 0 && *nanos < 0) || (*seconds < 0 && *nanos > 0) {
        "mismatched sign of seconds and nanos"
    } else if *seconds < 0 || *nanos < 0 {
        "negative duration"
    } else {
        return Ok(());
    };
    Err(ApiError::invalid(format!("invalid {field}: {cause}")))
}

/// Refuses texts for people that are too long.
pub(crate) fn check_user_metadata(call: &Call, metadata: Option<&UserMetadata>) -> ApiResult<()> {
    let Some(metadata) = metadata else { return Ok(()) };
    let limits = &call.namespace()?.limits;
    let size = |payload: &Option<api::common::v1::Payload>| {
        payload.as_ref().map_or(0, |payload| payload.encoded_len())
    };
    for (field, length, limit) in [
        ("summary", size(&metadata.summary), limits.user_metadata_summary_bytes_max),
        ("details", size(&metadata.details), limits.user_metadata_details_bytes_max),
    ] {
        if length > limit {
            return Err(ApiError::invalid(format!(
                "user_metadata.{field} exceeds size limit. Length={length} Limit={limit}"
            )));
        }
    }
    Ok(())
}
