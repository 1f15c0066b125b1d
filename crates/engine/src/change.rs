//! What a transition changes: events, and mutations that the history does not show.

use api::{
    common::v1::{Callback, Payloads},
    failure::v1::Failure,
    history::v1::{
        ActivityTaskScheduledEventAttributes, DeclinedTargetVersionUpgrade, HistoryEvent,
        workflow_execution_options_updated_event_attributes::WorkflowUpdateOptionsUpdate,
    },
    update::v1::Request,
    workflow::v1::DeploymentVersionTransition,
};
use model::{Span, Time};

use crate::{
    Shared,
    state::{ActivityPause, HistoryAncestor, Sticky, WorkflowTask},
};

/// One change of a state. Only changes change a state; folded in order they rebuild it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// An event enters the history.
    Event(Box<HistoryEvent>),
    /// Something changes that no event shows.
    Mutation(Box<Mutation>),
}

impl Change {
    /// False for a change that is in memory only, and forgotten with the process.
    pub fn is_stored(&self) -> bool {
        match self {
            Self::Event(_) => true,
            Self::Mutation(mutation) => mutation.is_stored(),
        }
    }
}

/// A mutation as it is stored.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MutationRecord {
    /// Which one. Absent only in a record that a newer program wrote.
    #[prost(
        oneof = "Mutation",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 30, 31, 32, 33, 34, 40, 41, 42, 43, 44, 45, 50, 51, 52, 53, 55, 56, 60, 61, 150"
    )]
    pub mutation: Option<Mutation>,
}

