//! Everything that was acknowledged is in the histories, once.

use api::history::v1::history_event::Attributes;
use history::RunKey;

use crate::{
    check::{
        ensure,
        snapshot::{Snapshot, StoredRun},
    },
    payload::text,
    witness::{Facts, digest},
};

/// Compares what clients and workers were told with what the store holds.
pub(crate) fn check(facts: &Facts, snapshot: &Snapshot) -> Result<(), String> {
    for (workflow_id, run) in &facts.started {
        let stored = find(snapshot, run)?;
        ensure!(stored.state.workflow_id == *workflow_id, "`{workflow_id}` has another's run");
        let runs = snapshot.runs_of(workflow_id);
        let first = stored.state.first_execution_run_id();
        let is_one_chain =
            runs.iter().all(|(_, other)| other.state.first_execution_run_id() == first);
        ensure!(is_one_chain, "`{workflow_id}` was started twice");
    }
    for ((workflow_id, signal), acknowledged) in &facts.signals {
        let mut found = 0;
        for (run_id, run) in snapshot.runs_of(workflow_id) {
            let here = run.events.iter().filter(|event| {
                matches!(
                    &event.attributes,
                    Some(Attributes::WorkflowExecutionSignaledEventAttributes(signaled))
                        if text(signaled.input.as_ref()) == *signal
                )
            });
            let here = here.count();
            ensure!(here <= 1, "`{signal}` is {here} times in run {run_id} of `{workflow_id}`");
            found += here;
        }
        ensure!(
            found > 0 || !acknowledged,
            "`{signal}` to `{workflow_id}` was acknowledged and is lost"
        );
    }
    for (run, scheduled) in &facts.activities {
        let stored = find(snapshot, run)?;
        let found = stored.events.iter().any(|event| {
            matches!(
                &event.attributes,
                Some(Attributes::ActivityTaskCompletedEventAttributes(completed))
                    if completed.scheduled_event_id == *scheduled
            )
        });
        ensure!(
            found,
            "the completion of activity {scheduled} of run {} was acknowledged and is lost",
            run.run_id
        );
    }
    for (run, scheduled, started) in &facts.workflow_tasks {
        let stored = find(snapshot, run)?;
        let found = stored.events.iter().any(|event| {
            matches!(
                &event.attributes,
                Some(Attributes::WorkflowTaskCompletedEventAttributes(completed))
                    if completed.scheduled_event_id == *scheduled
                        && completed.started_event_id == *started
            )
        });
        ensure!(
            found,
            "the completion of workflow task {scheduled} of run {} was acknowledged and is lost",
            run.run_id
        );
    }
    for (run, update_id) in &facts.updates {
        let found = find(snapshot, run)?.events.iter().any(|event| {
            matches!(
                &event.attributes,
                Some(Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed))
                    if completed.meta.as_ref().is_some_and(|meta| meta.update_id == *update_id)
            )
        });
        ensure!(found, "{update_id} of run {} was answered and is lost", run.run_id);
    }
    for (run, request_id) in &facts.update_requests {
        let known = &find(snapshot, run)?.state.callbacks;
        let found = known.iter().any(|callback| callback.request_id == *request_id);
        ensure!(found, "{request_id} for an update of run {} is lost", run.run_id);
    }
    for (workflow_id, fairness_key) in &facts.options {
        let runs = snapshot.runs_of(workflow_id);
        let found = runs.iter().flat_map(|(_, run)| &run.events).any(|event| {
            matches!(
                &event.attributes,
                Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(updated))
                    if updated.priority.as_ref().is_some_and(|it| it.fairness_key == *fairness_key)
            )
        });
        ensure!(found, "{fairness_key} of `{workflow_id}` was acknowledged and is lost");
    }
    for ((run, event_id), shown) in &facts.shown {
        let stored = find(snapshot, run)?;
        let event = stored.events.iter().find(|event| event.event_id == *event_id);
        ensure!(
            event.is_some_and(|event| digest(event) == *shown),
            "event {event_id} of run {} was shown and is not in its history",
            run.run_id
        );
    }
    Ok(())
}

fn find<'a>(snapshot: &'a Snapshot, run: &RunKey) -> Result<&'a StoredRun, String> {
    let lost = || format!("run {} was acknowledged and is lost", run.run_id);
    snapshot.runs.get(&run.run_id).ok_or_else(lost)
}
