//! Cron schedules of workflows: five fields, a name like `@daily`, or `@every` and a duration;
//! perhaps after `CRON_TZ=` and a time zone (fact sheet section 8).
//!
//! The grammar is the one of the reference's cron library, oddities included. Time zones come from
//! the program, never from the machine that it runs on.

mod duration;
mod field;
mod follow;

use std::sync::LazyLock;

use jiff::{
    Timestamp, ToSpan, Zoned,
    tz::{TimeZone, TimeZoneDatabase},
};
use model::{Span, Time};

use field::{DAYS_OF_MONTH, DAYS_OF_WEEK, Field, HOURS, MINUTES, MONTHS};
pub(crate) use follow::{delay_first_run, next_run};

/// A time that satisfies the fields comes within so many years, or never.
const SEARCH_YEARS: i16 = 5;

const SECOND_NANOS: i64 = 1_000_000_000;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// When a workflow runs.
#[derive(Debug, Clone)]
pub struct CronSchedule(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// After so much time.
    Every(Span),
    /// At the times whose fields match.
    At(Box<Fields>),
}

#[derive(Debug, Clone)]
struct Fields {
    minutes: Field,
    hours: Field,
    days_of_month: Field,
    months: Field,
    days_of_week: Field,
    zone: TimeZone,
}

/// Why a schedule was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// It does not follow the grammar.
    #[error("invalid CronSchedule.")]
    Invalid,
    /// No time matches it.
    #[error("invalid CronSchedule, no time can be found to satisfy the schedule")]
    Never,
}

/// Checks a schedule; the empty one is none.
///
/// # Errors
/// When it does not follow the grammar, or no time after `now` matches it.
pub fn validate_cron_schedule(text: &str, now: Time) -> Result<(), CronError> {
    if text.is_empty() {
        return Ok(());
    }
    let schedule = CronSchedule::parse(text).ok_or(CronError::Invalid)?;
    schedule.next(now).map(drop).ok_or(CronError::Never)
}

impl CronSchedule {
    /// Reads a schedule; `None` when it does not follow the grammar.
    pub fn parse(text: &str) -> Option<Self> {
        let (zone, text) = zone(text)?;
        if let Some(name) = text.strip_prefix('@') {
            return descriptor(name, zone);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days_of_month, months, days_of_week] = fields.as_slice() else {
            return None;
        };
        Some(Self(Kind::At(Box::new(Fields {
            minutes: Field::parse(minutes, &MINUTES)?,
            hours: Field::parse(hours, &HOURS)?,
            days_of_month: Field::parse(days_of_month, &DAYS_OF_MONTH)?,
            months: Field::parse(months, &MONTHS)?,
            days_of_week: Field::parse(days_of_week, &DAYS_OF_WEEK)?,
            zone,
        }))))
    }

    /// The first time after this one; `None` when none comes.
    pub fn next(&self, after: Time) -> Option<Time> {
        match &self.0 {
            Kind::Every(interval) => Some(whole_seconds(after) + *interval),
            Kind::At(fields) => fields.next(after),
        }
    }

    /// How long after `now` the next run starts, in whole seconds rounded up, when the last one
    /// was due at `due`; `None` when none follows.
    pub fn backoff(&self, due: Time, now: Time) -> Option<Span> {
        let next = match &self.0 {
            Kind::Every(interval) if now >= due => {
                let first = whole_seconds(due) + *interval;
                let missed = now.since(first).nanos() / interval.nanos() + 1;
                let skipped = if now < first { 0 } else { interval.nanos().saturating_mul(missed) };
                Time::from_nanos(first.nanos().saturating_add(skipped))
            }
            Kind::Every(_) => self.next(due)?,
            Kind::At(_) => self.next(due.max(now))?,
        };
        let seconds = next.since(now).nanos().saturating_add(SECOND_NANOS - 1) / SECOND_NANOS;
        Some(Span::from_secs(seconds))
    }
}

fn whole_seconds(time: Time) -> Time {
    Time::from_nanos(time.nanos() - time.nanos().rem_euclid(SECOND_NANOS))
}

/// Takes the time zone off the front; UTC without one.
fn zone(text: &str) -> Option<(TimeZone, &str)> {
    let named = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ="));
    let Some(named) = named else { return Some((TimeZone::UTC, text)) };
    let (name, rest) = named.split_once(' ')?;
    let zone = match name {
        "" | "UTC" | "Local" => TimeZone::UTC,
        name => {
            let zone = ZONES.get(name).ok()?;
            // The database forgives a wrong case, the reference does not.
            (zone.iana_name() == Some(name)).then_some(zone)?
        }
    };
    Some((zone, rest.trim()))
}

