//! What the benchmark workflows do: a pure fold over history events that yields commands.

use std::time::Duration;

use api::{
    command::v1::{
        Command, CompleteWorkflowExecutionCommandAttributes, ScheduleActivityTaskCommandAttributes,
        StartTimerCommandAttributes, command::Attributes as CommandAttributes,
    },
    common::v1::{ActivityType, Payloads},
    enums::v1::{CommandType, TaskQueueKind},
    history::v1::{HistoryEvent, history_event::Attributes},
    protocol::v1::Message,
    taskqueue::v1::TaskQueue,
};

use crate::{
    history, payload,
    update::{self, Update},
};

/// The activity that every scenario calls: its result is its input plus one.
pub const ADD_ONE: &str = "add_one";
/// The signal that [`Program::Signals`] waits for.
pub const SIGNAL: &str = "go";

/// As long as a workflow task has by default.
const ACTIVITY_START_TO_CLOSE_SECONDS: i64 = 10;

/// A workflow as data. Its input is a number and its result follows from that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Completes in the first workflow task with its input.
    Echo,
    /// Passes its input through this many [`ADD_ONE`] activities, one after the other.
    Activities(u64),
    /// Waits for this many [`SIGNAL`]s and completes with its input plus their numbers.
    Signals(u64),
    /// Waits for this many updates, adds the number of each to its own, answers with that, and
    /// completes with the last answer.
    Updates(u64),
    /// Waits for one timer and completes with its input.
    Timer(Duration),
}

impl Program {
    /// The result that a workflow with this input must end with.
    pub fn expected_result(self, input: u64) -> u64 {
        match self {
            Self::Echo | Self::Timer(_) => input,
            Self::Activities(count) => input + count,
            Self::Signals(count) | Self::Updates(count) => Self::value_after(input, count),
        }
    }

    /// The number to send, with each signal or update, to the workflow that was started with this
    /// input.
    pub fn signal_value(input: u64) -> u64 {
        input * 2 + 1
    }

    /// What that workflow has come to after so many of them.
    pub fn value_after(input: u64, count: u64) -> u64 {
        input + count * Self::signal_value(input)
    }
}

/// An event that the program cannot have caused, or that comes out of order.
#[derive(Debug, thiserror::Error)]
pub enum Unexpected {
    /// Event ids of one history have no holes.
    #[error("event {found} where event {expected} was due")]
    EventId { expected: i64, found: i64 },
    /// A number that the scenario sent did not come back as it was sent.
    #[error("event {0} carries no number")]
    NoNumber(i64),
    /// The event refers to something that this run does not have.
    #[error("event {0} ends what never began")]
    NothingPending(i64),
    /// There is nothing left to do although the run goes on.
    #[error("a workflow task after event {0} gives nothing to do")]
    NothingToDo(i64),
}

/// How late a timer fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerFired {
    /// When it was due, nanoseconds since the Unix epoch by the server's clock.
    pub due_nanos: i64,
    /// The time of its fired event on the same clock.
    pub fired_nanos: i64,
}

/// One run of a program: the state that a worker caches between workflow tasks.
#[derive(Debug)]
pub struct Run {
    program: Program,
    last_event_id: i64,
    value: u64,
    pending_activity: Option<i64>,
    activities_done: u64,
    signals_done: u64,
    update: Option<Update>,
    updates_done: u64,
    timer_due_nanos: Option<i64>,
    timer_fired: Option<TimerFired>,
}

impl Run {
    /// A run of which no event is known yet.
    pub fn new(program: Program) -> Self {
        Self {
            program,
            last_event_id: 0,
            value: 0,
            pending_activity: None,
            activities_done: 0,
            signals_done: 0,
            update: None,
            updates_done: 0,
            timer_due_nanos: None,
            timer_fired: None,
        }
    }

    /// The id of the event that [`Run::apply`] expects next.
    pub fn next_event_id(&self) -> i64 {
        self.last_event_id + 1
    }

    /// The fired timer, if there is one.
    pub fn timer_fired(&self) -> Option<TimerFired> {
        self.timer_fired
    }

