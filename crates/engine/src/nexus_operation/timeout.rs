//! The three time-outs of an operation.

use api::{
    failure::v1::Failure,
    history::v1::{NexusOperationTimedOutEventAttributes, history_event::Attributes},
};

use crate::{
    NexusOperationRef, Shared, Task, TaskAction,
    draft::{Draft, EventExtras},
    failures, workflow_task,
};

/// A time-out may have passed.
pub(crate) fn timeout_due(draft: &mut Draft<'_>, task: &NexusOperationRef) {
    let scheduled_event_id = task.scheduled_event_id;
    let found = draft.state().nexus_operations.get(&scheduled_event_id);
    let Some(operation) = found.map(Shared::to_owned_message) else { return };
    let Some((due, timeout_type)) = operation.earliest_timeout() else { return };
    if draft.now() < due {
        draft.task(Task::at(due, TaskAction::NexusOperationTimeout(*task)));
        return;
    }
    let cause = failures::timeout("operation timed out", timeout_type, None, None);
    // Unlike other time-outs, it does not say where it comes from.
    let cause = Failure { source: String::new(), ..cause };
    let attributes = NexusOperationTimedOutEventAttributes {
        scheduled_event_id,
        failure: Some(operation.failure(scheduled_event_id, Some(cause))),
        request_id: operation.request_id().to_owned(),
    };
    draft.bufferable_event(
        Attributes::NexusOperationTimedOutEventAttributes(attributes),
        EventExtras::default(),
    );
    workflow_task::schedule_unless_delayed(draft);
}
