//! What the caller is told once the transition is durable.

use api::{
    activity::v1::ActivityOptions,
    common::v1::{Payloads, Priority},
    failure::v1::Failure,
    history::v1::{ActivityTaskScheduledEventAttributes, HistoryEvent},
    protocol::v1::Message,
    workflow::v1::WorkflowExecutionOptions,
};
use model::Time;

use crate::{Rejection, Shared, UpdateStage};

/// The answer to an input.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Nothing beyond "done".
    Done,
    /// The request had been seen before: nothing changed.
    Repeated,
    /// A workflow task for a worker.
    WorkflowTaskStarted(Box<StartedWorkflowTask>),
    /// The answer to a completed workflow task.
    WorkflowTaskCompleted(Box<CompletedWorkflowTask>),
    /// The update waits for a worker.
    UpdateAdmitted,
    /// The run knows the update already: nothing changed.
    UpdateKnown(UpdateStage),
    /// The input changed the run, and the caller made a mistake nevertheless: a bad command fails
    /// the workflow task and its worker gets this error.
    Refused(Rejection),
    /// An activity attempt for a worker.
    ActivityStarted(Box<StartedActivity>),
    /// The answer to a heartbeat.
    ActivityHeartbeat {
        /// The workflow wants the activity to stop.
        cancel_requested: bool,
        /// Somebody has paused the activity.
        paused: bool,
        /// Somebody has reset the activity.
        reset: bool,
    },
    /// What came of a rule.
    RuleTriggered {
        /// It has paused an activity.
        applied: bool,
    },
    /// The options that the run has now.
    WorkflowOptions(Box<WorkflowExecutionOptions>),
    /// The options that an activity has now.
    ActivityOptions(Box<ActivityOptions>),
}

/// A workflow task as a worker gets it; the history is read by the shell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StartedWorkflowTask {
    /// Its scheduled event id.
    pub scheduled_event_id: i64,
    /// Its started event id.
    pub started_event_id: i64,
    /// Counts from 1.
    pub attempt: i32,
    /// The started event of the last completed task.
    pub previous_started_event_id: i64,
    /// When it was scheduled.
    pub scheduled_time: Time,
    /// When it was started.
    pub started_time: Time,
    /// The first event that the worker needs: 1, or the one after its cache.
    pub history_from: i64,
    /// The last event that the worker gets from the history (then come the transient events).
    pub history_through: i64,
    /// Events that are not in the history yet: a transient task's scheduling and start.
    pub transient_events: Vec<HistoryEvent>,
    /// Updates for the workflow.
    pub messages: Vec<Message>,
    /// The workflow's type.
    pub workflow_type: String,
    /// The workflow's normal queue.
    pub task_queue: String,
}

/// See [`Reply::WorkflowTaskCompleted`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompletedWorkflowTask {
    /// The next workflow task, when the worker asked for it and there is one.
    pub workflow_task: Option<StartedWorkflowTask>,
    /// Activities that start at the same worker without a poll.
    pub eager_activities: Vec<StartedActivity>,
    /// The task left no trace: the event to which the worker goes back. 0 otherwise.
    pub reset_history_event_id: i64,
}

/// An activity attempt as a worker gets it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StartedActivity {
    /// Its scheduled event id.
    pub scheduled_event_id: i64,
    /// What was scheduled.
    pub scheduled: Shared<ActivityTaskScheduledEventAttributes>,
    /// Counts from 1.
    pub attempt: i32,
    /// Details of the last heartbeat of an earlier attempt.
    pub heartbeat_details: Option<Shared<Payloads>>,
    /// How the last attempt failed.
    pub last_failure: Option<Shared<Failure>>,
    /// When the activity was scheduled.
    pub scheduled_time: Time,
    /// When this attempt was scheduled.
    pub attempt_scheduled_time: Time,
    /// When this attempt was started.
    pub started_time: Time,
    /// The workflow's type.
    pub workflow_type: String,
    /// Its own, and the run's where it has none.
    pub priority: Option<Priority>,
}
