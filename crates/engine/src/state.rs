//! The state of one run: everything that deciding the next step needs.
//!
//! A state is a protobuf message, so that a snapshot is its encoding and fields can be added later.
//! Tags are part of the stored format: never reuse one.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use api::{
    common::v1::{Callback, Memo, Payloads, Priority, RetryPolicy, SearchAttributes},
    enums::v1::WorkflowExecutionStatus,
    failure::v1::Failure,
    history::v1::{
        ActivityTaskScheduledEventAttributes, DeclinedTargetVersionUpgrade, HistoryEvent,
        RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
        SignalExternalWorkflowExecutionInitiatedEventAttributes,
        WorkflowExecutionStartedEventAttributes,
    },
    sdk::v1::UserMetadata,
    workflow::v1::{ResetPoints, WorkflowExecutionVersioningInfo},
};
use model::{Span, Time};

use crate::{
    CompletedUpdates, LeftBehind, Shared, Update, UpdateRequestEvent, callback::CompletionCallback,
    child::Child, nexus_operation::NexusOperation, time_skipping::TimeSkipping,
    worker_command::WorkerCommands,
};

/// One run. The default value is a run that has not started.
#[derive(Clone, PartialEq, prost::Message)]
pub struct State {
    /// The namespace's id.
    #[prost(string, tag = "1")]
    pub namespace_id: String,
    /// The workflow's id.
    #[prost(string, tag = "2")]
    pub workflow_id: String,
    /// The run's id.
    #[prost(string, tag = "3")]
    pub run_id: String,
    /// What the run was started with.
    #[prost(message, optional, tag = "4")]
    pub started: Option<Shared<WorkflowExecutionStartedEventAttributes>>,
    /// When the run was started.
    #[prost(message, required, tag = "5")]
    pub start_time: Time,
    /// A `WorkflowExecutionStatus`; unspecified before the start.
    #[prost(enumeration = "WorkflowExecutionStatus", tag = "6")]
    pub status: i32,
    /// When the run closed.
    #[prost(message, required, tag = "7")]
    pub close_time: Time,
    /// The id that the next event gets.
    #[prost(int64, tag = "8")]
    pub next_event_id: i64,
    /// Transitions so far.
    #[prost(uint64, tag = "9")]
    pub version: u64,
    /// Bytes of all events.
    #[prost(int64, tag = "10")]
    pub history_bytes: i64,
    /// The pending workflow task: at most one.
    #[prost(message, optional, tag = "11")]
    pub workflow_task: Option<WorkflowTask>,
    /// The started event of the last completed workflow task; 0 before the first.
    #[prost(int64, tag = "12")]
    pub previous_started_event_id: i64,
    /// The attempt that the next workflow task gets, less one: failures since the last success.
    #[prost(int32, tag = "13")]
    pub workflow_task_failures: i32,
    /// Failures since the last success; unlike the attempt, new events do not reset it.
    #[prost(int32, tag = "14")]
    pub workflow_task_problems: i32,
    /// The cause of the last of them.
    #[prost(enumeration = "api::enums::v1::WorkflowTaskFailedCause", tag = "35")]
    pub workflow_task_problem_cause: i32,
    /// Where the worker that caches the run polls.
    #[prost(message, optional, tag = "15")]
    pub sticky: Option<Sticky>,
    /// Pending activities by scheduled event id.
    #[prost(btree_map = "int64, message", tag = "16")]
    pub activities: BTreeMap<i64, Shared<Activity>>,
    /// Pending timers by timer id.
    #[prost(btree_map = "string, message", tag = "17")]
    pub timers: BTreeMap<String, Timer>,
    /// Events that wait for the started workflow task to end, in order of arrival, without ids.
    #[prost(message, repeated, tag = "18")]
    pub buffered_events: Vec<Shared<HistoryEvent>>,
    /// Signals in the history.
    #[prost(int64, tag = "19")]
    pub signal_count: i64,
    /// Request ids of accepted signals.
    #[prost(btree_map = "string, bool", tag = "20")]
    pub signal_request_ids: BTreeMap<String, bool>,
    /// True once the workflow was asked to cancel.
    #[prost(bool, tag = "21")]
    pub cancel_requested: bool,
    /// The memo as it stands.
    #[prost(message, optional, tag = "22")]
    pub memo: Option<Shared<Memo>>,
    /// The search attributes as they stand.
    #[prost(message, optional, tag = "23")]
    pub search_attributes: Option<Shared<SearchAttributes>>,
    /// When the execution times out, over all its runs; unset for never.
    #[prost(message, required, tag = "24")]
    pub execution_expiration: Time,
    /// When this run times out; unset for never.
    #[prost(message, required, tag = "25")]
    pub run_expiration: Time,
    /// The request that started the run.
    #[prost(string, tag = "26")]
    pub start_request_id: String,
    /// Other requests that were answered with this run, and when.
    #[prost(btree_map = "string, message", tag = "27")]
    pub attached_requests: BTreeMap<String, Time>,
    /// When the delayed first workflow task is due; unset once it was scheduled.
    #[prost(message, required, tag = "28")]
    pub first_workflow_task_due: Time,
    /// Points to which the run can be reset.
    #[prost(message, optional, tag = "29")]
    pub reset_points: Option<Shared<ResetPoints>>,
    /// The summary and details that the starter gave.
    #[prost(message, optional, tag = "30")]
    pub user_metadata: Option<Shared<UserMetadata>>,
    /// True between an unhandled closing command and the end of the workflow task that follows.
    #[prost(bool, tag = "31")]
    pub closing: bool,
    /// The priority of the run's tasks.
    #[prost(message, optional, tag = "32")]
    pub priority: Option<Priority>,
    /// The run that follows this one, if any.
    #[prost(string, tag = "33")]
    pub new_execution_run_id: String,
    /// Children that have not closed, by initiated event id; a closed run keeps those it had.
    #[prost(btree_map = "int64, message", tag = "40")]
    pub children: BTreeMap<i64, Shared<Child>>,
    /// Signals to other workflows that are on their way, by initiated event id.
    #[prost(btree_map = "int64, message", tag = "41")]
    pub external_signals:
        BTreeMap<i64, Shared<SignalExternalWorkflowExecutionInitiatedEventAttributes>>,
    /// Requests to cancel other workflows that are on their way, by initiated event id.
    #[prost(btree_map = "int64, message", tag = "42")]
    pub external_cancels:
        BTreeMap<i64, Shared<RequestCancelExternalWorkflowExecutionInitiatedEventAttributes>>,
    /// The close event of a child's last run, until its parent knows of it.
    #[prost(message, optional, tag = "43")]
    pub unreported_close: Option<Shared<HistoryEvent>>,
    /// True from the close of a run with open children until their policy is applied.
    #[prost(bool, tag = "44")]
    pub close_policy_due: bool,
    /// The events that tell of attached requests, by request id; 0 while one waits in the buffer.
    #[prost(btree_map = "string, int64", tag = "90")]
    pub attached_request_event_ids: BTreeMap<String, i64>,
    /// Whose records hold the events before this run's own, oldest first; none unless a reset
    /// made it.
    #[prost(message, repeated, tag = "60")]
    pub history_ancestors: Vec<HistoryAncestor>,
    /// When the first run with this past was started; unset unless a reset made the run.
    #[prost(message, required, tag = "61")]
    pub original_start_time: Time,
    /// The run that a reset made out of this one last.
    #[prost(string, tag = "62")]
    pub reset_run_id: String,
    /// The request for the reset that made this run.
    #[prost(string, tag = "63")]
    pub reset_request_id: String,
    /// True in what is left of a deleted run whose events are the past of others.
    #[prost(bool, tag = "64")]
    pub deleted: bool,
    /// When a reset made the run; unset for others.
    #[prost(message, required, tag = "65")]
    pub last_reset_time: Time,
    /// Pending Nexus operations by scheduled event id.
    #[prost(btree_map = "int64, message", tag = "70")]
    pub nexus_operations: BTreeMap<i64, Shared<NexusOperation>>,
    /// Completion callbacks of the chain, in order of registration.
    #[prost(message, repeated, tag = "71")]
    pub callbacks: Vec<Shared<CompletionCallback>>,
    /// The close event of a chain's last run that has callbacks: what they tell.
    #[prost(message, optional, tag = "72")]
    pub close_event: Option<Shared<HistoryEvent>>,
    /// Updates that have not completed, by their ids; those that no event tells of are in memory
    /// only.
    #[prost(btree_map = "string, message", tag = "50")]
    pub updates: BTreeMap<String, Shared<Update>>,
    /// Whom of the server to tell when the chain of runs has closed.
    #[prost(message, repeated, tag = "92")]
    pub watchers: Vec<Shared<Callback>>,
    /// The events that tell of requests for updates, by request id.
    #[prost(btree_map = "string, message", tag = "93")]
    pub update_requests: BTreeMap<String, UpdateRequestEvent>,
    /// Set while the run is paused.
    #[prost(message, optional, tag = "91")]
    pub paused: Option<WorkflowPause>,
    /// Completed updates.
    #[prost(message, optional, tag = "51")]
    pub completed_updates: Option<Shared<CompletedUpdates>>,
    /// Which version of the workers runs the workflow, and why; none while no version ever did.
    #[prost(message, optional, tag = "80")]
    pub versioning_info: Option<Shared<WorkflowExecutionVersioningInfo>>,
    /// The version that the worker of the pinned run was told its task queue has moved on to.
    #[prost(message, optional, tag = "81")]
    pub notified_target_version: Option<DeclinedTargetVersionUpgrade>,
    /// The deployment of the worker that completed the last workflow task, versioned or not.
    #[prost(string, tag = "82")]
    pub worker_deployment_name: String,
    /// What workers are yet to be told, by number; a closed run may have some, too.
    #[prost(btree_map = "uint64, message", tag = "150")]
    pub worker_commands: BTreeMap<u64, Shared<WorkerCommands>>,
    /// The last of these numbers.
    #[prost(uint64, tag = "151")]
    pub worker_commands_issued: u64,
    /// The run's own time; none while it is everybody else's.
    #[prost(message, optional, tag = "160")]
    pub time_skipping: Option<Shared<TimeSkipping>>,
    /// What was pending when the run closed; none while it runs.
    #[prost(message, optional, tag = "120")]
    pub left_behind: Option<Shared<LeftBehind>>,
}

