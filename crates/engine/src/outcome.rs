//! What came of a run's work towards another run (fact sheet sections 6 and 7).
//!
//! Such work is a durable task of the run. The shell carries it out after the commit, as often as
//! it takes, and tells the run here. Telling again changes nothing.

use api::enums::v1::{
    CancelExternalWorkflowExecutionFailedCause, SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
};

use crate::{
    CallbackDelivery, CallbackRef, NexusCancellationAnswer, NexusOperationAnswer,
    NexusOperationRef, Reply, callback, child, draft::Draft, external, nexus_operation,
    worker_command, worker_command::WorkerCommandsRef, workflow_task,
};

/// See [`crate::Input::Outcome`].
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The child exists.
    ChildStarted {
        /// The event that asked for it.
        initiated_event_id: i64,
        /// Its first run.
        run_id: String,
    },
    /// The child cannot be started.
    ChildStartFailed {
        /// The event that asked for it.
        initiated_event_id: i64,
        /// Why.
        cause: StartChildWorkflowExecutionFailedCause,
    },
    /// The run closed before it knew of the child's start; now the child has been dealt with.
    ChildReleased {
        /// The event that asked for it.
        initiated_event_id: i64,
    },
    /// A signal to another workflow arrived, or cannot.
    ExternalSignal {
        /// The event that asked for it.
        initiated_event_id: i64,
        /// Why it cannot.
        failed: Option<SignalExternalWorkflowExecutionFailedCause>,
    },
    /// A request to cancel another workflow arrived, or cannot.
    ExternalCancel {
        /// The event that asked for it.
        initiated_event_id: i64,
        /// Why it cannot.
        failed: Option<CancelExternalWorkflowExecutionFailedCause>,
    },
    /// The parent knows of the run's close, or is gone.
    ParentInformed,
    /// The children that outlived the run have been dealt with.
    ClosePolicyApplied,
    /// A handler answered, or did not, the request to start a Nexus operation.
    NexusOperation {
        /// Which attempt.
        task: NexusOperationRef,
        /// How.
        answer: NexusOperationAnswer,
    },
    /// A handler answered, or did not, the request to cancel a Nexus operation.
    NexusCancellation {
        /// Which attempt.
        task: NexusOperationRef,
        /// How.
        answer: NexusCancellationAnswer,
    },
    /// A completion callback was delivered, or could not be.
    Callback {
        /// Which attempt.
        task: CallbackRef,
        /// How.
        delivery: CallbackDelivery,
    },
    /// A worker was told what to do, or does not answer.
    WorkerCommandsSent(WorkerCommandsRef),
}

pub(crate) fn take(draft: &mut Draft<'_>, outcome: Outcome) -> Reply {
    match outcome {
        Outcome::ChildStarted { initiated_event_id, run_id } => {
            child::started(draft, initiated_event_id, run_id)
        }
        Outcome::ChildStartFailed { initiated_event_id, cause } => {
            child::start_failed(draft, initiated_event_id, cause)
        }
        Outcome::ChildReleased { initiated_event_id } => child::released(draft, initiated_event_id),
        Outcome::ExternalSignal { initiated_event_id, failed } => {
            external::signal_ended(draft, initiated_event_id, failed)
        }
        Outcome::ExternalCancel { initiated_event_id, failed } => {
            external::cancel_ended(draft, initiated_event_id, failed)
        }
        Outcome::ParentInformed => child::parent_informed(draft),
        Outcome::ClosePolicyApplied => child::close_policy_applied(draft),
        Outcome::NexusOperation { task, answer } => {
            nexus_operation::attempted(draft, &task, answer)
        }
        Outcome::NexusCancellation { task, answer } => {
            nexus_operation::cancellation_attempted(draft, &task, answer)
        }
        Outcome::Callback { task, delivery } => callback::attempted(draft, &task, delivery),
        Outcome::WorkerCommandsSent(commands) => worker_command::sent(draft, &commands),
    }
}

/// The worker gets to see news of another run.
pub(crate) fn wake(draft: &mut Draft<'_>) {
    workflow_task::schedule_unless_delayed(draft);
}
