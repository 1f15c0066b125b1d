//! Requests of a run to the handlers of its Nexus operations.

use engine::{NexusOperationRef, Outcome};

use super::Source;
use crate::{
    History, HistoryError,
    nexus::{CallbackToken, Waiter, scheduled_event_link},
};

/// Asks a handler to start an operation.
pub(super) async fn start(
    history: &History,
    source: &Source,
    task: NexusOperationRef,
) -> Result<Option<Outcome>, HistoryError> {
    let scheduled_event_id = task.scheduled_event_id;
    let found = source.state.nexus_operations.get(&scheduled_event_id);
    let Some(operation) = found.filter(|operation| operation.stamp == task.stamp) else {
        return Ok(None);
    };
    let execution = source.execution();
    let link = scheduled_event_link(
        &source.namespace.name,
        &execution.workflow_id,
        &execution.run_id,
        scheduled_event_id,
    );
    let token = CallbackToken {
        waiter: Waiter::Run { run: source.key.clone(), scheduled_event_id },
        request_id: operation.request_id().to_owned(),
    };
    let answer = history.ask_to_start(&source.namespace, operation, &token, &link).await?;
    Ok(Some(Outcome::NexusOperation { task, answer }))
}

/// Asks a handler to cancel an operation.
pub(super) async fn cancel(
    history: &History,
    source: &Source,
    task: NexusOperationRef,
) -> Result<Option<Outcome>, HistoryError> {
    let Some(operation) = source.state.nexus_operations.get(&task.scheduled_event_id) else {
        return Ok(None);
    };
    let answer = history.ask_to_cancel(operation).await?;
    Ok(Some(Outcome::NexusCancellation { task, answer }))
}