/// A run whose records hold a part of another run's events.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HistoryAncestor {
    /// The run.
    #[prost(string, tag = "1")]
    pub run_id: String,
    /// The first event that is not in its records, or belongs to another's past.
    #[prost(int64, tag = "2")]
    pub end_event_id: i64,
}

/// The start event's attributes.
pub(crate) type Started = WorkflowExecutionStartedEventAttributes;

/// What a workflow task is, beyond its place in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum WorkflowTaskKind {
    /// Its events are in the history when its attempt is the first, and made up afterwards if not.
    Normal = 0,
    /// Exists in memory only until it completes (for updates).
    Speculative = 1,
}

/// The pending workflow task.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WorkflowTask {
    /// The event id of its scheduling: written, or reserved when the task is transient.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// The event id of its start: written, or reserved; 0 while it waits for a worker.
    #[prost(int64, tag = "2")]
    pub started_event_id: i64,
    /// Counts from 1. Above 1 the task is transient: its events are written when it completes.
    #[prost(int32, tag = "3")]
    pub attempt: i32,
    /// What kind of task it is.
    #[prost(enumeration = "WorkflowTaskKind", tag = "4")]
    pub kind: i32,
    /// The poll that started it.
    #[prost(string, tag = "5")]
    pub request_id: String,
    /// Time that the worker has.
    #[prost(message, required, tag = "6")]
    pub start_to_close_timeout: Span,
    /// When it was scheduled.
    #[prost(message, required, tag = "7")]
    pub scheduled_time: Time,
    /// When the first of a chain of heartbeats was scheduled.
    #[prost(message, required, tag = "8")]
    pub original_scheduled_time: Time,
    /// When it was started.
    #[prost(message, required, tag = "9")]
    pub started_time: Time,
    /// True when it was scheduled on the sticky queue.
    #[prost(bool, tag = "10")]
    pub on_sticky_queue: bool,
    /// The worker that holds it.
    #[prost(string, tag = "11")]
    pub identity: String,
    /// Bytes of history at its start.
    #[prost(int64, tag = "12")]
    pub history_bytes: i64,
    /// Why the worker was told to continue as new: `SuggestContinueAsNewReason` values.
    #[prost(int32, repeated, tag = "13")]
    pub suggest_continue_as_new_reasons: Vec<i32>,
    /// The worker was told that its task queue has moved on to another version.
    #[prost(bool, tag = "80")]
    pub target_version_changed: bool,
}

