//! The event that closed a run, for clients that follow a chain by one kind of event only.

use api::{
    enums::v1::{EventType, TimeoutType},
    failure::v1::{Failure, TimeoutFailureInfo, failure::FailureInfo},
    history::v1::{
        HistoryEvent, WorkflowExecutionContinuedAsNewEventAttributes, history_event::Attributes,
    },
};

/// A run that was retried or followed by its schedule looks as if it had continued as new.
pub(super) fn as_continued_as_new(event: HistoryEvent) -> HistoryEvent {
    let continued = match &event.attributes {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) => {
            WorkflowExecutionContinuedAsNewEventAttributes {
                new_execution_run_id: completed.new_execution_run_id.clone(),
                last_completion_result: completed.result.clone(),
                ..Default::default()
            }
        }
        Some(Attributes::WorkflowExecutionFailedEventAttributes(failed)) => {
            WorkflowExecutionContinuedAsNewEventAttributes {
                new_execution_run_id: failed.new_execution_run_id.clone(),
                failure: failed.failure.clone(),
                ..Default::default()
            }
        }
        Some(Attributes::WorkflowExecutionTimedOutEventAttributes(timed_out)) => {
            WorkflowExecutionContinuedAsNewEventAttributes {
                new_execution_run_id: timed_out.new_execution_run_id.clone(),
                failure: Some(timed_out_failure()),
                ..Default::default()
            }
        }
        _ => return event,
    };
    if continued.new_execution_run_id.is_empty() {
        return event;
    }
    HistoryEvent {
        event_id: event.event_id,
        event_time: event.event_time,
        event_type: EventType::WorkflowExecutionContinuedAsNew as i32,
        version: event.version,
        task_id: event.task_id,
        attributes: Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(continued)),
        ..Default::default()
    }
}

fn timed_out_failure() -> Failure {
    Failure {
        message: "workflow timeout".to_owned(),
        source: "Server".to_owned(),
        failure_info: Some(FailureInfo::TimeoutFailureInfo(TimeoutFailureInfo {
            timeout_type: TimeoutType::StartToClose as i32,
            ..Default::default()
        })),
        ..Default::default()
    }
}
