//! Events that happen while a worker holds a workflow task.
//!
//! They wait without ids until the task ends, because the worker must not find, in the history up
//! to its commands, an event that it did not know (fact sheet section 1.4).

use std::collections::BTreeMap;

use api::history::v1::{HistoryEvent, history_event::Attributes};

use crate::draft::Draft;

/// The order in which waiting events enter the history: as they came, except that the closing
/// events of activities, children and Nexus operations come last.
pub(crate) fn final_order(events: Vec<HistoryEvent>) -> impl Iterator<Item = HistoryEvent> {
    let (closing, other): (Vec<_>, Vec<_>) = events.into_iter().partition(closes_something);
    other.into_iter().chain(closing)
}

fn closes_something(event: &HistoryEvent) -> bool {
    matches!(
        event.attributes,
        Some(
            Attributes::ActivityTaskCompletedEventAttributes(_)
                | Attributes::ActivityTaskFailedEventAttributes(_)
                | Attributes::ActivityTaskTimedOutEventAttributes(_)
                | Attributes::ActivityTaskCanceledEventAttributes(_)
                | Attributes::ChildWorkflowExecutionCompletedEventAttributes(_)
                | Attributes::ChildWorkflowExecutionFailedEventAttributes(_)
                | Attributes::ChildWorkflowExecutionCanceledEventAttributes(_)
                | Attributes::ChildWorkflowExecutionTimedOutEventAttributes(_)
                | Attributes::ChildWorkflowExecutionTerminatedEventAttributes(_)
                | Attributes::NexusOperationCompletedEventAttributes(_)
                | Attributes::NexusOperationFailedEventAttributes(_)
                | Attributes::NexusOperationCanceledEventAttributes(_)
                | Attributes::NexusOperationTimedOutEventAttributes(_)
        )
    )
}

/// Gives closing events of activities and children the id of a start that waited with them.
#[derive(Debug, Default)]
pub(crate) struct StartedIds {
    /// By the event that scheduled the activity, or initiated the child.
    started: BTreeMap<i64, i64>,
}

impl StartedIds {
    /// Notes a start that gets this id, or fills the id into the event that closes it.
    pub(crate) fn patch(&mut self, event: &mut HistoryEvent, event_id: i64) {
        let Some(attributes) = &mut event.attributes else { return };
        #[expect(clippy::wildcard_enum_match_arm, reason = "all other events name no start")]
        let (scheduled_event_id, started_event_id) = match attributes {
            Attributes::ActivityTaskStartedEventAttributes(started) => {
                self.started.insert(started.scheduled_event_id, event_id);
                return;
            }
            Attributes::ChildWorkflowExecutionStartedEventAttributes(started) => {
                self.started.insert(started.initiated_event_id, event_id);
                return;
            }
            Attributes::ActivityTaskCompletedEventAttributes(closed) => {
                (closed.scheduled_event_id, &mut closed.started_event_id)
            }
            Attributes::ActivityTaskFailedEventAttributes(closed) => {
                (closed.scheduled_event_id, &mut closed.started_event_id)
            }
            Attributes::ActivityTaskTimedOutEventAttributes(closed) => {
                (closed.scheduled_event_id, &mut closed.started_event_id)
            }
            Attributes::ActivityTaskCanceledEventAttributes(closed) => {
                (closed.scheduled_event_id, &mut closed.started_event_id)
            }
            Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed) => {
                (closed.initiated_event_id, &mut closed.started_event_id)
            }
            Attributes::ChildWorkflowExecutionFailedEventAttributes(closed) => {
                (closed.initiated_event_id, &mut closed.started_event_id)
            }
            Attributes::ChildWorkflowExecutionCanceledEventAttributes(closed) => {
                (closed.initiated_event_id, &mut closed.started_event_id)
            }
            Attributes::ChildWorkflowExecutionTimedOutEventAttributes(closed) => {
                (closed.initiated_event_id, &mut closed.started_event_id)
            }
            Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed) => {
                (closed.initiated_event_id, &mut closed.started_event_id)
            }
            _ => return,
        };
        if let Some(id) = self.started.get(&scheduled_event_id) {
            *started_event_id = *id;
        }
    }
}

/// True when so much waits that the worker's task must be ended to let it in.
pub(crate) fn is_over_limit(draft: &Draft<'_>) -> bool {
    let limits = draft.context().limits;
    let buffered = &draft.state().buffered_events;
    buffered.len() > limits.buffered_events_max
        || buffered.iter().map(prost::Message::encoded_len).sum::<usize>()
            > limits.buffered_events_bytes_max
}
