//! The scenarios: which program runs, who polls, and the exact history it must leave.

use std::time::Duration;

use api::enums::v1::EventType;
use serde::Serialize;

use crate::program::Program;

const TIMER_LENGTH: Duration = Duration::from_secs(1);
const SEQUENCE_LENGTH: u64 = 10;

/// What a measurement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Workflows are started and nobody polls.
    Start,
    /// A workflow that completes in its first workflow task.
    Echo,
    /// A workflow with one activity.
    Activity,
    /// A workflow with ten activities, one after the other.
    Seq10,
    /// A workflow that waits for a signal, then completes.
    Signal,
    /// A workflow that waits for ten signals, one after the other.
    Signal10,
    /// A workflow that waits for an update, answers it and completes.
    Update,
    /// A workflow that waits for ten updates, one after the other.
    Update10,
    /// A workflow with one timer of one second.
    Timer,
    /// Echo workflows that are all started before the first poll.
    Backlog,
}

/// How much load a scenario runs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Many workflows in flight; a workflow ends when the worker's last answer is acknowledged.
    Saturation,
    /// One client with one workflow in flight; a workflow ends when the client has its result.
    ClosedLoop,
}

impl Scenario {
    /// The workflow that runs.
    pub fn program(self) -> Program {
        match self {
            Self::Start | Self::Echo | Self::Backlog => Program::Echo,
            Self::Activity => Program::Activities(1),
            Self::Seq10 => Program::Activities(SEQUENCE_LENGTH),
            Self::Signal => Program::Signals(1),
            Self::Signal10 => Program::Signals(SEQUENCE_LENGTH),
            Self::Update => Program::Updates(1),
            Self::Update10 => Program::Updates(SEQUENCE_LENGTH),
            Self::Timer => Program::Timer(TIMER_LENGTH),
        }
    }

    /// Workflows in flight at saturation. Timers mostly wait, so more of them fit.
    pub fn concurrency(self) -> usize {
        match self {
            Self::Timer => 512,
            _ => 64,
        }
    }

    /// Whether workers poll at all.
    pub fn has_workers(self) -> bool {
        self != Self::Start
    }

    /// Whether a lone client can run it.
    pub fn supports(self, mode: Mode) -> bool {
        self != Self::Backlog || mode == Mode::Saturation
    }

    /// The exact types of all events of one history, in order.
    pub fn expected_events(self) -> Vec<EventType> {
        use EventType as Event;
        let task = [
            Event::WorkflowTaskScheduled,
            Event::WorkflowTaskStarted,
            Event::WorkflowTaskCompleted,
        ];
        let mut events = vec![Event::WorkflowExecutionStarted];
        if self == Self::Start {
            events.push(Event::WorkflowTaskScheduled);
            return events;
        }
        events.extend(task);
        match self.program() {
            Program::Echo => {}
            Program::Activities(count) => {
                for _ in 0..count {
                    events.extend([
                        Event::ActivityTaskScheduled,
                        Event::ActivityTaskStarted,
                        Event::ActivityTaskCompleted,
                    ]);
                    events.extend(task);
                }
            }
            Program::Signals(count) => {
                for _ in 0..count {
                    events.push(Event::WorkflowExecutionSignaled);
                    events.extend(task);
                }
            }
            Program::Updates(count) => {
                for _ in 0..count {
                    events.extend(task);
                    events.extend([
                        Event::WorkflowExecutionUpdateAccepted,
                        Event::WorkflowExecutionUpdateCompleted,
                    ]);
                }
            }
            Program::Timer(_) => {
                events.extend([Event::TimerStarted, Event::TimerFired]);
                events.extend(task);
            }
        }
        events.push(Event::WorkflowExecutionCompleted);
        events
    }

    /// Its name on the command line and in reports.
    pub fn name(self) -> String {
        value_name(self)
    }
}

impl Mode {
    /// Its name on the command line and in reports.
    pub fn name(self) -> String {
        value_name(self)
    }
}

fn value_name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |name| name.get_name().to_owned())
}
