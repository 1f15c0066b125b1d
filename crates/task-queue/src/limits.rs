//! The named limits of one task queue.

use model::Span;

/// How long a poller is remembered after it was last seen (fact sheet section 16).
pub const POLLER_TTL: Span = Span::from_secs(5 * 60);

/// A sticky queue is alive for so long after its last poll (fact sheet section 2).
pub const STICKY_POLL_WINDOW: Span = Span::from_secs(10);

/// How much one queue may hold, and how fast it may be.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueLimits {
    /// Most polls that wait at once.
    pub pollers_max: usize,
    /// Most tasks per priority key in memory; the rest stays with the slots.
    pub backlog_max: usize,
    /// A priority that was full takes tasks again from this size down.
    pub backlog_low_water: usize,
    /// Most items that somebody waits for right now, such as queries.
    pub ready_max: usize,
    /// Most identities in the poller history.
    pub identities_max: usize,
    /// Most fairness keys whose share is remembered per priority.
    pub fairness_keys_max: usize,
    /// Tasks per second when neither the API nor a worker says otherwise.
    pub tasks_per_second: f64,
    /// Whether fairness keys share a priority by weight.
    pub fairness: bool,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            pollers_max: 10_000,
            backlog_max: 10_000,
            backlog_low_water: 5_000,
            ready_max: 1_000,
            identities_max: 1_000,
            fairness_keys_max: 1_000,
            tasks_per_second: 100_000.0,
            fairness: false,
        }
    }
}
