//! One workflow run as a pure function.
//!
//! [`decide()`] takes a state, an input and a context and says what changes, or refuses. [`evolve()`]
//! folds a change into a state. [`outstanding_tasks`] says what work a state implies. Nothing here
//! reads a clock, draws a random number, does I/O or waits: the same arguments give the same
//! bytes. History and command messages of Temporal's API, which are also the stored format, are
//! used as they are; requests, responses and gRPC are unknown here.
//!
//! A newcomer reads [`Input`], [`Change`] and then `timer.rs`, the smallest complete concept.

mod activity;
mod agenda;
mod attach_request;
mod buffer;
mod callback;
mod cancel;
mod change;
mod child;
mod close;
mod commands;
mod context;
mod continue_as_new;
mod cron;
mod decide;
mod draft;
mod events;
mod evolve;
mod external;
mod failures;
mod input;
mod left_behind;
mod marker;
mod nexus_operation;
mod outcome;
mod pause;
mod pause_info;
mod priority;
mod query;
mod reapply;
mod rejection;
mod reply;
mod reset;
mod reset_points;
mod retry_policy;
mod rules;
mod server_attributes;
mod shared;
mod signal;
mod start;
mod start_policy;
mod state;
mod task;
mod terminate;
mod time_skipping;
mod timeout;
mod timer;
mod transition;
mod update;
mod update_options;
mod upsert;
mod versioning;
mod worker_command;
mod workflow_task;

pub use activity::{
    activity_options, merge_activity_options, next_retry_delay, normalize_activity_timeouts,
};
pub use agenda::agenda;
pub use callback::{CallbackDelivery, CallbackRef, CompletionCallback};
pub use change::{
    ActivityHeartbeat, ActivityOptionsSet, ActivityPaused, ActivityReset, ActivityRetryDue,
    ActivityRetryScheduled, ActivityStarted, ActivityUnpaused, BufferFlushed, BufferedTimerDropped,
    CallbackAttempted, CallbackRetryDue, Change, ChildReleased, ClosePolicyApplied, ClosingSet,
    Mutation, MutationRecord, NexusCancellationAttemptFailed, NexusCancellationRetryDue,
    NexusOperationAttemptFailed, NexusOperationRetryDue, ParentInformed, RequestAttached,
    ResetRecorded, RunCreated, RunReset, SpeculativeWorkflowTaskSet, StickySet,
    TargetVersionNotified, UpdateAdmitted, UpdateJoined, UpdatesDropped, UpdatesSent,
    VersionTransitionSet, WorkerCommandsSent, WorkflowTaskDetailed, WorkflowTaskDropped,
    WorkflowTaskFailuresForgiven, WorkflowTaskScheduled, WorkflowTaskStarted,
};
pub use child::Child;
pub use commands::command_type;
pub use context::Context;
pub use cron::{CronError, CronSchedule, validate_cron_schedule};
pub use decide::decide;
pub use evolve::evolve;
pub use input::{
    ActivitySelection, AttachRequest, CancelActivity, ChildClosed, CompleteActivity,
    CompleteWorkflowTask, FailActivity, FailWorkflowTask, HeartbeatActivity, HeldActivity,
    HeldWorkflowTask, Input, PauseActivity, PauseRequest, RequestCancel, Reset, ResetActivity,
    SearchAttributesRefusal, SetActivityOptions, Signal, Start, StartActivity, StartWorkflowTask,
    Terminate, UnpauseActivity, UpdateOptions, UpdateWorkflow,
};
pub use left_behind::LeftBehind;
pub use nexus_operation::{
    CompleteNexusOperation, NexusCancellation, NexusCancellationAnswer, NexusOperation,
    NexusOperationAnswer, NexusOperationEnd, SYSTEM_ENDPOINT,
};
pub use outcome::Outcome;
pub use priority::merged_priority;
pub use query::{QueryRoute, route_query};
pub use reapply::ReapplyExclusions;
pub use rejection::Rejection;
pub use reply::{CompletedWorkflowTask, Reply, StartedActivity, StartedWorkflowTask};
pub use reset::RESETTER;
pub use retry_policy::{
    RetryDecision, decide_retry, normalize_retry_policy, outbound_delay, retry_interval,
    validate_retry_policy,
};
pub use shared::Shared;
pub use start_policy::{StartDecision, StartPolicy, decide_start};
pub use state::{
    Activity, ActivityPause, HistoryAncestor, State, Sticky, Timer, WorkflowPause, WorkflowTask,
    WorkflowTaskKind,
};
pub use task::{
    ActivityRef, EntityTaskRef, EntityTimerRef, EntityWorkRef, FastForwardRef, InitiatedRef,
    NexusOperationRef, RunRef, Task, TaskAction, TaskRecord, TimerRef, WorkflowTaskRef, is_current,
    is_volatile, outstanding_tasks,
};
pub use time_skipping::{FastForward, TimeSkipping};
pub use transition::{PlacedMutation, Transition, TransitionRecord};
pub use update::{
    CompletedUpdates, Update, UpdateAborted, UpdateNotice, UpdateProgress, UpdateRequestEvent,
    UpdateStage,
};
pub use upsert::is_null;
pub use versioning::{
    Dispatch, Inherited, TargetVersion, current_override, override_target, target_of_override,
};
pub use worker_command::{CancelledAttempt, WorkerCommands, WorkerCommandsRef};
pub use workflow_task::held as held_workflow_task;
