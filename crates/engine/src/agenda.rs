//! What a run does and waits for, for a clock that passes over idle time.

use model::Agenda;

use crate::{State, outstanding_tasks, state::Activity, task::TaskAction};

/// What a run is about to do. The end of its retention is no part of it: nobody waits for that.
pub fn agenda(state: &State) -> Agenda {
    let mut agenda = Agenda::EMPTY;
    for task in outstanding_tasks(state) {
        if task.due.is_set() {
            agenda.wait_until(state.on_the_wall(task.due));
        } else if !takes_its_time(&task.action) {
            agenda.steps += 1;
        }
    }
    if !state.is_running() {
        return agenda;
    }
    if state.has_started_workflow_task() {
        agenda.steps += 1;
    }
    let activities = state.activities.values().filter(|activity| is_with_a_worker(activity));
    let operations = state.nexus_operations.values();
    let operations = operations.filter(|operation| !operation.is_backing_off());
    agenda.work = u32::try_from(activities.count() + operations.count()).unwrap_or(u32::MAX);
    agenda
}

/// A worker has the activity, or may take it at any moment.
fn is_with_a_worker(activity: &Activity) -> bool {
    activity.is_started() || activity.waits_for_worker()
}

/// What counts as work, and a word to a worker for which nobody waits.
fn takes_its_time(action: &TaskAction) -> bool {
    matches!(
        action,
        TaskAction::DispatchActivity(_)
            | TaskAction::StartNexusOperation(_)
            | TaskAction::SendWorkerCommands(_)
    )
}
