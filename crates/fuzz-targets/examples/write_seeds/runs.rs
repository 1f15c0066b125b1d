//! Runs: as the bytes that `engine_inputs` plays, and as transitions.

use api::{
    command::v1::{
        CancelTimerCommandAttributes, CancelWorkflowExecutionCommandAttributes, Command,
        CompleteWorkflowExecutionCommandAttributes,
        ContinueAsNewWorkflowExecutionCommandAttributes, FailWorkflowExecutionCommandAttributes,
        ModifyWorkflowPropertiesCommandAttributes, RecordMarkerCommandAttributes,
        RequestCancelActivityTaskCommandAttributes, ScheduleActivityTaskCommandAttributes,
        StartTimerCommandAttributes, UpsertWorkflowSearchAttributesCommandAttributes,
        command::Attributes,
    },
    common::v1::{ActivityType, Memo, Payload, RetryPolicy, SearchAttributes, WorkflowType},
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    history::v1::WorkflowExecutionStartedEventAttributes,
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1::{
        RespondActivityTaskCompletedRequest, RespondActivityTaskFailedRequest,
        RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskFailedRequest,
        SignalWorkflowExecutionRequest, TerminateWorkflowExecutionRequest,
    },
};
use engine::{
    CompleteWorkflowTask, Context, HeldWorkflowTask, Input, Signal, Start, StartWorkflowTask,
    State, Transition, decide,
};
use fuzz_targets::Kind;
use model::{Limits, Span, Time};
use prost::Message;

use super::seeds::Seed;

/// Runs through every kind of input and every command.
pub(super) fn seeds() -> Vec<Seed> {
    vec![
        ("activity", activity()),
        ("activity-retry", activity_retry()),
        ("timer", timer()),
        ("signal-buffered", signal_buffered()),
        ("every-command", every_command()),
        ("continue-as-new", one_task(vec![continue_as_new()])),
        ("cancel", one_task(vec![cancel_workflow()])),
        ("fail", one_task(vec![fail_workflow()])),
        ("unhandled", unhandled()),
        ("workflow-task-fails", workflow_task_fails()),
        ("sticky", sticky()),
        ("workflow-retry", Run::new(0, &with_retries()).task(vec![fail_workflow()]).bytes),
        ("timeout", Run::new(1, &with_timeouts()).step(Kind::Signal, 1, MINUTE).bytes),
        ("delayed", Run::new(0, &with_delay()).step(Kind::EmittedTaskDue, 1, 3000).bytes),
        ("signal-with-start", Run::new(1 << 6, &started()).task(vec![complete()]).bytes),
        ("any-attributes", Run::new(1 << 7, &with_retries()).task(vec![complete()]).bytes),
        ("terminate", terminate()),
        ("attach", Run::new(1, &started()).step(Kind::AttachRequest, 2, 0).bytes),
    ]
}

/// A run's transitions from the start to the close, for records as they are stored.
pub(super) fn transitions() -> Vec<Transition> {
    let limits = Limits::default();
    let held = |scheduled_event_id| HeldWorkflowTask {
        scheduled_event_id,
        started_event_id: scheduled_event_id + 1,
        attempt: 1,
        ..HeldWorkflowTask::default()
    };
    let task = || held(2);
    let again = held(8);
    let poll = |held: &HeldWorkflowTask| {
        Input::StartWorkflowTask(StartWorkflowTask {
            scheduled_event_id: held.scheduled_event_id,
            attempt: held.attempt,
            request_id: "poll".to_owned(),
            ..Default::default()
        })
    };
    let complete_task = |task, commands| {
        let complete = CompleteWorkflowTask { task, commands, ..Default::default() };
        Input::CompleteWorkflowTask(Box::new(complete))
    };
    let inputs = [
        Input::Start(Box::new(Start {
            namespace_id: "namespace".to_owned(),
            run_id: "run".to_owned(),
            request_id: "request".to_owned(),
            attributes: started(),
            ..Default::default()
        })),
        poll(&task()),
        complete_task(task(), vec![schedule_activity("a"), start_timer("t", 5)]),
        Input::Signal(Box::new(Signal { signal_name: "go".to_owned(), ..Default::default() })),
        poll(&again),
        complete_task(again, vec![complete()]),
    ];
    let mut state = State::default();
    let mut transitions = Vec::new();
    for (seconds, input) in inputs.into_iter().enumerate() {
        let context = Context {
            now: Time::from_nanos(1_700_000_000_000_000_000)
                + Span::from_secs(i64::try_from(seconds).unwrap()),
            new_run_id: "next-run".to_owned(),
            namespace: "default",
            limits: &limits,
            retention: Span::from_secs(3600),
            principal: None,
            rules: &[],
        };
        let transition = decide(&state, input, &context).unwrap();
        state = State::clone(&transition.state);
        transitions.push(transition);
    }
    transitions
}

