//! The only reader of the operating system's clocks in this crate.

#![expect(
    clippy::disallowed_methods,
    reason = "a load generator measures real time; nothing here is ever simulated"
)]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock, for durations.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since the Unix epoch, comparable with event times of a server on this machine.
pub(crate) fn wall_nanos() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX)
}
