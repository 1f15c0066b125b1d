//! Each scenario's program, played against the history that the scenario demands.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is wrong"
)]

use api::{
    command::v1::{Command, command::Attributes as CommandAttributes},
    enums::v1::EventType,
    history::v1::{
        ActivityTaskCompletedEventAttributes, ActivityTaskScheduledEventAttributes, HistoryEvent,
        TimerFiredEventAttributes, TimerStartedEventAttributes,
        WorkflowExecutionSignaledEventAttributes, WorkflowExecutionStartedEventAttributes,
        WorkflowExecutionUpdateCompletedEventAttributes, history_event::Attributes,
    },
    protocol::v1::{Message, message::SequencingId},
    update::v1::{Input, Outcome, Request, Response},
};
use clap::ValueEnum as _;
use load_generator::{
    payload,
    program::{Program, Run, Unexpected},
    scenario::Scenario,
};
use prost::Message as _;
use prost_types::{Any, Timestamp};

const INPUT: u64 = 41;

/// A correct server and activity worker, as far as the programs can see them.
#[derive(Default)]
struct Peer {
    events: Vec<HistoryEvent>,
    /// What the last workflow task asked for.
    commands: Vec<Command>,
    /// How it answered the last update.
    outcome: Option<Outcome>,
}

impl Peer {
    fn event(&mut self, event_type: EventType) -> HistoryEvent {
        let event_id = self.events.len() as i64 + 1;
        let command = self.commands.first().and_then(|command| command.attributes.clone());
        let attributes = match (event_type, command) {
            (EventType::WorkflowExecutionStarted, _) => {
                let input = payload::encode(INPUT);
                Some(Attributes::WorkflowExecutionStartedEventAttributes(
                    WorkflowExecutionStartedEventAttributes { input, ..Default::default() },
                ))
            }
            (EventType::WorkflowExecutionSignaled, None) => {
                let input = payload::encode(Program::signal_value(INPUT));
                Some(Attributes::WorkflowExecutionSignaledEventAttributes(
                    WorkflowExecutionSignaledEventAttributes { input, ..Default::default() },
                ))
            }
            (
                EventType::ActivityTaskScheduled,
                Some(CommandAttributes::ScheduleActivityTaskCommandAttributes(_)),
            ) => Some(Attributes::ActivityTaskScheduledEventAttributes(
                ActivityTaskScheduledEventAttributes::default(),
            )),
            (
                EventType::ActivityTaskCompleted,
                Some(CommandAttributes::ScheduleActivityTaskCommandAttributes(scheduled)),
            ) => {
                let input = payload::decode(scheduled.input.as_ref()).unwrap();
                Some(Attributes::ActivityTaskCompletedEventAttributes(
                    ActivityTaskCompletedEventAttributes {
                        scheduled_event_id: event_id - 2,
                        result: payload::encode(input + 1),
                        ..Default::default()
                    },
                ))
            }
            (
                EventType::TimerStarted,
                Some(CommandAttributes::StartTimerCommandAttributes(timer)),
            ) => Some(Attributes::TimerStartedEventAttributes(TimerStartedEventAttributes {
                start_to_fire_timeout: timer.start_to_fire_timeout,
                ..Default::default()
            })),
            (EventType::TimerFired, _) => {
                Some(Attributes::TimerFiredEventAttributes(TimerFiredEventAttributes::default()))
            }
            (EventType::WorkflowExecutionUpdateCompleted, _) => {
                Some(Attributes::WorkflowExecutionUpdateCompletedEventAttributes(
                    WorkflowExecutionUpdateCompletedEventAttributes {
                        outcome: self.outcome.clone(),
                        ..Default::default()
                    },
                ))
            }
            (
                EventType::WorkflowTaskScheduled
                | EventType::WorkflowTaskStarted
                | EventType::WorkflowTaskCompleted
                | EventType::ActivityTaskStarted
                | EventType::WorkflowExecutionUpdateAccepted
                | EventType::WorkflowExecutionCompleted,
                _,
            ) => None,
            (event_type, command) => panic!("{event_type:?} does not follow on {command:?}"),
        };
        let event = HistoryEvent {
            event_id,
            event_type: event_type.into(),
            event_time: Some(Timestamp { seconds: event_id, nanos: 0 }),
            attributes,
            ..Default::default()
        };
        self.events.push(event.clone());
        event
    }
}

