//! The shell around the engine: slots, commits, timers and what waits for them.
//!
//! A [`History`] owns every run of a store. It loads a run's state, lets [`engine`] decide, stores
//! the outcome as one batch and only then acts on it: `commit_and_release` is the only function
//! that replies, hands tasks to workers, arms timers, wakes long polls or feeds the visibility
//! index. Nothing here decides what a workflow does, and nothing here knows gRPC.
//!
//! Where to start: `requests/signal.rs` is the shortest request, `slot.rs` is what a request locks,
//! `commit.rs` is how a decision becomes durable.

mod activity_token;
mod agenda;
mod answers;
mod batches;
mod branches;
mod commit;
mod completion_pages;
mod config;
mod context;
mod current;
mod delivery;
mod dispatch;
mod due;
mod entities;
mod error;
mod execution;
mod failure;
mod history;
mod indexed_types;
mod ledger;
mod metrics;
mod nexus;
mod node;
mod outbound;
mod outbox;
mod queries;
mod reads;
mod reclaim;
mod recovery;
mod refused;
mod requests;
mod retention;
mod run;
mod run_cache;
mod slot;
mod speculative;
mod startup;
mod timer_ledger;
mod timers;
mod updates;
mod versions;
mod visibility;

pub use self::nexus::{
    CallbackToken, NexusCompletion, NexusDelivery, NexusTaskAnswer, NoSystemOperations,
    SystemOperations, SystemRefusal,
};
pub use activity_token::activity_task_token;
pub use completion_pages::{COMPLETION_BYTES_MAX, KeptPage};
pub use config::{Config, RETENTION_JITTER};
pub use delivery::{
    ActivityDelivery, Delivery, HistoryPage, QueryDelivery, StandaloneActivityDelivery,
    WorkflowTaskDelivery,
};
pub use entities::{
    ACTIVITY_ATTRIBUTES, BatchMember, BatchMembers, EntityError, EntityScope, EntityView, Perform,
    activity_schema, batch_starter,
};
pub use error::HistoryError;
pub use execution::{Execution, RunKey};
pub use history::History;
pub use node::Parts;
pub use outbound::Outbound;
pub use outbox::{Destination, DestinationKind};
pub use reclaim::NamespaceBelongings;
pub use requests::{
    activity::HeartbeatAnswer,
    cancel::CancelRequest,
    describe::RunDescription,
    query::{QueryAnswer, QueryRequest},
    reset::ResetRequest,
    start::{Attach, EagerStart, StartOutcome, StartRequest},
    terminate::TerminateRequest,
    update::{UpdateRequest, UpdateStage, UpdateStatus},
    update_with_start::{UpdateWithStartError, UpdateWithStartOutcome, UpdateWithStartRequest},
    workflow_task::{CompleteWorkflowTaskRequest, CompletedTask, WorkerPoll},
};
pub use versions::override_refusal;
