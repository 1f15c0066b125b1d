//! Starts, with or without a signal.

use api::{
    common::v1::{
        Link,
        link::{self, WorkflowEvent, workflow_event::EventReference},
    },
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    history::v1::WorkflowExecutionStartedEventAttributes,
    taskqueue::v1::TaskQueue,
    workflow::v1::VersioningOverride,
    workflowservice::v1::{
        SignalWithStartWorkflowExecutionRequest, SignalWithStartWorkflowExecutionResponse,
        StartWorkflowExecutionRequest, StartWorkflowExecutionResponse,
    },
};
use engine::{Dispatch, Signal, Start, StartPolicy, validate_cron_schedule, validate_retry_policy};
use history::{Attach, Delivery, EagerStart, RunKey, StartOutcome, StartRequest};
use matching::{Matching, TaskQueueKey};
use model::Time;
use namespace::Namespace;

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::{
        signals::{request_link, signal_link},
        workflow_poll::workflow_task,
    },
    validation::{
        check_blob, check_callbacks, check_duration, check_length, check_memo,
        check_override_is_served, check_priority, check_time_skipping, links_beside_callbacks,
        memo_without_nulls, normal_queue, polling_version, search_attributes_without_nulls,
        typed_search_attributes, versioning_override,
    },
};

/// What starts are checked with, besides their namespace.
pub(crate) struct StartChecks<'a> {
    pub(crate) matching: &'a Matching<Delivery>,
    pub(crate) now: Time,
    pub(crate) time_skips_max: Option<i32>,
}

impl<'a> StartChecks<'a> {
    /// Those of a request to a frontend.
    pub(crate) fn now(frontend: &'a Frontend) -> Self {
        Self {
            matching: &frontend.matching,
            now: frontend.now(),
            time_skips_max: frontend.time_skips_max,
        }
    }
}

pub(crate) async fn start_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    mut request: StartWorkflowExecutionRequest,
) -> ApiResult<StartWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    let delayed = is_delayed(&request.workflow_start_delay);
    check_callbacks(&frontend.history, &mut request.completion_callbacks)?;
    let options = request.eager_worker_deployment_options.as_ref();
    let version = polling_version(options, &namespace.limits)?;
    let version = version.map(|version| WorkerDeploymentVersion {
        deployment_name: version.deployment_name.as_ref().to_owned(),
        build_id: version.build_id.as_ref().to_owned(),
    });
    // With an override, the worker may be of another version than the run.
    let eager = request.request_eager_execution && request.versioning_override.is_none();
    let eager = (eager && !delayed).then(|| EagerStart {
        dispatch: Dispatch { version, target: None },
        identity: request.identity.clone(),
        request_id: frontend.request_id(String::new()),
    });
    let request = StartRequest { eager, ..start_request(frontend, namespace, request)? };
    let request_id = request.start.request_id.clone();
    let outcome = frontend.history.start_workflow(&call.permit, namespace, request).await?;
    let StartOutcome { run, started, attached, status, first_execution_run_id, eager_task } =
        outcome;
    call.reached(run.run_id);
    let link = if attached {
        let event_type = EventType::WorkflowExecutionOptionsUpdated;
        let (workflow_id, run_id) = (&run.workflow.workflow_id, run.run_id.to_string());
        request_link(&namespace.name, workflow_id, &run_id, request_id, event_type)
    } else {
        start_link(&namespace.name, &run)
    };
    Ok(StartWorkflowExecutionResponse {
        link: Some(link),
        run_id: run.run_id.to_string(),
        first_execution_run_id,
        started,
        status: status as i32,
        eager_workflow_task: eager_task.map(|task| workflow_task(frontend.token_keys(), task)),
    })
}

/// Checks a start.
pub(crate) fn start_request(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: StartWorkflowExecutionRequest,
) -> ApiResult<StartRequest> {
    let checks = StartChecks::now(frontend);
    request.versioning_override =
        checked_override(&checks, namespace, request.versioning_override, &request.task_queue)?;
    let policy = policy(
        request.workflow_id_reuse_policy(),
        request.workflow_id_conflict_policy(),
        WorkflowIdConflictPolicy::Fail,
    )?;
    request.request_id = frontend.request_id(request.request_id);
    let options = request.on_conflict_options.as_ref();
    let attach = options.map(|options| Attach {
        request_id: options.attach_request_id,
        links: options.attach_links,
        completion_callbacks: options.attach_completion_callbacks,
    });
    let mut start = start(request, namespace, checks.now, "WorkflowType is not set on request.")?;
    let config = start.attributes.time_skipping_config.as_mut();
    check_time_skipping(config, checks.time_skips_max)?;
    Ok(StartRequest { start, policy, attach, eager: None })
}

