//! Statistics of a queue, in all and per priority.

use model::Span;

/// What DescribeTaskQueue reports.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QueueStats {
    /// About how many tasks wait.
    pub approximate_backlog_count: i64,
    /// The age of the oldest that waits in memory.
    pub approximate_backlog_age: Span,
    /// Tasks per second that came in, over 30 s.
    pub tasks_add_rate: f64,
    /// Tasks per second that went out, over 30 s.
    pub tasks_dispatch_rate: f64,
}

impl QueueStats {
    /// Adds another priority's, or another queue's, statistics.
    pub fn merge(&mut self, other: Self) {
        self.approximate_backlog_count += other.approximate_backlog_count;
        self.approximate_backlog_age =
            self.approximate_backlog_age.max(other.approximate_backlog_age);
        self.tasks_add_rate += other.tasks_add_rate;
        self.tasks_dispatch_rate += other.tasks_dispatch_rate;
    }
}
