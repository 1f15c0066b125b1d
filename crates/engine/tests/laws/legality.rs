//! A slow reader of histories, written without the engine: may each event follow what came before?

use std::collections::BTreeMap;

use api::{
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{HistoryEvent, history_event::Attributes},
};
use model::{Span, Time};

#[derive(Default)]
struct Reader {
    workflow_task: Option<(i64, i64)>,
    activities: BTreeMap<i64, Option<i64>>,
    cancels: BTreeMap<i64, Vec<i64>>,
    timers: BTreeMap<i64, (String, Time)>,
    /// Children by initiated event, with their started events.
    children: BTreeMap<i64, Option<i64>>,
    external: BTreeMap<i64, ()>,
    /// Nexus operations by scheduled event: whether they have started, and cancel requests.
    operations: BTreeMap<i64, (bool, Option<i64>)>,
    /// Requests to cancel an operation, by their events.
    cancellations: BTreeMap<i64, i64>,
    updates: BTreeMap<String, i64>,
    completed_updates: Vec<String>,
    paused: bool,
    closed: bool,
}

/// Panics at the first event that must not be where it is.
pub(crate) fn check(events: &[HistoryEvent]) {
    let mut reader = Reader::default();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.event_id, index as i64 + 1, "ids are gapless");
        assert!(!reader.closed, "event {} after the close", event.event_id);
        reader.read(event);
    }
}

