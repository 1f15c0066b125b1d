//! Tasks of the history role: what transitions leave to be done.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, Registry};

use crate::{
    MetricsError, names,
    series::{Counters, Histograms, counters, histograms},
};

/// The handles of one type of task. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct TaskMetrics {
    requests: IntCounter,
    errors: IntCounter,
    latency: Histogram,
    queue: Histogram,
    processing: Histogram,
}

impl TaskMetrics {
    /// Counts a task that is done: how late it began, and how long the work took.
    pub fn done(&self, queued: Duration, processing: Duration) {
        self.requests.inc();
        self.queue.observe(queued.as_secs_f64());
        self.processing.observe(processing.as_secs_f64());
        self.latency.observe((queued + processing).as_secs_f64());
    }

    /// Counts a task that failed and will run again.
    pub fn failed(&self) {
        self.requests.inc();
        self.errors.inc();
    }
}

#[derive(Debug)]
pub(crate) struct Tasks {
    requests: Counters,
    errors: Counters,
    latency: Histograms,
    queue: Histograms,
    processing: Histograms,
}

impl Tasks {
    pub(crate) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        Ok(Self {
            requests: counters(registry, &names::TASK_REQUESTS)?,
            errors: counters(registry, &names::TASK_ERRORS)?,
            latency: histograms(registry, &names::TASK_LATENCY)?,
            queue: histograms(registry, &names::TASK_LATENCY_QUEUE)?,
            processing: histograms(registry, &names::TASK_LATENCY_PROCESSING)?,
        })
    }

    pub(crate) fn handle(&self, task_type: &'static str) -> TaskMetrics {
        TaskMetrics {
            requests: self.requests.with(&[task_type]),
            errors: self.errors.with(&[task_type]),
            latency: self.latency.with(&[task_type]),
            queue: self.queue.with(&[task_type]),
            processing: self.processing.with(&[task_type]),
        }
    }
}