/// As a server sends the scenario's update with a task.
fn update() -> Message {
    let input = Input { args: payload::encode(Program::signal_value(INPUT)), ..Default::default() };
    let request = Request { input: Some(input), ..Default::default() };
    Message {
        id: "update/request".to_owned(),
        protocol_instance_id: "update".to_owned(),
        body: Some(Any { type_url: String::new(), value: request.encode_to_vec() }),
        sequencing_id: Some(SequencingId::EventId(5)),
    }
}

fn outcome(messages: &[Message]) -> Option<Outcome> {
    Response::decode(messages.last()?.body.as_ref()?.value.as_slice()).ok()?.outcome
}

fn result(commands: &[Command]) -> Option<u64> {
    match commands.last()?.attributes.as_ref()? {
        CommandAttributes::CompleteWorkflowExecutionCommandAttributes(completed) => {
            payload::decode(completed.result.as_ref())
        }
        _ => None,
    }
}

#[test]
fn every_program_ends_its_expected_history_with_its_expected_result() {
    for &scenario in Scenario::value_variants() {
        let program = scenario.program();
        let mut run = Run::new(program);
        let mut peer = Peer::default();
        for event_type in scenario.expected_events() {
            run.apply(&peer.event(event_type)).unwrap();
            if event_type == EventType::WorkflowTaskStarted {
                if matches!(program, Program::Updates(_)) && run.next_event_id() > 5 {
                    run.take_update(&update()).unwrap();
                    peer.outcome = outcome(&run.messages());
                }
                peer.commands = run.decide("queue").unwrap();
            }
        }
        if scenario.has_workers() {
            let expected = Some(program.expected_result(INPUT));
            assert_eq!(result(&peer.commands), expected, "{scenario:?}");
        }
    }
}

#[test]
fn a_hole_in_the_event_ids_is_refused() {
    let mut peer = Peer::default();
    let first = peer.event(EventType::WorkflowExecutionStarted);
    let _second = peer.event(EventType::WorkflowTaskScheduled);
    let third = peer.event(EventType::WorkflowTaskStarted);
    let mut run = Run::new(Program::Echo);
    run.apply(&first).unwrap();
    let refused = run.apply(&third);
    assert!(matches!(refused, Err(Unexpected::EventId { expected: 2, found: 3 })), "{refused:?}");
}

#[test]
fn an_activity_that_was_never_scheduled_cannot_complete() {
    let mut peer = Peer::default();
    let mut run = Run::new(Program::Activities(1));
    for event_type in &Scenario::Activity.expected_events()[..4] {
        run.apply(&peer.event(*event_type)).unwrap();
    }
    let completed = ActivityTaskCompletedEventAttributes {
        scheduled_event_id: 3,
        result: payload::encode(1),
        ..Default::default()
    };
    let event = HistoryEvent {
        event_id: 5,
        attributes: Some(Attributes::ActivityTaskCompletedEventAttributes(completed)),
        ..Default::default()
    };
    assert!(matches!(run.apply(&event), Err(Unexpected::NothingPending(5))));
}

#[test]
fn a_task_that_brings_nothing_new_is_refused() {
    let mut peer = Peer::default();
    let mut run = Run::new(Program::Activities(1));
    for event_type in &Scenario::Activity.expected_events()[..4] {
        run.apply(&peer.event(*event_type)).unwrap();
        peer.commands = run.decide("queue").unwrap();
    }
    run.apply(&peer.event(EventType::ActivityTaskScheduled)).unwrap();
    assert!(matches!(run.decide("queue"), Err(Unexpected::NothingToDo(5))));
}
