//! Times as people read them.

use jiff::Timestamp;

/// Units of distances, in seconds, largest first.
const UNITS: &[(i64, &str)] = &[
    (365 * 86_400, "year"),
    (30 * 86_400, "month"),
    (7 * 86_400, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
];

/// `3 minutes ago`, `2 days from now`.
pub(crate) fn relative(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.as_second().saturating_sub(now.as_second());
    let distance = seconds.abs();
    let Some((unit, name)) = UNITS.iter().find(|(unit, _)| distance >= *unit) else {
        return "now".to_owned();
    };
    let count = distance / unit;
    let plural = if count == 1 { "" } else { "s" };
    let direction = if seconds < 0 { "ago" } else { "from now" };
    format!("{count} {name}{plural} {direction}")
}

/// RFC 3339 in whole seconds.
pub(crate) fn iso(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// `1h2m3.45s`.
pub(crate) fn length(millis: i64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let fraction = if millis == 0 { String::new() } else { format!(".{:02}", millis / 10) };
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, minutes) => format!("{minutes}m{seconds}{fraction}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_in_the_largest_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = |seconds: i64| relative(Timestamp::from_second(1_000_000 + seconds).unwrap(), now);
        assert_eq!(at(0), "now");
        assert_eq!(at(-1), "1 second ago");
        assert_eq!(at(-150), "2 minutes ago");
        assert_eq!(at(7_200), "2 hours from now");
        assert_eq!(at(-90_000), "1 day ago");
    }

    #[test]
    fn lengths_leave_out_what_is_nothing() {
        assert_eq!(length(1_230), "1.23s");
        assert_eq!(length(62_000), "1m2s");
        assert_eq!(length(3_600_000), "1h0m0s");
    }
}