const MINUTE: u16 = 1 << 15 | 1;

/// Builds the bytes of a run.
struct Run {
    bytes: Vec<u8>,
}

impl Run {
    fn new(policy: u8, attributes: &WorkflowExecutionStartedEventAttributes) -> Self {
        Self { bytes: vec![policy] }.message(attributes)
    }

    /// A step without a message.
    fn step(mut self, kind: Kind, pick: u8, wait: u16) -> Self {
        self.bytes.extend([kind as u8, pick]);
        self.bytes.extend(wait.to_le_bytes());
        self
    }

    fn message(mut self, message: &impl Message) -> Self {
        let encoded = message.encode_to_vec();
        self.bytes.extend(u16::try_from(encoded.len()).unwrap().to_le_bytes());
        self.bytes.extend(encoded);
        self
    }

    fn poll(self) -> Self {
        self.step(Kind::StartWorkflowTask, 2, 1)
    }

    /// A workflow task from poll to completion.
    fn task(self, commands: Vec<Command>) -> Self {
        let request = RespondWorkflowTaskCompletedRequest { commands, ..Default::default() };
        self.poll().step(Kind::CompleteWorkflowTask, 2, 1).message(&request)
    }

    fn signal(self, request_id: &str) -> Self {
        let request = SignalWorkflowExecutionRequest {
            signal_name: "go".to_owned(),
            request_id: request_id.to_owned(),
            ..Default::default()
        };
        self.step(Kind::Signal, 2, 1).message(&request)
    }
}

fn one_task(commands: Vec<Command>) -> Vec<u8> {
    Run::new(1, &started()).task(commands).bytes
}

fn activity() -> Vec<u8> {
    let result = RespondActivityTaskCompletedRequest::default();
    Run::new(1, &started())
        .task(vec![schedule_activity("a")])
        .step(Kind::StartActivity, 2, 1)
        .step(Kind::HeartbeatActivity, 2, 100)
        .message(&result)
        .step(Kind::CompleteActivity, 2, 100)
        .message(&result)
        .task(vec![complete()])
        .bytes
}

fn activity_retry() -> Vec<u8> {
    let failed =
        RespondActivityTaskFailedRequest { failure: Some(failure()), ..Default::default() };
    Run::new(1, &started())
        .task(vec![schedule_activity("a"), schedule_activity("b")])
        .step(Kind::StartActivity, 2, 1)
        .step(Kind::FailActivity, 2, 1)
        .message(&failed)
        .step(Kind::EmittedTaskDue, 3, 2000)
        .step(Kind::StartActivity, 2, 1)
        .step(Kind::FailActivity, 3, 5000)
        .message(&failed)
        .step(Kind::AttachRequest, 1, MINUTE)
        .step(Kind::AttachRequest, 1, MINUTE)
        .bytes
}

fn timer() -> Vec<u8> {
    Run::new(1, &started())
        .task(vec![start_timer("t", 1), start_timer("u", 2)])
        .step(Kind::EmittedTaskDue, 1, 1500)
        .poll()
        .step(Kind::EmittedTaskDue, 1, 1500)
        .task(vec![cancel_timer("u"), complete()])
        .bytes
}

