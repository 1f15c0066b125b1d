//! Small helpers over history events and protobuf times.

use std::time::Duration;

use api::history::v1::HistoryEvent;

/// The id of the event that starts the first workflow task of a run without delay.
pub const FIRST_TASK_STARTED: i64 = 3;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The time of the event, nanoseconds since the Unix epoch; 0 when it has none.
pub fn event_nanos(event: &HistoryEvent) -> i64 {
    event
        .event_time
        .as_ref()
        .map_or(0, |time| time.seconds * NANOS_PER_SECOND + i64::from(time.nanos))
}

/// The length of a protobuf duration in nanoseconds.
pub fn nanos(duration: &prost_types::Duration) -> i64 {
    duration.seconds * NANOS_PER_SECOND + i64::from(duration.nanos)
}

/// A protobuf duration of whole seconds.
pub fn seconds(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

/// A protobuf duration; lengths past its range become the largest one.
pub fn duration(length: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(length.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(length.subsec_nanos()).unwrap_or(0),
    }
}

/// The types of these events by their names in the protocol, without the common prefix.
pub fn type_names(events: &[HistoryEvent]) -> Vec<&'static str> {
    events
        .iter()
        .map(|event| {
            let name = event.event_type().as_str_name();
            name.strip_prefix("EVENT_TYPE_").unwrap_or(name)
        })
        .collect()
}
