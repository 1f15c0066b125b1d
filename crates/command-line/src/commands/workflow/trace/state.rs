//! What a history says about a run and the work it gave out.

use api::{
    common::v1::WorkflowExecution,
    failure::v1::Failure,
    history::v1::{HistoryEvent, history_event::Attributes as A},
};
use prost_types::Timestamp;

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Status {
    #[default]
    Waiting,
    Running,
    Completed,
    Failed,
    Canceled,
    Terminated,
    TimedOut,
    ContinuedAsNew,
}

impl Status {
    /// True when nothing comes after it.
    pub(super) fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// What a run gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Activity,
    Timer,
    Operation,
    Child,
    /// The run that goes on after this one.
    Next,
}

/// A piece of work of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// The event that began it.
    pub(super) event_id: i64,
    pub(super) name: String,
    /// The activity's id; other kinds have none.
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) begin: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    pub(super) attempt: i32,
    pub(super) failure: Option<String>,
    /// Where its own history is.
    pub(super) run: Option<WorkflowExecution>,
}

/// A run as its history shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Run {
    pub(super) name: String,
    pub(super) execution: WorkflowExecution,
    pub(super) status: Status,
    pub(super) begin: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    pub(super) attempt: i32,
    pub(super) failure: Option<String>,
    /// Who asked it to stop, and why.
    pub(super) notes: Vec<String>,
    pub(super) items: Vec<Item>,
    /// How many events are in it.
    pub(super) length: i64,
}

impl Run {
    /// Reads a history.
    pub(super) fn of(execution: WorkflowExecution, events: &[HistoryEvent]) -> Self {
        let mut run = Self { execution, ..Self::default() };
        for event in events {
            run.take(event);
        }
        run
    }

