//! The clock as a trait.

use std::{fmt::Debug, pin::Pin};

use model::{Span, Time};

use crate::SkippableClock;

/// A wait for a point in time.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of time.
pub trait Clock: Debug + Send + Sync {
    /// The time of day. It may jump in either direction when somebody sets the clock.
    fn now(&self) -> Time;

    /// Time since the clock was made. It never goes back; latencies and leases are measured in it.
    fn monotonic(&self) -> Span;

    /// Completes as soon as [`now`](Self::now) has reached `deadline`, and never earlier.
    fn sleep_until(&self, deadline: Time) -> Sleep;

    /// Completes when so much monotonic time has passed: for those who wait for somebody and lose
    /// patience. What the time of day does meanwhile does not matter.
    fn sleep(&self, span: Span) -> Sleep {
        Box::pin(tokio::time::sleep(span.to_std()))
    }

    /// The clock as one that passes over idle time, if it is one: it wants to know who works and
    /// who waits for what time.
    fn skippable(&self) -> Option<&SkippableClock> {
        None
    }
}
