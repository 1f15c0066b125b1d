//! A run as described to users.

use std::collections::BTreeMap;

use api::{
    activity::v1::ActivityOptions,
    common::v1::{Memo, SearchAttributes, WorkflowExecution, WorkflowType},
    enums::v1::{
        EventType, PendingActivityState, PendingWorkflowTaskState, TaskQueueKind,
        VersioningBehavior,
    },
    failure::v1::{Failure, failure::FailureInfo},
    taskqueue::v1::TaskQueue,
    workflow::v1::{
        PendingActivityInfo, PendingChildExecutionInfo, PendingWorkflowTaskInfo, RequestIdInfo,
        WorkflowExecutionConfig, WorkflowExecutionExtendedInfo, WorkflowExecutionInfo,
        WorkflowExecutionPauseInfo, WorkflowExecutionVersioningInfo,
        pending_activity_info::{
            PauseInfo,
            pause_info::{Manual, PausedBy, Rule},
        },
        versioning_override::Override,
    },
    workflowservice::v1::{DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse},
};
use deployment::legacy_text;
use engine::{Activity, ActivityPause, Child, State, WorkflowTask};
use model::{Span, Time};

use crate::{
    admission::Call, error::ApiResult, frontend::Frontend, rpc::describe_nexus::NexusDescriber,
    validation::execution,
};

pub(crate) async fn describe_workflow_execution(
    frontend: &Frontend,
    call: &Call,
    request: DescribeWorkflowExecutionRequest,
) -> ApiResult<DescribeWorkflowExecutionResponse> {
    let execution = execution(request.execution)?;
    let state = frontend.history.describe(&call.permit, call.namespace()?, &execution).await?.state;
    let activities = state.last_activities().values();
    let describer =
        NexusDescriber { history: &frontend.history, namespace_id: call.namespace()?.id };
    Ok(DescribeWorkflowExecutionResponse {
        execution_config: Some(config(&state)),
        workflow_execution_info: Some(info(&state, call.namespace()?.retention)),
        pending_activities: activities.map(|activity| pending_activity(activity)).collect(),
        pending_children: state
            .children
            .iter()
            .map(|(initiated_event_id, child)| pending_child(*initiated_event_id, child))
            .collect(),
        pending_workflow_task: state.last_workflow_task().map(pending_workflow_task),
        workflow_extended_info: Some(extended_info(&state, frontend.now())),
        callbacks: state.callbacks.iter().map(|known| describer.callback(known)).collect(),
        pending_nexus_operations: state
            .last_nexus_operations()
            .iter()
            .map(|(id, operation)| describer.pending_operation(*id, operation))
            .collect(),
    })
}

fn config(state: &State) -> WorkflowExecutionConfig {
    let started = state.started.as_ref();
    WorkflowExecutionConfig {
        task_queue: Some(TaskQueue {
            name: state.task_queue().to_owned(),
            kind: TaskQueueKind::Normal as i32,
            ..TaskQueue::default()
        }),
        workflow_execution_timeout: started.and_then(|started| started.workflow_execution_timeout),
        workflow_run_timeout: started.and_then(|started| started.workflow_run_timeout),
        default_workflow_task_timeout: started.and_then(|started| started.workflow_task_timeout),
        user_metadata: state.user_metadata.as_ref().map(|metadata| (**metadata).clone()),
    }
}

