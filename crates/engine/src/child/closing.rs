//! What a closed run owes other runs: its parent the news, its children their policy.
//!
//! Both are remembered in the state until they are done, so that neither a crash nor an eviction
//! forgets them. A closed run writes no event about it.

use api::{
    enums::v1::{ParentClosePolicy, WorkflowExecutionStatus},
    history::v1::HistoryEvent,
};

use crate::{
    ChildReleased, ClosePolicyApplied, Mutation, ParentInformed, Reply, RunRef, Shared, State,
    Task, TaskAction, draft::Draft, reset,
};

pub(crate) fn outstanding_when_closed(state: &State, tasks: &mut Vec<Task>) {
    super::outstanding(state, tasks);
    if state.unreported_close.is_some() {
        tasks.push(Task::now(TaskAction::ReportToParent(RunRef {})));
    }
    if state.close_policy_due {
        tasks.push(Task::now(TaskAction::ApplyParentClosePolicy(RunRef {})));
    }
}

/// What a run owes from its close on. Children that were not started have their task already.
pub(crate) fn emit_closing_tasks(draft: &mut Draft<'_>) {
    let mut tasks = Vec::new();
    outstanding_when_closed(draft.state(), &mut tasks);
    for task in tasks {
        if !matches!(task.action, TaskAction::StartChild(_)) {
            draft.task(task);
        }
    }
}

/// The parent knows of the close, or there is none to tell.
pub(crate) fn parent_informed(draft: &mut Draft<'_>) -> Reply {
    if draft.state().unreported_close.is_none() {
        return Reply::Repeated;
    }
    draft.mutate(Mutation::ParentInformed(ParentInformed {}));
    Reply::Done
}

/// Every started child of the closed run has been dealt with as its policy says.
pub(crate) fn close_policy_applied(draft: &mut Draft<'_>) -> Reply {
    if !draft.state().close_policy_due {
        return Reply::Repeated;
    }
    draft.mutate(Mutation::ClosePolicyApplied(ClosePolicyApplied {}));
    Reply::Done
}

/// A child that the closed run had not seen started is none, or has been dealt with.
pub(crate) fn released(draft: &mut Draft<'_>, initiated_event_id: i64) -> Reply {
    let state = draft.state();
    let child = state.children.get(&initiated_event_id);
    if state.is_running() || child.is_none_or(|child| child.is_started()) {
        return Reply::Repeated;
    }
    draft.mutate(Mutation::ChildReleased(ChildReleased { initiated_event_id }));
    Reply::Done
}

/// Remembers the close event of a child's last run until its parent knows it. A run that another
/// follows leaves the news to that one.
pub(crate) fn note_close(state: &mut State, event: &HistoryEvent) {
    if reset::is_replacement(event) {
        state.close_policy_due = false;
        return;
    }
    let has_parent =
        state.started.as_ref().is_some_and(|started| started.parent_workflow_execution.is_some());
    let ends_chain = state.new_execution_run_id.is_empty()
        && state.status != WorkflowExecutionStatus::ContinuedAsNew as i32;
    if has_parent && ends_chain {
        state.unreported_close = Some(Shared::new(event.clone()));
    }
}

pub(crate) fn apply_close(state: &mut State) {
    state.external_signals.clear();
    state.external_cancels.clear();
    state.close_policy_due = state.children.values().any(|child| {
        child.is_started() && child.parent_close_policy() != ParentClosePolicy::Abandon
    });
}

pub(crate) fn apply_parent_informed(state: &mut State) {
    state.unreported_close = None;
}

pub(crate) fn apply_close_policy_applied(state: &mut State) {
    state.close_policy_due = false;
}

pub(crate) fn apply_released(state: &mut State, released: ChildReleased) {
    state.children.remove(&released.initiated_event_id);
}
