//! The start and the end of the workflows of a schedule.

use api::{
    common::v1::WorkflowExecution, enums::v1::WorkflowExecutionStatus as Status,
    schedule::v1::ScheduleActionResult,
};
use entity::ClosedWorkflow;
use model::Time;

use crate::{
    State,
    limits::RECENT_ACTIONS_MAX,
    state::{ClosedRun, PendingStart},
};

/// A workflow was started. Starts may end out of order; the actions stand in the order of the
/// starts all the same.
pub(crate) fn started(
    state: &mut State,
    number: u64,
    start: PendingStart,
    run_id: String,
    start_time: Time,
) {
    let execution = WorkflowExecution { workflow_id: start.workflow_id, run_id };
    state.action_count += 1;
    let place = state.recent_numbers.partition_point(|earlier| *earlier < number);
    let place = place.min(state.recent_actions.len());
    state.recent_numbers.insert(place, number);
    let action = ScheduleActionResult {
        schedule_time: start.start.actual_time.to_proto(),
        actual_time: start_time.to_proto(),
        start_workflow_result: Some(execution.clone()),
        start_workflow_status: Status::Running as i32,
    };
    state.recent_actions.insert(place, action);
    if state.recent_actions.len() > RECENT_ACTIONS_MAX {
        state.recent_actions.remove(0);
        state.recent_numbers.remove(0);
    }
    let early = state.closed_early.iter().position(|closed| is_same(closed, &execution));
    if start.tracked {
        state.running_workflows.push(execution);
    }
    if let Some(early) = early {
        let closed = state.closed_early.remove(early);
        apply(state, &closed);
    }
    forget_early_ends(state);
}

/// A workflow has closed, which the schedule may hear before it hears of the start.
pub(crate) fn closed(state: &mut State, closed: ClosedWorkflow) {
    let closed = ClosedRun {
        workflow_id: closed.workflow_id,
        first_execution_run_id: closed.first_execution_run_id,
        status: closed.status as i32,
        result: closed.result,
        failure: closed.failure,
    };
    apply(state, &closed);
    let is_known = state
        .recent_actions
        .iter()
        .filter_map(|action| action.start_workflow_result.as_ref())
        .any(|execution| is_same(&closed, execution));
    if !is_known && !state.closed_early.contains(&closed) {
        state.closed_early.push(closed);
    }
    forget_early_ends(state);
}

/// Ends of runs that no start under way can have led to are of no use.
pub(crate) fn forget_early_ends(state: &mut State) {
    let starts = state.pending.values().filter_map(|pending| pending.start.as_ref());
    let awaited: Vec<&str> = starts.map(|start| start.workflow_id.as_str()).collect();
    state.closed_early.retain(|closed| awaited.contains(&closed.workflow_id.as_str()));
}

fn is_same(closed: &ClosedRun, execution: &WorkflowExecution) -> bool {
    closed.workflow_id == execution.workflow_id && closed.first_execution_run_id == execution.run_id
}

fn apply(state: &mut State, closed: &ClosedRun) {
    for action in &mut state.recent_actions {
        let execution = action.start_workflow_result.as_ref();
        if execution.is_some_and(|execution| is_same(closed, execution)) {
            action.start_workflow_status = closed.status;
        }
    }
    let place = state.running_workflows.iter().position(|running| is_same(closed, running));
    let Some(place) = place else { return };
    let run = state.running_workflows.remove(place);
    state.cancelled_run_ids.retain(|cancelled| *cancelled != run.run_id);
    state.terminated_run_ids.retain(|terminated| *terminated != run.run_id);
    let status = closed.status();
    let failed = matches!(status, Status::Failed | Status::TimedOut);
    if failed && state.policies().pause_on_failure && !state.settings().paused {
        let id = &closed.workflow_id;
        let message = closed.failure.as_ref().map_or("", |failure| &failure.message);
        let notes = match status {
            Status::TimedOut => format!("paused due to workflow timeout: {id}"),
            _ => format!("paused due to workflow failure: {id}: {message}"),
        };
        let settings = state.settings_mut();
        settings.paused = true;
        settings.notes = notes;
        state.conflict_token += 1;
    }
    if closed.result.is_some() {
        state.last_completion_result.clone_from(&closed.result);
        state.continued_failure = None;
    } else if closed.failure.is_some() {
        // The last result stays what it was.
        state.continued_failure.clone_from(&closed.failure);
    }
}
