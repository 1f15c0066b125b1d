//! What can happen to a run.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    activity::v1::ActivityOptions,
    command::v1::Command,
    common::v1::{Callback, Header, Link, Payloads, WorkflowExecution},
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{VersioningBehavior, WorkflowTaskFailedCause},
    failure::v1::Failure,
    history::v1::{
        HistoryEvent, WorkflowExecutionStartedEventAttributes, history_event::Attributes,
    },
    protocol::v1::Message,
    rules::v1::WorkflowRuleSpec,
    sdk::v1::{UserMetadata, WorkflowTaskCompletedMetadata},
    update::v1::Request,
    workflow::v1::WorkflowExecutionOptions,
};

use model::{Span, Time};

use crate::{
    change::RunReset, nexus_operation::CompleteNexusOperation, outcome::Outcome, state::Sticky,
    task::TaskAction, versioning::Dispatch,
};

/// One thing that happens to a run: a request, or a time that has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The run starts.
    Start(Box<Start>),
    /// A signal arrives.
    Signal(Box<Signal>),
    /// Somebody asks the workflow to cancel.
    RequestCancel(RequestCancel),
    /// Somebody ends the run at once.
    Terminate(Terminate),
    /// Somebody asks the workflow for an update.
    UpdateWorkflow(UpdateWorkflow),
    /// A request that reused this run is remembered.
    AttachRequest(AttachRequest),
    /// A worker takes the workflow task.
    StartWorkflowTask(StartWorkflowTask),
    /// A worker answers the workflow task.
    CompleteWorkflowTask(Box<CompleteWorkflowTask>),
    /// A worker could not answer the workflow task.
    FailWorkflowTask(Box<FailWorkflowTask>),
    /// The worker dropped the run from its cache.
    ResetStickyTaskQueue,
    /// The workflow task waits at a sticky queue that nobody polls: it goes to the normal queue.
    LeaveStickyQueue,
    /// A worker takes an activity attempt.
    StartActivity(StartActivity),
    /// A worker reports progress.
    HeartbeatActivity(HeartbeatActivity),
    /// A worker completed an activity.
    CompleteActivity(CompleteActivity),
    /// A worker failed an activity.
    FailActivity(Box<FailActivity>),
    /// A worker confirms that an activity was cancelled.
    CancelActivity(CancelActivity),
    /// Work of the run towards another run is done, or cannot be done.
    Outcome(Outcome),
    /// A child's last run has closed.
    ChildClosed(Box<ChildClosed>),
    /// Somebody gives the run other options.
    UpdateOptions(Box<UpdateOptions>),
    /// Somebody applies a rule to the pending activities.
    TriggerRule(Box<WorkflowRuleSpec>),
    /// Somebody stops the run for a while.
    Pause(PauseRequest),
    /// Somebody lets a paused run go on.
    Unpause(PauseRequest),
    /// Somebody stops new attempts of activities.
    PauseActivity(PauseActivity),
    /// Somebody lets paused activities go on.
    UnpauseActivity(UnpauseActivity),
    /// Somebody lets activities begin again with their first attempt.
    ResetActivity(ResetActivity),
    /// Somebody gives activities other options.
    SetActivityOptions(Box<SetActivityOptions>),
    /// The state, folded from the events of another run, becomes a run of its own.
    Reset(Box<Reset>),
    /// A reset made this run out of the one that the input is for.
    RecordReset(String),
    /// A Nexus operation has ended, says its handler.
    CompleteNexusOperation(Box<CompleteNexusOperation>),
    /// A durable task is due. One that is no longer current changes nothing.
    TaskDue(TaskAction),
}

/// See [`Input::Start`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Start {
    /// The namespace's id.
    pub namespace_id: String,
    /// The run's id.
    pub run_id: String,
    /// The request's id.
    pub request_id: String,
    /// The start event. Time-outs, attempt, chain ids and expiration are filled in by the engine
    /// where they are empty.
    pub attributes: WorkflowExecutionStartedEventAttributes,
    /// Links of the start event.
    pub links: Vec<Link>,
    /// Summary and details.
    pub user_metadata: Option<UserMetadata>,
    /// A signal that arrives with the start.
    pub signal: Option<Box<Signal>>,
    /// An update that arrives with the start.
    pub update: Option<UpdateWorkflow>,
}

/// See [`Input::UpdateWorkflow`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateWorkflow {
    /// The request; its id is set.
    pub request: Box<Request>,
}

/// See [`Input::Signal`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signal {
    /// The signal's name.
    pub signal_name: String,
    /// Its arguments.
    pub input: Option<Payloads>,
    /// Who sent it.
    pub identity: String,
    /// Its header.
    pub header: Option<Header>,
    /// The request's id; a repeated one changes nothing. Empty: none.
    pub request_id: String,
    /// The workflow that sent it, if one did.
    pub external_workflow_execution: Option<WorkflowExecution>,
    /// Only if the run is a child of this one.
    pub only_child_of: Option<WorkflowExecution>,
    /// Links of the event.
    pub links: Vec<Link>,
}

