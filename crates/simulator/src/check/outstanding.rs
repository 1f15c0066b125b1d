//! Nothing that a run waits for is forgotten: at every moment the store has a row for each task
//! that the stored states imply.

use engine::outstanding_tasks;

use crate::check::{ensure, entities, snapshot::Snapshot};

/// Holds at any moment, also between a crash and the recovery from it.
pub(crate) fn check(snapshot: &Snapshot) -> Result<(), String> {
    for (run_id, run) in &snapshot.runs {
        for task in outstanding_tasks(&run.state) {
            ensure!(
                snapshot.has_task(run.slot, *run_id, &task),
                "run {run_id} of `{}` waits for {:?}, and the store has no row for it",
                run.state.workflow_id,
                task.action
            );
        }
    }
    entities::check(snapshot)?;
    for (run_id, run) in &snapshot.runs {
        ensure!(
            !run.state.is_running() || snapshot.currents.contains(run_id),
            "run {run_id} of `{}` is open and not the workflow's current run",
            run.state.workflow_id
        );
    }
    for current in &snapshot.currents {
        ensure!(snapshot.runs.contains_key(current), "a workflow points to {current}: no such run");
    }
    Ok(())
}