    /// Takes the next event of the history.
    ///
    /// # Errors
    /// When the event cannot follow on what happened so far.
    pub fn apply(&mut self, event: &HistoryEvent) -> Result<(), Unexpected> {
        let id = event.event_id;
        if id != self.next_event_id() {
            return Err(Unexpected::EventId { expected: self.next_event_id(), found: id });
        }
        self.last_event_id = id;
        let number =
            |payloads: Option<&Payloads>| payload::decode(payloads).ok_or(Unexpected::NoNumber(id));
        match &event.attributes {
            Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
                self.value = number(started.input.as_ref())?;
            }
            Some(Attributes::ActivityTaskScheduledEventAttributes(_)) => {
                self.pending_activity = Some(id);
            }
            Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) => {
                if self.pending_activity.take() != Some(completed.scheduled_event_id) {
                    return Err(Unexpected::NothingPending(id));
                }
                self.value = number(completed.result.as_ref())?;
                self.activities_done += 1;
            }
            Some(Attributes::WorkflowExecutionSignaledEventAttributes(signaled)) => {
                self.value += number(signaled.input.as_ref())?;
                self.signals_done += 1;
            }
            Some(Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed)) => {
                let answer = update::number(completed.outcome.as_ref());
                self.value = answer.ok_or(Unexpected::NoNumber(id))?;
                self.update = None;
                self.updates_done += 1;
            }
            Some(Attributes::TimerStartedEventAttributes(started)) => {
                let length = started.start_to_fire_timeout.as_ref().map_or(0, history::nanos);
                self.timer_due_nanos = Some(history::event_nanos(event) + length);
            }
            Some(Attributes::TimerFiredEventAttributes(_)) => {
                let due_nanos = self.timer_due_nanos.ok_or(Unexpected::NothingPending(id))?;
                let fired_nanos = history::event_nanos(event);
                self.timer_fired = Some(TimerFired { due_nanos, fired_nanos });
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes an update that came with the workflow task.
    ///
    /// # Errors
    /// When it is not what the scenario sends.
    pub fn take_update(&mut self, message: &Message) -> Result<(), Unexpected> {
        let update = Update::read(message).ok_or(Unexpected::NoNumber(self.last_event_id))?;
        self.update = Some(update);
        Ok(())
    }

    /// What the answer to the workflow task says about the update that came with it.
    pub fn messages(&self) -> Vec<Message> {
        let answer = |update: &Update| update.answer(self.value + update.number);
        self.update.as_ref().map(answer).unwrap_or_default()
    }

    /// The commands that end the workflow task whose events were all applied.
    ///
    /// # Errors
    /// When the task gives the program nothing new although all it waited for has happened.
    pub fn decide(&self, task_queue: &str) -> Result<Vec<Command>, Unexpected> {
        if let (Program::Updates(count), Some(update)) = (self.program, &self.update) {
            let mut commands = update.commands();
            if self.updates_done + 1 == count {
                commands.push(complete(self.value + update.number));
            }
            return Ok(commands);
        }
        let command = match self.program {
            Program::Echo => complete(self.value),
            Program::Activities(count) if self.activities_done == count => complete(self.value),
            Program::Activities(_) if self.pending_activity.is_none() => {
                schedule_activity(self.activities_done, self.value, task_queue)
            }
            Program::Signals(count) if self.signals_done == count => complete(self.value),
            // The workflow waits; whether the task was called for, its history tells.
            Program::Signals(_) | Program::Updates(_) => return Ok(Vec::new()),
            Program::Timer(_) if self.timer_fired.is_some() => complete(self.value),
            Program::Timer(length) if self.timer_due_nanos.is_none() => start_timer(length),
            Program::Activities(_) | Program::Timer(_) => {
                return Err(Unexpected::NothingToDo(self.last_event_id));
            }
        };
        Ok(vec![command])
    }
}

/// Whether this command ends its run.
pub fn is_completion(command: &Command) -> bool {
    command.command_type() == CommandType::CompleteWorkflowExecution
}

fn complete(result: u64) -> Command {
    let attributes = CompleteWorkflowExecutionCommandAttributes { result: payload::encode(result) };
    Command {
        command_type: CommandType::CompleteWorkflowExecution.into(),
        attributes: Some(CommandAttributes::CompleteWorkflowExecutionCommandAttributes(attributes)),
        ..Default::default()
    }
}

fn schedule_activity(index: u64, input: u64, task_queue: &str) -> Command {
    let attributes = ScheduleActivityTaskCommandAttributes {
        activity_id: (index + 1).to_string(),
        activity_type: Some(ActivityType { name: ADD_ONE.to_owned() }),
        task_queue: Some(TaskQueue {
            name: task_queue.to_owned(),
            kind: TaskQueueKind::Normal.into(),
            ..Default::default()
        }),
        input: payload::encode(input),
        start_to_close_timeout: Some(history::seconds(ACTIVITY_START_TO_CLOSE_SECONDS)),
        // The answer to a workflow task must not carry the activity: the scenario is about
        // dispatch through the activity queue.
        request_eager_execution: false,
        ..Default::default()
    };
    Command {
        command_type: CommandType::ScheduleActivityTask.into(),
        attributes: Some(CommandAttributes::ScheduleActivityTaskCommandAttributes(attributes)),
        ..Default::default()
    }
}

fn start_timer(length: Duration) -> Command {
    let attributes = StartTimerCommandAttributes {
        timer_id: "1".to_owned(),
        start_to_fire_timeout: Some(history::duration(length)),
    };
    Command {
        command_type: CommandType::StartTimer.into(),
        attributes: Some(CommandAttributes::StartTimerCommandAttributes(attributes)),
        ..Default::default()
    }
}
