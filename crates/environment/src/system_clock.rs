//! The operating system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use model::{Span, Time};
use tokio::time::Instant;

use crate::{Clock, Sleep};

/// The longest single nap of a sleeper. After it the wall clock is read again, so that a clock
/// that is set forward delays nobody for longer than this.
const NAP_MAX: Span = Span::from_secs(30);

/// The operating system's clock, with tokio's timers for sleeping.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts here.
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        wall_clock()
    }

    fn monotonic(&self) -> Span {
        self.started.elapsed().into()
    }

    fn sleep_until(&self, deadline: Time) -> Sleep {
        Box::pin(async move {
            loop {
                let remaining = deadline.since(wall_clock());
                if remaining.is_zero() {
                    return;
                }
                tokio::time::sleep(remaining.min(NAP_MAX).to_std()).await;
            }
        })
    }
}

/// The time of day; a clock set before 1970 reads as 1970.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the OS clock")]
fn wall_clock() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::UNSET + since_epoch.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_never_wakes_early() {
        let clock = SystemClock::new();
        let deadline = clock.now() + Span::from_millis(3);
        clock.sleep_until(deadline).await;
        assert!(clock.now() >= deadline);
        assert!(clock.monotonic() >= Span::from_millis(2));
    }

    #[tokio::test]
    async fn a_deadline_in_the_past_is_over_at_once() {
        let clock = SystemClock::new();
        clock.sleep_until(Time::UNSET).await;
        assert!(clock.monotonic() < Span::from_secs(1));
    }
}
