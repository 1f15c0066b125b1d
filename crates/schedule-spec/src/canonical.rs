//! The canonical form of a specification: structured calendars and intervals alone.

use api::schedule::v1::{Range, ScheduleSpec, StructuredCalendarSpec};

use crate::{SpecError, cron, cron::Cron};

/// Longest comment of a calendar, in bytes.
const COMMENT_BYTES_MAX: usize = 200;

const CONFLICT: &str = "conflicting timezone names";

/// Reads the texts, and checks what has a structure already.
pub(crate) fn canonical(spec: &ScheduleSpec) -> Result<ScheduleSpec, SpecError> {
    let mut spec = spec.clone();
    for calendar in std::mem::take(&mut spec.calendar) {
        spec.structured_calendar.push(cron::structured(&calendar)?);
    }
    for calendar in std::mem::take(&mut spec.exclude_calendar) {
        spec.exclude_structured_calendar.push(cron::structured(&calendar)?);
    }
    let mut zone: Option<String> = None;
    for text in std::mem::take(&mut spec.cron_string) {
        let (cron, named) = cron::parse(&text)?;
        if zone.as_ref().is_some_and(|zone| *zone != named) {
            return Err(SpecError::new(CONFLICT));
        }
        zone = Some(named);
        match cron {
            Cron::Calendar(calendar) => spec.structured_calendar.push(*calendar),
            Cron::Interval(interval) => spec.interval.push(interval),
        }
    }
    if let Some(zone) = zone.filter(|zone| !zone.is_empty()) {
        let other = !spec.timezone_name.is_empty() && spec.timezone_name != zone;
        if other || !spec.timezone_data.is_empty() {
            return Err(SpecError::new(CONFLICT));
        }
        spec.timezone_name = zone;
    }
    for calendar in &spec.structured_calendar {
        check(calendar)?;
    }
    Ok(spec)
}

fn check(calendar: &StructuredCalendarSpec) -> Result<(), SpecError> {
    let fields: [(&[Range], &str, i32, i32); 7] = [
        (&calendar.second, "Second", 0, 59),
        (&calendar.minute, "Minute", 0, 59),
        (&calendar.hour, "Hour", 0, 23),
        (&calendar.day_of_month, "DayOfMonth", 1, 31),
        (&calendar.month, "Month", 1, 12),
        (&calendar.year, "Year", 2000, 2100),
        (&calendar.day_of_week, "DayOfWeek", 0, 6),
    ];
    let mut errors = Vec::new();
    for (ranges, name, min, max) in fields {
        for range in ranges {
            if range.start < min || range.start > max {
                errors.push(format!("{name} Start is not in range [{min}-{max}]"));
            }
            if range.end != 0 && (range.end < range.start || range.end > max) {
                errors.push(format!("{name} End is before Start or not in range [{min}-{max}]"));
            }
            if range.step < 0 {
                errors.push(format!("{name} has invalid Step"));
            }
        }
    }
    if calendar.comment.len() > COMMENT_BYTES_MAX {
        errors.push("comment is too long".to_owned());
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(SpecError::new(format!("invalid calendar spec: {}", errors.join(", "))))
}

/// Fills in the defaults of ranges, as callers see them.
pub fn clean(spec: &mut ScheduleSpec) {
    let calendars =
        spec.structured_calendar.iter_mut().chain(&mut spec.exclude_structured_calendar);
    for calendar in calendars {
        let fields = [
            &mut calendar.second,
            &mut calendar.minute,
            &mut calendar.hour,
            &mut calendar.day_of_month,
            &mut calendar.month,
            &mut calendar.year,
            &mut calendar.day_of_week,
        ];
        for range in fields.into_iter().flatten() {
            range.end = range.end.max(range.start);
            range.step = if range.step == 0 { 1 } else { range.step };
        }
    }
}