/// See [`Input::ChildClosed`].
#[derive(Debug, Clone, PartialEq)]
pub struct ChildClosed {
    /// The event that asked for the child.
    pub initiated_event_id: i64,
    /// The child's run that closed.
    pub execution: WorkflowExecution,
    /// The first run of its chain.
    pub first_execution_run_id: String,
    /// Its close event.
    pub close: Attributes,
}

/// See [`Input::RequestCancel`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestCancel {
    /// Why.
    pub reason: String,
    /// Who asked.
    pub identity: String,
    /// The initiated event of the workflow that asked; 0 for none.
    pub external_initiated_event_id: i64,
    /// The workflow that asked, if one did.
    pub external_workflow_execution: Option<WorkflowExecution>,
    /// Only if the run is a child of this one.
    pub only_child_of: Option<WorkflowExecution>,
    /// Links of the event.
    pub links: Vec<Link>,
}

/// See [`Input::Terminate`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Terminate {
    /// Why.
    pub reason: String,
    /// More about why.
    pub details: Option<Payloads>,
    /// Who.
    pub identity: String,
    /// Only if the run is a child of this one.
    pub only_child_of: Option<WorkflowExecution>,
    /// Links of the event.
    pub links: Vec<Link>,
}

/// See [`Input::Reset`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reset {
    /// Who the new run is.
    pub run: RunReset,
    /// The run whose events were folded.
    pub base_run_id: String,
    /// Why.
    pub reason: String,
    /// Later events of the base and of the runs that followed it, to apply again in this order.
    pub reapplied: Vec<HistoryEvent>,
    /// Other options that the new run gets after that.
    pub options: Vec<UpdateOptions>,
}

/// See [`Input::UpdateOptions`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateOptions {
    /// The options.
    pub options: WorkflowExecutionOptions,
    /// The paths (`priority.fairness_key`) of those that change.
    pub paths: Vec<String>,
    /// Who.
    pub identity: String,
}

/// See [`Input::Pause`] and [`Input::Unpause`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PauseRequest {
    /// Who.
    pub identity: String,
    /// Why.
    pub reason: String,
    /// The request's id; a repeated one pauses once.
    pub request_id: String,
}

/// Which pending activities a person means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivitySelection {
    /// The one with this id.
    Id(String),
    /// All of this type.
    Type(String),
    /// All.
    All,
}

/// See [`Input::PauseActivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct PauseActivity {
    /// Which activities.
    pub selection: ActivitySelection,
    /// Who.
    pub identity: String,
    /// Why.
    pub reason: String,
    /// The request's id; a repeated one changes nothing.
    pub request_id: String,
}

/// See [`Input::UnpauseActivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct UnpauseActivity {
    /// Which activities.
    pub selection: ActivitySelection,
    /// Attempts are counted from the first again.
    pub resets_attempts: bool,
    /// Heartbeat details are forgotten.
    pub resets_heartbeat: bool,
    /// The next attempts start within so much time.
    pub jitter: Span,
    /// Decides where in the jitter.
    pub seed: u64,
}

/// See [`Input::ResetActivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct ResetActivity {
    /// Which activities.
    pub selection: ActivitySelection,
    /// The next attempts get no heartbeat details.
    pub resets_heartbeat: bool,
    /// Paused activities stay paused.
    pub keeps_paused: bool,
    /// They have the options again that they were scheduled with.
    pub restores_options: bool,
    /// The next attempts start within so much time.
    pub jitter: Span,
    /// Decides where in the jitter.
    pub seed: u64,
}

/// See [`Input::SetActivityOptions`].
#[derive(Debug, Clone, PartialEq)]
pub struct SetActivityOptions {
    /// Which activities.
    pub selection: ActivitySelection,
    /// The options, and the paths (`start_to_close_timeout`) of those that change; none gives the
    /// activities their own back.
    pub change: Option<(ActivityOptions, Vec<String>)>,
}

/// See [`Input::AttachRequest`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AttachRequest {
    /// The request's id; empty when only the event is wanted.
    pub request_id: String,
    /// Links of the request.
    pub links: Vec<Link>,
    /// Completion callbacks of the request.
    pub completion_callbacks: Vec<Callback>,
}

/// See [`Input::StartWorkflowTask`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StartWorkflowTask {
    /// The task that matching holds; ignored when it is no longer the pending one.
    pub scheduled_event_id: i64,
    /// Its attempt.
    pub attempt: i32,
    /// The poll's id: the same poll may ask twice.
    pub request_id: String,
    /// The worker.
    pub identity: String,
    /// True when the poll is at a sticky queue.
    pub on_sticky_queue: bool,
    /// The worker's version.
    pub dispatch: Dispatch,
}

/// Names the workflow task that a worker holds, as its task token says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldWorkflowTask {
    /// Its scheduled event id.
    pub scheduled_event_id: i64,
    /// Its started event id.
    pub started_event_id: i64,
    /// Its attempt.
    pub attempt: i32,
    /// When it was started: speculative tasks that left no trace share their ids. Unset: whenever.
    pub started_time: Time,
}