/// Where the worker that caches a run polls for it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sticky {
    /// The worker's own queue.
    #[prost(string, tag = "1")]
    pub task_queue: String,
    /// How long a task waits there before it goes to the normal queue.
    #[prost(message, required, tag = "2")]
    pub schedule_to_start_timeout: Span,
}

/// A pending timer.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Timer {
    /// The event that started it.
    #[prost(int64, tag = "1")]
    pub started_event_id: i64,
    /// When it fires.
    #[prost(message, required, tag = "2")]
    pub fire_time: Time,
}

/// A pending activity.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Activity {
    /// What was scheduled, time-outs and retry policy filled in.
    #[prost(message, optional, tag = "1")]
    pub scheduled: Option<Shared<ActivityTaskScheduledEventAttributes>>,
    /// When the first attempt was scheduled.
    #[prost(message, required, tag = "2")]
    pub scheduled_time: Time,
    /// Counts from 1.
    #[prost(int32, tag = "3")]
    pub attempt: i32,
    /// Changes with every scheduling and every start: tasks with an older stamp are stale.
    #[prost(uint32, tag = "4")]
    pub stamp: u32,
    /// When the current attempt was, or will be, scheduled.
    #[prost(message, required, tag = "5")]
    pub attempt_scheduled_time: Time,
    /// When the current attempt was started; unset while it waits.
    #[prost(message, required, tag = "6")]
    pub started_time: Time,
    /// The poll that started the current attempt.
    #[prost(string, tag = "8")]
    pub request_id: String,
    /// The worker that holds the current attempt.
    #[prost(string, tag = "9")]
    pub identity: String,
    /// Where that worker takes commands; empty when it takes none.
    #[prost(string, tag = "150")]
    pub worker_control_task_queue: String,
    /// Details of the last heartbeat, over all attempts.
    #[prost(message, optional, tag = "10")]
    pub heartbeat_details: Option<Shared<Payloads>>,
    /// When the last heartbeat came.
    #[prost(message, required, tag = "11")]
    pub heartbeat_time: Time,
    /// The event that asked for its cancellation; 0 when none did.
    #[prost(int64, tag = "12")]
    pub cancel_requested_event_id: i64,
    /// How the last attempt failed.
    #[prost(message, optional, tag = "13")]
    pub last_failure: Option<Shared<Failure>>,
    /// When the last attempt ended.
    #[prost(message, required, tag = "14")]
    pub last_attempt_complete_time: Time,
    /// The worker of the last attempt.
    #[prost(string, tag = "15")]
    pub last_identity: String,
    /// The retry policy in force.
    #[prost(message, optional, tag = "16")]
    pub retry_policy: Option<RetryPolicy>,
    /// True between a failed attempt and the time of the next.
    #[prost(bool, tag = "7")]
    pub backing_off: bool,
    /// Set while no new attempt may start.
    #[prost(message, optional, tag = "60")]
    pub paused: Option<ActivityPause>,
    /// The activity was reset; true until its next attempt.
    #[prost(bool, tag = "61")]
    pub is_reset: bool,
    /// The next attempt gets no heartbeat details.
    #[prost(bool, tag = "62")]
    pub resets_heartbeat: bool,
    /// What was scheduled, once other options are in force.
    #[prost(message, optional, tag = "63")]
    pub original: Option<Shared<ActivityTaskScheduledEventAttributes>>,
}

