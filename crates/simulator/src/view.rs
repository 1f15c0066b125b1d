//! What a workflow knows: its history, read as an SDK reads it.

use std::collections::{BTreeMap, BTreeSet};

use api::history::v1::{HistoryEvent, history_event::Attributes};

use crate::{entities::batch, payload::text};

/// A history as a workflow sees it.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The start's input.
    pub(crate) input: String,
    /// The run's attempt.
    pub(crate) attempt: i32,
    /// The run's task queue.
    pub(crate) queue: String,
    /// Scheduled activities by id, with their scheduled event ids.
    pub(crate) activities: BTreeMap<String, i64>,
    /// Closed activities by scheduled event id: true for those that completed.
    pub(crate) closed_activities: BTreeMap<i64, bool>,
    /// Scheduled event ids of activities that were asked to cancel.
    pub(crate) cancelled_activities: BTreeSet<i64>,
    /// Timers that were started.
    pub(crate) timers: BTreeSet<String>,
    /// Timers that have fired.
    pub(crate) fired_timers: BTreeSet<String>,
    /// Timers that were cancelled.
    pub(crate) cancelled_timers: BTreeSet<String>,
    /// Marker names.
    pub(crate) markers: BTreeSet<String>,
    /// Memo fields that were set.
    pub(crate) memo_fields: BTreeSet<String>,
    /// Signals so far.
    pub(crate) signals: usize,
    /// One of them came from a batch operation.
    pub(crate) is_signalled_by_batch: bool,
    /// Somebody asked the workflow to cancel.
    pub(crate) cancel_requested: bool,
    /// Children by workflow id, with their initiated event ids.
    pub(crate) children: BTreeMap<String, i64>,
    /// Initiated event ids of children that have started.
    pub(crate) started_children: BTreeSet<i64>,
    /// Initiated event ids of children that have closed.
    pub(crate) closed_children: BTreeSet<i64>,
    /// Nexus operations by their names, with their scheduled event ids.
    pub(crate) operations: BTreeMap<String, i64>,
    /// Closed Nexus operations by scheduled event id: true for those that came back with their own
    /// name.
    pub(crate) closed_operations: BTreeMap<i64, bool>,
    /// Scheduled event ids of Nexus operations that were asked to cancel.
    pub(crate) cancelled_operations: BTreeSet<i64>,
    /// Updates that a reset admitted again.
    pub(crate) admitted_updates: BTreeSet<String>,
    /// Updates that were accepted.
    pub(crate) accepted_updates: BTreeSet<String>,
    /// Updates that have completed.
    pub(crate) completed_updates: BTreeSet<String>,
    /// Workflow ids that signals were sent to.
    pub(crate) signalled: BTreeSet<String>,
}

impl View {
    pub(crate) fn of(history: &[HistoryEvent]) -> Self {
        let mut view = Self::default();
        for event in history {
            view.read(event);
        }
        view
    }