fn descriptor(name: &str, zone: TimeZone) -> Option<CronSchedule> {
    if let Some(interval) = name.strip_prefix("every ") {
        let interval = duration::parse(interval)?.nanos();
        let seconds = (interval / SECOND_NANOS).max(1);
        return Some(CronSchedule(Kind::Every(Span::from_secs(seconds))));
    }
    let zero = |field: &str, bounds| Field::parse(field, bounds);
    let (hours, days_of_month, months, days_of_week) = match name {
        "yearly" | "annually" => ("0", "1", "1", "*"),
        "monthly" => ("0", "1", "*", "*"),
        "weekly" => ("0", "*", "*", "0"),
        "daily" | "midnight" => ("0", "*", "*", "*"),
        "hourly" => ("*", "*", "*", "*"),
        _ => return None,
    };
    Some(CronSchedule(Kind::At(Box::new(Fields {
        minutes: zero("0", &MINUTES)?,
        hours: zero(hours, &HOURS)?,
        days_of_month: zero(days_of_month, &DAYS_OF_MONTH)?,
        months: zero(months, &MONTHS)?,
        days_of_week: zero(days_of_week, &DAYS_OF_WEEK)?,
        zone,
    }))))
}

impl Fields {
    /// Walks forward from coarse to fine. Hours and minutes are steps of real time: an hour that a
    /// clock change leaves out has no run, one that it repeats has two.
    fn next(&self, after: Time) -> Option<Time> {
        let first = whole_seconds(after).nanos().checked_add(SECOND_NANOS)?;
        let first = Timestamp::from_nanosecond(i128::from(first)).ok()?;
        let mut time = first.to_zoned(self.zone.clone());
        let last_year = time.year().checked_add(SEARCH_YEARS)?;
        while time.year() <= last_year {
            time = if !self.months.has(time.month()) {
                start_of(&time.first_of_month().ok()?.checked_add(1.month()).ok()?)?
            } else if !self.matches_day(&time) {
                start_of(&time.checked_add(1.day()).ok()?)?
            } else if !self.hours.has(time.hour()) {
                let into = i64::from(time.minute()) * 60 + i64::from(time.second());
                later(&time, 3600 - into)?
            } else if !self.minutes.has(time.minute()) || time.second() != 0 {
                later(&time, 60 - i64::from(time.second()))?
            } else {
                let nanos = i64::try_from(time.timestamp().as_nanosecond()).ok()?;
                return Some(Time::from_nanos(nanos));
            };
        }
        None
    }

    /// With both kinds of days restricted, one of them is enough.
    fn matches_day(&self, time: &Zoned) -> bool {
        let in_month = self.days_of_month.has(time.day());
        let in_week = self.days_of_week.has(time.weekday().to_sunday_zero_offset());
        if self.days_of_month.is_any || self.days_of_week.is_any {
            in_month && in_week
        } else {
            in_month || in_week
        }
    }
}

fn start_of(time: &Zoned) -> Option<Zoned> {
    time.start_of_day().ok()
}

