//! Task queues.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use prometheus::{Gauge, Histogram, IntCounter, IntGauge, Registry};

use crate::{
    MetricsError,
    family::SERIES_MAX,
    names,
    series::{Counters, Floats, Gauges, Histograms, counters, floats, gauges, histograms},
};

/// What a task queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskType {
    /// Workflow tasks.
    Workflow,
    /// Activity tasks.
    Activity,
    /// Nexus tasks.
    Nexus,
}

impl TaskType {
    /// The value of the `task_type` label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Workflow => "Workflow",
            Self::Activity => "Activity",
            Self::Nexus => "Nexus",
        }
    }
}

/// The handles of one task queue.
#[derive(Debug)]
pub struct TaskQueueMetrics {
    success: IntCounter,
    success_sync: IntCounter,
    /// Polls that ended empty.
    pub poll_timeouts: IntCounter,
    /// Polls that wait.
    pub pending_polls: IntGauge,
    /// Tasks that wait for a worker.
    pub backlog_count: IntGauge,
    backlog_age: Gauge,
    sync_latency: Histogram,
    async_latency: Histogram,
}

impl TaskQueueMetrics {
    /// Counts a task that went to a poll that was waiting for it.
    pub fn matched_at_once(&self, latency: Duration) {
        self.success.inc();
        self.success_sync.inc();
        self.sync_latency.observe(latency.as_secs_f64());
    }

    /// Counts a task that waited in the backlog for this long.
    pub fn matched_from_backlog(&self, waited: Duration) {
        self.success.inc();
        self.async_latency.observe(waited.as_secs_f64());
    }

    /// Shows the age of the oldest task that waits; zero without a backlog.
    pub fn backlog_age(&self, age: Duration) {
        self.backlog_age.set(age.as_secs_f64());
    }
}

#[derive(Debug)]
pub(crate) struct TaskQueues {
    success: Counters,
    success_sync: Counters,
    timeouts: Counters,
    pending: Gauges,
    backlog_count: Gauges,
    backlog_age: Floats,
    sync_latency: Histograms,
    async_latency: Histograms,
    /// By the values of the labels: polls are many and queues are few.
    handles: RwLock<HashMap<String, Arc<TaskQueueMetrics>>>,
}

impl TaskQueues {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            success: counters(registry, &names::POLL_SUCCESS)?,
            success_sync: counters(registry, &names::POLL_SUCCESS_SYNC)?,
            timeouts: counters(registry, &names::POLL_TIMEOUTS)?,
            pending: gauges(registry, &names::PENDING_POLLS)?,
            backlog_count: gauges(registry, &names::APPROXIMATE_BACKLOG_COUNT)?,
            backlog_age: floats(registry, &names::APPROXIMATE_BACKLOG_AGE)?,
            sync_latency: histograms(registry, &names::SYNCMATCH_LATENCY)?,
            async_latency: histograms(registry, &names::ASYNCMATCH_LATENCY)?,
            handles: RwLock::default(),
        })
    }

    pub(crate) fn handle(
        &self,
        namespace: &str,
        task_queue: &str,
        task_type: TaskType,
    ) -> Arc<TaskQueueMetrics> {
        let labels = [namespace, task_queue, task_type.label()];
        let key = labels.join("\u{0}");
        let known = self.handles.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(handle) = known {
            return handle;
        }
        let handle = Arc::new(self.resolve(&labels));
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        if handles.len() < SERIES_MAX {
            handles.insert(key, Arc::clone(&handle));
        }
        handle
    }

    fn resolve(&self, labels: &[&str]) -> TaskQueueMetrics {
        TaskQueueMetrics {
            success: self.success.with(labels),
            success_sync: self.success_sync.with(labels),
            poll_timeouts: self.timeouts.with(labels),
            pending_polls: self.pending.with(labels),
            backlog_count: self.backlog_count.with(labels),
            backlog_age: self.backlog_age.with(labels),
            sync_latency: self.sync_latency.with(labels),
            async_latency: self.async_latency.with(labels),
        }
    }
}