/// A change that the history does not show. Tags are part of the stored format.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Mutation {
    /// The run exists; its start event follows.
    #[prost(message, tag = "1")]
    RunCreated(RunCreated),
    /// An event happened while a workflow task was started, and waits for its end.
    #[prost(message, tag = "2")]
    EventBuffered(Shared<HistoryEvent>),
    /// The waiting events leave the buffer; they follow as events, in their final order.
    #[prost(message, tag = "3")]
    BufferFlushed(BufferFlushed),
    /// A waiting `TIMER_FIRED` is dropped because its timer was cancelled.
    #[prost(message, tag = "4")]
    BufferedTimerDropped(BufferedTimerDropped),
    /// A workflow task waits for a worker; its events are written when it completes.
    #[prost(message, tag = "5")]
    WorkflowTaskScheduled(WorkflowTaskScheduled),
    /// A worker holds a workflow task whose events are written when it completes.
    #[prost(message, tag = "6")]
    WorkflowTaskStarted(WorkflowTaskStarted),
    /// A workflow task ended without a trace in the history.
    #[prost(message, tag = "7")]
    WorkflowTaskDropped(WorkflowTaskDropped),
    /// What a workflow task's events do not say about it.
    #[prost(message, tag = "8")]
    WorkflowTaskDetailed(WorkflowTaskDetailed),
    /// The worker caches the run and polls at its own queue; without one it no longer does.
    #[prost(message, tag = "9")]
    StickySet(StickySet),
    /// An unhandled closing command: other writers stand back until the next workflow task ends.
    #[prost(message, tag = "10")]
    ClosingSet(ClosingSet),
    /// A worker took an activity attempt.
    #[prost(message, tag = "11")]
    ActivityStarted(ActivityStarted),
    /// A heartbeat.
    #[prost(message, tag = "12")]
    ActivityHeartbeat(ActivityHeartbeat),
    /// An attempt failed and another follows.
    #[prost(message, tag = "13")]
    ActivityRetryScheduled(ActivityRetryScheduled),
    /// The back-off of an attempt is over: it waits for a worker.
    #[prost(message, tag = "14")]
    ActivityRetryDue(ActivityRetryDue),
    /// A request was answered with this run.
    #[prost(message, tag = "15")]
    RequestAttached(RequestAttached),
    /// Failed attempts no longer count: there is news for the worker.
    #[prost(message, tag = "16")]
    WorkflowTaskFailuresForgiven(WorkflowTaskFailuresForgiven),
    /// The parent knows of the closed run, or is gone.
    #[prost(message, tag = "20")]
    ParentInformed(ParentInformed),
    /// The closed run's children have been dealt with as their policies say.
    #[prost(message, tag = "21")]
    ClosePolicyApplied(ClosePolicyApplied),
    /// The closed run has nothing to do any more with a child that it had not seen started.
    #[prost(message, tag = "22")]
    ChildReleased(ChildReleased),
    /// The events so far are another run's: from here on they are the past of this one.
    #[prost(message, tag = "40")]
    RunReset(RunReset),
    /// A reset made another run out of this one.
    #[prost(message, tag = "41")]
    ResetRecorded(ResetRecorded),
    /// No attempt of an activity may start.
    #[prost(message, tag = "42")]
    ActivityPaused(ActivityPaused),
    /// Attempts of an activity may start again.
    #[prost(message, tag = "43")]
    ActivityUnpaused(ActivityUnpaused),
    /// An activity begins again with its first attempt.
    #[prost(message, tag = "44")]
    ActivityReset(ActivityReset),
    /// An activity has other options.
    #[prost(message, tag = "45")]
    ActivityOptionsSet(ActivityOptionsSet),
    /// An attempt to start a Nexus operation failed, and another follows.
    #[prost(message, tag = "50")]
    NexusOperationAttemptFailed(NexusOperationAttemptFailed),
    /// The back-off of a Nexus operation is over.
    #[prost(message, tag = "51")]
    NexusOperationRetryDue(NexusOperationRetryDue),
    /// An attempt to cancel a Nexus operation failed, and another follows.
    #[prost(message, tag = "52")]
    NexusCancellationAttemptFailed(NexusCancellationAttemptFailed),
    /// The back-off of a request to cancel a Nexus operation is over.
    #[prost(message, tag = "53")]
    NexusCancellationRetryDue(NexusCancellationRetryDue),
    /// An attempt to deliver a completion callback has ended.
    #[prost(message, tag = "55")]
    CallbackAttempted(CallbackAttempted),
    /// The back-off of a completion callback is over.
    #[prost(message, tag = "56")]
    CallbackRetryDue(CallbackRetryDue),
    /// An update waits for a worker. In memory only.
    #[prost(message, tag = "30")]
    UpdateAdmitted(UpdateAdmitted),
    /// Updates went to a worker with the started workflow task. In memory only.
    #[prost(message, tag = "31")]
    UpdatesSent(UpdatesSent),
    /// Updates were rejected, or nobody will accept them any more. In memory only.
    #[prost(message, tag = "32")]
    UpdatesDropped(UpdatesDropped),
    /// A speculative workflow task is scheduled, started or dropped. In memory only.
    #[prost(message, tag = "33")]
    SpeculativeWorkflowTaskSet(SpeculativeWorkflowTaskSet),
    /// Updates that events of the history admitted were rejected.
    #[prost(message, tag = "34")]
    AdmittedUpdatesDropped(UpdatesDropped),
    /// Another request for an update waits for its acceptance. In memory only.
    #[prost(message, tag = "91")]
    UpdateJoined(UpdateJoined),
    /// The run moves to another version of its workers.
    #[prost(message, tag = "60")]
    VersionTransitionSet(VersionTransitionSet),
    /// The worker of a pinned run is told that its task queue has moved on.
    #[prost(message, tag = "61")]
    TargetVersionNotified(TargetVersionNotified),
    /// A worker was told what it had to be told, or cannot be.
    #[prost(message, tag = "150")]
    WorkerCommandsSent(WorkerCommandsSent),
}

/// See [`Mutation::WorkerCommandsSent`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct WorkerCommandsSent {
    /// The number of what it was told.
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

/// See [`Mutation::VersionTransitionSet`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct VersionTransitionSet {
    /// Where it moves.
    #[prost(message, optional, tag = "1")]
    pub transition: Option<DeploymentVersionTransition>,
    /// The revision of the routing that says so.
    #[prost(int64, tag = "2")]
    pub revision_number: i64,
}

/// See [`Mutation::TargetVersionNotified`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct TargetVersionNotified {
    /// Where the queue's tasks go now; none when the run is there again.
    #[prost(message, optional, tag = "1")]
    pub target: Option<DeclinedTargetVersionUpgrade>,
}

/// See [`Mutation::ActivityPaused`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct ActivityPaused {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// Who, and why.
    #[prost(message, required, tag = "2")]
    pub pause: ActivityPause,
}

/// See [`Mutation::ActivityUnpaused`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ActivityUnpaused {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// Attempts are counted from the first again.
    #[prost(bool, tag = "2")]
    pub resets_attempts: bool,
    /// Heartbeat details are forgotten.
    #[prost(bool, tag = "3")]
    pub resets_heartbeat: bool,
    /// When.
    #[prost(message, required, tag = "4")]
    pub time: Time,
    /// When the next attempt may start, unless one runs.
    #[prost(message, required, tag = "5")]
    pub next_attempt_time: Time,
}

