//! Values in the few JSON answers of the reference that are no messages of the API: times, lengths
//! and numbers look there as Go writes them.

use prost_types::{Duration, Timestamp};
use serde_json::Value;

/// A time; none is the first instant of the first year.
pub(crate) fn time(time: Option<&Timestamp>) -> String {
    let known = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    known.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

/// A time; none is the beginning of the time that computers count.
pub(crate) fn epoch_time(time: Option<&Timestamp>) -> String {
    self::time(Some(time.unwrap_or(&Timestamp::default())))
}

/// A number; a whole one has no fraction.
pub(crate) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}").parse::<i64>().map_or(Value::Null, Value::from)
    } else {
        Value::from(value)
    }
}

/// A number of half the precision, in the fewest digits that tell it from its neighbours.
pub(crate) fn half(value: f32) -> Value {
    value.to_string().parse().map_or(Value::Null, number)
}

/// A length in nanoseconds.
pub(crate) fn nanos(length: Option<&Duration>) -> i64 {
    length.map_or(0, |length| length.seconds * 1_000_000_000 + i64::from(length.nanos))
}

/// A length as `1d 2h 3m 4.5s`.
pub(crate) fn spaced_length(length: Option<&Duration>) -> String {
    let nanos = nanos(length);
    if nanos == 0 {
        return "0s".to_owned();
    }
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if seconds == 0 {
        let (unit, size) = match fraction {
            0..1_000 => ("ns", 1),
            1_000..1_000_000 => ("µs", 1_000),
            _ => ("ms", 1_000_000),
        };
        return format!("{}{unit}", decimal(fraction / size, fraction % size, size));
    }
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let (days, hours) = (hours / 24, hours % 24);
    let seconds = format!("{}s", decimal(seconds, fraction, 1_000_000_000));
    match (days, hours, minutes) {
        (0, 0, 0) => seconds,
        (0, 0, minutes) => format!("{minutes}m {seconds}"),
        (0, hours, minutes) => format!("{hours}h {minutes}m {seconds}"),
        (days, hours, minutes) => format!("{days}d {hours}h {minutes}m {seconds}"),
    }
}

/// A whole number and a fraction of `size`.
fn decimal(whole: i64, fraction: i64, size: i64) -> String {
    if fraction == 0 {
        return whole.to_string();
    }
    let width = size.ilog10() as usize;
    format!("{whole}.{}", format!("{fraction:0width$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_spaced() {
        let of = |seconds, nanos| spaced_length(Some(&Duration { seconds, nanos }));
        assert_eq!(of(0, 0), "0s");
        assert_eq!(of(0, 1_500_000), "1.5ms");
        assert_eq!(of(4, 500_000_000), "4.5s");
        assert_eq!(of(3_600, 0), "1h 0m 0s");
        assert_eq!(of(90_061, 0), "1d 1h 1m 1s");
    }
}
