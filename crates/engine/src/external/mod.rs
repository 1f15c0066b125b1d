//! What a workflow sends to other workflows: signals and requests to cancel (fact sheet section 6).
//!
//! Each is initiated by a command, delivered by a durable task, and ends with an event that says
//! whether it arrived.

mod cancel;
mod signal;

pub(crate) use cancel::{apply_initiated as apply_cancel_initiated, cancel, ended as cancel_ended};
pub(crate) use signal::{apply_initiated as apply_signal_initiated, ended as signal_ended, signal};

use api::enums::v1::WorkflowTaskFailedCause;

use crate::{InitiatedRef, State, Task, TaskAction, commands::CommandError, draft::Draft};

/// Commands stay within the workflow's namespace.
pub(crate) fn check_namespace(
    draft: &Draft<'_>,
    cause: WorkflowTaskFailedCause,
    namespace: &str,
) -> Result<(), CommandError> {
    if namespace.is_empty() || namespace == draft.context().namespace {
        return Ok(());
    }
    Err(CommandError::new(cause, "cross namespace commands are not allowed"))
}

/// A run id is a UUID in the text form with hyphens.
fn is_run_id(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, character)| match index {
            8 | 13 | 18 | 23 => character == '-',
            _ => character.is_ascii_hexdigit(),
        })
}

pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    let reference = |id: &i64| InitiatedRef { initiated_event_id: *id };
    for id in state.external_signals.keys() {
        tasks.push(Task::now(TaskAction::SignalExternal(reference(id))));
    }
    for id in state.external_cancels.keys() {
        tasks.push(Task::now(TaskAction::CancelExternal(reference(id))));
    }
}