/// See [`Mutation::ActivityReset`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ActivityReset {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// The next attempt gets no heartbeat details.
    #[prost(bool, tag = "2")]
    pub resets_heartbeat: bool,
    /// A paused activity stays paused.
    #[prost(bool, tag = "3")]
    pub keeps_paused: bool,
    /// It has the options again that it was scheduled with.
    #[prost(bool, tag = "4")]
    pub restores_options: bool,
    /// When.
    #[prost(message, required, tag = "5")]
    pub time: Time,
    /// When the next attempt may start, unless one runs.
    #[prost(message, required, tag = "6")]
    pub next_attempt_time: Time,
}

/// See [`Mutation::ActivityOptionsSet`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct ActivityOptionsSet {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// What is in force from here on, as if it had been scheduled so.
    #[prost(message, required, tag = "2")]
    pub scheduled: Shared<ActivityTaskScheduledEventAttributes>,
    /// When the current attempt was, or will be, scheduled.
    #[prost(message, required, tag = "3")]
    pub next_attempt_time: Time,
}

/// See [`Mutation::RunReset`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct RunReset {
    /// The namespace's id.
    #[prost(string, tag = "1")]
    pub namespace_id: String,
    /// The new run's id.
    #[prost(string, tag = "2")]
    pub run_id: String,
    /// The request that started the first of the runs with this past.
    #[prost(string, tag = "3")]
    pub start_request_id: String,
    /// The request for the reset.
    #[prost(string, tag = "4")]
    pub reset_request_id: String,
    /// Whose records hold the past, oldest first.
    #[prost(message, repeated, tag = "5")]
    pub history_ancestors: Vec<HistoryAncestor>,
    /// When.
    #[prost(message, required, tag = "6")]
    pub time: Time,
    /// Whom of the server to tell when the chain of runs has closed.
    #[prost(message, repeated, tag = "7")]
    pub watchers: Vec<Shared<Callback>>,
}

/// See [`Mutation::ResetRecorded`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct ResetRecorded {
    /// The run that it made.
    #[prost(string, tag = "1")]
    pub reset_run_id: String,
}

impl Mutation {
    /// False for a mutation that is in memory only, and forgotten with the process.
    pub fn is_stored(&self) -> bool {
        match self {
            Self::UpdateAdmitted(_)
            | Self::UpdateJoined(_)
            | Self::UpdatesSent(_)
            | Self::UpdatesDropped(_)
            | Self::SpeculativeWorkflowTaskSet(_) => false,
            Self::RunCreated(_)
            | Self::EventBuffered(_)
            | Self::BufferFlushed(_)
            | Self::BufferedTimerDropped(_)
            | Self::WorkflowTaskScheduled(_)
            | Self::WorkflowTaskStarted(_)
            | Self::WorkflowTaskDropped(_)
            | Self::WorkflowTaskDetailed(_)
            | Self::StickySet(_)
            | Self::ClosingSet(_)
            | Self::ActivityStarted(_)
            | Self::ActivityHeartbeat(_)
            | Self::ActivityRetryScheduled(_)
            | Self::ActivityRetryDue(_)
            | Self::RequestAttached(_)
            | Self::WorkflowTaskFailuresForgiven(_)
            | Self::ParentInformed(_)
            | Self::ClosePolicyApplied(_)
            | Self::ChildReleased(_)
            | Self::AdmittedUpdatesDropped(_)
            | Self::RunReset(_)
            | Self::ResetRecorded(_)
            | Self::ActivityPaused(_)
            | Self::ActivityUnpaused(_)
            | Self::ActivityReset(_)
            | Self::ActivityOptionsSet(_)
            | Self::NexusOperationAttemptFailed(_)
            | Self::NexusOperationRetryDue(_)
            | Self::NexusCancellationAttemptFailed(_)
            | Self::NexusCancellationRetryDue(_)
            | Self::CallbackAttempted(_)
            | Self::CallbackRetryDue(_)
            | Self::VersionTransitionSet(_)
            | Self::WorkerCommandsSent(_)
            | Self::TargetVersionNotified(_) => true,
        }
    }
}