fn info(state: &State, retention: Span) -> WorkflowExecutionInfo {
    let this =
        WorkflowExecution { workflow_id: state.workflow_id.clone(), run_id: state.run_id.clone() };
    let started = state.started.as_ref();
    let closed = state.close_time.is_set();
    WorkflowExecutionInfo {
        r#type: Some(WorkflowType { name: state.workflow_type().to_owned() }),
        start_time: state.start_time.to_proto(),
        close_time: state.close_time.to_proto(),
        status: state.status,
        history_length: state.last_event_id(),
        parent_namespace_id: started
            .map(|started| started.parent_workflow_namespace_id.clone())
            .unwrap_or_default(),
        parent_execution: started.and_then(|started| started.parent_workflow_execution.clone()),
        execution_time: state.execution_time().to_proto(),
        memo: Some(state.memo.as_ref().map_or_else(Memo::default, |memo| (**memo).clone())),
        search_attributes: Some(
            state
                .search_attributes
                .as_ref()
                .map_or_else(SearchAttributes::default, |attributes| (**attributes).clone()),
        ),
        auto_reset_points: Some(state.described_reset_points(retention)),
        task_queue: state.task_queue().to_owned(),
        state_transition_count: i64::try_from(state.version).unwrap_or(i64::MAX),
        history_size_bytes: state.history_bytes,
        execution_duration: closed
            .then(|| state.close_time.since(state.execution_time()).to_proto()),
        root_execution: started
            .and_then(|started| started.root_workflow_execution.clone())
            .or_else(|| Some(this.clone())),
        first_run_id: state.first_execution_run_id().to_owned(),
        priority: state.priority.clone(),
        versioning_info: state.versioning_info.as_deref().map(versioning_info),
        worker_deployment_name: state.worker_deployment_name.clone(),
        execution: Some(this),
        ..WorkflowExecutionInfo::default()
    }
}

/// With the texts that older clients read.
fn versioning_info(info: &WorkflowExecutionVersioningInfo) -> WorkflowExecutionVersioningInfo {
    let mut info = info.clone();
    if info.deployment_version.is_some() {
        info.version = legacy_text(info.deployment_version.as_ref());
    }
    if let Some(transition) = &mut info.version_transition {
        transition.version = legacy_text(transition.deployment_version.as_ref());
    }
    if let Some(chosen) = &mut info.versioning_override {
        match &chosen.r#override {
            Some(Override::AutoUpgrade(_)) => {
                chosen.behavior = VersioningBehavior::AutoUpgrade as i32;
            }
            Some(Override::Pinned(pinned)) => {
                chosen.behavior = VersioningBehavior::Pinned as i32;
                chosen.pinned_version = legacy_text(pinned.version.as_ref());
            }
            Some(Override::OneTime(_)) | None => {}
        }
    }
    info
}

fn extended_info(state: &State, now: Time) -> WorkflowExecutionExtendedInfo {
    let request = |event_type: EventType, event_id| RequestIdInfo {
        event_type: event_type as i32,
        event_id,
        buffered: event_id == 0,
    };
    let start = request(EventType::WorkflowExecutionStarted, 1);
    let mut request_id_infos: BTreeMap<String, RequestIdInfo> =
        [(state.start_request_id.clone(), start)].into();
    for (request_id, event_id) in &state.attached_request_event_ids {
        let attached = request(EventType::WorkflowExecutionOptionsUpdated, *event_id);
        request_id_infos.insert(request_id.clone(), attached);
    }
    for (request_id, told) in &state.update_requests {
        let event_type = EventType::try_from(told.event_type).unwrap_or_default();
        request_id_infos.insert(request_id.clone(), request(event_type, told.event_id));
    }
    let reset = state.original_start_time.is_set();
    let original_start = if reset { state.original_start_time } else { state.start_time };
    WorkflowExecutionExtendedInfo {
        execution_expiration_time: state.execution_expiration.to_proto(),
        run_expiration_time: state.run_expiration.to_proto(),
        cancel_requested: state.cancel_requested,
        original_start_time: original_start.to_proto(),
        last_reset_time: state.last_reset_time.to_proto(),
        reset_run_id: state.reset_run_id.clone(),
        request_id_infos,
        pause_info: state.paused.as_ref().map(|pause| WorkflowExecutionPauseInfo {
            identity: pause.identity.clone(),
            paused_time: pause.time.to_proto(),
            reason: pause.reason.clone(),
        }),
        time_skipping_info: state.time_skipping_info(now),
    }
}

fn is_timeout(failure: &Failure) -> bool {
    matches!(failure.failure_info, Some(FailureInfo::TimeoutFailureInfo(_)))
}