pub(crate) async fn signal_with_start_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    mut request: SignalWithStartWorkflowExecutionRequest,
) -> ApiResult<SignalWithStartWorkflowExecutionResponse> {
    let namespace = call.namespace()?;
    request.request_id = frontend.request_id(request.request_id);
    let request_id = request.request_id.clone();
    let request = signal_with_start_request(&StartChecks::now(frontend), namespace, request)?;
    let outcome = frontend.history.signal_with_start(&call.permit, namespace, request).await?;
    call.reached(outcome.run.run_id);
    let run_id = outcome.run.run_id.to_string();
    let workflow_id = &outcome.run.workflow.workflow_id;
    Ok(SignalWithStartWorkflowExecutionResponse {
        signal_link: Some(signal_link(&namespace.name, workflow_id, &run_id, request_id)),
        run_id,
        first_execution_run_id: outcome.first_execution_run_id,
        started: outcome.started,
    })
}

/// Checks a signal with start.
pub(crate) fn signal_with_start_request(
    checks: &StartChecks<'_>,
    namespace: &Namespace,
    request: SignalWithStartWorkflowExecutionRequest,
) -> ApiResult<StartRequest> {
    let limits = &namespace.limits;
    if request.workflow_id_conflict_policy() == WorkflowIdConflictPolicy::Fail {
        return Err(ApiError::invalid(
            "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported \
             for this operation.",
        ));
    }
    let policy = policy(
        request.workflow_id_reuse_policy(),
        request.workflow_id_conflict_policy(),
        WorkflowIdConflictPolicy::UseExisting,
    )?;
    let signal = Signal {
        signal_name: request.signal_name,
        input: request.signal_input,
        identity: request.identity.clone(),
        header: request.header.clone(),
        request_id: request.request_id.clone(),
        external_workflow_execution: None,
        only_child_of: None,
        links: request.links.clone(),
    };
    let versioning_override =
        checked_override(checks, namespace, request.versioning_override, &request.task_queue)?;
    let as_start = StartWorkflowExecutionRequest {
        workflow_id: request.workflow_id,
        workflow_type: request.workflow_type,
        task_queue: request.task_queue,
        input: request.input,
        workflow_execution_timeout: request.workflow_execution_timeout,
        workflow_run_timeout: request.workflow_run_timeout,
        workflow_task_timeout: request.workflow_task_timeout,
        identity: request.identity,
        request_id: request.request_id,
        retry_policy: request.retry_policy,
        cron_schedule: request.cron_schedule,
        memo: request.memo,
        search_attributes: request.search_attributes,
        header: request.header,
        workflow_start_delay: request.workflow_start_delay,
        user_metadata: request.user_metadata,
        links: request.links,
        versioning_override,
        priority: request.priority,
        time_skipping_config: request.time_skipping_config,
        ..StartWorkflowExecutionRequest::default()
    };
    let mut start = start(as_start, namespace, checks.now, "workflow type not set")?;
    if signal.signal_name.is_empty() {
        return Err(ApiError::invalid("signal not set"));
    }
    check_length("SignalName", &signal.signal_name, limits)?;
    check_blob(signal.input.as_ref(), limits)?;
    start.signal = Some(Box::new(signal));
    let config = start.attributes.time_skipping_config.as_mut();
    check_time_skipping(config, checks.time_skips_max)?;
    Ok(StartRequest { start, policy, attach: None, eager: None })
}

/// A run may be pinned only to a version that serves its task queue.
fn checked_override(
    checks: &StartChecks<'_>,
    namespace: &Namespace,
    chosen: Option<VersioningOverride>,
    task_queue: &Option<TaskQueue>,
) -> ApiResult<Option<VersioningOverride>> {
    let chosen = versioning_override(chosen, &namespace.limits)?;
    let name = task_queue.as_ref().map_or("", |task_queue| &task_queue.name);
    let key = TaskQueueKey::workflow(namespace.id, name);
    check_override_is_served(chosen.as_ref(), &key, &checks.matching.routes().routes)?;
    Ok(chosen)
}

/// Combinations that contradict themselves are refused; what is left open gets its default.
fn policy(
    reuse: WorkflowIdReusePolicy,
    conflict: WorkflowIdConflictPolicy,
    default: WorkflowIdConflictPolicy,
) -> ApiResult<StartPolicy> {
    let chosen = conflict != WorkflowIdConflictPolicy::Unspecified;
    if reuse == WorkflowIdReusePolicy::TerminateIfRunning && chosen {
        return Err(ApiError::invalid(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot \
             be used together with a WorkflowIDConflictPolicy",
        ));
    }
    if reuse == WorkflowIdReusePolicy::RejectDuplicate
        && conflict == WorkflowIdConflictPolicy::TerminateExisting
    {
        return Err(ApiError::invalid(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be \
             used together with WorkflowIdConflictPolicy \
             WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
        ));
    }
    Ok(StartPolicy { reuse, conflict: if chosen { conflict } else { default } })
}

