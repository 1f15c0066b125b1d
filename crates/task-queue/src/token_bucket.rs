//! A token bucket whose time is an argument.

use model::{Span, Time};

/// A token that lacks no more than this is whole: [`TokenBucket::take`] keeps the time it named.
const ROUNDING: f64 = 1e-6;

/// Lets through `rate` events per second, and saves up what one second brings (at least one).
#[derive(Debug, Clone)]
pub struct TokenBucket {
    rate: f64,
    tokens: f64,
    refilled: Time,
}

impl TokenBucket {
    /// A full bucket. A rate of 0 lets nothing through.
    pub fn new(rate: f64, now: Time) -> Self {
        Self { rate, tokens: burst(rate), refilled: now }
    }

    /// Changes the rate. What was saved up stays, as far as the new rate saves up.
    pub fn set_rate(&mut self, rate: f64, now: Time) {
        if rate.to_bits() != self.rate.to_bits() {
            self.refill(now);
            self.rate = rate;
            self.tokens = self.tokens.min(burst(rate));
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time at which there is one again; [`Time::MAX`] for never.
    pub fn take(&mut self, now: Time) -> Result<(), Time> {
        self.refill(now);
        if self.tokens >= 1.0 - ROUNDING {
            self.tokens = (self.tokens - 1.0).max(0.0);
            return Ok(());
        }
        Err(self.next_token())
    }

    /// Puts a token back that was taken for nothing.
    pub fn refund(&mut self) {
        self.tokens = (self.tokens + 1.0).min(burst(self.rate));
    }

    /// True when it has saved up all that it can.
    pub(crate) fn is_full(&self, now: Time) -> bool {
        let mut later = self.clone();
        later.refill(now);
        later.tokens >= burst(self.rate)
    }

    #[expect(clippy::cast_possible_truncation, reason = "clamped first")]
    fn next_token(&self) -> Time {
        if self.rate <= 0.0 {
            return Time::MAX;
        }
        let nanos = ((1.0 - self.tokens) / self.rate * 1e9).ceil();
        if nanos >= Span::MAX.nanos() as f64 {
            return Time::MAX;
        }
        self.refilled + Span::from_nanos((nanos as i64).max(1))
    }

    /// A clock that went back starts anew from there and brings nothing.
    fn refill(&mut self, now: Time) {
        let elapsed = now.since(self.refilled);
        self.refilled = now;
        self.tokens =
            (self.tokens + elapsed.nanos() as f64 * self.rate / 1e9).min(burst(self.rate));
    }
}

fn burst(rate: f64) -> f64 {
    if rate <= 0.0 { 0.0 } else { rate.max(1.0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Time = Time::from_nanos(1_700_000_000_000_000_000);

    #[test]
    fn a_second_is_saved_up_and_then_the_rate_holds() {
        let mut bucket = TokenBucket::new(5.0, START);
        let taken = (0..100).filter(|_| bucket.take(START).is_ok()).count();
        assert_eq!(taken, 5);
        let next = bucket.take(START).unwrap_err();
        assert_eq!(next, START + Span::from_millis(200));
        assert!(bucket.take(next).is_ok());
        assert!(bucket.take(next).is_err());
    }

    #[test]
    fn a_rate_of_zero_lets_nothing_through() {
        let mut bucket = TokenBucket::new(10.0, START);
        bucket.set_rate(0.0, START);
        assert_eq!(bucket.take(START + Span::from_secs(1000)), Err(Time::MAX));
        bucket.set_rate(1.0, START + Span::from_secs(1000));
        assert!(bucket.take(START + Span::from_secs(1001)).is_ok());
    }

    #[test]
    fn a_clock_that_goes_back_neither_stops_nor_floods() {
        let mut bucket = TokenBucket::new(1.0, START);
        assert!(bucket.take(START).is_ok());
        let earlier = START - Span::from_secs(3600);
        let next = bucket.take(earlier).unwrap_err();
        assert_eq!(next, earlier + Span::from_secs(1));
        assert!(bucket.take(next).is_ok());
    }

    proptest! {
        #[test]
        fn never_more_than_the_rate_and_the_burst(
            rate in 0.0..50.0_f64,
            steps in proptest::collection::vec(0..500_i64, 1..200),
        ) {
            let mut bucket = TokenBucket::new(rate, START);
            let mut now = START;
            let mut taken = 0.0;
            for step in steps {
                now = now + Span::from_millis(step);
                match bucket.take(now) {
                    Ok(()) => taken += 1.0,
                    Err(next) => prop_assert!(next > now),
                }
            }
            let elapsed = now.since(START).nanos() as f64 / 1e9;
            prop_assert!(taken <= burst(rate) + rate * elapsed + 1e-3);
        }
    }
}