    fn take(&mut self, event: &HistoryEvent) {
        self.length = event.event_id;
        let Some(attributes) = &event.attributes else { return };
        let time = event.event_time;
        match attributes {
            A::WorkflowExecutionStartedEventAttributes(it) => {
                self.name = name(it.workflow_type.as_ref().map(|kind| &kind.name));
                self.status = Status::Running;
                self.attempt = it.attempt;
                self.begin = time;
            }
            A::WorkflowExecutionCompletedEventAttributes(_) => self.close(Status::Completed, event),
            A::WorkflowExecutionFailedEventAttributes(it) => {
                self.failure = message(it.failure.as_ref());
                self.close(Status::Failed, event);
            }
            A::WorkflowExecutionTimedOutEventAttributes(_) => self.close(Status::TimedOut, event),
            A::WorkflowExecutionCanceledEventAttributes(_) => self.close(Status::Canceled, event),
            A::WorkflowExecutionTerminatedEventAttributes(it) => {
                self.notes.push(format!("terminated by {}: {}", it.identity, it.reason));
                self.close(Status::Terminated, event);
            }
            A::WorkflowExecutionContinuedAsNewEventAttributes(it) => {
                let name = name(it.workflow_type.as_ref().map(|kind| &kind.name));
                let execution = WorkflowExecution {
                    workflow_id: self.execution.workflow_id.clone(),
                    run_id: it.new_execution_run_id.clone(),
                };
                self.close(Status::ContinuedAsNew, event);
                self.begin_item(Kind::Next, event, name, String::new());
                self.give_run(event.event_id, execution);
            }
            A::WorkflowExecutionCancelRequestedEventAttributes(it) => {
                self.notes.push(format!("asked to stop by {}: {}", it.identity, it.cause));
            }
            A::ActivityTaskScheduledEventAttributes(it) => {
                let name = name(it.activity_type.as_ref().map(|kind| &kind.name));
                self.begin_item(Kind::Activity, event, name, it.activity_id.clone());
            }
            A::ActivityTaskStartedEventAttributes(it) => {
                if let Some(item) = self.item(it.scheduled_event_id) {
                    item.status = Status::Running;
                    item.attempt = it.attempt;
                }
            }
            A::ActivityTaskCompletedEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::Completed, time, None);
            }
            A::ActivityTaskFailedEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::Failed, time, it.failure.as_ref());
            }
            A::ActivityTaskTimedOutEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::TimedOut, time, it.failure.as_ref());
            }
            A::ActivityTaskCanceledEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::Canceled, time, None);
            }
            A::TimerStartedEventAttributes(it) => {
                let length = it.start_to_fire_timeout.unwrap_or_default();
                let millis = length.seconds * 1000 + i64::from(length.nanos) / 1_000_000;
                let name = format!("timer {} of {}", it.timer_id, crate::times::length(millis));
                self.begin_item(Kind::Timer, event, name, it.timer_id.clone());
            }
            A::TimerFiredEventAttributes(it) => {
                self.end(it.started_event_id, Status::Completed, time, None);
            }
            A::TimerCanceledEventAttributes(it) => {
                self.end(it.started_event_id, Status::Canceled, time, None);
            }
            _ => self.take_of_others(attributes, event),
        }
    }

    /// What workflows and services outside of this run say.
    fn take_of_others(&mut self, attributes: &A, event: &HistoryEvent) {
        let time = event.event_time;
        match attributes {
            A::StartChildWorkflowExecutionInitiatedEventAttributes(it) => {
                let name = name(it.workflow_type.as_ref().map(|kind| &kind.name));
                self.begin_item(Kind::Child, event, name, it.workflow_id.clone());
            }
            A::ChildWorkflowExecutionStartedEventAttributes(it) => {
                if let Some(item) = self.item(it.initiated_event_id) {
                    item.status = Status::Running;
                    item.run.clone_from(&it.workflow_execution);
                }
            }
            A::StartChildWorkflowExecutionFailedEventAttributes(it) => {
                self.end(it.initiated_event_id, Status::Failed, time, None);
            }
            A::ChildWorkflowExecutionCompletedEventAttributes(it) => {
                self.end(it.initiated_event_id, Status::Completed, time, None);
            }
            A::ChildWorkflowExecutionFailedEventAttributes(it) => {
                self.end(it.initiated_event_id, Status::Failed, time, it.failure.as_ref());
            }
            A::ChildWorkflowExecutionCanceledEventAttributes(it) => {
                self.end(it.initiated_event_id, Status::Canceled, time, None);
            }
            A::ChildWorkflowExecutionTimedOutEventAttributes(it) => {
                self.end(it.initiated_event_id, Status::TimedOut, time, None);
            }
            A::ChildWorkflowExecutionTerminatedEventAttributes(it) => {
                self.end(it.initiated_event_id, Status::Terminated, time, None);
            }
            A::NexusOperationScheduledEventAttributes(it) => {
                let name = format!("{}/{}", it.service, it.operation);
                self.begin_item(Kind::Operation, event, name, String::new());
            }
            A::NexusOperationStartedEventAttributes(it) => {
                if let Some(item) = self.item(it.scheduled_event_id) {
                    item.status = Status::Running;
                }
            }
            A::NexusOperationCompletedEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::Completed, time, None);
            }
            A::NexusOperationFailedEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::Failed, time, it.failure.as_ref());
            }
            A::NexusOperationCanceledEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::Canceled, time, it.failure.as_ref());
            }
            A::NexusOperationTimedOutEventAttributes(it) => {
                self.end(it.scheduled_event_id, Status::TimedOut, time, it.failure.as_ref());
            }
            _ => {}
        }
    }

    fn close(&mut self, status: Status, event: &HistoryEvent) {
        self.status = status;
        self.end = event.event_time;
    }

    fn begin_item(&mut self, kind: Kind, event: &HistoryEvent, name: String, id: String) {
        self.items.push(Item {
            kind,
            event_id: event.event_id,
            name,
            id,
            status: Status::Waiting,
            begin: event.event_time,
            end: None,
            attempt: 1,
            failure: None,
            run: None,
        });
    }

    fn give_run(&mut self, event_id: i64, execution: WorkflowExecution) {
        if let Some(item) = self.item(event_id) {
            item.run = Some(execution);
        }
    }

    fn item(&mut self, event_id: i64) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.event_id == event_id)
    }

    fn end(&mut self, id: i64, status: Status, end: Option<Timestamp>, failure: Option<&Failure>) {
        if let Some(item) = self.item(id) {
            item.status = status;
            item.end = end;
            item.failure = message(failure);
        }
    }
}