/// See [`Mutation::RunCreated`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct RunCreated {
    /// The namespace's id.
    #[prost(string, tag = "1")]
    pub namespace_id: String,
    /// The workflow's id.
    #[prost(string, tag = "2")]
    pub workflow_id: String,
    /// The run's id.
    #[prost(string, tag = "3")]
    pub run_id: String,
    /// The request that started the run.
    #[prost(string, tag = "4")]
    pub request_id: String,
    /// Whom of the server to tell when the chain of runs has closed; no event shows them.
    #[prost(message, repeated, tag = "5")]
    pub watchers: Vec<Shared<Callback>>,
}

/// See [`Mutation::BufferFlushed`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct BufferFlushed {}

/// See [`Mutation::BufferedTimerDropped`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct BufferedTimerDropped {
    /// The timer's id.
    #[prost(string, tag = "1")]
    pub timer_id: String,
}

/// See [`Mutation::WorkflowTaskScheduled`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct WorkflowTaskScheduled {
    /// The event id that its scheduling would have.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// Counts from 1.
    #[prost(int32, tag = "2")]
    pub attempt: i32,
    /// A `WorkflowTaskKind`.
    #[prost(enumeration = "crate::WorkflowTaskKind", tag = "3")]
    pub kind: i32,
    /// Time that the worker will have.
    #[prost(message, required, tag = "4")]
    pub start_to_close_timeout: Span,
    /// When.
    #[prost(message, required, tag = "5")]
    pub scheduled_time: Time,
}

/// See [`Mutation::WorkflowTaskStarted`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct WorkflowTaskStarted {
    /// The event id that its start would have.
    #[prost(int64, tag = "1")]
    pub started_event_id: i64,
    /// The poll that started it.
    #[prost(string, tag = "2")]
    pub request_id: String,
    /// The worker.
    #[prost(string, tag = "3")]
    pub identity: String,
    /// When.
    #[prost(message, required, tag = "4")]
    pub started_time: Time,
    /// Bytes of history at its start.
    #[prost(int64, tag = "5")]
    pub history_bytes: i64,
    /// Why the worker was told to continue as new.
    #[prost(int32, repeated, tag = "6")]
    pub suggest_continue_as_new_reasons: Vec<i32>,
    /// The worker is told that its task queue has moved on to another version.
    #[prost(bool, tag = "60")]
    pub target_version_changed: bool,
}

/// See [`Mutation::WorkflowTaskDropped`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct WorkflowTaskDropped {
    /// Whether it counts as one more failed attempt.
    #[prost(bool, tag = "1")]
    pub failed: bool,
    /// Why it failed; unspecified when its time was over.
    #[prost(enumeration = "api::enums::v1::WorkflowTaskFailedCause", tag = "2")]
    pub cause: i32,
}

/// See [`Mutation::WorkflowTaskDetailed`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct WorkflowTaskDetailed {
    /// When the first of a chain of heartbeats was scheduled.
    #[prost(message, required, tag = "1")]
    pub original_scheduled_time: Time,
    /// True when it was scheduled on the sticky queue.
    #[prost(bool, tag = "2")]
    pub on_sticky_queue: bool,
}

/// See [`Mutation::StickySet`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct StickySet {
    /// The worker's queue, or none.
    #[prost(message, optional, tag = "1")]
    pub sticky: Option<Sticky>,
}

/// See [`Mutation::ClosingSet`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ClosingSet {
    /// Whether the run is about to close.
    #[prost(bool, tag = "1")]
    pub closing: bool,
}

/// See [`Mutation::ActivityStarted`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct ActivityStarted {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// The poll that took it.
    #[prost(string, tag = "2")]
    pub request_id: String,
    /// The worker.
    #[prost(string, tag = "3")]
    pub identity: String,
    /// When.
    #[prost(message, required, tag = "4")]
    pub started_time: Time,
    /// Where the worker takes commands; empty when it takes none.
    #[prost(string, tag = "150")]
    pub worker_control_task_queue: String,
}

/// See [`Mutation::ActivityHeartbeat`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct ActivityHeartbeat {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// What the worker sent.
    #[prost(message, optional, tag = "2")]
    pub details: Option<Shared<Payloads>>,
    /// When.
    #[prost(message, required, tag = "3")]
    pub time: Time,
}

/// See [`Mutation::ActivityRetryScheduled`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct ActivityRetryScheduled {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// How the attempt failed.
    #[prost(message, optional, tag = "2")]
    pub last_failure: Option<Shared<Failure>>,
    /// When the attempt ended.
    #[prost(message, required, tag = "3")]
    pub time: Time,
    /// When the next attempt is due.
    #[prost(message, required, tag = "4")]
    pub next_attempt_time: Time,
}

