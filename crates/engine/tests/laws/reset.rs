//! Resets of random runs: at every event, what is possible leads to a legal run.

use std::collections::BTreeMap;

use api::{
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{HistoryEvent, history_event::Attributes},
};
use engine::{
    Change, HistoryAncestor, Input, ReapplyExclusions, Rejection, Reset, RunReset, State, evolve,
    is_current, outstanding_tasks,
};
use proptest::prelude::*;

use super::{fold, legality, play, run, world::decide_at};

fn past(events: &[HistoryEvent]) -> State {
    let mut state = State::default();
    for event in events {
        evolve(&mut state, &Change::Event(Box::new(event.clone())));
    }
    state
}

fn signals(events: &[HistoryEvent]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        if let Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) = &event.attributes {
            *counts.entry(a.request_id.clone()).or_default() += 1;
        }
    }
    counts
}

/// Updates that these events accept.
fn accepted(events: &[HistoryEvent]) -> Vec<String> {
    let accepted = events.iter().filter_map(|event| match &event.attributes {
        Some(Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted)) => {
            Some(accepted.protocol_instance_id.clone())
        }
        _ => None,
    });
    accepted.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..Default::default() })]

    #[test]
    fn a_reset_is_refused_or_gives_a_legal_run((policy, steps) in run()) {
        let world = play(policy, &steps, |_, _, _| ());
        for end in 2..=world.events.len() {
            let (before, after) = world.events.split_at(end - 1);
            let past = past(before);
            let exclusions = ReapplyExclusions { updates: end % 3 == 0, ..Default::default() };
            let reset = Reset {
                run: RunReset {
                    namespace_id: "namespace".to_owned(),
                    run_id: "again".to_owned(),
                    start_request_id: "request".to_owned(),
                    reset_request_id: "reset".to_owned(),
                    history_ancestors: vec![HistoryAncestor {
                        run_id: "run".to_owned(),
                        end_event_id: end as i64,
                    }],
                    time: world.now,
                    watchers: Vec::new(),
                },
                base_run_id: "run".to_owned(),
                reason: "why".to_owned(),
                reapplied: after
                    .iter()
                    .filter(|event| exclusions.admit(event))
                    .cloned()
                    .collect(),
                options: Vec::new(),
            };
            let input = Input::Reset(Box::new(reset));
            let outcome = decide_at(&past, world.now, &world.limits, input);
            let possible = past.is_running() && past.workflow_task.is_some();
            let transition = match outcome {
                Ok(transition) => transition,
                Err(rejection) => {
                    prop_assert!(!possible, "{rejection:?}");
                    prop_assert!(matches!(rejection, Rejection::InvalidArgument(_)));
                    continue;
                }
            };
            prop_assert!(possible);
            let mut folded = fold(&past, &transition.changes);
            folded.version = transition.state.version;
            prop_assert_eq!(&folded, &*transition.state);
            let mut events = before.to_vec();
            events.extend(transition.changes.iter().filter_map(|change| match change {
                Change::Event(event) => Some((**event).clone()),
                Change::Mutation(_) => None,
            }));
            legality::check(&events);
            let failed = events.iter().rev().find_map(|event| match &event.attributes {
                Some(Attributes::WorkflowTaskFailedEventAttributes(failed)) => Some(failed),
                _ => None,
            }).unwrap();
            prop_assert_eq!(failed.cause(), WorkflowTaskFailedCause::ResetWorkflow);
            prop_assert_eq!(signals(&events), signals(&world.events));
            for update_id in accepted(after) {
                let update = transition.state.updates.get(&update_id);
                prop_assert_eq!(update.is_some(), !exclusions.updates, "{}", update_id);
            }
            let state = &transition.state;
            prop_assert_eq!(state.workflow_task.as_ref().map(|task| task.attempt), Some(1));
            prop_assert_eq!(&state.run_id, "again");
            for task in outstanding_tasks(state) {
                prop_assert!(is_current(state, &task.action));
                let emitted = transition.tasks.iter()
                    .any(|emitted| emitted.action == task.action && emitted.due <= task.due);
                prop_assert!(emitted, "{:?} was never emitted", task);
            }
        }
    }
}