fn later(time: &Zoned, seconds: i64) -> Option<Zoned> {
    time.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        let timestamp: Timestamp = text.parse().unwrap();
        Time::from_nanos(i64::try_from(timestamp.as_nanosecond()).unwrap())
    }

    fn next(schedule: &str, after: &str) -> Option<String> {
        let next = CronSchedule::parse(schedule).unwrap().next(time(after))?;
        Some(Timestamp::from_nanosecond(i128::from(next.nanos())).unwrap().to_string())
    }

    #[test]
    fn what_the_reference_takes_is_taken() {
        // Each was asked of the reference on a Sunday at 05:15:05.
        let cases = [
            ("* * * * *", "2026-11-22T05:16:00Z"),
            ("? ? ? ? ?", "2026-11-22T05:16:00Z"),
            ("5/10 * * * *", "2026-11-22T05:25:00Z"),
            ("0 0 1 JAN mon", "2027-01-01T00:00:00Z"),
            ("0 0 1 jan-mar Mon-Fri", "2027-01-01T00:00:00Z"),
            ("@every 1h30m", "2026-11-22T06:45:05Z"),
            ("@every 1.5s", "2026-11-22T05:15:06Z"),
            ("@every 10ms", "2026-11-22T05:15:06Z"),
            ("@every -5s", "2026-11-22T05:15:06Z"),
            ("@hourly", "2026-11-22T06:00:00Z"),
            ("@midnight", "2026-11-23T00:00:00Z"),
            ("@weekly", "2026-11-29T00:00:00Z"),
            ("@annually", "2027-01-01T00:00:00Z"),
            ("CRON_TZ=Asia/Tokyo 0 9 * * *", "2026-11-23T00:00:00Z"),
            ("TZ=Asia/Tokyo 0 9 * * *", "2026-11-23T00:00:00Z"),
            ("CRON_TZ=Asia/Tokyo @daily", "2026-11-22T15:00:00Z"),
            ("CRON_TZ= 0 9 * * *", "2026-11-22T09:00:00Z"),
            ("1,,2 * * * *", "2026-11-22T06:01:00Z"),
            ("*-5 * * * *", "2026-11-22T05:16:00Z"),
            ("*,5 * * * *", "2026-11-22T05:16:00Z"),
            ("\t* * * * * ", "2026-11-22T05:16:00Z"),
            ("0 0 1 * mon", "2026-11-23T00:00:00Z"),
            ("+5 * * * *", "2026-11-22T06:05:00Z"),
            ("*/100 * * * *", "2026-11-22T06:00:00Z"),
            ("0 0 13 * 5,6", "2026-11-27T00:00:00Z"),
            ("10-20/7 * * * *", "2026-11-22T05:17:00Z"),
            ("0 22 * * SUN-TUE", "2026-11-22T22:00:00Z"),
        ];
        for (schedule, expected) in cases {
            let found = next(schedule, "2026-11-22T05:15:05.07Z");
            assert_eq!(found.as_deref(), Some(expected), "{schedule}");
        }
    }

    #[test]
    fn what_the_reference_refuses_is_refused() {
        for text in [
            "0 0 * * 7",
            "@every 5",
            "@every  5s",
            "@every 1d",
            "@every 1h 5m",
            "@reboot",
            "@Hourly",
            " @daily",
            "@daily ",
            "CRON_TZ=asia/tokyo 0 9 * * *",
            "CRON_TZ=UTC",
            "CRON_TZ=Nope 0 9 * * *",
            "0 0 0 * * *",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "5-1 * * * *",
            "*/0 * * * *",
            "1-5-7 * * * *",
            "1/2/3 * * * *",
            "-5 * * * *",
            "a * * * *",
            "0x5 * * * *",
            "x",
            " ",
            "jan * * * *",
        ] {
            assert!(CronSchedule::parse(text).is_none(), "{text}");
        }
        let now = time("2026-11-22T05:15:05Z");
        assert_eq!(validate_cron_schedule("0 0 31 2 *", now), Err(CronError::Never));
        assert_eq!(validate_cron_schedule("0 0 29 2 *", now), Ok(()));
        assert_eq!(validate_cron_schedule("", now), Ok(()));
    }

    #[test]
    fn clock_changes_leave_out_and_repeat_runs() {
        let zone = "CRON_TZ=America/New_York 30 2 * * *";
        let found = next(zone, "2026-03-08T00:00:00Z");
        assert_eq!(found.as_deref(), Some("2026-03-09T06:30:00Z"), "02:30 does not exist");
        let zone = "CRON_TZ=America/New_York 30 1 * * *";
        let first = next(zone, "2026-11-01T00:00:00Z").unwrap();
        assert_eq!(first, "2026-11-01T05:30:00Z");
        assert_eq!(next(zone, &first).as_deref(), Some("2026-11-01T06:30:00Z"));
    }

    #[test]
    fn a_backoff_skips_what_was_missed_and_rounds_up() {
        let schedule = CronSchedule::parse("@every 10s").unwrap();
        let due = time("2026-11-22T05:15:05.5Z");
        let after = |millis: i64| schedule.backoff(due, due + Span::from_millis(millis));
        assert_eq!(after(0), Some(Span::from_secs(10)));
        assert_eq!(after(3_000), Some(Span::from_secs(7)));
        assert_eq!(after(9_500), Some(Span::from_secs(10)));
        assert_eq!(after(25_000), Some(Span::from_secs(5)));
    }
}
