//! Durations as the reference's language writes them: `1h30m`, `1.5s`, `-10ms`.

use model::Span;

const NANOS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// 2^63: the number of nanoseconds that no time can tell.
const LIMIT_NANOS: f64 = 9_223_372_036_854_775_808.0;

/// Reads a duration; `None` when it is not one, or longer than times can tell.
pub(super) fn parse(text: &str) -> Option<Span> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(Span::ZERO);
    }
    let mut nanos = 0.0;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, factor) = NANOS.iter().find(|(name, _)| *name == unit)?;
        let value: f64 = value.parse().ok()?;
        nanos += value * factor;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    if nanos >= LIMIT_NANOS {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "compared with the largest first")]
    let nanos = nanos as i64;
    Some(Span::from_nanos(if negative { -nanos } else { nanos }))
}
