//! Runs: how they end, and what times out in them.

use prometheus::Registry;

use crate::{
    MetricsError, names,
    series::{Counters, Histograms, counters, histograms},
};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It completed.
    Success,
    /// It failed.
    Failed,
    /// It timed out.
    Timeout,
    /// Somebody terminated it.
    Terminate,
    /// It was canceled.
    Cancel,
    /// It continued as new.
    ContinuedAsNew,
}

/// Which of its time-outs a task or an activity ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivityTimeout {
    /// No worker picked it up.
    ScheduleToStart,
    /// The worker took too long.
    StartToClose,
    /// All attempts together took too long.
    ScheduleToClose,
    /// The worker stopped heartbeating.
    Heartbeat,
}

/// Counts what happens to runs.
#[derive(Debug)]
pub struct WorkflowMetrics {
    success: Counters,
    failed: Counters,
    timeout: Counters,
    terminate: Counters,
    cancel: Counters,
    continued_as_new: Counters,
    schedule_to_start: Counters,
    start_to_close: Counters,
    schedule_to_close: Counters,
    heartbeat: Counters,
    transitions: Histograms,
}

impl WorkflowMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            success: counters(registry, &names::WORKFLOW_SUCCESS)?,
            failed: counters(registry, &names::WORKFLOW_FAILED)?,
            timeout: counters(registry, &names::WORKFLOW_TIMEOUT)?,
            terminate: counters(registry, &names::WORKFLOW_TERMINATE)?,
            cancel: counters(registry, &names::WORKFLOW_CANCEL)?,
            continued_as_new: counters(registry, &names::WORKFLOW_CONTINUED_AS_NEW)?,
            schedule_to_start: counters(registry, &names::SCHEDULE_TO_START_TIMEOUT)?,
            start_to_close: counters(registry, &names::START_TO_CLOSE_TIMEOUT)?,
            schedule_to_close: counters(registry, &names::SCHEDULE_TO_CLOSE_TIMEOUT)?,
            heartbeat: counters(registry, &names::HEARTBEAT_TIMEOUT)?,
            transitions: histograms(registry, &names::STATE_TRANSITION_COUNT)?,
        })
    }

    /// Counts a run that ended after so many transitions.
    pub fn closed(
        &self,
        outcome: Outcome,
        namespace: &str,
        task_queue: &str,
        workflow_type: &str,
        transitions: u32,
    ) {
        let family = match outcome {
            Outcome::Success => &self.success,
            Outcome::Failed => &self.failed,
            Outcome::Timeout => &self.timeout,
            Outcome::Terminate => &self.terminate,
            Outcome::Cancel => &self.cancel,
            Outcome::ContinuedAsNew => &self.continued_as_new,
        };
        family.with(&[namespace, task_queue, workflow_type]).inc();
        self.transitions.with(&[namespace]).observe(f64::from(transitions));
    }

    /// Counts a time-out of an activity or of a workflow task; `operation` says of which, in the
    /// reference's words (`TimerActiveTaskActivityTimeout`, `TimerActiveTaskWorkflowTaskTimeout`).
    pub fn timed_out(&self, timeout: ActivityTimeout, operation: &'static str, namespace: &str) {
        let family = match timeout {
            ActivityTimeout::ScheduleToStart => &self.schedule_to_start,
            ActivityTimeout::StartToClose => &self.start_to_close,
            ActivityTimeout::ScheduleToClose => &self.schedule_to_close,
            ActivityTimeout::Heartbeat => &self.heartbeat,
        };
        family.with(&[operation, namespace]).inc();
    }
}
