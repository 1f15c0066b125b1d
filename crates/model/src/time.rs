//! Points in time and spans of time, in nanoseconds.
//!
//! Both are protobuf messages with one integer, so that a stored record can hold them typed.

use std::ops::{Add, Sub};

use bytes::{Buf, BufMut};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, int64, skip_field},
};
use prost_types::{Duration, Timestamp};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A point in time: nanoseconds since the Unix epoch. Zero stands for "not set".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

/// A length of time in nanoseconds, never negative. Zero stands for "none", "no limit" or "not
/// set", as in Temporal's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Time {
    /// Not set.
    pub const UNSET: Self = Self(0);
    /// Later than every other time.
    pub const MAX: Self = Self(i64::MAX);

    /// The time so many nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This time without the parts of its last millisecond.
    #[must_use]
    pub const fn whole_millis(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000_000))
    }

    /// True unless this is [`Time::UNSET`].
    pub const fn is_set(self) -> bool {
        self.0 != 0
    }

    /// The span from an earlier time to this one; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }

    /// The message form, or `None` when not set.
    pub fn to_proto(self) -> Option<Timestamp> {
        self.is_set().then(|| Timestamp {
            seconds: self.0.div_euclid(NANOS_PER_SECOND),
            nanos: nanos_part(self.0.rem_euclid(NANOS_PER_SECOND)),
        })
    }

    /// Reads the message form; a missing one is [`Time::UNSET`]. Saturates.
    pub fn from_proto(timestamp: Option<&Timestamp>) -> Self {
        timestamp
            .map_or(Self::UNSET, |timestamp| Self(nanoseconds(timestamp.seconds, timestamp.nanos)))
    }
}

impl Span {
    /// No time at all, or no limit.
    pub const ZERO: Self = Self(0);
    /// Temporal's cap for every time-out: 100 years of 365 days.
    pub const MAX: Self = Self::from_secs(100 * 365 * 24 * 3600);

    /// So many nanoseconds; a negative number counts as zero.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(if nanos < 0 { 0 } else { nanos })
    }

    /// So many milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self::from_nanos(millis.saturating_mul(1_000_000))
    }

    /// So many seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self::from_nanos(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole milliseconds.
    pub const fn millis(self) -> i64 {
        self.0 / 1_000_000
    }

    /// True for no time, no limit, not set.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This span, or `other` when this one is zero.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_zero() { other } else { self }
    }

    /// The shorter of two limits, where zero means "no limit".
    #[must_use]
    pub fn capped_by(self, limit: Self) -> Self {
        match (self.is_zero(), limit.is_zero()) {
            (_, true) => self,
            (true, false) => limit,
            (false, false) => self.min(limit),
        }
    }

    /// This span times a factor; saturates at [`Span::MAX`].
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "clamped first"
    )]
    pub fn scaled(self, factor: f64) -> Self {
        let scaled = self.0 as f64 * factor;
        if scaled >= Self::MAX.0 as f64 { Self::MAX } else { Self::from_nanos(scaled as i64) }
    }

    /// The message form; zero becomes a zero duration.
    pub fn to_proto(self) -> Duration {
        Duration {
            seconds: self.0 / NANOS_PER_SECOND,
            nanos: nanos_part(self.0 % NANOS_PER_SECOND),
        }
    }

    /// Reads the message form; a missing or negative one is zero. Capped at [`Span::MAX`], as the
    /// reference caps durations (fact sheet section 12).
    pub fn from_proto(duration: Option<&Duration>) -> Self {
        duration.map_or(Self::ZERO, |duration| {
            Self::from_nanos(nanoseconds(duration.seconds, duration.nanos)).min(Self::MAX)
        })
    }

    /// As the standard library's duration.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.unsigned_abs())
    }
}

impl From<std::time::Duration> for Span {
    fn from(duration: std::time::Duration) -> Self {
        Self::from_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

fn nanoseconds(seconds: i64, nanos: i32) -> i64 {
    seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(i64::from(nanos))
}

fn nanos_part(nanos: i64) -> i32 {
    i32::try_from(nanos).unwrap_or(0)
}

impl Add<Span> for Time {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Time {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::from_nanos(self.0.saturating_sub(other.0))
    }
}

macro_rules! integer_message {
    ($name:ident) => {
        impl Message for $name {
            fn encode_raw(&self, buffer: &mut impl BufMut) {
                if self.0 != 0 {
                    int64::encode(1, &self.0, buffer);
                }
            }

            fn merge_field(
                &mut self,
                tag: u32,
                wire_type: WireType,
                buffer: &mut impl Buf,
                context: DecodeContext,
            ) -> Result<(), DecodeError> {
                match tag {
                    1 => int64::merge(wire_type, &mut self.0, buffer, context),
                    _ => skip_field(wire_type, tag, buffer, context),
                }
            }

            fn encoded_len(&self) -> usize {
                if self.0 == 0 { 0 } else { int64::encoded_len(1, &self.0) }
            }

            fn clear(&mut self) {
                self.0 = 0;
            }
        }
    };
}

integer_message!(Time);
integer_message!(Span);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_survive_both_forms(nanos in any::<i64>()) {
            let time = Time::from_nanos(nanos);
            prop_assert_eq!(Time::from_proto(time.to_proto().as_ref()), time);
            prop_assert_eq!(Time::decode(time.encode_to_vec().as_slice()).unwrap(), time);
        }

        #[test]
        fn spans_are_capped_and_never_negative(seconds in any::<i64>(), nanos in any::<i32>()) {
            let span = Span::from_proto(Some(&Duration { seconds, nanos }));
            prop_assert!(span >= Span::ZERO && span <= Span::MAX);
            prop_assert_eq!(Span::from_proto(Some(&span.to_proto())), span);
        }
    }

    #[test]
    fn a_zero_limit_is_no_limit() {
        let second = Span::from_secs(1);
        assert_eq!(Span::ZERO.capped_by(second), second);
        assert_eq!(second.capped_by(Span::ZERO), second);
        assert_eq!(second.capped_by(Span::from_millis(5)), Span::from_millis(5));
    }
}
