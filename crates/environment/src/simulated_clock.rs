//! A virtual clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use model::{Span, Time};
use tokio::{sync::Notify, time::Instant};

use crate::{Clock, Sleep};

/// A clock that follows tokio's time from a chosen starting point.
///
/// In a runtime with paused time (`Builder::start_paused`) time moves only when every task waits,
/// and then at once to the next deadline: the same program sees the same times in every run.
/// Clones share their time.
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    base: Time,
    started: Instant,
    /// How far the time of day was set away from where it would be, in nanoseconds.
    offset: Arc<AtomicI64>,
    jumped: Arc<Notify>,
}

impl SimulatedClock {
    /// A clock that shows `base` at this moment of the surrounding runtime's time.
    pub fn starting_at(base: Time) -> Self {
        Self { base, started: Instant::now(), offset: Arc::default(), jumped: Arc::default() }
    }

    /// Sets the time of day forward (or back, when negative) by so many nanoseconds. Monotonic
    /// time does not notice.
    pub fn jump(&self, nanos: i64) {
        self.offset.fetch_add(nanos, Ordering::Relaxed);
        self.jumped.notify_waiters();
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Time {
        let undisturbed = self.base + self.monotonic();
        let offset = self.offset.load(Ordering::Relaxed);
        Time::from_nanos(undisturbed.nanos().saturating_add(offset))
    }

    fn monotonic(&self) -> Span {
        self.started.elapsed().into()
    }

    fn sleep_until(&self, deadline: Time) -> Sleep {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let jumped = clock.jumped.notified();
                let remaining = deadline.since(clock.now());
                if remaining.is_zero() {
                    return;
                }
                tokio::select! {
                    biased;
                    () = jumped => {}
                    () = tokio::time::sleep(remaining.to_std()) => {}
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Time = Time::from_nanos(1_700_000_000_000_000_000);

    #[tokio::test(start_paused = true)]
    async fn virtual_time_moves_straight_to_the_next_deadline() {
        let clock = SimulatedClock::starting_at(BASE);
        assert_eq!(clock.now(), BASE);
        let year = Span::from_secs(365 * 24 * 3600);
        clock.sleep_until(BASE + year).await;
        assert_eq!(clock.now(), BASE + year);
        assert_eq!(clock.monotonic(), year);
    }

    #[tokio::test(start_paused = true)]
    async fn plain_tokio_sleeps_move_the_clock_too() {
        let clock = SimulatedClock::starting_at(BASE);
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(clock.now(), BASE + Span::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_forward_wakes_sleepers_at_once() {
        let clock = SimulatedClock::starting_at(BASE);
        let sleeper = tokio::spawn(clock.sleep_until(BASE + Span::from_secs(3600)));
        tokio::task::yield_now().await;
        clock.jump(Span::from_secs(3600).nanos());
        sleeper.await.unwrap();
        assert_eq!(clock.monotonic(), Span::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_back_lets_nothing_fire_early() {
        let clock = SimulatedClock::starting_at(BASE);
        let deadline = BASE + Span::from_secs(10);
        let sleeper = tokio::spawn(clock.sleep_until(deadline));
        tokio::task::yield_now().await;
        clock.jump(-Span::from_secs(60).nanos());
        sleeper.await.unwrap();
        assert_eq!(clock.now(), deadline);
        assert_eq!(clock.monotonic(), Span::from_secs(70));
    }
}