/// Checks a start in the reference's order and turns it into the engine's input.
fn start(
    request: StartWorkflowExecutionRequest,
    namespace: &Namespace,
    now: Time,
    without_type: &str,
) -> ApiResult<Start> {
    let limits = &namespace.limits;
    check_workflow_id(&request.workflow_id, limits.id_length_max)?;
    if let Some(retry_policy) = &request.retry_policy {
        validate_retry_policy(retry_policy).map_err(ApiError::invalid)?;
    }
    check_duration("WorkflowStartDelaySeconds", request.workflow_start_delay.as_ref())?;
    if !request.cron_schedule.is_empty() && request.workflow_start_delay.is_some() {
        return Err(ApiError::invalid(
            "CronSchedule and WorkflowStartDelay may not be used together.",
        ));
    }
    validate_cron_schedule(&request.cron_schedule, now)
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    for (field, duration) in [
        ("WorkflowExecutionTimeoutSeconds", &request.workflow_execution_timeout),
        ("WorkflowRunTimeoutSeconds", &request.workflow_run_timeout),
        ("WorkflowTaskTimeoutSeconds", &request.workflow_task_timeout),
    ] {
        check_duration(field, duration.as_ref())?;
    }
    check_length("RequestId", &request.request_id, limits)?;
    let task_queue = normal_queue(request.task_queue, limits)?;
    let workflow_type = request
        .workflow_type
        .filter(|workflow_type| !workflow_type.name.is_empty())
        .ok_or_else(|| ApiError::invalid(without_type))?;
    check_length("WorkflowType", &workflow_type.name, limits)?;
    check_priority(request.priority.as_ref())?;
    let search_attributes = typed_search_attributes(request.search_attributes, namespace)?;
    let links = links_beside_callbacks(request.links, &request.completion_callbacks)?;
    check_blob(request.input.as_ref(), limits)?;
    check_memo(request.memo.as_ref(), limits)?;
    let eager_execution_accepted = request.request_eager_execution
        && !is_delayed(&request.workflow_start_delay)
        && request.cron_schedule.is_empty();
    Ok(Start {
        request_id: request.request_id,
        links,
        user_metadata: request.user_metadata,
        attributes: WorkflowExecutionStartedEventAttributes {
            workflow_id: request.workflow_id,
            workflow_type: Some(workflow_type),
            task_queue: Some(task_queue),
            input: request.input,
            workflow_execution_timeout: request.workflow_execution_timeout,
            workflow_run_timeout: request.workflow_run_timeout,
            workflow_task_timeout: request.workflow_task_timeout,
            identity: request.identity,
            retry_policy: request.retry_policy,
            first_workflow_task_backoff: request.workflow_start_delay,
            continued_failure: request.continued_failure,
            last_completion_result: request.last_completion_result,
            cron_schedule: request.cron_schedule,
            memo: memo_without_nulls(request.memo),
            search_attributes: search_attributes_without_nulls(search_attributes),
            header: request.header,
            eager_execution_accepted,
            versioning_override: request.versioning_override,
            priority: request.priority,
            time_skipping_config: request.time_skipping_config,
            completion_callbacks: request.completion_callbacks,
            ..WorkflowExecutionStartedEventAttributes::default()
        },
        ..Start::default()
    })
}

fn is_delayed(delay: &Option<prost_types::Duration>) -> bool {
    delay.is_some_and(|delay| delay.seconds != 0 || delay.nanos != 0)
}

fn check_workflow_id(workflow_id: &str, length_max: usize) -> ApiResult<()> {
    let length = workflow_id.len();
    if length == 0 {
        return Err(ApiError::invalid("WorkflowId is not set on request."));
    }
    if length > length_max {
        let text = format!("WorkflowId exceeds maximum allowed length ({length}/{length_max})");
        return Err(ApiError::invalid(text));
    }
    Ok(())
}

/// A link to the first event of a run.
pub(crate) fn start_link(namespace: &str, run: &RunKey) -> Link {
    let reference =
        EventReference { event_id: 1, event_type: EventType::WorkflowExecutionStarted as i32 };
    Link {
        variant: Some(link::Variant::WorkflowEvent(WorkflowEvent {
            namespace: namespace.to_owned(),
            workflow_id: run.workflow.workflow_id.clone(),
            run_id: run.run_id.to_string(),
            reference: Some(link::workflow_event::Reference::EventRef(reference)),
        })),
    }
}