/// See [`Mutation::ActivityRetryDue`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ActivityRetryDue {
    /// Which activity.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
}

/// See [`Mutation::RequestAttached`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct RequestAttached {
    /// The request.
    #[prost(string, tag = "1")]
    pub request_id: String,
    /// When.
    #[prost(message, required, tag = "2")]
    pub time: Time,
}

/// See [`Mutation::WorkflowTaskFailuresForgiven`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct WorkflowTaskFailuresForgiven {}

/// See [`Mutation::ParentInformed`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ParentInformed {}

/// See [`Mutation::ClosePolicyApplied`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ClosePolicyApplied {}

/// See [`Mutation::ChildReleased`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ChildReleased {
    /// The event that asked for the child.
    #[prost(int64, tag = "1")]
    pub initiated_event_id: i64,
}

/// See [`Mutation::NexusOperationAttemptFailed`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct NexusOperationAttemptFailed {
    /// The event that scheduled the operation.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// How the attempt failed.
    #[prost(message, optional, tag = "2")]
    pub failure: Option<Shared<Failure>>,
    /// When.
    #[prost(message, required, tag = "3")]
    pub time: Time,
    /// When the next one is due.
    #[prost(message, required, tag = "4")]
    pub next_attempt_time: Time,
}

/// See [`Mutation::NexusOperationRetryDue`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct NexusOperationRetryDue {
    /// The event that scheduled the operation.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
}

/// See [`Mutation::NexusCancellationAttemptFailed`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct NexusCancellationAttemptFailed {
    /// The event that scheduled the operation.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// How the attempt failed.
    #[prost(message, optional, tag = "2")]
    pub failure: Option<Shared<Failure>>,
    /// When.
    #[prost(message, required, tag = "3")]
    pub time: Time,
    /// When the next one is due.
    #[prost(message, required, tag = "4")]
    pub next_attempt_time: Time,
}

/// See [`Mutation::NexusCancellationRetryDue`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct NexusCancellationRetryDue {
    /// The event that scheduled the operation.
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
}

/// See [`Mutation::CallbackAttempted`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct CallbackAttempted {
    /// The callback's place among those of the run.
    #[prost(uint32, tag = "1")]
    pub index: u32,
    /// A `CallbackState`: how far it is now.
    #[prost(enumeration = "api::enums::v1::CallbackState", tag = "2")]
    pub state: i32,
    /// How the attempt failed, if it did.
    #[prost(message, optional, tag = "3")]
    pub failure: Option<Shared<Failure>>,
    /// When it ended.
    #[prost(message, required, tag = "4")]
    pub time: Time,
    /// When the next one is due; unset when none follows.
    #[prost(message, required, tag = "5")]
    pub next_attempt_time: Time,
}

/// See [`Mutation::CallbackRetryDue`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct CallbackRetryDue {
    /// The callback's place among those of the run.
    #[prost(uint32, tag = "1")]
    pub index: u32,
}

/// See [`Mutation::UpdateAdmitted`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateAdmitted {
    /// Its id.
    #[prost(string, tag = "1")]
    pub update_id: String,
    /// What is asked.
    #[prost(message, optional, tag = "2")]
    pub request: Option<Shared<Request>>,
}

/// See [`Mutation::UpdateJoined`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateJoined {
    /// Which update, and what the request brought.
    #[prost(message, optional, tag = "1")]
    pub options: Option<Shared<WorkflowUpdateOptionsUpdate>>,
}

/// See [`Mutation::UpdatesSent`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdatesSent {
    /// Their ids.
    #[prost(string, repeated, tag = "1")]
    pub update_ids: Vec<String>,
}

/// See [`Mutation::UpdatesDropped`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdatesDropped {
    /// Their ids.
    #[prost(string, repeated, tag = "1")]
    pub update_ids: Vec<String>,
    /// Why they were rejected, where somebody outside waits for one of them.
    #[prost(message, optional, tag = "2")]
    pub rejection: Option<Shared<Failure>>,
}

/// See [`Mutation::SpeculativeWorkflowTaskSet`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct SpeculativeWorkflowTaskSet {
    /// The task as it stands; none once it is gone.
    #[prost(message, optional, tag = "1")]
    pub task: Option<WorkflowTask>,
}
