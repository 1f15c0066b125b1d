//! What must hold for every specification.

#![cfg(test)]

use api::schedule::v1::{IntervalSpec, Range, ScheduleSpec, StructuredCalendarSpec};
use jiff::{Timestamp, tz::TimeZone};
use model::{Span, Time};
use proptest::prelude::*;
use schedule_spec::Spec;

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
];

fn ranges(min: i32, max: i32) -> impl Strategy<Value = Vec<Range>> {
    let range = (min..=max, min..=max, 0..7).prop_map(|(a, b, step)| Range {
        start: a.min(b),
        end: a.max(b),
        step,
    });
    prop::collection::vec(range, 1..3)
}

prop_compose! {
    fn calendar()(
        second in ranges(0, 59),
        minute in ranges(0, 59),
        hour in ranges(0, 23),
        day_of_month in ranges(1, 31),
        month in ranges(1, 12),
        day_of_week in ranges(0, 6),
    ) -> StructuredCalendarSpec {
        StructuredCalendarSpec {
            second, minute, hour, day_of_month, month, day_of_week,
            ..StructuredCalendarSpec::default()
        }
    }
}

prop_compose! {
    fn interval()(every in 1_i64..200_000, phase in 0_i64..200_000) -> IntervalSpec {
        IntervalSpec {
            interval: Some(Span::from_secs(every).to_proto()),
            phase: Some(Span::from_secs(phase % every).to_proto()),
        }
    }
}

prop_compose! {
    fn spec()(
        structured_calendar in prop::collection::vec(calendar(), 0..3),
        interval in prop::collection::vec(interval(), 0..3),
        exclude_structured_calendar in prop::collection::vec(calendar(), 0..2),
        jitter in prop_oneof![Just(0), 1_i64..7200],
        zone in prop::sample::select(&ZONES),
    ) -> ScheduleSpec {
        ScheduleSpec {
            structured_calendar,
            interval,
            exclude_structured_calendar,
            jitter: Some(Span::from_secs(jitter).to_proto()),
            timezone_name: zone.to_owned(),
            ..ScheduleSpec::default()
        }
    }
}

fn has(ranges: &[Range], value: i32) -> bool {
    ranges.iter().any(|range| {
        let end = range.end.max(range.start);
        (range.start..=end).contains(&value) && (value - range.start) % range.step.max(1) == 0
    })
}

/// The definition: the local time at this moment has each of its parts among those named.
fn matches(calendar: &StructuredCalendarSpec, zone: &TimeZone, seconds: i64) -> bool {
    let local = zone.to_datetime(Timestamp::from_second(seconds).unwrap());
    has(&calendar.second, local.second().into())
        && has(&calendar.minute, local.minute().into())
        && has(&calendar.hour, local.hour().into())
        && has(&calendar.day_of_month, local.day().into())
        && has(&calendar.month, local.month().into())
        && has(&calendar.day_of_week, local.weekday().to_sunday_zero_offset().into())
}

fn at(seconds: i64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

proptest! {
    #[test]
    fn times_rise_and_jitter_never_passes_the_next_time(
        spec in spec(), start in 1_000_000_000_i64..2_000_000_000
    ) {
        let spec = Spec::new(&spec).unwrap();
        let mut after = at(start);
        for _ in 0..20 {
            let Some(next) = spec.next("seed", after) else { break };
            prop_assert!(next.nominal <= next.actual);
            prop_assert!(next.actual > after);
            prop_assert_eq!(spec.next("seed", after), Some(next));
            after = next.actual;
        }
    }

    #[test]
    fn a_calendar_has_exactly_the_times_of_its_definition(
        mut calendar in calendar(),
        zone in prop::sample::select(&ZONES),
        // Around changes of summer time as well as elsewhere.
        start in prop_oneof![
            1_711_846_000_i64..1_711_850_000,
            1_729_986_000_i64..1_729_993_000,
            1_730_606_000_i64..1_730_616_000,
            1_712_412_000_i64..1_712_420_000,
            1_000_000_000_i64..2_000_000_000,
        ],
    ) {
        calendar.month = vec![Range { start: 1, end: 12, step: 1 }];
        calendar.day_of_month = vec![Range { start: 1, end: 31, step: 1 }];
        calendar.day_of_week = vec![Range { start: 0, end: 6, step: 1 }];
        let spec = ScheduleSpec {
            structured_calendar: vec![calendar.clone()],
            timezone_name: zone.to_owned(),
            ..ScheduleSpec::default()
        };
        let spec = Spec::new(&spec).unwrap();
        let database = jiff::tz::TimeZoneDatabase::bundled();
        let zone = database.get(zone).unwrap();
        let end = start + 3 * 3600;
        let expected = (start + 1..=end).find(|second| matches(&calendar, &zone, *second));
        let found = spec.next("", at(start)).map(|next| next.nominal);
        match expected {
            Some(expected) => prop_assert_eq!(found, Some(at(expected))),
            None => prop_assert!(found.is_none_or(|found| found > at(end))),
        }
    }

    #[test]
    fn excluded_times_never_come(spec in spec(), start in 1_600_000_000_i64..1_900_000_000) {
        let compiled = Spec::new(&spec).unwrap();
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(&spec.timezone_name).unwrap();
        let mut after = at(start);
        for _ in 0..10 {
            let Some(next) = compiled.next("", after) else { break };
            let seconds = next.nominal.nanos() / 1_000_000_000;
            for excluded in &spec.exclude_structured_calendar {
                prop_assert!(!matches(excluded, &zone, seconds));
            }
            after = next.actual;
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[-*/0-9a-zA-Z,@#= .]{0,40}") {
        let cron = ScheduleSpec { cron_string: vec![text], ..ScheduleSpec::default() };
        if let Ok(spec) = Spec::new(&cron) {
            let canonical = spec.canonical().clone();
            let again = Spec::new(&canonical).unwrap();
            prop_assert_eq!(again.canonical(), &canonical);
        }
    }
}
