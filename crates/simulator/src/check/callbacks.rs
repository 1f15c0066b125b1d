//! Whoever wanted to be called back was, and heard the truth.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    common::v1::Callback,
    enums::v1::CallbackState,
    history::v1::{HistoryEvent, history_event::Attributes},
};
use engine::CompletionCallback;

use crate::{
    check::{
        ensure,
        snapshot::{Snapshot, StoredRun},
    },
    outside::{self, Told, path_of},
    payload::text,
};

/// Holds when all is settled.
pub(crate) fn check(
    told: &BTreeMap<String, Vec<Told>>,
    entities: &[String],
    snapshot: &Snapshot,
) -> Result<(), String> {
    // What entities have told was looked at when they had.
    let of_entities = entities.iter().map(|id| outside::callback(id));
    let of_entities = of_entities.filter_map(|callback| path_of(&callback).map(str::to_owned));
    let mut registered: BTreeSet<String> = of_entities.collect();
    for run in snapshot.runs.values() {
        let workflow_id = &run.state.workflow_id;
        let known = run.state.callbacks.iter().filter_map(|known| path(known));
        let known: BTreeSet<&str> = known.collect();
        for path in run.events.iter().flat_map(brought).filter_map(path_of) {
            ensure!(known.contains(path), "`{workflow_id}` has forgotten {path}");
        }
        for callback in &run.state.callbacks {
            let Some(path) = path(callback) else {
                check_inside(run, callback)?;
                continue;
            };
            registered.insert(path.to_owned());
            if callback.update_id.is_empty() && !run.state.new_execution_run_id.is_empty() {
                continue;
            }
            // A run that a reset replaces leaves them to the one that replaces it.
            let state = callback.state();
            if state == CallbackState::Standby && !run.state.reset_run_id.is_empty() {
                let next =
                    snapshot.runs.values().find(|next| next.state.run_id == run.state.reset_run_id);
                let is_left = next.is_some_and(|next| knows(next, path));
                ensure!(is_left, "a reset of `{workflow_id}` has lost {path}");
                continue;
            }
            let is_done = state == CallbackState::Succeeded;
            ensure!(is_done, "{path} of `{workflow_id}` is {}", state.as_str_name());
            let (heard, expected) = (told.get(path), truth(run, callback));
            // What ended before a reset ends once more, and perhaps otherwise.
            let is_again =
                !run.state.reset_run_id.is_empty() || !run.state.history_ancestors.is_empty();
            // A request that is made again may reach the next run, and that one has its own end.
            let truths = truths(snapshot, path);
            let is_true = |heard: &Vec<Told>| {
                heard.contains(&expected)
                    && (is_again || heard.iter().all(|it| truths.contains(it)))
            };
            ensure!(
                heard.is_some_and(is_true),
                "{path} of `{workflow_id}` was told {heard:?} instead of {expected:?}"
            );
        }
    }
    for path in told.keys() {
        ensure!(registered.contains(path), "{path} was told, and no run knows of it");
    }
    Ok(())
}

/// What stays inside reaches who waits for it, unless nobody does any more. Whether it was the
/// truth shows there.
fn check_inside(run: &StoredRun, callback: &CompletionCallback) -> Result<(), String> {
    // A handler may begin so late that nobody is there any more to cancel what it begins.
    if run.state.is_running() {
        return Ok(());
    }
    let goes_on = !run.state.new_execution_run_id.is_empty();
    let is_over = matches!(callback.state(), CallbackState::Succeeded | CallbackState::Failed);
    let state = callback.state().as_str_name();
    ensure!(goes_on || is_over, "a callback of `{}` is {state}", run.state.workflow_id);
    Ok(())
}

/// What each run that has this callback says by it.
fn truths(snapshot: &Snapshot, path: &str) -> Vec<Told> {
    let of_run = |run: &StoredRun| -> Vec<Told> {
        let callbacks = run.state.callbacks.iter();
        let same = callbacks.filter(|known| self::path(known) == Some(path));
        same.map(|callback| truth(run, callback)).collect()
    };
    snapshot.runs.values().flat_map(of_run).collect()
}

fn knows(run: &StoredRun, path: &str) -> bool {
    run.state.callbacks.iter().any(|known| self::path(known) == Some(path))
}

fn path(callback: &CompletionCallback) -> Option<&str> {
    path_of(callback.callback.as_deref()?)
}

/// The callbacks that a history shows.
fn brought(event: &HistoryEvent) -> Vec<&Callback> {
    match &event.attributes {
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
            started.completion_callbacks.iter().collect()
        }
        Some(Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted)) => {
            let request = accepted.accepted_request.iter();
            request.flat_map(|request| &request.completion_callbacks).collect()
        }
        Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(updated)) => {
            let options = updated.workflow_update_options.iter();
            options.flat_map(|options| &options.attached_completion_callbacks).collect()
        }
        _ => Vec::new(),
    }
}

/// What a callback has to tell, as the run's history has it.
fn truth(run: &StoredRun, callback: &CompletionCallback) -> Told {
    let told = run.events.iter().rev().find_map(|event| match event.attributes.as_ref()? {
        Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed) => {
            let update_id = completed.meta.as_ref().map(|meta| &meta.update_id);
            if update_id != Some(&callback.update_id) {
                return None;
            }
            crate::update::answer(completed.outcome.as_ref()).map(Told::Succeeded)
        }
        Attributes::WorkflowExecutionCompletedEventAttributes(completed)
            if callback.update_id.is_empty() =>
        {
            Some(Told::Succeeded(text(completed.result.as_ref())))
        }
        Attributes::WorkflowExecutionCanceledEventAttributes(_)
            if callback.update_id.is_empty() =>
        {
            Some(Told::Canceled)
        }
        _ => None,
    });
    told.unwrap_or(Told::Failed)
}
