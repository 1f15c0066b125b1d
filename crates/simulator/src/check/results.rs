//! Every workflow ends as its program says, once, and as its clients were told.

use api::{enums::v1::WorkflowExecutionStatus, history::v1::history_event::Attributes};

use crate::{
    check::{
        ensure,
        snapshot::{Snapshot, StoredRun},
    },
    payload::text,
    program::{End, Program},
    witness::Facts,
};

/// Checks one workflow.
pub(crate) fn check(
    facts: &Facts,
    snapshot: &Snapshot,
    workflow_id: &str,
    program: &Program,
) -> Result<(), String> {
    let runs = snapshot.runs_of(workflow_id);
    let mut last = runs.iter().filter(|(_, run)| {
        run.state.new_execution_run_id.is_empty() && run.state.reset_run_id.is_empty()
    });
    let is_reset = runs.iter().any(|(_, run)| !run.state.reset_run_id.is_empty());
    let Some((run_id, run)) = last.next() else {
        return Err(format!("`{workflow_id}` has no last run"));
    };
    ensure!(last.next().is_none(), "`{workflow_id}` has two last runs");
    for (_, run) in &runs {
        for next in [&run.state.new_execution_run_id, &run.state.reset_run_id] {
            let is_there = runs.iter().any(|(run_id, _)| run_id.to_string() == *next);
            ensure!(next.is_empty() || is_there, "`{workflow_id}` goes on as {next}: no such run");
        }
    }
    let seen = facts.results.get(workflow_id);
    let is_seen =
        seen.is_some_and(|(seen, status)| seen.run_id == **run_id && *status == run.state.status);
    ensure!(is_seen, "`{workflow_id}` ended as {seen:?}, and the store has {run_id}");
    let status = WorkflowExecutionStatus::try_from(run.state.status).unwrap_or_default();
    let terminated = WorkflowExecutionStatus::Terminated;
    match facts.terminations.get(workflow_id) {
        // What was terminated may have begun again.
        Some(true) if !is_reset => {
            ensure!(status == terminated, "`{workflow_id}` was terminated and is {status:?}");
            return Ok(());
        }
        Some(_) if status == terminated => return Ok(()),
        _ => {}
    }
    let expected = program.status();
    ensure!(status == expected, "`{workflow_id}` is {status:?} instead of {expected:?}");
    // Its time may be over before it has come to its later runs.
    ensure!(
        runs.len() == program.runs()
            || is_reset
            || program.end == End::Cron
            || status == WorkflowExecutionStatus::TimedOut,
        "`{workflow_id}` has {} runs instead of {}",
        runs.len(),
        program.runs()
    );
    if status == WorkflowExecutionStatus::Completed {
        let (found, expected) = (result(run), program.result());
        ensure!(found == expected, "the result of `{workflow_id}` is `{found}`, not `{expected}`");
    }
    Ok(())
}

fn result(run: &StoredRun) -> String {
    match run.events.last().and_then(|event| event.attributes.as_ref()) {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) => {
            text(completed.result.as_ref())
        }
        _ => String::new(),
    }
}