/// Who paused an activity, and why.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ActivityPause {
    /// When.
    #[prost(message, required, tag = "1")]
    pub time: Time,
    /// Who.
    #[prost(string, tag = "2")]
    pub identity: String,
    /// Why.
    #[prost(string, tag = "3")]
    pub reason: String,
    /// The request's id.
    #[prost(string, tag = "4")]
    pub request_id: String,
    /// The rule that did it; empty for a person.
    #[prost(string, tag = "5")]
    pub rule_id: String,
}

/// Who paused a run, and why.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WorkflowPause {
    /// When.
    #[prost(message, required, tag = "1")]
    pub time: Time,
    /// Who.
    #[prost(string, tag = "2")]
    pub identity: String,
    /// Why.
    #[prost(string, tag = "3")]
    pub reason: String,
    /// The request's id.
    #[prost(string, tag = "4")]
    pub request_id: String,
}

impl State {
    /// A run that has not started, made once: a state is large.
    pub fn not_started() -> Arc<Self> {
        static NOT_STARTED: LazyLock<Arc<State>> = LazyLock::new(Arc::default);
        Arc::clone(&NOT_STARTED)
    }

    /// True while the run accepts input, paused or not.
    pub fn is_running(&self) -> bool {
        self.status == WorkflowExecutionStatus::Running as i32 || self.is_paused()
    }

