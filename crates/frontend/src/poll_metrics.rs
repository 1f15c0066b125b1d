//! What the metrics see of polls.

use std::sync::Arc;

use model::{Span, Time};
use namespace::Namespace;
use prost_types::Timestamp;
use telemetry::{TaskQueueMetrics, TaskType};

use crate::frontend::Frontend;

/// A poll that waits; once dropped it no longer does.
#[derive(Debug)]
pub(crate) struct CountedPoll {
    metrics: Arc<TaskQueueMetrics>,
}

impl CountedPoll {
    /// A poll of a queue. A worker's own queue counts under the name of the normal one.
    pub(crate) fn begin(
        frontend: &Frontend,
        namespace: &Namespace,
        task_queue: &str,
        task_type: TaskType,
    ) -> Self {
        let metrics = frontend.metrics.task_queue(&namespace.name, task_queue, task_type);
        metrics.pending_polls.inc();
        Self { metrics }
    }

    /// It ends without a task.
    pub(crate) fn empty(&self) {
        self.metrics.poll_timeouts.inc();
    }

    /// It ends with a task: one that came while it waited, or one from the backlog.
    pub(crate) fn matched(&self, at_once: bool, waited: Span) {
        if at_once {
            self.metrics.matched_at_once(waited.to_std());
        } else {
            self.metrics.matched_from_backlog(waited.to_std());
        }
    }
}

impl Drop for CountedPoll {
    fn drop(&mut self) {
        self.metrics.pending_polls.dec();
    }
}

/// From the scheduling of a task until now; none for what was never scheduled.
pub(crate) fn waited(now: Time, scheduled: Option<&Timestamp>) -> Span {
    scheduled.map_or(Span::ZERO, |scheduled| now.since(Time::from_proto(Some(scheduled))))
}
