//! Nothing that a run waits for is forgotten: at every moment the store has a row for each task
//! that the stored states imply.

use std::collections::BTreeSet;

use engine::outstanding_tasks;
use storage::TaskCategory;

use crate::check::{ensure, snapshot::Snapshot};

/// Holds at any moment, also between a crash and the recovery from it.
pub(crate) fn check(snapshot: &Snapshot) -> Result<(), String> {
    for (run_id, run) in &snapshot.runs {
        for task in outstanding_tasks(&run.state) {
            let is_timer = task.due.is_set();
            let found = snapshot.tasks.iter().any(|row| {
                row.slot == run.slot
                    && row.record.run_id == run_id.as_bytes().as_slice()
                    && row.record.action == Some(task.action)
                    && (row.category == TaskCategory::Timer as u8) == is_timer
            });
            ensure!(
                found,
                "run {run_id} of `{}` waits for {:?}, and the store has no row for it",
                run.state.workflow_id,
                task.action
            );
        }
    }
    let keys: BTreeSet<_> = snapshot
        .tasks
        .iter()
        .map(|row| (row.slot, row.category, row.fire_time, row.task_id))
        .collect();
    ensure!(keys.len() == snapshot.tasks.len(), "two task rows have one key");
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