impl Reader {
    fn read(&mut self, event: &HistoryEvent) {
        let id = event.event_id;
        let time = Time::from_proto(event.event_time.as_ref());
        match event.attributes.as_ref().unwrap() {
            Attributes::WorkflowExecutionStartedEventAttributes(_) => assert_eq!(id, 1),
            Attributes::WorkflowTaskScheduledEventAttributes(_) => {
                assert_eq!(self.workflow_task, None, "one workflow task at a time");
                assert!(!self.paused, "a workflow task of a paused run");
                self.workflow_task = Some((id, 0));
            }
            Attributes::WorkflowTaskStartedEventAttributes(started) => {
                assert_eq!(self.workflow_task, Some((started.scheduled_event_id, 0)));
                self.workflow_task = Some((started.scheduled_event_id, id));
            }
            Attributes::WorkflowTaskCompletedEventAttributes(ended) => {
                self.end(ended.scheduled_event_id, ended.started_event_id);
            }
            Attributes::WorkflowTaskFailedEventAttributes(ended) => {
                // One that no worker had taken can only be taken back.
                let paused = WorkflowTaskFailedCause::WorkflowPauseRequestedBeforeTaskStarted;
                assert_eq!(ended.started_event_id == 0, ended.cause() == paused);
                self.end(ended.scheduled_event_id, ended.started_event_id);
            }
            Attributes::WorkflowTaskTimedOutEventAttributes(ended) => {
                self.end(ended.scheduled_event_id, ended.started_event_id);
            }
            Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(_) => self.outside_tasks(),
            Attributes::WorkflowExecutionPausedEventAttributes(_) => {
                self.outside_tasks();
                assert!(!std::mem::replace(&mut self.paused, true), "paused twice");
            }
            Attributes::WorkflowExecutionUnpausedEventAttributes(_) => {
                self.outside_tasks();
                assert!(std::mem::replace(&mut self.paused, false), "not paused");
            }
            Attributes::ActivityTaskScheduledEventAttributes(_) => {
                self.between_tasks();
                self.activities.insert(id, None);
            }
            Attributes::ActivityTaskStartedEventAttributes(started) => {
                self.outside_tasks();
                let activity = self.activities.get_mut(&started.scheduled_event_id).unwrap();
                assert_eq!(activity.replace(id), None);
            }
            Attributes::ActivityTaskCompletedEventAttributes(closed) => {
                self.close_activity(closed.scheduled_event_id, closed.started_event_id);
            }
            Attributes::ActivityTaskFailedEventAttributes(closed) => {
                self.close_activity(closed.scheduled_event_id, closed.started_event_id);
            }
            Attributes::ActivityTaskTimedOutEventAttributes(closed) => {
                self.close_activity(closed.scheduled_event_id, closed.started_event_id);
            }
            Attributes::ActivityTaskCanceledEventAttributes(closed) => {
                let requests = &self.cancels[&closed.scheduled_event_id];
                assert!(requests.contains(&closed.latest_cancel_requested_event_id));
                self.close_activity(closed.scheduled_event_id, closed.started_event_id);
            }
            Attributes::ActivityTaskCancelRequestedEventAttributes(requested) => {
                self.between_tasks();
                self.cancels.entry(requested.scheduled_event_id).or_default().push(id);
            }
            Attributes::TimerStartedEventAttributes(started) => {
                self.between_tasks();
                let due = time + Span::from_proto(started.start_to_fire_timeout.as_ref());
                self.timers.insert(id, (started.timer_id.clone(), due));
            }
            Attributes::TimerFiredEventAttributes(fired) => {
                self.outside_tasks();
                let (timer_id, due) = self.timers.remove(&fired.started_event_id).unwrap();
                assert_eq!(timer_id, fired.timer_id);
                assert!(time >= due, "nothing fires early");
            }
            Attributes::TimerCanceledEventAttributes(canceled) => {
                self.between_tasks();
                let (timer_id, _) = self.timers.remove(&canceled.started_event_id).unwrap();
                assert_eq!(timer_id, canceled.timer_id);
            }
            Attributes::WorkflowExecutionSignaledEventAttributes(_)
            | Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(_)
            | Attributes::WorkflowExecutionCancelRequestedEventAttributes(_) => {
                self.outside_tasks();
            }
            Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted) => {
                self.between_tasks();
                let update_id = accepted.protocol_instance_id.clone();
                assert!(accepted.accepted_request.is_some(), "the event holds the request");
                assert!(!self.completed_updates.contains(&update_id), "accepted after its end");
                assert_eq!(self.updates.insert(update_id, id), None, "accepted twice");
            }
            Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed) => {
                self.between_tasks();
                let update_id = completed.meta.as_ref().unwrap().update_id.clone();
                let accepted = self.updates.remove(&update_id);
                assert_eq!(accepted, Some(completed.accepted_event_id));
                self.completed_updates.push(update_id);
            }
            Attributes::MarkerRecordedEventAttributes(_)
            | Attributes::UpsertWorkflowSearchAttributesEventAttributes(_)
            | Attributes::WorkflowPropertiesModifiedEventAttributes(_) => self.between_tasks(),
            Attributes::WorkflowExecutionCompletedEventAttributes(_)
            | Attributes::WorkflowExecutionFailedEventAttributes(_)
            | Attributes::WorkflowExecutionCanceledEventAttributes(_)
            | Attributes::WorkflowExecutionContinuedAsNewEventAttributes(_) => {
                self.between_tasks();
                self.closed = true;
            }
            Attributes::WorkflowExecutionTerminatedEventAttributes(_)
            | Attributes::WorkflowExecutionTimedOutEventAttributes(_) => {
                self.outside_tasks();
                self.closed = true;
            }
            Attributes::NexusOperationScheduledEventAttributes(_) => {
                self.between_tasks();
                self.operations.insert(id, (false, None));
            }
            Attributes::NexusOperationStartedEventAttributes(started) => {
                self.outside_tasks();
                let operation = self.operations.get_mut(&started.scheduled_event_id).unwrap();
                assert!(!std::mem::replace(&mut operation.0, true), "started once");
            }
            Attributes::NexusOperationCompletedEventAttributes(closed) => {
                self.close_operation(closed.scheduled_event_id);
            }
            Attributes::NexusOperationFailedEventAttributes(closed) => {
                self.close_operation(closed.scheduled_event_id);
            }
            Attributes::NexusOperationCanceledEventAttributes(closed) => {
                self.close_operation(closed.scheduled_event_id);
            }
            Attributes::NexusOperationTimedOutEventAttributes(closed) => {
                self.close_operation(closed.scheduled_event_id);
            }
            Attributes::NexusOperationCancelRequestedEventAttributes(requested) => {
                self.between_tasks();
                // The operation's end may have waited for this task.
                self.cancellations.insert(id, requested.scheduled_event_id);
                if let Some(operation) = self.operations.get_mut(&requested.scheduled_event_id) {
                    assert_eq!(operation.1.replace(id), None, "cancelled once");
                }
            }
            Attributes::NexusOperationCancelRequestCompletedEventAttributes(ended) => {
                self.end_cancellation(ended.requested_event_id, ended.scheduled_event_id);
            }
            Attributes::NexusOperationCancelRequestFailedEventAttributes(ended) => {
                self.end_cancellation(ended.requested_event_id, ended.scheduled_event_id);
            }
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(_) => {
                self.between_tasks();
                self.children.insert(id, None);
            }
            Attributes::StartChildWorkflowExecutionFailedEventAttributes(failed) => {
                self.outside_tasks();
                assert_eq!(self.children.remove(&failed.initiated_event_id), Some(None));
            }
            Attributes::ChildWorkflowExecutionStartedEventAttributes(started) => {
                self.outside_tasks();
                let child = self.children.get_mut(&started.initiated_event_id).unwrap();
                assert_eq!(child.replace(id), None);
            }
            Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed) => {
                self.close_child(closed.initiated_event_id, closed.started_event_id);
            }
            Attributes::ChildWorkflowExecutionFailedEventAttributes(closed) => {
                self.close_child(closed.initiated_event_id, closed.started_event_id);
            }
            Attributes::ChildWorkflowExecutionCanceledEventAttributes(closed) => {
                self.close_child(closed.initiated_event_id, closed.started_event_id);
            }
            Attributes::ChildWorkflowExecutionTimedOutEventAttributes(closed) => {
                self.close_child(closed.initiated_event_id, closed.started_event_id);
            }
            Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed) => {
                self.close_child(closed.initiated_event_id, closed.started_event_id);
            }
            Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(_)
            | Attributes::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(_) => {
                self.between_tasks();
                self.external.insert(id, ());
            }
            Attributes::ExternalWorkflowExecutionSignaledEventAttributes(ended) => {
                self.end_external(ended.initiated_event_id);
            }
            Attributes::SignalExternalWorkflowExecutionFailedEventAttributes(ended) => {
                self.end_external(ended.initiated_event_id);
            }
            Attributes::ExternalWorkflowExecutionCancelRequestedEventAttributes(ended) => {
                self.end_external(ended.initiated_event_id);
            }
            Attributes::RequestCancelExternalWorkflowExecutionFailedEventAttributes(ended) => {
                self.end_external(ended.initiated_event_id);
            }
            Attributes::WorkflowExecutionTimeSkippingTransitionedEventAttributes(skipped) => {
                self.outside_tasks();
                if skipped.target_time.is_some() {
                    self.skip(time, Time::from_proto(skipped.target_time.as_ref()));
                }
            }
            other => panic!("no such event here: {other:?}"),
        }
    }

    /// Time is passed over by a run that does nothing, and not past its next timer.
    fn skip(&self, now: Time, target: Time) {
        self.between_tasks();
        assert!(target > now, "time goes forward");
        assert!(self.timers.values().all(|(_, due)| *due >= target), "a timer is passed over");
        assert!(self.children.is_empty() && self.external.is_empty(), "others are waited for");
        assert!(self.operations.is_empty(), "an operation is waited for");
        assert!(self.activities.values().all(Option::is_none), "an activity runs");
    }

    fn close_operation(&mut self, scheduled_event_id: i64) {
        self.outside_tasks();
        assert!(self.operations.remove(&scheduled_event_id).is_some(), "closed once");
    }

    fn end_cancellation(&mut self, requested_event_id: i64, scheduled_event_id: i64) {
        self.outside_tasks();
        assert_eq!(self.cancellations.remove(&requested_event_id), Some(scheduled_event_id));
    }

    fn close_child(&mut self, initiated: i64, started: i64) {
        self.outside_tasks();
        assert_eq!(self.children.remove(&initiated), Some(Some(started)), "a child that runs");
    }

    fn end_external(&mut self, initiated: i64) {
        self.outside_tasks();
        assert_eq!(self.external.remove(&initiated), Some(()), "ended once");
    }

    /// While a worker holds a task nothing else is written.
    fn outside_tasks(&self) {
        assert!(
            self.workflow_task.is_none_or(|(_, started)| started == 0),
            "an event within a started workflow task"
        );
    }

    /// Commands are written when their task has ended.
    fn between_tasks(&self) {
        assert_eq!(self.workflow_task, None, "a command's event beside a pending workflow task");
    }

    fn end(&mut self, scheduled: i64, started: i64) {
        assert_eq!(self.workflow_task.take(), Some((scheduled, started)));
    }

    fn close_activity(&mut self, scheduled: i64, started: i64) {
        self.outside_tasks();
        let known = self.activities.remove(&scheduled).expect("the activity is pending");
        assert_eq!(known.unwrap_or(0), started);
    }
}