    /// True while the run gets no tasks.
    pub fn is_paused(&self) -> bool {
        self.status == WorkflowExecutionStatus::Paused as i32
    }

    /// True once the run was started, closed or not.
    pub fn is_started(&self) -> bool {
        self.status != WorkflowExecutionStatus::Unspecified as i32
    }

    /// True while a worker holds a workflow task: bufferable events wait.
    pub fn has_started_workflow_task(&self) -> bool {
        self.workflow_task.as_ref().is_some_and(WorkflowTask::is_started)
    }

    /// What of it survives the process: no speculative workflow task, and no update that was not
    /// accepted, unless an event admitted it.
    #[must_use]
    pub fn durable(&self) -> Self {
        let mut durable = self.clone();
        durable.workflow_task = durable.workflow_task.filter(|task| !task.is_speculative());
        durable.updates.retain(|_, update| update.is_durable());
        for update in durable.updates.values_mut().filter(|update| update.sent) {
            update.edit().sent = false;
        }
        durable
    }

    /// The id of the last event.
    pub fn last_event_id(&self) -> i64 {
        self.next_event_id.saturating_sub(1)
    }

    /// The normal task queue.
    pub fn task_queue(&self) -> &str {
        self.started
            .as_ref()
            .and_then(|started| started.task_queue.as_ref())
            .map_or("", |task_queue| &task_queue.name)
    }

    /// The workflow type's name.
    pub fn workflow_type(&self) -> &str {
        self.started
            .as_ref()
            .and_then(|started| started.workflow_type.as_ref())
            .map_or("", |workflow_type| &workflow_type.name)
    }

    /// When the first workflow task was, or will be, scheduled.
    pub fn execution_time(&self) -> Time {
        let delayed = self.started.as_ref().filter(|_| !self.last_reset_time.is_set());
        let backoff = delayed.map_or(Span::ZERO, |started| {
            Span::from_proto(started.first_workflow_task_backoff.as_ref())
        });
        self.start_time + backoff
    }

    /// The first run of the chain.
    pub fn first_execution_run_id(&self) -> &str {
        self.started.as_ref().map_or("", |started| &started.first_execution_run_id)
    }

    /// A pending activity by its user-chosen id.
    pub fn activity_by_id(&self, activity_id: &str) -> Option<(i64, &Activity)> {
        self.activities
            .iter()
            .find(|(_, activity)| activity.activity_id() == activity_id)
            .map(|(scheduled_event_id, activity)| (*scheduled_event_id, &**activity))
    }
}

impl WorkflowTask {
    /// True once a worker holds it.
    pub fn is_started(&self) -> bool {
        self.started_event_id != 0
    }

    /// True when its events are not in the history yet because earlier attempts failed.
    pub fn is_transient(&self) -> bool {
        self.attempt > 1
    }

    /// True when it is in memory only.
    pub fn is_speculative(&self) -> bool {
        self.kind == WorkflowTaskKind::Speculative as i32
    }

    /// True when its events are in the history.
    pub fn is_written(&self) -> bool {
        !self.is_transient() && !self.is_speculative()
    }
}

impl Activity {
    /// The user-chosen id.
    pub fn activity_id(&self) -> &str {
        self.scheduled.as_ref().map_or("", |scheduled| &scheduled.activity_id)
    }

    /// The activity's type.
    pub fn activity_type(&self) -> &str {
        self.scheduled
            .as_ref()
            .and_then(|scheduled| scheduled.activity_type.as_ref())
            .map_or("", |activity_type| &activity_type.name)
    }

    /// What was scheduled, whatever options are in force.
    pub fn original(&self) -> Option<&ActivityTaskScheduledEventAttributes> {
        self.original.as_deref().or(self.scheduled.as_deref())
    }

    /// True once a worker holds the current attempt.
    pub fn is_started(&self) -> bool {
        self.started_time.is_set()
    }

    /// The queue of its tasks.
    pub fn task_queue(&self) -> &str {
        self.scheduled
            .as_ref()
            .and_then(|scheduled| scheduled.task_queue.as_ref())
            .map_or("", |task_queue| &task_queue.name)
    }
}