/// See [`Input::CompleteWorkflowTask`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompleteWorkflowTask {
    /// Which task.
    pub task: HeldWorkflowTask,
    /// What the workflow wants.
    pub commands: Vec<Command>,
    /// Protocol messages (updates).
    pub messages: Vec<Message>,
    /// The worker.
    pub identity: String,
    /// Its build.
    pub binary_checksum: String,
    /// Where the worker caches the run; none clears stickiness.
    pub sticky: Option<Sticky>,
    /// The worker wants the next workflow task in the answer.
    pub return_new_workflow_task: bool,
    /// The worker needs more time: a heartbeat.
    pub force_create_new_workflow_task: bool,
    /// The worker can go back behind events that it got with a speculative task.
    pub takes_back_speculative_events: bool,
    /// What the SDK notes in the history.
    pub sdk_metadata: Option<WorkflowTaskCompletedMetadata>,
    /// Metering that the SDK notes in the history.
    pub metering_metadata: Option<api::common::v1::MeteringMetadata>,
    /// The worker's version stamp.
    pub worker_version: Option<api::common::v1::WorkerVersionStamp>,
    /// The poll id under which a returned workflow task is started.
    pub request_id: String,
    /// Why search attributes do not fit the namespace, by the place of the command that has them.
    /// Those of other commands have their types written into their payloads.
    pub search_attributes_refusals: BTreeMap<usize, SearchAttributesRefusal>,
    /// What is wrong with the versioning override of a child, by the command's place.
    pub versioning_override_refusals: BTreeMap<usize, String>,
    /// What is wrong with a Nexus operation of the server itself, by the command's place.
    pub nexus_operation_refusals: BTreeMap<usize, String>,
    /// Ids of the Nexus endpoints that the commands name, by name.
    pub nexus_endpoints: BTreeMap<String, String>,
    /// The worker's version, if it has one.
    pub deployment_version: Option<WorkerDeploymentVersion>,
    /// The name of the worker's deployment, versioned or not.
    pub worker_deployment_name: String,
    /// The commands came in pages and are too large together: there are none here.
    pub is_too_large: bool,
    /// Where the worker takes commands; empty when it takes none.
    pub worker_control_task_queue: String,
    /// How the workflow chooses its version, as its worker says.
    pub versioning_behavior: VersioningBehavior,
    /// Other task queues that commands name and that the run's version serves: runs that they start
    /// may stay on it.
    pub version_task_queues: BTreeSet<String>,
}

/// Why the search attributes of a command do not fit the namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchAttributesRefusal {
    /// The namespace does not know a name. Nothing else of the command is looked at.
    Unknown(String),
    /// A value has another type, or only the server sets the attribute.
    Unfit(String),
}

/// See [`Input::FailWorkflowTask`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FailWorkflowTask {
    /// Which task.
    pub task: HeldWorkflowTask,
    /// Why.
    pub cause: WorkflowTaskFailedCause,
    /// More about why.
    pub failure: Option<Failure>,
    /// The worker.
    pub identity: String,
    /// Its build.
    pub binary_checksum: String,
    /// The worker's version stamp.
    pub worker_version: Option<api::common::v1::WorkerVersionStamp>,
}

/// See [`Input::StartActivity`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StartActivity {
    /// Which activity.
    pub scheduled_event_id: i64,
    /// Its stamp in the task that matching holds.
    pub stamp: u32,
    /// The poll's id: the same poll may ask twice.
    pub request_id: String,
    /// The worker.
    pub identity: String,
    /// Where the worker takes commands; empty when it takes none.
    pub worker_control_task_queue: String,
    /// The worker's version.
    pub dispatch: Dispatch,
}

/// Which activity a worker means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldActivity {
    /// As a task token says.
    Token {
        /// Its scheduled event id.
        scheduled_event_id: i64,
        /// The attempt that the worker holds.
        attempt: i32,
    },
    /// By the user's activity id, whatever the attempt.
    Id(String),
}

/// See [`Input::HeartbeatActivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct HeartbeatActivity {
    /// Which activity.
    pub activity: HeldActivity,
    /// Progress.
    pub details: Option<Payloads>,
    /// The worker.
    pub identity: String,
}

/// See [`Input::CompleteActivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteActivity {
    /// Which activity.
    pub activity: HeldActivity,
    /// Its result.
    pub result: Option<Payloads>,
    /// The worker.
    pub identity: String,
}

/// See [`Input::FailActivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct FailActivity {
    /// Which activity.
    pub activity: HeldActivity,
    /// How it failed.
    pub failure: Option<Failure>,
    /// The worker.
    pub identity: String,
    /// A last heartbeat, saved before the failure.
    pub last_heartbeat_details: Option<Payloads>,
}

/// See [`Input::CancelActivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct CancelActivity {
    /// Which activity.
    pub activity: HeldActivity,
    /// What it leaves behind.
    pub details: Option<Payloads>,
    /// The worker.
    pub identity: String,
}
