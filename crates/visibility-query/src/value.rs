//! The values that conditions compare with.

use std::fmt;

use model::Time;

/// A typed value. A status is its number.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Value {
    /// A string: Keyword, KeywordList, Text.
    String(String),
    /// An integer, also a duration in nanoseconds or a status number.
    Int(i64),
    /// A number with a fraction or beyond 64 bits; also for attributes of type Int.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// A point in time.
    Time(Time),
}

impl fmt::Display for Value {
    /// As a query spells it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => {
                write!(formatter, "'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
            }
            Self::Int(number) => write!(formatter, "{number}"),
            Self::Double(number) => write!(formatter, "{number:?}"),
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Time(time) => match rfc3339(*time) {
                Some(text) => write!(formatter, "'{text}'"),
                None => write!(formatter, "{}", time.nanos()),
            },
        }
    }
}

fn rfc3339(time: Time) -> Option<String> {
    jiff::Timestamp::from_nanosecond(i128::from(time.nanos())).ok().map(|time| time.to_string())
}

/// Reads an RFC 3339 date-time with zone; nothing else is a Datetime in text form. As in the
/// reference, hours may have one digit, and digits beyond nanoseconds are dropped. Times beyond what
/// 64 bits of nanoseconds hold become the nearest that they hold.
pub fn parse_datetime(text: &str) -> Option<Time> {
    let (date, rest) = text.split_once('T')?;
    let date = {
        let (year, rest) = date.split_at_checked(4)?;
        let (month, day) = rest.strip_prefix('-')?.split_once('-')?;
        let year = i16::try_from(digits(year, 4)?).ok()?;
        let [month, day] =
            [month, day].map(|part| digits(part, 2).and_then(|n| i8::try_from(n).ok()));
        jiff::civil::Date::new(year, month?, day?).ok()?
    };
    let (hour, rest) = rest.split_once(':')?;
    let (minute, rest) = rest.split_once(':')?;
    let hour = if hour.len() == 1 { digits(hour, 1)? } else { digits(hour, 2)? };
    let minute = digits(minute, 2)?;
    let (second, rest) = rest.split_at_checked(2)?;
    let second = digits(second, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let zone = match zone {
        "Z" => 0,
        zone => {
            let (sign, zone) = zone.split_at_checked(1)?;
            let (hours, minutes) = zone.split_once(':')?;
            let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
            if hours > 24 || minutes > 60 {
                return None;
            }
            let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
            match sign {
                "+" => seconds,
                "-" => -seconds,
                _ => return None,
            }
        }
    };
    let days = date.since(jiff::civil::date(1970, 1, 1)).ok()?.get_days();
    let seconds = i64::from(days) * 86_400
        + i64::from(hour) * 3600
        + i64::from(minute) * 60
        + i64::from(second)
        - zone;
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let limit = if total < 0 { i64::MIN } else { i64::MAX };
    Some(Time::from_nanos(i64::try_from(total).unwrap_or(limit)))
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let only = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if only { text.parse().ok() } else { None }
}

/// Takes the fraction of a second, if there is one, in nanoseconds.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix(['.', ',']) else { return Some((0, text)) };
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at_checked(end)?;
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    if fraction.is_empty() { None } else { Some((nanos.parse().ok()?, zone)) }
}

/// A number as the reference's language prints it.
pub(crate) fn go_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => number.to_string(),
    }
}

/// Reads a duration in nanoseconds: an integer, Go's form (`1h30m`, `-1.5s`) or `HH:MM:SS`.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    if let Ok(nanos) = text.parse() {
        return Some(nanos);
    }
    if text.contains(':') { clock_duration(text) } else { go_duration(text) }
}

fn clock_duration(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse::<i64>().ok() } else { None }
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || minutes >= 60 || seconds >= 60 {
        return None;
    }
    let seconds = hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)?;
    seconds.checked_mul(1_000_000_000)
}

fn go_duration(text: &str) -> Option<i64> {
    // Go has no days; the reference adds them.
    const UNITS: [(&str, f64); 9] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
        ("d", 86400e9),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_f64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, tail) = rest.split_at_checked(digits)?;
        let number: f64 = number.parse().ok()?;
        let letters = tail.bytes().take_while(|byte| !byte.is_ascii_digit() && *byte != b'.');
        let (unit, tail) = tail.split_at_checked(letters.count())?;
        let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        total += number * factor;
        rest = tail;
    }
    to_i64(if negative { -total } else { total })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "checked to be inside the range first"
)]
fn to_i64(number: f64) -> Option<i64> {
    let inside = number > i64::MIN as f64 && number < i64::MAX as f64;
    inside.then(|| number.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datetime_is_a_full_rfc_3339_text() {
        let nanos = |text| parse_datetime(text).map(Time::nanos);
        assert_eq!(nanos("1970-01-01T00:00:01Z"), Some(1_000_000_000));
        assert_eq!(nanos("1970-01-01T02:00:01.5+02:00"), Some(1_500_000_000));
        for wrong in ["2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00", "abc", "15", ""] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_duration_is_nanoseconds_or_go_or_clock_form() {
        assert_eq!(parse_duration("15"), Some(15));
        assert_eq!(parse_duration("1h30m"), Some(5_400_000_000_000));
        assert_eq!(parse_duration("-1.5s"), Some(-1_500_000_000));
        assert_eq!(parse_duration("01:02:03"), Some(3_723_000_000_000));
        for wrong in ["abc", "", "1x", "s", "1:2", "01:60:00", "-", "1.2.3s", "1e9h"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