    fn read(&mut self, event: &HistoryEvent) {
        let Some(attributes) = &event.attributes else { return };
        match attributes {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                self.input = text(started.input.as_ref());
                self.attempt = started.attempt;
                let queue = started.task_queue.as_ref().map(|queue| queue.name.clone());
                self.queue = queue.unwrap_or_default();
            }
            Attributes::ActivityTaskScheduledEventAttributes(scheduled) => {
                self.activities.insert(scheduled.activity_id.clone(), event.event_id);
            }
            Attributes::ActivityTaskCompletedEventAttributes(closed) => {
                self.closed_activities.insert(closed.scheduled_event_id, true);
            }
            Attributes::ActivityTaskFailedEventAttributes(closed) => {
                self.closed_activities.insert(closed.scheduled_event_id, false);
            }
            Attributes::ActivityTaskTimedOutEventAttributes(closed) => {
                self.closed_activities.insert(closed.scheduled_event_id, false);
            }
            Attributes::ActivityTaskCanceledEventAttributes(closed) => {
                self.closed_activities.insert(closed.scheduled_event_id, false);
            }
            Attributes::ActivityTaskCancelRequestedEventAttributes(requested) => {
                self.cancelled_activities.insert(requested.scheduled_event_id);
            }
            Attributes::TimerStartedEventAttributes(timer) => {
                self.timers.insert(timer.timer_id.clone());
            }
            Attributes::TimerFiredEventAttributes(timer) => {
                self.fired_timers.insert(timer.timer_id.clone());
            }
            Attributes::TimerCanceledEventAttributes(timer) => {
                self.cancelled_timers.insert(timer.timer_id.clone());
            }
            Attributes::MarkerRecordedEventAttributes(marker) => {
                self.markers.insert(marker.marker_name.clone());
            }
            Attributes::WorkflowPropertiesModifiedEventAttributes(modified) => {
                let fields = modified.upserted_memo.iter().flat_map(|memo| memo.fields.keys());
                self.memo_fields.extend(fields.cloned());
            }
            Attributes::WorkflowExecutionSignaledEventAttributes(signaled) => {
                self.signals += 1;
                self.is_signalled_by_batch |= signaled.signal_name == batch::SIGNAL;
            }
            Attributes::WorkflowExecutionCancelRequestedEventAttributes(_) => {
                self.cancel_requested = true;
            }
            Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(admitted) => {
                let meta = admitted.request.as_ref().and_then(|request| request.meta.as_ref());
                self.admitted_updates.extend(meta.map(|meta| meta.update_id.clone()));
            }
            Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted) => {
                self.accepted_updates.insert(accepted.protocol_instance_id.clone());
            }
            Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed) => {
                self.completed_updates
                    .extend(completed.meta.as_ref().map(|meta| meta.update_id.clone()));
            }
            other => self.read_family(event.event_id, other),
        }
    }

    fn read_family(&mut self, event_id: i64, attributes: &Attributes) {
        match attributes {
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(initiated) => {
                self.children.insert(initiated.workflow_id.clone(), event_id);
            }
            Attributes::ChildWorkflowExecutionStartedEventAttributes(started) => {
                self.started_children.insert(started.initiated_event_id);
            }
            Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed) => {
                self.closed_children.insert(closed.initiated_event_id);
            }
            Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed) => {
                self.closed_children.insert(closed.initiated_event_id);
            }
            Attributes::NexusOperationScheduledEventAttributes(scheduled) => {
                self.operations.insert(scheduled.operation.clone(), event_id);
            }
            Attributes::NexusOperationCompletedEventAttributes(closed) => {
                let scheduled = closed.scheduled_event_id;
                let result = closed.result.as_ref().map(|result| &result.data);
                let named = self.operations.iter().find(|(_, id)| **id == scheduled);
                let is_own = named.is_some_and(|(name, _)| result.is_some_and(|own| own == name));
                self.closed_operations.insert(scheduled, is_own);
            }
            Attributes::NexusOperationFailedEventAttributes(closed) => {
                self.closed_operations.insert(closed.scheduled_event_id, false);
            }
            Attributes::NexusOperationCanceledEventAttributes(closed) => {
                self.closed_operations.insert(closed.scheduled_event_id, false);
            }
            Attributes::NexusOperationCancelRequestedEventAttributes(requested) => {
                self.cancelled_operations.insert(requested.scheduled_event_id);
            }
            Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(initiated) => {
                let target = initiated.workflow_execution.as_ref();
                self.signalled.extend(target.map(|target| target.workflow_id.clone()));
            }
            _ => {}
        }
    }

    /// Whether an activity or an operation has closed, and how.
    pub(crate) fn outcome(&self, activity_id: &str) -> Option<bool> {
        if let Some(scheduled_event_id) = self.operations.get(activity_id) {
            return self.closed_operations.get(scheduled_event_id).copied();
        }
        let scheduled_event_id = self.activities.get(activity_id)?;
        self.closed_activities.get(scheduled_event_id).copied()
    }
}
