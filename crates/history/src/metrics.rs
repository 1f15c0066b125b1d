//! What the shell counts.

use std::sync::Arc;

use api::enums::v1::WorkflowExecutionStatus;
use engine::{State, TaskAction};
use model::Span;
use telemetry::{CacheMetrics, Metrics, OperationMetrics, StoreMetrics, TaskMetrics};

use crate::run_cache;

/// The handles that the shell keeps.
#[derive(Debug)]
pub(crate) struct HistoryMetrics {
    metrics: Arc<Metrics>,
    cache: CacheMetrics,
    store: StoreMetrics,
    writes: OperationMetrics,
    reads: OperationMetrics,
    user_timer: TaskMetrics,
    activity_timeout: TaskMetrics,
    activity_retry: TaskMetrics,
    workflow_task_timeout: TaskMetrics,
    workflow_timeout: TaskMetrics,
    first_workflow_task: TaskMetrics,
}

impl HistoryMetrics {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            cache: metrics.cache("mutablestate"),
            store: metrics.store(),
            writes: metrics.store_operation("UpdateWorkflowExecution"),
            reads: metrics.store_operation("GetWorkflowExecution"),
            user_timer: metrics.task("TimerActiveTaskUserTimer"),
            activity_timeout: metrics.task("TimerActiveTaskActivityTimeout"),
            activity_retry: metrics.task("TimerActiveTaskActivityRetryTimer"),
            workflow_task_timeout: metrics.task("TimerActiveTaskWorkflowTaskTimeout"),
            workflow_timeout: metrics.task("TimerActiveTaskWorkflowRunTimeout"),
            first_workflow_task: metrics.task("TimerActiveTaskWorkflowBackoffTimer"),
            metrics,
        }
    }

    pub(crate) fn cache_hit(&self) {
        self.cache.hit();
    }

    pub(crate) fn cache_miss(&self, took: Span) {
        self.cache.miss(took.to_std());
    }

    /// Counts a slot batch that the store has answered.
    pub(crate) fn committed(&self, took: Span, failed: bool) {
        self.writes.observe(took.to_std(), failed);
        if !failed {
            self.store.observe_commit(took.to_std());
        }
    }

    /// Counts a run that was read from the store.
    pub(crate) fn run_read(&self, took: Span, failed: bool) {
        self.reads.observe(took.to_std(), failed);
    }

    pub(crate) fn cache_filled(&self, runs: usize, bytes: usize, bytes_max: usize) {
        // The limit is in bytes; it is shown as the runs that would fit at the present weight.
        let runs_max = bytes_max / run_cache::average_weight(runs, bytes);
        self.cache.filled(runs, runs_max);
    }

    /// Shows how many runs are open.
    pub(crate) fn open_runs(&self, runs: u64) {
        self.metrics.open_workflows().set(i64::try_from(runs).unwrap_or(i64::MAX));
    }

    /// Counts a run that opens or closes.
    pub(crate) fn transition(&self, namespace: &str, before: &State, after: &State) {
        if before.status == after.status {
            return;
        }
        if !before.is_started() {
            self.metrics.open_workflows().inc();
        }
        let Some(outcome) = outcome(after) else { return };
        self.metrics.open_workflows().dec();
        self.metrics.workflow().closed(
            outcome,
            namespace,
            after.task_queue(),
            after.workflow_type(),
            u32::try_from(after.version).unwrap_or(u32::MAX),
        );
    }

    /// Counts a timer and how late it is.
    pub(crate) fn timer_due(&self, action: &TaskAction, late: Span) {
        let task = match action {
            TaskAction::UserTimer(_) => &self.user_timer,
            TaskAction::ActivityTimeout(_) => &self.activity_timeout,
            TaskAction::ActivityRetry(_) => &self.activity_retry,
            TaskAction::WorkflowTaskStartToClose(_)
            | TaskAction::WorkflowTaskScheduleToStart(_) => &self.workflow_task_timeout,
            TaskAction::WorkflowTimeout(_) => &self.workflow_timeout,
            TaskAction::FirstWorkflowTask(_) => &self.first_workflow_task,
            TaskAction::DispatchWorkflowTask(_)
            | TaskAction::DispatchActivity(_)
            | TaskAction::DeleteAfterRetention(_)
            | TaskAction::StartChild(_)
            | TaskAction::SignalExternal(_)
            | TaskAction::CancelExternal(_)
            | TaskAction::ReportToParent(_)
            | TaskAction::ApplyParentClosePolicy(_)
            | TaskAction::EntityTimer(_)
            | TaskAction::EntityWork(_)
            | TaskAction::DispatchEntityTask(_)
            | TaskAction::NotifyClosed(_)
            | TaskAction::StartNexusOperation(_)
            | TaskAction::NexusOperationRetry(_)
            | TaskAction::NexusOperationTimeout(_)
            | TaskAction::CancelNexusOperation(_)
            | TaskAction::NexusCancellationRetry(_)
            | TaskAction::DeliverCallback(_)
            | TaskAction::SendWorkerCommands(_)
            | TaskAction::FastForwardReached(_)
            | TaskAction::CallbackRetry(_) => return,
        };
        task.done(late.to_std(), std::time::Duration::ZERO);
    }
}

fn outcome(state: &State) -> Option<telemetry::Outcome> {
    match WorkflowExecutionStatus::try_from(state.status).ok()? {
        WorkflowExecutionStatus::Completed => Some(telemetry::Outcome::Success),
        WorkflowExecutionStatus::Failed => Some(telemetry::Outcome::Failed),
        WorkflowExecutionStatus::Canceled => Some(telemetry::Outcome::Cancel),
        WorkflowExecutionStatus::Terminated => Some(telemetry::Outcome::Terminate),
        WorkflowExecutionStatus::ContinuedAsNew => Some(telemetry::Outcome::ContinuedAsNew),
        WorkflowExecutionStatus::TimedOut => Some(telemetry::Outcome::Timeout),
        WorkflowExecutionStatus::Unspecified
        | WorkflowExecutionStatus::Running
        | WorkflowExecutionStatus::Paused => None,
    }
}
