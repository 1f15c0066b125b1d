//! What a start does when its workflow id has been used (fact sheet section 11).

use api::enums::v1::{WorkflowExecutionStatus, WorkflowIdConflictPolicy, WorkflowIdReusePolicy};

use crate::{Rejection, State};

/// The policies of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartPolicy {
    /// For a workflow id whose last run has closed.
    pub reuse: WorkflowIdReusePolicy,
    /// For a workflow id whose run is open.
    pub conflict: WorkflowIdConflictPolicy,
}

/// What a start does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartDecision {
    /// A new run.
    StartNew,
    /// The request has been carried out before; `started` tells whether by starting the run.
    Repeated {
        /// True when this request started the run.
        started: bool,
    },
    /// The open run is used instead; its answer says "not started".
    UseExisting,
    /// The open run is terminated and a new one started, in one commit.
    TerminateAndStart,
}

/// Decides what a start does, given the latest run of its workflow id.
///
/// # Errors
/// [`Rejection::AlreadyStarted`] when the policies forbid a new run.
pub fn decide_start(
    current: Option<&State>,
    request_id: &str,
    policy: StartPolicy,
) -> Result<StartDecision, Rejection> {
    let Some(current) = current else { return Ok(StartDecision::StartNew) };
    if current.start_request_id == request_id {
        return Ok(StartDecision::Repeated { started: true });
    }
    if current.attached_requests.contains_key(request_id) {
        return Ok(StartDecision::Repeated { started: false });
    }
    if current.is_running() {
        decide_conflict(current, policy)
    } else {
        decide_reuse(current, policy.reuse)
    }
}

fn decide_conflict(current: &State, policy: StartPolicy) -> Result<StartDecision, Rejection> {
    if policy.reuse == WorkflowIdReusePolicy::TerminateIfRunning {
        return Ok(StartDecision::TerminateAndStart);
    }
    match policy.conflict {
        WorkflowIdConflictPolicy::UseExisting => Ok(StartDecision::UseExisting),
        WorkflowIdConflictPolicy::TerminateExisting => Ok(StartDecision::TerminateAndStart),
        WorkflowIdConflictPolicy::Fail | WorkflowIdConflictPolicy::Unspecified => {
            Err(already_started(current, "Workflow execution is already running.", ""))
        }
    }
}

fn decide_reuse(current: &State, reuse: WorkflowIdReusePolicy) -> Result<StartDecision, Rejection> {
    let unsuccessful = matches!(
        WorkflowExecutionStatus::try_from(current.status),
        Ok(WorkflowExecutionStatus::Failed
            | WorkflowExecutionStatus::Canceled
            | WorkflowExecutionStatus::Terminated
            | WorkflowExecutionStatus::TimedOut)
    );
    match reuse {
        WorkflowIdReusePolicy::AllowDuplicate
        | WorkflowIdReusePolicy::TerminateIfRunning
        | WorkflowIdReusePolicy::Unspecified => Ok(StartDecision::StartNew),
        WorkflowIdReusePolicy::AllowDuplicateFailedOnly if unsuccessful => {
            Ok(StartDecision::StartNew)
        }
        WorkflowIdReusePolicy::AllowDuplicateFailedOnly => Err(already_started(
            current,
            "Workflow execution already finished successfully.",
            " Workflow Id reuse policy: allow duplicate workflow Id if last run failed.",
        )),
        WorkflowIdReusePolicy::RejectDuplicate => Err(already_started(
            current,
            "Workflow execution already finished.",
            " Workflow Id reuse policy: reject duplicate workflow Id.",
        )),
    }
}

fn already_started(current: &State, what: &str, why: &str) -> Rejection {
    let (workflow_id, run_id) = (&current.workflow_id, &current.run_id);
    Rejection::AlreadyStarted {
        message: format!("{what} WorkflowId: {workflow_id}, RunId: {run_id}.{why}"),
        start_request_id: current.start_request_id.clone(),
        run_id: current.run_id.clone(),
        first_execution_run_id: current.first_execution_run_id().to_owned(),
    }
}