fn signal_buffered() -> Vec<u8> {
    let request = RespondWorkflowTaskCompletedRequest {
        commands: vec![record_marker()],
        return_new_workflow_task: true,
        ..Default::default()
    };
    Run::new(1, &started())
        .poll()
        .signal("s-1")
        .signal("s-1")
        .signal("")
        .step(Kind::RequestCancel, 2, 1)
        .message(&SignalWorkflowExecutionRequest::default())
        .step(Kind::CompleteWorkflowTask, 2, 1)
        .message(&request)
        .step(Kind::CompleteWorkflowTask, 2, 1)
        .message(&RespondWorkflowTaskCompletedRequest {
            commands: vec![complete()],
            ..Default::default()
        })
        .bytes
}

fn unhandled() -> Vec<u8> {
    let request =
        RespondWorkflowTaskCompletedRequest { commands: vec![complete()], ..Default::default() };
    Run::new(1, &started())
        .poll()
        .signal("s-1")
        .step(Kind::CompleteWorkflowTask, 2, 1)
        .message(&request)
        .task(vec![complete()])
        .bytes
}

fn every_command() -> Vec<u8> {
    Run::new(0, &started())
        .task(vec![
            schedule_activity("a"),
            start_timer("t", 3),
            record_marker(),
            command(Attributes::ModifyWorkflowPropertiesCommandAttributes(
                ModifyWorkflowPropertiesCommandAttributes {
                    upserted_memo: Some(Memo {
                        fields: [("key".to_owned(), Payload::default())].into(),
                    }),
                },
            )),
            command(Attributes::UpsertWorkflowSearchAttributesCommandAttributes(
                UpsertWorkflowSearchAttributesCommandAttributes {
                    search_attributes: Some(SearchAttributes {
                        indexed_fields: [("Known".to_owned(), Payload::default())].into(),
                    }),
                },
            )),
        ])
        .signal("s-1")
        .task(vec![
            cancel_timer("t"),
            command(Attributes::RequestCancelActivityTaskCommandAttributes(
                RequestCancelActivityTaskCommandAttributes { scheduled_event_id: 5 },
            )),
        ])
        .signal("s-2")
        .task(vec![fail_workflow()])
        .bytes
}

fn workflow_task_fails() -> Vec<u8> {
    let failed = RespondWorkflowTaskFailedRequest {
        cause: 9,
        failure: Some(failure()),
        ..Default::default()
    };
    Run::new(1, &started())
        .poll()
        .step(Kind::FailWorkflowTask, 2, 1)
        .message(&failed)
        .poll()
        .step(Kind::EmittedTaskDue, 2, 20_000)
        .step(Kind::AttachRequest, 1, MINUTE)
        .task(vec![cancel_timer("unknown")])
        .task(vec![complete()])
        .bytes
}

fn sticky() -> Vec<u8> {
    let request = RespondWorkflowTaskCompletedRequest {
        sticky_attributes: Some(StickyExecutionAttributes {
            worker_task_queue: Some(TaskQueue { name: "sticky".to_owned(), ..Default::default() }),
            schedule_to_start_timeout: Some(Span::from_secs(5).to_proto()),
        }),
        force_create_new_workflow_task: true,
        ..Default::default()
    };
    Run::new(1, &started())
        .poll()
        .step(Kind::CompleteWorkflowTask, 2, 1)
        .message(&request)
        .step(Kind::EmittedTaskDue, 3, 6000)
        .step(Kind::LeaveStickyQueue, 2, 1)
        .task(vec![])
        .step(Kind::ResetStickyTaskQueue, 2, 1)
        .signal("")
        .task(vec![complete()])
        .bytes
}

fn terminate() -> Vec<u8> {
    let request =
        TerminateWorkflowExecutionRequest { reason: "enough".to_owned(), ..Default::default() };
    Run::new(1, &started())
        .poll()
        .signal("s")
        .step(Kind::Terminate, 2, 1)
        .message(&request)
        .signal("late")
        .step(Kind::ResetStickyTaskQueue, 1, 1)
        .bytes
}

