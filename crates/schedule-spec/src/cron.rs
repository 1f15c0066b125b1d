//! Calendars and cron strings as texts.

use api::schedule::v1::{CalendarSpec, IntervalSpec, StructuredCalendarSpec};
use prost_types::Duration;

use crate::{
    SpecError, duration,
    ranges::{Field, MONTHS, NO_NAMES, WEEKDAYS},
};

/// What a cron string stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cron {
    Calendar(Box<StructuredCalendarSpec>),
    Interval(IntervalSpec),
}

const fn number(name: &'static str, default: &'static str, min: i64, max: i64) -> Field {
    let (any_is_empty, seven_is_zero) = (false, false);
    Field { name, default, min, max, names: NO_NAMES, any_is_empty, seven_is_zero }
}

const SECOND: Field = number("Second", "0", 0, 59);
const MINUTE: Field = number("Minute", "0", 0, 59);
const HOUR: Field = number("Hour", "0", 0, 23);
const DAY_OF_WEEK: Field =
    Field { names: WEEKDAYS, seven_is_zero: true, ..number("DayOfWeek", "*", 0, 7) };
const DAY_OF_MONTH: Field = number("DayOfMonth", "*", 1, 31);
const MONTH: Field = Field { names: MONTHS, ..number("Month", "*", 1, 12) };
const YEAR: Field = Field { any_is_empty: true, ..number("Year", "*", 2000, 2100) };

/// Reads a calendar's texts. Unnamed dates are any, unnamed times of day are zero.
pub(crate) fn structured(spec: &CalendarSpec) -> Result<StructuredCalendarSpec, SpecError> {
    let mut errors = Vec::new();
    let mut read = |field: Field, text: &str| {
        let ranges = field.parse(text);
        ranges.unwrap_or_else(|error| {
            errors.push(error.to_string());
            Vec::new()
        })
    };
    let structured = StructuredCalendarSpec {
        second: read(SECOND, &spec.second),
        minute: read(MINUTE, &spec.minute),
        hour: read(HOUR, &spec.hour),
        day_of_week: read(DAY_OF_WEEK, &spec.day_of_week),
        day_of_month: read(DAY_OF_MONTH, &spec.day_of_month),
        month: read(MONTH, &spec.month),
        year: read(YEAR, &spec.year),
        comment: spec.comment.clone(),
    };
    if errors.is_empty() { Ok(structured) } else { Err(SpecError::new(errors.join(", "))) }
}

/// Reads a cron string, and the zone that it names (empty: none).
pub(crate) fn parse(text: &str) -> Result<(Cron, String), SpecError> {
    let text = text.trim();
    let (zone, text) = if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
        let without_fields = || SpecError::new("CronString has time zone but missing fields");
        let (zone, text) = text.split_once(' ').ok_or_else(without_fields)?;
        (zone.split_once('=').map_or("", |(_, zone)| zone), text)
    } else {
        ("", text)
    };
    let (text, comment) = text.split_once('#').unwrap_or((text, ""));
    let (text, comment) = (text.trim(), comment.trim());
    if text.starts_with("@every") {
        return Ok((Cron::Interval(every(text)?), String::new()));
    }
    let text = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        other => other,
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    let (second, rest) = match fields.as_slice() {
        [second, rest @ ..] if rest.len() == 6 => (*second, rest),
        all => ("", all),
    };
    let (rest, year) = match rest {
        [rest @ .., year] if rest.len() == 5 => (rest, *year),
        all => (all, ""),
    };
    let [minute, hour, day_of_month, month, day_of_week] = rest else {
        return Err(SpecError::new("CronString does not have 5-7 fields"));
    };
    let calendar = CalendarSpec {
        second: second.to_owned(),
        minute: (*minute).to_owned(),
        hour: (*hour).to_owned(),
        day_of_month: (*day_of_month).to_owned(),
        month: (*month).to_owned(),
        year: year.to_owned(),
        day_of_week: (*day_of_week).to_owned(),
        comment: comment.to_owned(),
    };
    Ok((Cron::Calendar(Box::new(structured(&calendar)?)), zone.to_owned()))
}

/// `@every 14h/3h`: an interval, perhaps with a phase.
fn every(text: &str) -> Result<IntervalSpec, SpecError> {
    let without_interval = || SpecError::new("CronString does not have interval after @every");
    let (_, text) = text.split_once(' ').ok_or_else(without_interval)?;
    let (interval, phase) = text.split_once('/').unwrap_or((text, ""));
    let interval = Some(proto(duration::parse(interval)?));
    let phase = if phase.is_empty() { None } else { Some(proto(duration::parse(phase)?)) };
    Ok(IntervalSpec { interval, phase })
}

fn proto(nanos: i64) -> Duration {
    const NANOS_PER_SECOND: i64 = 1_000_000_000;
    Duration {
        seconds: nanos / NANOS_PER_SECOND,
        nanos: i32::try_from(nanos % NANOS_PER_SECOND).unwrap_or(0),
    }
}
