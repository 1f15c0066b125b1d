//! What a step asks of the run.

use api::{
    history::v1::WorkflowExecutionStartedEventAttributes,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        RecordActivityTaskHeartbeatRequest, RequestCancelWorkflowExecutionRequest,
        RespondActivityTaskCanceledRequest, RespondActivityTaskCompletedRequest,
        RespondActivityTaskFailedRequest, RespondWorkflowTaskCompletedRequest,
        RespondWorkflowTaskFailedRequest, SignalWorkflowExecutionRequest,
        TerminateWorkflowExecutionRequest,
    },
};
use engine::{
    AttachRequest, CancelActivity, CompleteActivity, CompleteWorkflowTask, Dispatch, FailActivity,
    FailWorkflowTask, HeartbeatActivity, Input, RequestCancel, Signal, Start, StartActivity,
    StartWorkflowTask, Sticky, TaskRecord, Terminate,
};
use model::Span;

use super::{reader::Reader, world::World};

/// Bits of the start policy.
const ANY_ATTRIBUTES: u8 = 1 << 7;
const WITH_SIGNAL: u8 = 1 << 6;

/// What a step is. The numbers are part of the corpus: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names of the engine's inputs")]
pub enum Kind {
    Signal = 0,
    RequestCancel = 1,
    Terminate = 2,
    AttachRequest = 3,
    StartWorkflowTask = 4,
    CompleteWorkflowTask = 5,
    FailWorkflowTask = 6,
    ResetStickyTaskQueue = 7,
    LeaveStickyQueue = 8,
    StartActivity = 9,
    HeartbeatActivity = 10,
    CompleteActivity = 11,
    FailActivity = 12,
    CancelActivity = 13,
    EmittedTaskDue = 14,
    AnyTaskDue = 15,
    StartAgain = 16,
}

impl Kind {
    const ALL: [Self; 17] = [
        Self::Signal,
        Self::RequestCancel,
        Self::Terminate,
        Self::AttachRequest,
        Self::StartWorkflowTask,
        Self::CompleteWorkflowTask,
        Self::FailWorkflowTask,
        Self::ResetStickyTaskQueue,
        Self::LeaveStickyQueue,
        Self::StartActivity,
        Self::HeartbeatActivity,
        Self::CompleteActivity,
        Self::FailActivity,
        Self::CancelActivity,
        Self::EmittedTaskDue,
        Self::AnyTaskDue,
        Self::StartAgain,
    ];

    /// Every number is a kind.
    pub(super) fn of(number: u8) -> Self {
        let kinds = Self::ALL;
        kinds.get(usize::from(number) % kinds.len()).copied().unwrap_or(Self::Signal)
    }
}

/// The start of a run: with any attributes at all, or with those that the frontend lets through.
pub(super) fn start(policy: u8, mut attributes: WorkflowExecutionStartedEventAttributes) -> Input {
    if policy & ANY_ATTRIBUTES == 0 {
        attributes.workflow_id = "workflow".to_owned();
        attributes.task_queue =
            Some(TaskQueue { name: "queue".to_owned(), ..TaskQueue::default() });
        attributes.attempt = 0;
    }
    Input::Start(Box::new(Start {
        namespace_id: "namespace".to_owned(),
        run_id: "run".to_owned(),
        request_id: "request".to_owned(),
        attributes,
        signal: (policy & WITH_SIGNAL != 0).then(Box::default),
        ..Start::default()
    }))
}

/// The input that a step stands for in the world as it is.
pub(super) fn input(world: &World, kind: Kind, pick: u8, reader: &mut Reader<'_>) -> Input {
    match kind {
        Kind::Signal => signal(reader.message()),
        Kind::RequestCancel => request_cancel(reader.message()),
        Kind::Terminate => terminate(reader.message()),
        Kind::AttachRequest => Input::AttachRequest(AttachRequest {
            request_id: format!("request-{}", pick % 40),
            ..AttachRequest::default()
        }),
        Kind::StartWorkflowTask => start_workflow_task(world, pick),
        Kind::CompleteWorkflowTask => complete_workflow_task(world, pick, reader.message()),
        Kind::FailWorkflowTask => fail_workflow_task(world, pick, reader.message()),
        Kind::ResetStickyTaskQueue => Input::ResetStickyTaskQueue,
        Kind::LeaveStickyQueue => Input::LeaveStickyQueue,
        Kind::StartActivity => start_activity(world, pick),
        Kind::HeartbeatActivity => heartbeat_activity(world, pick, reader.message()),
        Kind::CompleteActivity => complete_activity(world, pick, reader.message()),
        Kind::FailActivity => fail_activity(world, pick, reader.message()),
        Kind::CancelActivity => cancel_activity(world, pick, reader.message()),
        Kind::EmittedTaskDue => {
            world.emitted(pick).map_or(Input::ResetStickyTaskQueue, Input::TaskDue)
        }
        Kind::AnyTaskDue => {
            let record: TaskRecord = reader.message();
            record.action.map_or(Input::LeaveStickyQueue, Input::TaskDue)
        }
        Kind::StartAgain => start(pick, reader.message()),
    }
}