fn started() -> WorkflowExecutionStartedEventAttributes {
    WorkflowExecutionStartedEventAttributes {
        workflow_id: "workflow".to_owned(),
        workflow_type: Some(WorkflowType { name: "order".to_owned() }),
        task_queue: Some(TaskQueue { name: "queue".to_owned(), ..Default::default() }),
        ..Default::default()
    }
}

fn with_retries() -> WorkflowExecutionStartedEventAttributes {
    let retry_policy = RetryPolicy {
        initial_interval: Some(Span::from_secs(1).to_proto()),
        backoff_coefficient: 2.0,
        maximum_attempts: 3,
        ..Default::default()
    };
    WorkflowExecutionStartedEventAttributes { retry_policy: Some(retry_policy), ..started() }
}

fn with_timeouts() -> WorkflowExecutionStartedEventAttributes {
    WorkflowExecutionStartedEventAttributes {
        workflow_execution_timeout: Some(Span::from_secs(40).to_proto()),
        workflow_run_timeout: Some(Span::from_secs(25).to_proto()),
        workflow_task_timeout: Some(Span::from_secs(5).to_proto()),
        ..started()
    }
}

fn with_delay() -> WorkflowExecutionStartedEventAttributes {
    WorkflowExecutionStartedEventAttributes {
        first_workflow_task_backoff: Some(Span::from_secs(2).to_proto()),
        ..started()
    }
}

fn schedule_activity(id: &str) -> Command {
    let seconds = |seconds| Some(Span::from_secs(seconds).to_proto());
    command(Attributes::ScheduleActivityTaskCommandAttributes(
        ScheduleActivityTaskCommandAttributes {
            activity_id: id.to_owned(),
            activity_type: Some(ActivityType { name: "charge".to_owned() }),
            task_queue: Some(TaskQueue { name: "queue".to_owned(), ..Default::default() }),
            start_to_close_timeout: seconds(10),
            schedule_to_close_timeout: seconds(60),
            schedule_to_start_timeout: seconds(30),
            heartbeat_timeout: seconds(5),
            retry_policy: Some(RetryPolicy { maximum_attempts: 3, ..Default::default() }),
            ..Default::default()
        },
    ))
}

fn start_timer(id: &str, seconds: i64) -> Command {
    command(Attributes::StartTimerCommandAttributes(StartTimerCommandAttributes {
        timer_id: id.to_owned(),
        start_to_fire_timeout: Some(Span::from_secs(seconds).to_proto()),
    }))
}

fn cancel_timer(id: &str) -> Command {
    command(Attributes::CancelTimerCommandAttributes(CancelTimerCommandAttributes {
        timer_id: id.to_owned(),
    }))
}

fn record_marker() -> Command {
    command(Attributes::RecordMarkerCommandAttributes(RecordMarkerCommandAttributes {
        marker_name: "marker".to_owned(),
        ..Default::default()
    }))
}

fn complete() -> Command {
    command(Attributes::CompleteWorkflowExecutionCommandAttributes(
        CompleteWorkflowExecutionCommandAttributes::default(),
    ))
}

fn fail_workflow() -> Command {
    command(Attributes::FailWorkflowExecutionCommandAttributes(
        FailWorkflowExecutionCommandAttributes { failure: Some(failure()) },
    ))
}

fn cancel_workflow() -> Command {
    command(Attributes::CancelWorkflowExecutionCommandAttributes(
        CancelWorkflowExecutionCommandAttributes::default(),
    ))
}

fn continue_as_new() -> Command {
    command(Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(
        ContinueAsNewWorkflowExecutionCommandAttributes {
            workflow_type: Some(WorkflowType { name: "order".to_owned() }),
            ..Default::default()
        },
    ))
}

fn failure() -> Failure {
    Failure {
        message: "broken".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo::default())),
        ..Default::default()
    }
}

/// A command; its type is the number that belongs to its attributes.
fn command(attributes: Attributes) -> Command {
    let command_type = engine::command_type(&attributes);
    Command {
        command_type: command_type.into(),
        attributes: Some(attributes),
        ..Command::default()
    }
}
