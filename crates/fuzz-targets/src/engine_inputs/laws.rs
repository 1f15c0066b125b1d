//! The laws that hold for every transition, whatever led to it.
//!
//! States are compared by their encoding: a number that is none (NaN) differs from itself.

use engine::{
    Change, Input, State, Task, TaskAction, Transition, TransitionRecord, evolve, outstanding_tasks,
};
use model::Limits;
use prost::Message as _;

/// A transition agrees with itself, with its stored form and with the limits.
pub(super) fn check(before: &State, input: &Input, transition: &Transition, limits: &Limits) {
    rebuilds(before, transition);
    if let Some(new_run) = &transition.new_run {
        assert!(!transition.state.is_running(), "a run that goes on has a successor");
        assert!(new_run.new_run.is_none(), "a successor has a successor");
        rebuilds(&State::default(), new_run);
    }
    if before.is_started() && !before.is_running() {
        let forgets = matches!(input, Input::ResetStickyTaskQueue | Input::Outcome(_));
        assert!(forgets || transition.changes.is_empty(), "a closed run changes: {input:?}");
    }
    let state = &transition.state;
    if !state.is_running() {
        let tasks = outstanding_tasks(state);
        let for_others = tasks.iter().all(|task| {
            task.action.is_towards_another_run()
                || matches!(task.action, TaskAction::SendWorkerCommands(_))
        });
        assert!(for_others, "a closed run has work of its own");
    }
    assert!(state.activities.len() <= limits.pending_max, "too many activities");
    assert!(state.children.len() <= limits.pending_max, "too many children");
    assert!(state.external_signals.len() <= limits.pending_max, "too many external signals");
    assert!(state.external_cancels.len() <= limits.pending_max, "too many external cancels");
    // The event that breaks the limit ends the task that others wait for.
    assert!(state.buffered_events.len() <= limits.buffered_events_max + 1, "too many events wait");
    assert!(state.signal_count <= limits.signals_per_run_max, "too many signals");
}

/// The changes rebuild the state, also from their stored form; the state survives its own.
fn rebuilds(before: &State, transition: &Transition) {
    let expected = transition.state.encode_to_vec();
    let mut folded = before.clone();
    let mut event_id = before.next_event_id;
    for change in &transition.changes {
        evolve(&mut folded, change);
        if let Change::Event(event) = change {
            assert!(event.event_id == event_id || event_id == 0, "events are numbered with a gap");
            event_id = event.event_id + 1;
        }
    }
    folded.version = transition.state.version;
    assert_eq!(folded.encode_to_vec(), expected, "the changes do not rebuild the state");

    let record = transition.record().encode_to_vec();
    let mut stored = before.durable();
    let outcome = TransitionRecord::fold(record.into(), transition.state.version, &mut stored);
    assert_eq!(outcome, Ok(()), "a record does not read back");
    let durable = transition.state.durable().encode_to_vec();
    assert_eq!(stored.encode_to_vec(), durable, "the record does not rebuild what it stores");

    let snapshot = State::decode(expected.as_slice()).map(|state| state.encode_to_vec());
    assert_eq!(snapshot, Ok(expected), "a state changes in its stored form");
}

/// Every task that a state implies was emitted on the way to it, due no later.
pub(super) fn check_outstanding(state: &State, emitted: &[Task]) {
    for task in outstanding_tasks(state) {
        let found =
            emitted.iter().any(|emitted| emitted.action == task.action && emitted.due <= task.due);
        assert!(found, "{task:?} was never emitted");
    }
}