fn pause_info(pause: &ActivityPause) -> PauseInfo {
    let paused_by = if pause.rule_id.is_empty() {
        PausedBy::Manual(Manual { identity: pause.identity.clone(), reason: pause.reason.clone() })
    } else {
        PausedBy::Rule(Rule { rule_id: pause.rule_id.clone(), ..Rule::default() })
    };
    PauseInfo { pause_time: pause.time.to_proto(), paused_by: Some(paused_by) }
}

fn pending_workflow_task(task: &WorkflowTask) -> PendingWorkflowTaskInfo {
    let state = if task.is_started() {
        PendingWorkflowTaskState::Started
    } else {
        PendingWorkflowTaskState::Scheduled
    };
    PendingWorkflowTaskInfo {
        state: state as i32,
        scheduled_time: task.scheduled_time.to_proto(),
        original_scheduled_time: task.original_scheduled_time.to_proto(),
        started_time: task.started_time.to_proto(),
        attempt: task.attempt,
    }
}

fn pending_child(initiated_event_id: i64, child: &Child) -> PendingChildExecutionInfo {
    PendingChildExecutionInfo {
        workflow_id: child.workflow_id().to_owned(),
        run_id: child.run_id.clone(),
        workflow_type_name: child.workflow_type().to_owned(),
        initiated_id: initiated_event_id,
        parent_close_policy: child.parent_close_policy() as i32,
    }
}

fn pending_activity(activity: &Activity) -> PendingActivityInfo {
    let scheduled = activity.scheduled.as_deref();
    let paused = activity.paused.is_some();
    let state = match (activity.is_started(), paused) {
        _ if activity.cancel_requested_event_id != 0 => PendingActivityState::CancelRequested,
        (true, false) => PendingActivityState::Started,
        (true, true) => PendingActivityState::PauseRequested,
        (false, false) => PendingActivityState::Scheduled,
        (false, true) => PendingActivityState::Paused,
    };
    let policy = activity.retry_policy.as_ref();
    let schedule_to_close = Span::from_proto(
        scheduled.and_then(|scheduled| scheduled.schedule_to_close_timeout.as_ref()),
    );
    let expires =
        (!schedule_to_close.is_zero()).then(|| activity.scheduled_time + schedule_to_close);
    let waits = activity.waits_for_attempt();
    PendingActivityInfo {
        activity_id: activity.activity_id().to_owned(),
        activity_type: scheduled.and_then(|scheduled| scheduled.activity_type.clone()),
        state: state as i32,
        heartbeat_details: activity.heartbeat_details.as_ref().map(|details| (**details).clone()),
        last_heartbeat_time: activity.heartbeat_time.to_proto(),
        last_started_time: activity.started_time.to_proto(),
        attempt: activity.attempt,
        maximum_attempts: policy.map_or(0, |policy| policy.maximum_attempts),
        scheduled_time: activity.attempt_scheduled_time.to_proto(),
        expiration_time: expires.and_then(|time| time.to_proto()),
        last_failure: activity.last_failure.as_ref().map(|failure| (**failure).clone()),
        last_worker_identity: if activity.is_started() {
            activity.identity.clone()
        } else {
            activity.last_identity.clone()
        },
        current_retry_interval: waits.then(|| {
            activity.attempt_scheduled_time.since(activity.last_attempt_complete_time).to_proto()
        }),
        // A time-out completes no attempt.
        last_attempt_complete_time: activity
            .last_attempt_complete_time
            .to_proto()
            .filter(|_| !activity.last_failure.as_ref().is_some_and(|failure| is_timeout(failure))),
        next_attempt_schedule_time: activity.attempt_scheduled_time.to_proto().filter(|_| waits),
        priority: scheduled.and_then(|scheduled| scheduled.priority.clone()),
        activity_options: scheduled.map(|scheduled| ActivityOptions {
            task_queue: scheduled.task_queue.clone().map(|task_queue| TaskQueue {
                normal_name: task_queue.name.clone(),
                kind: TaskQueueKind::Unspecified as i32,
                ..task_queue
            }),
            retry_policy: activity.retry_policy.clone(),
            ..engine::activity_options(scheduled)
        }),
        paused,
        pause_info: activity.paused.as_ref().map(pause_info),
        ..PendingActivityInfo::default()
    }
}
