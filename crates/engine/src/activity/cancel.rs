//! The command that asks an activity to stop.

use std::collections::BTreeMap;

use api::{
    command::v1::RequestCancelActivityTaskCommandAttributes,
    common::v1::{Payload, Payloads},
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{
        ActivityTaskCancelRequestedEventAttributes, HistoryEvent, history_event::Attributes,
    },
};
use bytes::Bytes;

use crate::{
    State,
    commands::{CommandError, CommandScope},
    draft::{Draft, EventExtras},
    worker_command,
};

use super::close;

/// Asks an activity to stop. One that no worker holds is cancelled at once; a running one learns
/// of it from its next heartbeat; a closed one is only noted.
pub(crate) fn request_cancel(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: &RequestCancelActivityTaskCommandAttributes,
) -> Result<(), CommandError> {
    let scheduled_event_id = command.scheduled_event_id;
    const BAD: WorkflowTaskFailedCause =
        WorkflowTaskFailedCause::BadRequestCancelActivityAttributes;
    if scheduled_event_id <= 0 {
        let text = "ScheduledEventId is not set on RequestCancelActivityTaskCommand.";
        return Err(CommandError::new(BAD, text));
    }
    if !may_be_asked(draft.state(), scheduled_event_id) {
        let text = format!(
            "invalid history builder state for action: add-activitytask-cancel-requested-event, \
             ScheduledEventID: {scheduled_event_id}"
        );
        return Err(CommandError::new(BAD, text));
    }
    let unstarted =
        draft.state().activities.get(&scheduled_event_id).is_some_and(|activity| {
            !activity.is_started() && activity.cancel_requested_event_id == 0
        });
    let attributes = ActivityTaskCancelRequestedEventAttributes {
        scheduled_event_id,
        workflow_task_completed_event_id: scope.completed_event_id,
    };
    let issued = draft.state().worker_commands_issued;
    let requested = draft.event_with(
        Attributes::ActivityTaskCancelRequestedEventAttributes(attributes),
        scope.extras(),
    );
    worker_command::emit_tasks_after(draft, issued);
    if unstarted {
        let canceled = close::canceled(
            Some(not_started()),
            requested,
            scheduled_event_id,
            0,
            scope.identity.clone(),
        );
        draft.bufferable_event(canceled, EventExtras::default());
    }
    Ok(())
}

/// An activity can be asked to stop once, and until the workflow knows how it ended.
fn may_be_asked(state: &State, scheduled_event_id: i64) -> bool {
    if let Some(activity) = state.activities.get(&scheduled_event_id) {
        return activity.cancel_requested_event_id == 0;
    }
    state.buffered_events.iter().any(|event| ends(event, scheduled_event_id))
}

fn ends(event: &HistoryEvent, scheduled_event_id: i64) -> bool {
    let ended = match &event.attributes {
        Some(Attributes::ActivityTaskCompletedEventAttributes(ended)) => ended.scheduled_event_id,
        Some(Attributes::ActivityTaskFailedEventAttributes(ended)) => ended.scheduled_event_id,
        Some(Attributes::ActivityTaskTimedOutEventAttributes(ended)) => ended.scheduled_event_id,
        Some(Attributes::ActivityTaskCanceledEventAttributes(ended)) => ended.scheduled_event_id,
        Some(_) | None => return false,
    };
    ended == scheduled_event_id
}

/// The details of an activity that was cancelled before a worker took it.
fn not_started() -> Payloads {
    let metadata = BTreeMap::from([("encoding".to_owned(), Bytes::from_static(b"json/plain"))]);
    let data = Bytes::from_static(b"\"ACTIVITY_ID_NOT_STARTED\"");
    Payloads { payloads: vec![Payload { metadata, data, ..Default::default() }] }
}
