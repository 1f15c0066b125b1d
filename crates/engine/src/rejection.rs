//! Why an input was refused. A rejection changes nothing.

use api::enums::v1::WorkflowExecutionStatus;

/// A refused input. The texts are the reference's (fact sheet sections 1 to 12 and 20).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// No such run.
    #[error("workflow not found for ID: {workflow_id}")]
    WorkflowNotFound {
        /// The workflow asked for.
        workflow_id: String,
    },
    /// The workflow has no such run.
    #[error(
        "workflow execution not found for workflow ID \"{workflow_id}\" and run ID \"{run_id}\""
    )]
    RunNotFound {
        /// The workflow asked for.
        workflow_id: String,
        /// The run asked for.
        run_id: String,
    },
    /// The workflow's run belongs to another chain than the request says.
    #[error("workflow execution not found")]
    ChainNotFound,
    /// The run is no child of the one that the request says.
    #[error("workflow parent does not match")]
    ParentMismatch,
    /// The run has closed.
    #[error("workflow execution already completed")]
    WorkflowClosed,
    /// The worker does not hold this workflow task (any more).
    #[error("Workflow task not found.")]
    WorkflowTaskNotFound,
    /// Heartbeats kept the workflow task alive for too long.
    #[error("workflow task heartbeat timeout")]
    WorkflowTaskHeartbeatTimeout,
    /// The worker does not hold this activity attempt (any more).
    #[error("invalid activityID or activity already timed out or invoking workflow is completed")]
    ActivityNotFound,
    /// The run has no pending activity with this id.
    #[error(
        "cannot find pending activity with ActivityID {0}, check workflow execution history for \
         more details"
    )]
    ActivityIdNotFound(String),
    /// The run has no pending activity that a person means.
    #[error(
        "Can't find pending activity with such ID. Invalid activityID or activity already completed"
    )]
    PendingActivityNotFound,
    /// The run has no pending Nexus operation that this request started.
    #[error("operation not found")]
    NexusOperationNotFound,
    /// A task that matching holds is no longer the pending one: it is dropped.
    #[error("task is obsolete")]
    TaskObsolete,
    /// The workflow id is in use.
    #[error("{message}")]
    AlreadyStarted {
        /// The text.
        message: String,
        /// The request that started the other run.
        start_request_id: String,
        /// The other run.
        run_id: String,
        /// The first run of its chain.
        first_execution_run_id: String,
    },
    /// The run knows no such update.
    #[error("update \"{0}\" not found")]
    UpdateNotFound(String),
    /// The run closed before it accepted the update.
    #[error("workflow update was aborted by closing workflow")]
    UpdateAbortedByClosing,
    /// The input is not valid.
    #[error("{0}")]
    InvalidArgument(String),
    /// The run cannot take this input for the moment.
    #[error("{0}")]
    BusyWorkflow(String),
    /// A limit on what goes on in the run at once is reached.
    #[error("{0}")]
    ConcurrentLimit(String),
    /// The run's worker has not made enough progress for this input.
    #[error("{0}")]
    WorkflowNotReady(String),
    /// The run is not in the state for this input.
    #[error("{0}")]
    FailedPrecondition(String),
    /// A query was refused because of the run's status.
    #[error("query rejected")]
    QueryRejected(WorkflowExecutionStatus),
}

impl Rejection {
    /// An [`Rejection::InvalidArgument`] with this text.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::InvalidArgument(text.into())
    }
}
