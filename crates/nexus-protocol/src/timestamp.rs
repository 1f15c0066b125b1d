//! Times as headers carry them.

use jiff::{
    Timestamp,
    fmt::rfc2822::{DateTimeParser, DateTimePrinter},
};
use model::Time;

fn timestamp(time: Time) -> Option<Timestamp> {
    let set = time.is_set().then_some(time)?;
    Timestamp::from_nanosecond(i128::from(set.nanos())).ok()
}

fn time(timestamp: Timestamp) -> Time {
    i64::try_from(timestamp.as_nanosecond()).map_or(Time::UNSET, Time::from_nanos)
}

/// A time as HTTP writes it, in whole seconds.
pub(crate) fn write_http(time: Time) -> Option<String> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp(time)?).ok()
}

pub(crate) fn read_http(text: &str) -> Option<Time> {
    DateTimeParser::new().parse_timestamp(text).ok().map(time)
}

/// A time as RFC 3339 writes it.
pub(crate) fn write_precise(time: Time) -> Option<String> {
    timestamp(time).map(|timestamp| timestamp.to_string())
}

pub(crate) fn read_precise(text: &str) -> Option<Time> {
    text.parse::<Timestamp>().ok().map(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_through_headers() {
        let precise = Time::from_nanos(1_700_000_000_123_456_789);
        let whole = Time::from_nanos(1_700_000_000_000_000_000);
        assert_eq!(write_http(precise).unwrap(), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(read_http("Tue, 14 Nov 2023 22:13:20 GMT"), Some(whole));
        assert_eq!(write_precise(precise).unwrap(), "2023-11-14T22:13:20.123456789Z");
        assert_eq!(read_precise("2023-11-14T22:13:20.123456789Z"), Some(precise));
        assert_eq!(write_http(Time::UNSET), None);
        assert_eq!((read_http("now"), read_precise("now")), (None, None));
    }
}
