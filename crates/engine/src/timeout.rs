//! The run's, or the whole execution's, time is over (fact sheet section 12).

use api::{
    enums::v1::{RetryState, TimeoutType},
    history::v1::{WorkflowExecutionTimedOutEventAttributes, history_event::Attributes},
};

use crate::{
    RetryDecision, RunRef, Task, TaskAction, close, continue_as_new, decide_retry, draft::Draft,
    failures, workflow_task,
};

/// Times the run out. A run that used up its own time may be followed by another,
/// one whose execution did not.
pub(crate) fn due(draft: &mut Draft<'_>) {
    let deadline = draft.state().workflow_deadline();
    if draft.now() < deadline {
        draft.task(Task::at(deadline, TaskAction::WorkflowTimeout(RunRef {})));
        return;
    }
    workflow_task::force_close(draft);
    let state = draft.state();
    let expiration = state.execution_expiration;
    let failure = failures::timeout("workflow timeout", TimeoutType::StartToClose, None, None);
    let (retry_state, new_execution_run_id) = if expiration.is_set() && draft.now() >= expiration {
        (RetryState::Timeout, String::new())
    } else {
        let attempt = state.started.as_ref().map_or(1, |started| started.attempt);
        let policy = state.retry_policy();
        match decide_retry(policy, attempt, &failure, draft.now(), expiration, None) {
            RetryDecision::After(backoff) => {
                continue_as_new::retry(draft, backoff, Some(failure));
                (RetryState::InProgress, draft.context().new_run_id.clone())
            }
            RetryDecision::Stop(retry_state) => {
                (retry_state, continue_as_new::scheduled(draft, Some(&failure), None))
            }
        }
    };
    draft.event(Attributes::WorkflowExecutionTimedOutEventAttributes(
        WorkflowExecutionTimedOutEventAttributes {
            retry_state: retry_state as i32,
            new_execution_run_id,
        },
    ));
    close::emit_tasks(draft);
}
