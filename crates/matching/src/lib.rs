//! Task queues as a service inside one node.
//!
//! [`Matching`] joins workers' long polls with tasks and keeps nothing on disk: the durable record
//! of every task is its slot's. A task goes to a worker in one of three ways:
//!
//! - **Inside the commit.** Before a commit, history [reserves](Matching::reserve) a waiting poll,
//!   starts the task in the same commit, and [fulfils](Reservation::fulfil) the reservation after
//!   it. A reservation that is dropped puts the poll back in its place.
//! - **From the backlog.** Nobody waited: after the commit history [offers](Matching::offer) a
//!   reference. A later poll gets it, and asks history to start the task. Delivery is at least
//!   once; history decides whether a reference still means something.
//! - **Without a commit.** Queries are [dispatched](Matching::dispatch) as they are and wait for a
//!   poll up to their deadline.
//!
//! The backlog in memory is bounded. A task that does not fit stays with its slot, and
//! [`Matching::next_drained`] names the slots that are to offer theirs again.
//!
//! A poll spawns nothing and costs three short locks of its queue. One task per node runs
//! [`Matching::run`], which wakes queues that a rate limit held back. Rules of order are those of
//! the pure crate `task-queue`.

mod description;
mod hub;
mod limits;
mod matching;
mod poll;
mod queue;
mod ready;
mod registry;
mod reservation;
mod routing;
mod stopped;
mod waiter;

pub use description::QueueDescription;
pub use hub::Drained;
pub use limits::{MatchingLimits, RECENT_POLL_WINDOW, RESERVATION_GRACE};
pub use matching::{Matching, OfferRefused, PollRefused, Totals};
pub use poll::{Matched, PollRequest, Polled};
pub use ready::ReadyTicket;
pub use reservation::Reservation;
pub use routing::PublishedRoutes;
pub use task_queue::{
    PollerInfo, PriorityKey, QueueLimits, QueueRoutes, QueueSettings, QueueStats, QueuedTask, Ramp,
    RateLimit, RateLimitSource, Route, Routes, ScheduledTask, TaskOrder, TaskQueueKey,
    TaskQueueKind, TaskQueueType, WorkerVersion,
};
