//! The named limits of matching.

use model::Span;
use task_queue::QueueLimits;

/// A query fails early when nobody has polled its queue for so long (fact sheet section 4).
pub const RECENT_POLL_WINDOW: Span = Span::from_secs(20);

/// A poll whose time is over while it is reserved waits so much longer for what is on its way. It
/// must stay below the second that the caller keeps between the deadline and the client's own.
pub const RESERVATION_GRACE: Span = Span::from_millis(900);

/// How much one node's matching may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchingLimits {
    /// Most task queues, sticky ones included.
    pub queues_max: usize,
    /// Most slots that are asked at once to offer their tasks again.
    pub drained_slots_max: usize,
    /// Most workers that are remembered to have shut down: their late polls are answered empty.
    pub stopped_workers_max: usize,
    /// The limits of each queue.
    pub queue: QueueLimits,
}

impl Default for MatchingLimits {
    fn default() -> Self {
        Self {
            queues_max: 100_000,
            drained_slots_max: 64,
            stopped_workers_max: 10_000,
            queue: QueueLimits::default(),
        }
    }
}
