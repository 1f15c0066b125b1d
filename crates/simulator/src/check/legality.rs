//! A slow reader of histories: may each event follow what came before, and at that time?

use std::collections::{BTreeMap, BTreeSet};

use api::history::v1::{HistoryEvent, history_event::Attributes};
use model::{Span, Time};

use crate::check::ensure;

#[derive(Default)]
struct Reader {
    /// Scheduled and, once there is one, started event of the pending workflow task.
    workflow_task: Option<(i64, i64)>,
    /// Scheduled activities, with their started events.
    activities: BTreeMap<i64, Option<i64>>,
    cancel_requests: BTreeMap<i64, i64>,
    /// Ids and due times of timers by started event.
    timers: BTreeMap<i64, (String, Time)>,
    /// Children by initiated event, with their started events.
    children: BTreeMap<i64, Option<i64>>,
    /// Nexus operations by scheduled event: whether they have started.
    operations: BTreeMap<i64, bool>,
    /// Requests to cancel Nexus operations, by their events, with the operations' events.
    cancellations: BTreeMap<i64, i64>,
    /// Signals to other workflows, by initiated event.
    external_signals: BTreeSet<i64>,
    /// Accepted updates, and whether they have completed.
    updates: BTreeMap<String, bool>,
    run_deadline: Option<Time>,
    paused: bool,
    closed: bool,
}

/// Reads a history from its first event to its last.
pub(crate) fn check(events: &[HistoryEvent]) -> Result<(), String> {
    let mut reader = Reader::default();
    for (event, expected) in events.iter().zip(1..) {
        let id = event.event_id;
        ensure!(id == expected, "event {id} stands where event {expected} should");
        ensure!(!reader.closed, "event {id} comes after the close");
        reader
            .read(event)
            .map_err(|what| format!("event {id} ({}): {what}", event.event_type().as_str_name()))?;
    }
    Ok(())
}