fn name(name: Option<&String>) -> String {
    name.cloned().unwrap_or_default()
}

/// What a failure says, its cause first: that is what went wrong.
fn message(failure: Option<&Failure>) -> Option<String> {
    let failure = failure?;
    let cause = failure.cause.as_deref();
    let text = cause.and_then(|cause| message(Some(cause)));
    Some(text.unwrap_or_else(|| failure.message.clone())).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use api::{
        common::v1::{ActivityType, WorkflowType},
        history::v1::{
            ActivityTaskFailedEventAttributes, ActivityTaskScheduledEventAttributes,
            ActivityTaskStartedEventAttributes, ChildWorkflowExecutionStartedEventAttributes,
            StartChildWorkflowExecutionInitiatedEventAttributes,
            WorkflowExecutionStartedEventAttributes,
        },
    };

    use super::*;

    fn history(all: Vec<A>) -> Vec<HistoryEvent> {
        let event = |(index, attributes)| HistoryEvent {
            event_id: i64::try_from(index).unwrap() + 1,
            attributes: Some(attributes),
            ..HistoryEvent::default()
        };
        all.into_iter().enumerate().map(event).collect()
    }

    #[test]
    fn work_is_followed_from_its_first_event_to_its_last() {
        let failure = Failure {
            message: "outer".to_owned(),
            cause: Some(Box::new(Failure { message: "inner".to_owned(), ..Failure::default() })),
            ..Failure::default()
        };
        let child = WorkflowExecution { workflow_id: "c".to_owned(), run_id: "r".to_owned() };
        let events = history(vec![
            A::WorkflowExecutionStartedEventAttributes(WorkflowExecutionStartedEventAttributes {
                workflow_type: Some(WorkflowType { name: "kind".to_owned() }),
                ..WorkflowExecutionStartedEventAttributes::default()
            }),
            A::ActivityTaskScheduledEventAttributes(ActivityTaskScheduledEventAttributes {
                activity_type: Some(ActivityType { name: "act".to_owned() }),
                ..ActivityTaskScheduledEventAttributes::default()
            }),
            A::ActivityTaskStartedEventAttributes(ActivityTaskStartedEventAttributes {
                scheduled_event_id: 2,
                attempt: 3,
                ..ActivityTaskStartedEventAttributes::default()
            }),
            A::ActivityTaskFailedEventAttributes(ActivityTaskFailedEventAttributes {
                scheduled_event_id: 2,
                failure: Some(failure),
                ..ActivityTaskFailedEventAttributes::default()
            }),
            A::StartChildWorkflowExecutionInitiatedEventAttributes(
                StartChildWorkflowExecutionInitiatedEventAttributes::default(),
            ),
            A::ChildWorkflowExecutionStartedEventAttributes(
                ChildWorkflowExecutionStartedEventAttributes {
                    initiated_event_id: 5,
                    workflow_execution: Some(child.clone()),
                    ..ChildWorkflowExecutionStartedEventAttributes::default()
                },
            ),
        ]);
        let run = Run::of(WorkflowExecution::default(), &events);
        assert_eq!((run.name.as_str(), run.status, run.length), ("kind", Status::Running, 6));
        let activity = &run.items[0];
        assert_eq!((activity.name.as_str(), activity.attempt), ("act", 3));
        assert_eq!(activity.status, Status::Failed);
        assert_eq!(activity.failure.as_deref(), Some("inner"));
        assert_eq!((run.items[1].status, &run.items[1].run), (Status::Running, &Some(child)));
    }
}
