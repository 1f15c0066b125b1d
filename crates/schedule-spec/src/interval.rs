//! Intervals since the epoch.

use api::schedule::v1::IntervalSpec;
use prost_types::Duration;

use crate::SpecError;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// An interval, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    every: i64,
    phase: i64,
}

fn nanos(duration: Option<&Duration>) -> i128 {
    duration.map_or(0, |duration| {
        i128::from(duration.seconds) * NANOS_PER_SECOND + i128::from(duration.nanos)
    })
}

impl Interval {
    pub(crate) fn new(spec: &IntervalSpec) -> Result<Self, SpecError> {
        let (interval, phase) = (nanos(spec.interval.as_ref()), nanos(spec.phase.as_ref()));
        if interval < NANOS_PER_SECOND {
            return Err(SpecError::new("interval is too small"));
        }
        if phase < 0 {
            return Err(SpecError::new("phase is negative"));
        }
        if phase >= interval {
            return Err(SpecError::new("phase cannot be greater than Interval"));
        }
        let whole = |nanos: i128| i64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(i64::MAX);
        Ok(Self { every: whole(interval), phase: whole(phase) })
    }

    /// The first time after this one, in seconds since the epoch.
    pub(crate) fn next(self, after: i64) -> Option<i64> {
        let periods = after.checked_sub(self.phase)?.div_euclid(self.every);
        periods.checked_add(1)?.checked_mul(self.every)?.checked_add(self.phase)
    }
}
