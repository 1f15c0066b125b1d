//! Small helpers over history events and protobuf times.

use std::time::Duration;

use api::{enums::v1::EventType, history::v1::HistoryEvent};

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

/// The name of an event type in the protocol, without the common prefix.
pub fn type_name(event_type: EventType) -> &'static str {
    let name = event_type.as_str_name();
    name.strip_prefix("EVENT_TYPE_").unwrap_or(name)
}

/// Takes every workflow task that timed out, and nothing else, out of a history; also says how
/// many those were.
pub fn without_timed_out_tasks(types: &[EventType]) -> (Vec<EventType>, u64) {
    let mut kept: Vec<EventType> = Vec::with_capacity(types.len());
    let mut timed_out = 0;
    for &event_type in types {
        if event_type != EventType::WorkflowTaskTimedOut {
            kept.push(event_type);
            continue;
        }
        timed_out += 1;
        for of_the_task in [EventType::WorkflowTaskStarted, EventType::WorkflowTaskScheduled] {
            kept.pop_if(|last| *last == of_the_task);
        }
    }
    (kept, timed_out)
}

/// Where two sequences of events part; `None` when they are equal.
pub fn difference(found: &[EventType], expected: &[EventType]) -> Option<String> {
    let same = found.iter().zip(expected).take_while(|(found, expected)| found == expected).count();
    let name = |types: &[EventType]| types.get(same).map_or("nothing", |&kind| type_name(kind));
    (found != expected)
        .then(|| format!("event {} is {} instead of {}", same + 1, name(found), name(expected)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use EventType::{
        WorkflowExecutionCompleted as Completed, WorkflowExecutionStarted as Started,
        WorkflowTaskCompleted as TaskCompleted, WorkflowTaskScheduled as TaskScheduled,
        WorkflowTaskStarted as TaskStarted, WorkflowTaskTimedOut as TaskTimedOut,
    };

    #[test]
    fn timed_out_tasks_are_taken_out_whether_they_had_started_or_not() {
        let whole = [Started, TaskScheduled, TaskStarted, TaskCompleted, Completed];
        let with_two = [
            &[Started, TaskScheduled, TaskStarted, TaskTimedOut, TaskScheduled, TaskTimedOut],
            &whole[1..],
        ]
        .concat();
        assert_eq!(without_timed_out_tasks(&with_two), (whole.to_vec(), 2));
        assert_eq!(without_timed_out_tasks(&whole), (whole.to_vec(), 0));
    }

    #[test]
    fn the_first_difference_is_named() {
        let expected = [Started, TaskScheduled];
        assert_eq!(difference(&expected, &expected), None);
        let short = difference(&expected[..1], &expected).unwrap();
        assert_eq!(short, "event 2 is nothing instead of WORKFLOW_TASK_SCHEDULED");
    }
}
