//! What DescribeTaskQueue reports.

use std::collections::BTreeMap;

use task_queue::{PollerInfo, PriorityKey, QueueStats, RateLimit};

/// A queue as described to users.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueDescription {
    /// Who polled in the last five minutes, by identity.
    pub pollers: Vec<PollerInfo>,
    /// Statistics in all.
    pub stats: QueueStats,
    /// Statistics per priority that was ever used.
    pub stats_by_priority: BTreeMap<PriorityKey, QueueStats>,
    /// The rate limit in force.
    pub rate_limit: RateLimit,
}
