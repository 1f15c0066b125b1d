//! Durations in texts, as `1h30m` or `1.5d`.

use crate::{SpecError, quoted};

const NANOS_PER_HOUR: i64 = 3_600_000_000_000;

/// Units and their nanoseconds. A day is 24 hours.
const UNITS: [(&str, i64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", NANOS_PER_HOUR),
    ("d", 24 * NANOS_PER_HOUR),
];

/// Reads a duration as nanoseconds.
pub(crate) fn parse(text: &str) -> Result<i64, SpecError> {
    let invalid = || SpecError::new(format!("time: invalid duration {}", quoted(text)));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let is_number = |letter: char| letter == '.' || letter.is_ascii_digit();
        let end = after.find(is_number).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).unwrap_or((after, ""));
        if unit.is_empty() {
            let text = format!("time: missing unit in duration {}", quoted(text));
            return Err(SpecError::new(text));
        }
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let Some((_, nanos)) = known else {
            let text = format!("time: unknown unit {} in duration {}", quoted(unit), quoted(text));
            return Err(SpecError::new(text));
        };
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        let part = whole.checked_mul(*nanos).ok_or_else(invalid)?;
        total = total.checked_add(part).ok_or_else(invalid)?;
        total = total.checked_add(fraction_of(fraction, *nanos)).ok_or_else(invalid)?;
        rest = after;
    }
    Ok(if negative { -total } else { total })
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// That part of a unit, rounded down to nanoseconds.
fn fraction_of(digits: &str, nanos: i64) -> i64 {
    let (mut value, mut divisor) = (0, 1);
    // More digits than these make no nanosecond.
    for digit in digits.bytes().take(18) {
        value = value * 10 + i128::from(digit - b'0');
        divisor *= 10;
    }
    i64::try_from(value * i128::from(nanos) / divisor).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        assert_eq!(parse("1h30m"), Ok(90 * 60_000_000_000));
        assert_eq!(parse("1.5d"), Ok(36 * NANOS_PER_HOUR));
        assert_eq!(parse(".5s"), Ok(500_000_000));
        assert_eq!(parse("-2ms"), Ok(-2_000_000));
        assert_eq!(parse("0"), Ok(0));
    }

    #[test]
    fn what_is_no_duration_is_named() {
        let text = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(text(""), "time: invalid duration \"\"");
        assert_eq!(text("3"), "time: missing unit in duration \"3\"");
        assert_eq!(text("3x"), "time: unknown unit \"x\" in duration \"3x\"");
    }
}
