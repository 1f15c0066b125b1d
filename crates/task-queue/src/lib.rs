//! One task queue as a pure machine.
//!
//! [`TaskQueue`] joins waiting pollers with tasks: it keeps both in order, says who gets what,
//! holds back what a rate limit forbids, and counts. It never waits, reads no clock and knows no
//! channel: the shell (crate `matching`) hands in the time and whatever stands for a waiting
//! poller, and takes out the matches one by one with [`TaskQueue::next_match`].
//!
//! Rules: lower priority keys first; inside a priority by fairness (when on) and then by age; the
//! poller that waits longest first; what somebody waits for right now (a query) before the
//! backlog; nothing new overtakes the backlog of its priority.

mod backlog;
mod fairness;
mod key;
mod key_limits;
mod limits;
mod order;
mod overflow;
mod poller_history;
mod pollers;
mod queue;
mod rate_limit;
mod rate_window;
mod ready;
mod routes;
mod scaling;
mod settings;
mod stats;
mod token_bucket;
mod version;

pub use key::{TaskQueueKey, TaskQueueKind, TaskQueueType};
pub use limits::{POLLER_TTL, QueueLimits, STICKY_POLL_WINDOW};
pub use order::{PriorityKey, QueuedTask, ScheduledTask, TaskOrder};
pub use poller_history::PollerInfo;
pub use pollers::{GaveUp, Poller, PollerId};
pub use queue::{Full, Match, PollEnd, Reserved, TaskQueue};
pub use rate_limit::{RateLimit, RateLimitSource};
pub use ready::ReadyId;
pub use routes::{QueueRoutes, Ramp, Route, Routes};
pub use settings::QueueSettings;
pub use stats::QueueStats;
pub use token_bucket::TokenBucket;
pub use version::WorkerVersion;
