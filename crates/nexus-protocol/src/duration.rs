//! Time-outs as headers carry them: a number and a unit.

use model::Span;

/// Reads a time-out, such as `1.5s`; the units are `ms`, `s` and `m`.
pub fn parse_duration(text: &str) -> Option<Span> {
    let (number, unit_millis) = if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1_000.0)
    } else {
        (text.strip_suffix('m')?, 60_000.0)
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let millis = number.parse::<f64>().ok()? * unit_millis;
    // Saturates: nobody waits for longer than the largest span.
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates")]
    let millis = (millis as i64).min(i64::MAX / 1_000_000);
    Some(Span::from_millis(millis))
}

/// Writes a time-out; what is over is zero.
pub fn format_duration(span: Span) -> String {
    format!("{}ms", span.millis().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_in_every_unit_and_anything_else_is_refused() {
        assert_eq!(parse_duration("1500ms"), Some(Span::from_millis(1500)));
        assert_eq!(parse_duration("1.5s"), Some(Span::from_millis(1500)));
        assert_eq!(parse_duration("2m"), Some(Span::from_secs(120)));
        assert_eq!(parse_duration("0.5ms"), Some(Span::from_millis(0)));
        for text in ["", "s", "5", "-5s", "1h", ".5s", "5.s", "1e3s", "1 s", "infs"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert!(parse_duration(&format!("{}m", "9".repeat(400))).is_some());
    }

    #[test]
    fn what_is_written_is_read() {
        for millis in [0, 1, 999, 86_400_000] {
            let span = Span::from_millis(millis);
            assert_eq!(parse_duration(&format_duration(span)), Some(span));
        }
    }
}
