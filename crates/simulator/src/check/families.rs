//! Children are started once, their parents know of them, and none outlives its policy.

use std::collections::BTreeMap;

use api::{
    common::v1::WorkflowExecution,
    enums::v1::WorkflowExecutionStatus,
    history::v1::{WorkflowExecutionStartedEventAttributes, history_event::Attributes},
};
use engine::{TaskAction, outstanding_tasks};

use crate::check::{
    ensure,
    snapshot::{Snapshot, StoredRun},
};

/// Whether every run has closed and owes nothing to others.
pub(crate) fn are_settled(snapshot: &Snapshot) -> bool {
    snapshot.runs.values().all(|run| {
        !run.state.is_running()
            && !outstanding_tasks(&run.state).iter().any(|task| {
                task.action.is_towards_another_run()
                    || matches!(task.action, TaskAction::CallbackRetry(_))
            })
    })
}

/// Holds when all is settled.
pub(crate) fn check(snapshot: &Snapshot) -> Result<(), String> {
    let mut starts: BTreeMap<(String, i64), usize> = BTreeMap::new();
    for run in snapshot.runs.values() {
        if let Some((parent, started)) = parent(run)
            && started.continued_execution_run_id.is_empty()
        {
            let origin = (parent.run_id.clone(), started.parent_initiated_event_id);
            *starts.entry(origin).or_default() += 1;
        }
        for event in &run.events {
            let Some(attributes) = &event.attributes else { continue };
            check_event(snapshot, run, attributes)?;
        }
    }
    for ((run_id, initiated), count) in starts {
        ensure!(count == 1, "run {run_id} has {count} children of its event {initiated}");
    }
    for run in snapshot.runs.values() {
        let signals = run.events.iter().filter(|event| {
            matches!(&event.attributes,
                Some(Attributes::WorkflowExecutionSignaledEventAttributes(signal))
                    if signal.external_workflow_execution.is_some())
        });
        ensure!(signals.count() <= 1, "a signal to `{}` came twice", run.state.workflow_id);
    }
    Ok(())
}

fn check_event(
    snapshot: &Snapshot,
    run: &StoredRun,
    attributes: &Attributes,
) -> Result<(), String> {
    match attributes {
        Attributes::ChildWorkflowExecutionStartedEventAttributes(started) => {
            let child = find(snapshot, started.workflow_execution.as_ref())?;
            let known = parent(child).is_some_and(|(parent, attributes)| {
                parent.run_id == run.state.run_id
                    && attributes.parent_initiated_event_id == started.initiated_event_id
            });
            ensure!(known, "a child of `{}` has another parent", run.state.workflow_id);
        }
        Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed) => {
            let child = find(snapshot, closed.workflow_execution.as_ref())?;
            let completed = WorkflowExecutionStatus::Completed as i32;
            ensure!(
                child.state.status == completed,
                "`{}` was told that `{}` completed",
                run.state.workflow_id,
                child.state.workflow_id
            );
        }
        _ => {}
    }
    Ok(())
}

fn find<'a>(
    snapshot: &'a Snapshot,
    execution: Option<&WorkflowExecution>,
) -> Result<&'a StoredRun, String> {
    let named = execution.map_or("", |execution| &execution.run_id);
    let found = snapshot.runs.values().find(|run| run.state.run_id == named);
    found.ok_or_else(|| format!("a child has no run {named}"))
}

fn parent(
    run: &StoredRun,
) -> Option<(&WorkflowExecution, &WorkflowExecutionStartedEventAttributes)> {
    match run.events.first().and_then(|event| event.attributes.as_ref())? {
        Attributes::WorkflowExecutionStartedEventAttributes(started) => {
            Some((started.parent_workflow_execution.as_ref()?, started))
        }
        _ => None,
    }
}
