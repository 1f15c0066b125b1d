//! A specification that is ready to be asked.

use api::schedule::v1::ScheduleSpec;
use model::{Span, Time};

use crate::{
    SpecError, calendar::Calendar, canonical::canonical, fingerprint::fingerprint,
    interval::Interval, zone::Zone,
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Excluded times in a row after which the search ends: such a specification acts no more. Two
/// weeks of seconds.
const EXCLUDED_MAX: usize = 14 * 24 * 3600;

/// Seconds from the start of year 1, from which the hash of the jitter counts, to 1970.
const SECONDS_TO_EPOCH: i64 = 62_135_596_800;

/// See the crate.
#[derive(Debug, Clone)]
pub struct Spec {
    canonical: ScheduleSpec,
    zone: Zone,
    calendars: Vec<Calendar>,
    excluded: Vec<Calendar>,
    intervals: Vec<Interval>,
    jitter: Span,
}

/// A time at which a schedule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatchingTime {
    /// The time that matches.
    pub nominal: Time,
    /// The same with jitter.
    pub actual: Time,
}

impl Spec {
    /// Checks a specification.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(spec: &ScheduleSpec) -> Result<Self, SpecError> {
        let canonical = canonical(spec)?;
        let intervals = canonical.interval.iter().map(Interval::new).collect::<Result<_, _>>()?;
        let zone = if canonical.timezone_data.is_empty() {
            Zone::named(&canonical.timezone_name)?
        } else {
            Zone::from_data(&canonical.timezone_name, &canonical.timezone_data)?
        };
        Ok(Self {
            zone,
            calendars: canonical.structured_calendar.iter().map(Calendar::new).collect(),
            excluded: canonical.exclude_structured_calendar.iter().map(Calendar::new).collect(),
            intervals,
            jitter: Span::from_proto(canonical.jitter.as_ref()),
            canonical,
        })
    }

    /// The specification in canonical form.
    pub const fn canonical(&self) -> &ScheduleSpec {
        &self.canonical
    }

    /// The first time after this one; none when there is none any more. The same seed gives the
    /// same jitter.
    pub fn next(&self, seed: &str, after: Time) -> Option<MatchingTime> {
        let nominal = self.next_nominal(after)?;
        let following = self.next_match(nominal);
        let jitter =
            following.map_or(self.jitter, |next| self.jitter.min(Span::from_secs(next - nominal)));
        let nominal = from_seconds(nominal);
        Some(MatchingTime { nominal, actual: nominal + jitter_of(nominal, seed, jitter) })
    }

    fn next_nominal(&self, after: Time) -> Option<i64> {
        let start = self.canonical.start_time.as_ref().map(|start| Time::from_proto(Some(start)));
        let end = self.canonical.end_time.as_ref().map(|end| Time::from_proto(Some(end)));
        let after = match start {
            // So that the first second of the allowed time can match.
            Some(start) if after < start => start - Span::from_secs(1),
            _ => after,
        };
        let mut after = after.nanos().div_euclid(NANOS_PER_SECOND);
        for _ in 0..EXCLUDED_MAX {
            let nominal = self.next_match(after)?;
            if end.is_some_and(|end| from_seconds(nominal) > end) {
                return None;
            }
            if !self.excluded.iter().any(|calendar| calendar.matches(&self.zone, nominal)) {
                return Some(nominal);
            }
            after = nominal;
        }
        None
    }

    /// The first match after this second, excluded or not.
    fn next_match(&self, after: i64) -> Option<i64> {
        let calendars =
            self.calendars.iter().filter_map(|calendar| calendar.first_from(&self.zone, after + 1));
        let intervals = self.intervals.iter().filter_map(|interval| interval.next(after));
        calendars.chain(intervals).min()
    }
}

const fn from_seconds(seconds: i64) -> Time {
    Time::from_nanos(seconds.saturating_mul(NANOS_PER_SECOND))
}

/// Up to so much, to the millisecond, decided by the hash of time and seed: the reference's.
fn jitter_of(nominal: Time, seed: &str, most: Span) -> Span {
    let mut hashed = vec![1];
    let seconds = nominal.nanos().div_euclid(NANOS_PER_SECOND) + SECONDS_TO_EPOCH;
    hashed.extend(seconds.to_be_bytes());
    hashed.extend(0_i32.to_be_bytes());
    // The mark of UTC.
    hashed.extend((-1_i16).to_be_bytes());
    hashed.extend(seed.as_bytes());
    let most = u64::try_from(most.millis()).unwrap_or(0).min(u32::MAX.into());
    let millis = (u64::from(fingerprint(&hashed)) * most) >> 32;
    Span::from_millis(i64::try_from(millis).unwrap_or(0))
}

/// A time in UTC, to the second, as `2023-11-14T22:13:20Z`.
pub fn rfc3339_seconds(time: Time) -> String {
    let seconds = time.nanos().div_euclid(NANOS_PER_SECOND);
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}