impl Reader {
    fn read(&mut self, event: &HistoryEvent) -> Result<(), String> {
        let id = event.event_id;
        let time = Time::from_proto(event.event_time.as_ref());
        ensure!(time.is_set(), "it has no time");
        let attributes = event.attributes.as_ref().ok_or("it has no attributes")?;
        match attributes {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                ensure!(id == 1, "a second start");
                let timeout = Span::from_proto(started.workflow_run_timeout.as_ref());
                self.run_deadline = (!timeout.is_zero()).then(|| time + timeout);
            }
            Attributes::WorkflowTaskScheduledEventAttributes(_) => {
                ensure!(self.workflow_task.is_none(), "a workflow task is pending");
                ensure!(!self.paused, "the run is paused");
                self.workflow_task = Some((id, 0));
            }
            Attributes::WorkflowTaskStartedEventAttributes(started) => {
                let scheduled = started.scheduled_event_id;
                ensure!(self.workflow_task == Some((scheduled, 0)), "of no scheduled task");
                self.workflow_task = Some((scheduled, id));
            }
            Attributes::WorkflowTaskCompletedEventAttributes(ended) => {
                self.end_task(ended.scheduled_event_id, ended.started_event_id)?;
            }
            Attributes::WorkflowExecutionPausedEventAttributes(_) => {
                self.is_outside()?;
                ensure!(!std::mem::replace(&mut self.paused, true), "it is paused already");
            }
            Attributes::WorkflowExecutionUnpausedEventAttributes(_) => {
                self.is_outside()?;
                ensure!(std::mem::replace(&mut self.paused, false), "it is not paused");
            }
            Attributes::WorkflowTaskFailedEventAttributes(ended) => {
                self.end_task(ended.scheduled_event_id, ended.started_event_id)?;
            }
            Attributes::WorkflowTaskTimedOutEventAttributes(ended) => {
                self.end_task(ended.scheduled_event_id, ended.started_event_id)?;
            }
            Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(_) => self.is_outside()?,
            Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted) => {
                self.is_command()?;
                if self.updates.insert(accepted.protocol_instance_id.clone(), false).is_some() {
                    return Err("an update is accepted twice".to_owned());
                }
            }
            Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed) => {
                self.is_command()?;
                let update_id = completed.meta.as_ref().map_or("", |meta| &meta.update_id);
                match self.updates.get_mut(update_id) {
                    Some(done) if !*done => *done = true,
                    _ => return Err("an update completes that was not accepted".to_owned()),
                }
            }
            Attributes::MarkerRecordedEventAttributes(_)
            | Attributes::UpsertWorkflowSearchAttributesEventAttributes(_)
            | Attributes::WorkflowPropertiesModifiedEventAttributes(_) => self.is_command()?,
            Attributes::WorkflowExecutionSignaledEventAttributes(_)
            | Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(_)
            | Attributes::WorkflowExecutionTimeSkippingTransitionedEventAttributes(_)
            | Attributes::WorkflowExecutionCancelRequestedEventAttributes(_) => {
                self.is_outside()?;
            }
            Attributes::WorkflowExecutionCompletedEventAttributes(_)
            | Attributes::WorkflowExecutionFailedEventAttributes(_)
            | Attributes::WorkflowExecutionCanceledEventAttributes(_)
            | Attributes::WorkflowExecutionContinuedAsNewEventAttributes(_) => {
                self.is_command()?;
                self.closed = true;
            }
            Attributes::WorkflowExecutionTerminatedEventAttributes(_) => {
                self.is_outside()?;
                self.closed = true;
            }
            Attributes::WorkflowExecutionTimedOutEventAttributes(_) => {
                self.is_outside()?;
                ensure!(self.run_deadline.is_some_and(|due| time >= due), "it is early");
                self.closed = true;
            }
            other => self.read_work(id, time, other)?,
        }
        Ok(())
    }

    fn read_work(&mut self, id: i64, time: Time, attributes: &Attributes) -> Result<(), String> {
        match attributes {
            Attributes::ActivityTaskScheduledEventAttributes(_) => {
                self.is_command()?;
                self.activities.insert(id, None);
            }
            Attributes::ActivityTaskStartedEventAttributes(started) => {
                self.is_outside()?;
                let activity = self.activities.get_mut(&started.scheduled_event_id);
                let activity = activity.ok_or("no such activity is pending")?;
                ensure!(activity.replace(id).is_none(), "it was started before");
            }
            Attributes::ActivityTaskCompletedEventAttributes(closed) => {
                ensure!(closed.started_event_id != 0, "it was never started");
                self.close_activity(closed.scheduled_event_id, closed.started_event_id)?;
            }
            Attributes::ActivityTaskFailedEventAttributes(closed) => {
                self.close_activity(closed.scheduled_event_id, closed.started_event_id)?;
            }
            Attributes::ActivityTaskTimedOutEventAttributes(closed) => {
                self.close_activity(closed.scheduled_event_id, closed.started_event_id)?;
            }
            Attributes::ActivityTaskCanceledEventAttributes(closed) => {
                let request = self.cancel_requests.get(&closed.scheduled_event_id);
                let named = &closed.latest_cancel_requested_event_id;
                ensure!(request == Some(named), "nobody asked for it");
                self.close_activity(closed.scheduled_event_id, closed.started_event_id)?;
            }
            Attributes::ActivityTaskCancelRequestedEventAttributes(requested) => {
                self.is_command()?;
                let scheduled = requested.scheduled_event_id;
                ensure!(self.activities.contains_key(&scheduled), "no such activity is pending");
                self.cancel_requests.insert(scheduled, id);
            }
            Attributes::TimerStartedEventAttributes(started) => {
                self.is_command()?;
                let due = time + Span::from_proto(started.start_to_fire_timeout.as_ref());
                self.timers.insert(id, (started.timer_id.clone(), due));
            }
            Attributes::TimerFiredEventAttributes(fired) => {
                self.is_outside()?;
                let timer = self.timers.remove(&fired.started_event_id);
                let (timer_id, due) = timer.ok_or("no such timer is pending")?;
                ensure!(timer_id == fired.timer_id, "the timer has another id");
                ensure!(time >= due, "it is early");
            }
            Attributes::TimerCanceledEventAttributes(canceled) => {
                self.is_command()?;
                let timer = self.timers.remove(&canceled.started_event_id);
                ensure!(timer.is_some(), "no such timer is pending");
            }
            other => self.read_family(id, other)?,
        }
        Ok(())
    }

    fn read_family(&mut self, id: i64, attributes: &Attributes) -> Result<(), String> {
        match attributes {
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(_) => {
                self.is_command()?;
                self.children.insert(id, None);
            }
            Attributes::ChildWorkflowExecutionStartedEventAttributes(started) => {
                self.is_outside()?;
                let child = self.children.get_mut(&started.initiated_event_id);
                let child = child.ok_or("no such child was asked for")?;
                ensure!(child.replace(id).is_none(), "it was started before");
            }
            Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed) => {
                self.close_child(closed.initiated_event_id, closed.started_event_id)?;
            }
            Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed) => {
                self.close_child(closed.initiated_event_id, closed.started_event_id)?;
            }
            Attributes::NexusOperationScheduledEventAttributes(_) => {
                self.is_command()?;
                self.operations.insert(id, false);
            }
            Attributes::NexusOperationStartedEventAttributes(started) => {
                self.is_outside()?;
                let operation = self.operations.get_mut(&started.scheduled_event_id);
                let operation = operation.ok_or("no such operation is pending")?;
                ensure!(!std::mem::replace(operation, true), "it was started before");
            }
            Attributes::NexusOperationCompletedEventAttributes(closed) => {
                self.is_outside()?;
                let known = self.operations.remove(&closed.scheduled_event_id);
                ensure!(known.is_some(), "no such operation is pending");
            }
            Attributes::NexusOperationFailedEventAttributes(closed) => {
                self.is_outside()?;
                let known = self.operations.remove(&closed.scheduled_event_id);
                ensure!(known.is_some(), "no such operation is pending");
            }
            Attributes::NexusOperationCanceledEventAttributes(closed) => {
                self.is_outside()?;
                let known = self.operations.remove(&closed.scheduled_event_id);
                ensure!(known == Some(true), "no such operation has started");
            }
            Attributes::NexusOperationCancelRequestedEventAttributes(requested) => {
                self.is_command()?;
                let known = self.operations.contains_key(&requested.scheduled_event_id);
                ensure!(known, "no such operation is pending");
                self.cancellations.insert(id, requested.scheduled_event_id);
            }
            Attributes::NexusOperationCancelRequestCompletedEventAttributes(accepted) => {
                self.is_outside()?;
                let known = self.cancellations.remove(&accepted.requested_event_id);
                ensure!(known == Some(accepted.scheduled_event_id), "nobody wanted that");
            }
            Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(_) => {
                self.is_command()?;
                self.external_signals.insert(id);
            }
            Attributes::ExternalWorkflowExecutionSignaledEventAttributes(ended) => {
                self.is_outside()?;
                let known = self.external_signals.remove(&ended.initiated_event_id);
                ensure!(known, "no such signal is on its way");
            }
            _ => return Err("no simulated workflow does this".to_owned()),
        }
        Ok(())
    }

    fn close_child(&mut self, initiated: i64, started: i64) -> Result<(), String> {
        self.is_outside()?;
        let known = self.children.remove(&initiated).ok_or("no such child is open")?;
        ensure!(known == Some(started), "it names another start");
        Ok(())
    }

    /// While a worker holds a task nothing else is written.
    fn is_outside(&self) -> Result<(), String> {
        let is_started = self.workflow_task.is_some_and(|(_, started)| started != 0);
        ensure!(!is_started, "it is within a started workflow task");
        Ok(())
    }

    /// Commands are written when their task has ended.
    fn is_command(&self) -> Result<(), String> {
        ensure!(self.workflow_task.is_none(), "a command beside a pending workflow task");
        Ok(())
    }

    fn end_task(&mut self, scheduled: i64, started: i64) -> Result<(), String> {
        let pending = self.workflow_task.take();
        ensure!(pending == Some((scheduled, started)), "the pending task is {pending:?}");
        Ok(())
    }

    fn close_activity(&mut self, scheduled: i64, started: i64) -> Result<(), String> {
        self.is_outside()?;
        let known = self.activities.remove(&scheduled).ok_or("no such activity is pending")?;
        ensure!(known.unwrap_or(0) == started, "it names another start");
        Ok(())
    }
}