fn signal(request: SignalWorkflowExecutionRequest) -> Input {
    Input::Signal(Box::new(Signal {
        signal_name: request.signal_name,
        input: request.input,
        identity: request.identity,
        header: request.header,
        request_id: request.request_id,
        external_workflow_execution: request.workflow_execution,
        only_child_of: None,
        links: request.links,
    }))
}

fn request_cancel(request: RequestCancelWorkflowExecutionRequest) -> Input {
    Input::RequestCancel(RequestCancel {
        reason: request.reason,
        identity: request.identity,
        external_initiated_event_id: 0,
        external_workflow_execution: request.workflow_execution,
        only_child_of: None,
        links: request.links,
    })
}

fn terminate(request: TerminateWorkflowExecutionRequest) -> Input {
    Input::Terminate(Terminate {
        reason: request.reason,
        details: request.details,
        identity: request.identity,
        links: request.links,
        ..Terminate::default()
    })
}

fn start_workflow_task(world: &World, pick: u8) -> Input {
    let task = world.held_workflow_task(pick);
    Input::StartWorkflowTask(StartWorkflowTask {
        scheduled_event_id: task.scheduled_event_id,
        attempt: task.attempt,
        request_id: format!("poll-{}", pick % 3),
        identity: "worker".to_owned(),
        on_sticky_queue: pick.is_multiple_of(5),
        dispatch: Dispatch::default(),
    })
}

fn complete_workflow_task(
    world: &World,
    pick: u8,
    request: RespondWorkflowTaskCompletedRequest,
) -> Input {
    let sticky = request.sticky_attributes.map(|attributes| Sticky {
        task_queue: attributes.worker_task_queue.unwrap_or_default().name,
        schedule_to_start_timeout: Span::from_proto(attributes.schedule_to_start_timeout.as_ref()),
    });
    Input::CompleteWorkflowTask(Box::new(CompleteWorkflowTask {
        task: world.held_workflow_task(pick),
        commands: request.commands,
        messages: request.messages,
        identity: request.identity,
        binary_checksum: request.binary_checksum,
        sticky,
        return_new_workflow_task: request.return_new_workflow_task,
        force_create_new_workflow_task: request.force_create_new_workflow_task,
        takes_back_speculative_events: pick.is_multiple_of(2),
        sdk_metadata: request.sdk_metadata,
        metering_metadata: request.metering_metadata,
        worker_version: request.worker_version_stamp,
        request_id: "inline".to_owned(),
        nexus_endpoints: Default::default(),
        search_attributes_refusals: Default::default(),
        ..CompleteWorkflowTask::default()
    }))
}

fn fail_workflow_task(world: &World, pick: u8, request: RespondWorkflowTaskFailedRequest) -> Input {
    Input::FailWorkflowTask(Box::new(FailWorkflowTask {
        task: world.held_workflow_task(pick),
        cause: request.cause(),
        failure: request.failure,
        identity: request.identity,
        binary_checksum: request.binary_checksum,
        worker_version: request.worker_version,
    }))
}

fn start_activity(world: &World, pick: u8) -> Input {
    let (scheduled_event_id, stamp) = world.activity_stamp(pick);
    Input::StartActivity(StartActivity {
        scheduled_event_id,
        stamp,
        request_id: format!("poll-{}", pick % 3),
        identity: "worker".to_owned(),
        worker_control_task_queue: if pick.is_multiple_of(4) { "control" } else { "" }.to_owned(),
        dispatch: Dispatch::default(),
    })
}

fn heartbeat_activity(
    world: &World,
    pick: u8,
    request: RecordActivityTaskHeartbeatRequest,
) -> Input {
    Input::HeartbeatActivity(HeartbeatActivity {
        activity: world.held_activity(pick),
        details: request.details,
        identity: request.identity,
    })
}

fn complete_activity(
    world: &World,
    pick: u8,
    request: RespondActivityTaskCompletedRequest,
) -> Input {
    Input::CompleteActivity(CompleteActivity {
        activity: world.held_activity(pick),
        result: request.result,
        identity: request.identity,
    })
}

fn fail_activity(world: &World, pick: u8, request: RespondActivityTaskFailedRequest) -> Input {
    Input::FailActivity(Box::new(FailActivity {
        activity: world.held_activity(pick),
        failure: request.failure,
        identity: request.identity,
        last_heartbeat_details: request.last_heartbeat_details,
    }))
}

fn cancel_activity(world: &World, pick: u8, request: RespondActivityTaskCanceledRequest) -> Input {
    Input::CancelActivity(CancelActivity {
        activity: world.held_activity(pick),
        details: request.details,
        identity: request.identity,
    })
}
