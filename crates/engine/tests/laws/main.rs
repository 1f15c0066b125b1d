//! The laws of the engine, on random runs.

#![expect(clippy::wildcard_enum_match_arm, reason = "tests look at a few variants of many")]
#![expect(clippy::manual_is_multiple_of, reason = "remainders choose among cases")]

#[cfg(test)]
mod explore;
#[cfg(test)]
mod legality;
#[cfg(test)]
mod nexus;
#[cfg(test)]
mod old_histories;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod reset;
#[cfg(test)]
mod transitions;
#[cfg(test)]
mod updates;
#[cfg(test)]
mod world;

use api::enums::v1::CallbackState;
use engine::{
    CallbackRef, Change, CompletionCallback, Input, Rejection, Reply, Shared, State, TaskAction,
    TransitionRecord, evolve, is_current, outstanding_tasks,
};
use explore::{Random, explore};
use model::{Span, Time};
use proptest::prelude::*;
use prost::Message as _;
use world::{Step, World, decide_at};

fn step() -> impl Strategy<Value = Step> {
    (any::<u8>(), any::<u8>(), 0..1500_u16).prop_map(|(kind, pick, wait_millis)| Step {
        kind,
        pick,
        wait_millis,
    })
}

fn run() -> impl Strategy<Value = (u8, Vec<Step>)> {
    (0..128_u8, prop::collection::vec(step(), 1..80))
}

/// Plays a run and shows every decision to `check`.
fn play(
    policy: u8,
    steps: &[Step],
    mut check: impl FnMut(&World, &Input, &Result<engine::Transition, Rejection>),
) -> World {
    let mut world = World::new(policy);
    for step in steps {
        world.now = world.now + Span::from_millis(i64::from(step.wait_millis));
        if step.kind == u8::MAX {
            world.crash();
        }
        let mut inputs = vec![world.input(*step)];
        // Clocks go on: what is due comes too, now and then.
        if step.pick % 2 == 0 {
            inputs.extend(world.due_task().map(Input::TaskDue));
        }
        for input in inputs {
            let outcome = world.decide(input.clone());
            check(&world, &input, &outcome);
            match outcome {
                Ok(transition) => {
                    world.accept(&transition);
                    world.accepted += 1;
                }
                Err(_) => world.rejected += 1,
            }
        }
    }
    world
}

fn fold(state: &State, changes: &[Change]) -> State {
    let mut folded = state.clone();
    for change in changes {
        evolve(&mut folded, change);
    }
    folded
}

/// What the history alone must give: everything but what only mutations tell.
fn projection(state: &State) -> State {
    let mut state = state.durable();
    state.namespace_id.clear();
    state.start_request_id.clear();
    state.watchers.clear();
    state.version = 0;
    state.sticky = None;
    state.workflow_task_failures = 0;
    state.workflow_task_problems = 0;
    state.workflow_task_problem_cause = 0;
    if let Some(attributes) = &mut state.search_attributes {
        attributes.edit().indexed_fields.remove("TemporalReportedProblems");
        if attributes.indexed_fields.is_empty() {
            state.search_attributes = None;
        }
    }
    state.closing = false;
    state.reset_run_id.clear();
    // A transient task is not in the history at all.
    state.workflow_task =
        state.workflow_task.filter(|task| !task.is_transient()).map(|mut task| {
            task.original_scheduled_time = task.scheduled_time;
            task.on_sticky_queue = false;
            task
        });
    state.activities.clear();
    // Where an attempt runs is in no event, so neither is what its worker is told.
    state.worker_commands.clear();
    state.worker_commands_issued = 0;
    state.left_behind = None;
    // Attempts to reach a handler, or a callback, are in no event.
    state.nexus_operations.clear();
    for callback in &mut state.callbacks {
        *callback.edit() = CompletionCallback {
            callback: callback.callback.clone(),
            registration_time: callback.registration_time,
            update_id: callback.update_id.clone(),
            request_id: callback.request_id.clone(),
            ..CompletionCallback::default()
        };
    }
    // One whose event waited in the buffer has its place from its arrival on.
    state.callbacks.sort_by_key(|callback| {
        (callback.registration_time, callback.update_id.clone(), callback.request_id.clone())
    });
    // What a closed run has done for others is in no event.
    state.unreported_close = None;
    state.close_policy_due = false;
    if !state.is_running() {
        state.children.retain(|_, child| child.is_started());
    }
    // Nor is a pause of an activity.
    if let Some(attributes) = &mut state.search_attributes {
        attributes.edit().indexed_fields.remove("TemporalPauseInfo");
    }
    state.search_attributes =
        state.search_attributes.filter(|attributes| !attributes.indexed_fields.is_empty());
    state.notified_target_version = None;
    // Where a run is moving is not in the history, only where it arrived.
    state.versioning_info = state.versioning_info.and_then(|info| {
        let mut info = info.to_owned_message();
        info.version_transition = None;
        info.revision_number = 0;
        (info != Default::default()).then(|| Shared::new(info))
    });
    state
}

/// True while signals wait for the workflow task after an unhandled closing command to end.
fn stands_back(state: &State) -> bool {
    state.closing && state.has_started_workflow_task()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_iters: 4000, ..Default::default() })]

    #[test]
    fn changes_rebuild_the_state((policy, steps) in run()) {
        let world = play(policy, &steps, |world, _, outcome| {
            let Ok(transition) = outcome else { return };
            let mut folded = fold(&world.state, &transition.changes);
            folded.version = transition.state.version;
            assert_eq!(folded, *transition.state);
            let record = transition.record().encode_to_vec();
            let changes = TransitionRecord::decode(record.as_slice()).unwrap().changes().unwrap();
            let stored: Vec<Change> =
                transition.changes.iter().filter(|change| change.is_stored()).cloned().collect();
            assert_eq!(changes, stored);
            // What is in memory only may be lost at any time, and nothing else with it.
            let mut folded = fold(&world.state.durable(), &stored);
            folded.version = transition.state.version;
            assert_eq!(folded, transition.state.durable());
            let snapshot = transition.state.encode_to_vec();
            assert_eq!(State::decode(snapshot.as_slice()).unwrap(), *transition.state);
        });
        let mut folded = fold(&State::default(), &world.changes);
        folded.version = world.state.version;
        prop_assert_eq!(folded, world.state);
    }

    #[test]
    fn history_alone_rebuilds_the_projection((policy, steps) in run()) {
        let world = play(policy, &steps, |_, _, _| ());
        // Buffered events are not in the history yet.
        prop_assume!(world.state.buffered_events.is_empty());
        let mut folded = State::default();
        for event in &world.events {
            evolve(&mut folded, &Change::Event(Box::new(event.clone())));
        }
        let ids = |state: &State| state.activities.keys().copied().collect::<Vec<_>>();
        prop_assert_eq!(ids(&folded), ids(&world.state));
        prop_assert_eq!(projection(&folded), projection(&world.state));
    }

    #[test]
    fn every_event_is_legal((policy, steps) in run()) {
        let world = play(policy, &steps, |_, _, _| ());
        legality::check(&world.events);
    }

    #[test]
    fn every_outstanding_task_was_emitted((policy, steps) in run()) {
        play(policy, &steps, |world, _, outcome| {
            let Ok(transition) = outcome else { return };
            let durable = transition.state.durable();
            for (state, volatile) in
                [(&*transition.state, world.volatile.as_slice()), (&durable, &[])]
            {
                for task in outstanding_tasks(state) {
                    assert!(is_current(state, &task.action), "{task:?}");
                    let emitted = world
                        .emitted
                        .iter()
                        .chain(volatile)
                        .chain(&transition.tasks)
                        .any(|emitted| emitted.action == task.action && emitted.due <= task.due);
                    assert!(emitted, "{task:?} was never emitted");
                }
            }
        });
    }

    #[test]
    fn a_run_on_its_way_to_another_version_has_no_sticky_queue((policy, steps) in run()) {
        play(policy, &steps, |_, _, outcome| {
            let Ok(transition) = outcome else { return };
            let state = &transition.state;
            assert!(!state.is_in_version_transition() || state.sticky.is_none());
        });
    }

    #[test]
    fn a_run_that_loses_a_speculative_task_skips_all_the_same((policy, steps) in run()) {
        const SOON: Span = Span::from_secs(10);
        play(policy, &steps, |world, _, outcome| {
            let Ok(transition) = outcome else { return };
            let task = transition.state.workflow_task.as_ref();
            if !task.is_some_and(engine::WorkflowTask::is_speculative) {
                return;
            }
            let durable = transition.state.durable();
            let alarms = outstanding_tasks(&durable).into_iter().filter(|task| task.due.is_set());
            let Some(next) = alarms.min_by_key(|task| task.due) else { return };
            let later = world.now + SOON;
            let looked = decide_at(&durable, later, &world.limits, Input::TaskDue(next.action));
            if looked.unwrap().state.skipped_time() == durable.skipped_time() {
                return;
            }
            let emitted = world.emitted.iter().chain(&transition.tasks);
            let alarms = emitted.filter(|task| {
                task.due.is_set()
                    && is_current(&durable, &task.action)
                    && !engine::is_volatile(&transition.state, &task.action)
            });
            let first = alarms.map(|task| durable.on_the_wall(task.due)).min();
            assert!(first.is_some_and(|first| first <= later), "{next:?} is waited for");
        });
    }

    #[test]
    fn a_due_task_leaves_something_outstanding_or_is_done((policy, steps) in run()) {
        // A timer that comes early is armed again: firing it must not lose it.
        play(policy, &steps, |world, input, outcome| {
            let (Input::TaskDue(action), Ok(transition)) = (input, outcome) else { return };
            let shell_acts = action.is_towards_another_run() || matches!(action, TaskAction::DispatchWorkflowTask(_)
                | TaskAction::DispatchActivity(_) | TaskAction::DeleteAfterRetention(_)
                | TaskAction::NotifyClosed(_) | TaskAction::SendWorkerCommands(_)
                | TaskAction::WorkflowTaskScheduleToStart(_));
            if shell_acts || !is_current(&world.state, action) {
                return;
            }
            let again = transition.tasks.iter().any(|task| task.action == *action);
            assert!(again || !is_current(&transition.state, action), "{action:?} was lost");
        });
    }

    #[test]
    fn a_rejected_input_changes_nothing_and_decisions_repeat((policy, steps) in run()) {
        play(policy, &steps, |world, input, outcome| {
            let again = decide_at(&world.state, world.now, &world.limits, input.clone());
            assert_eq!(&again, outcome);
            if let Ok(transition) = outcome {
                assert_eq!(transition.is_empty() && transition.new_run.is_none(),
                    transition.changes.is_empty() && transition.tasks.is_empty());
            }
        });
    }

    #[test]
    fn limits_hold((policy, steps) in run()) {
        play(policy, &steps, |world, _, outcome| {
            let Ok(transition) = outcome else { return };
            let state = &transition.state;
            assert!(state.activities.len() <= world.limits.pending_max);
            // The event that breaks the limit ends the task that others wait for.
            assert!(state.buffered_events.len() <= world.limits.buffered_events_max + 1);
            assert!(state.children.len() <= world.limits.pending_max);
            assert!(state.external_signals.len() <= world.limits.pending_max);
            assert!(state.external_cancels.len() <= world.limits.pending_max);
            assert!(state.signal_count <= world.limits.signals_per_run_max);
            assert!(state.worker_commands.len() <= 64);
            assert!(state.callbacks.len() <= world.limits.callbacks_per_run_max);
            let completed = state.completed_updates.as_ref().map_or(0, |it| it.event_ids.len());
            assert!(state.updates.len() <= world.limits.updates_in_flight_max);
            assert!(state.updates.len() + completed <= world.limits.updates_per_run_max);
        });
    }

    #[test]
    fn a_paused_run_gives_nobody_a_task((policy, steps) in run()) {
        play(policy, &steps, |world, _, outcome| {
            let Ok(transition) = outcome else { return };
            if world.state.is_paused() {
                let activity = matches!(transition.reply, Reply::ActivityStarted(_));
                let before: Vec<_> = world.state.activities.values().collect();
                let repeated = before.iter().any(|activity| activity.is_started());
                assert!(!activity || repeated, "{:?}", transition.reply);
            }
            let state = &transition.state;
            if state.is_paused() {
                assert!(state.workflow_task.as_ref().is_none_or(|task| task.is_started()));
                assert!(outstanding_tasks(state).iter().all(|task| !matches!(
                    task.action,
                    TaskAction::DispatchWorkflowTask(_)
                        | TaskAction::DispatchActivity(_)
                        | TaskAction::ActivityRetry(_)
                        | TaskAction::FirstWorkflowTask(_)
                )));
            }
        });
    }

    #[test]
    fn closed_means_closed((policy, steps) in run()) {
        play(policy, &steps, |world, input, outcome| {
            if world.state.is_running() {
                return;
            }
            let Ok(transition) = outcome else { return };
            let silent = matches!(
                input,
                Input::ResetStickyTaskQueue
                    | Input::Outcome(_)
                    | Input::RecordReset(_)
                    | Input::TaskDue(TaskAction::CallbackRetry(_))
            );
            let events = transition.event_count();
            assert!(silent && events == 0 || transition.changes.is_empty(), "{input:?}");
            // What is left to do is for other runs.
            let outstanding = outstanding_tasks(&transition.state);
            assert!(outstanding.iter().all(|task| task.action.is_towards_another_run()
                || matches!(task.action, TaskAction::CallbackRetry(_)
                    | TaskAction::SendWorkerCommands(_))));
        });
    }

    #[test]
    fn an_update_ends_once_and_only_acceptances_are_stored((policy, steps) in run()) {
        use engine::UpdateProgress;
        let mut settled = std::collections::BTreeSet::new();
        play(policy, &steps, |world, input, outcome| {
            let Ok(transition) = outcome else { return };
            if matches!(transition.reply, Reply::UpdateAdmitted) {
                let Input::UpdateWorkflow(update) = input else { panic!("{input:?}") };
                settled.remove(&update.request.meta.as_ref().unwrap().update_id);
                assert!(!transition.has_stored_changes(), "an admission is stored");
            }
            for notice in &transition.notices {
                let id = &notice.update_id;
                let was_accepted = world.state.updates.get(id).is_some_and(|u| u.is_accepted());
                match &notice.progress {
                    UpdateProgress::Accepted => assert!(transition.state.updates[id].is_accepted()),
                    UpdateProgress::Aborted(_) => assert!(!was_accepted),
                    UpdateProgress::Completed(_) => {}
                }
                let is_over = notice.progress != UpdateProgress::Accepted;
                assert!(!is_over || settled.insert(id.clone()), "{id} ends twice");
            }
        });
    }

    #[test]
    fn a_callback_waits_as_long_as_its_update_goes_on((policy, steps) in run()) {
        let mut due = std::collections::BTreeSet::new();
        play(policy, &steps, |_, _, outcome| {
            let Ok(transition) = outcome else { return };
            let state = &transition.state;
            for (index, callback) in state.callbacks.iter().enumerate() {
                let update_id = &callback.update_id;
                if update_id.is_empty() {
                    continue;
                }
                let update = state.updates.get(update_id);
                let goes_on = state.is_running() && update.is_some_and(|it| it.is_accepted());
                assert_eq!(callback.state() == CallbackState::Standby, goes_on, "{update_id}");
                assert!(!goes_on || !due.contains(&index), "{update_id} goes on again");
                if !goes_on && due.insert(index) {
                    let task = TaskAction::DeliverCallback(CallbackRef {
                        index: index.try_into().unwrap(),
                        stamp: callback.stamp,
                    });
                    let emitted = transition.tasks.iter().filter(|emitted| emitted.action == task);
                    assert_eq!(emitted.count(), 1, "{task:?}");
                }
            }
        });
    }

    /// An independent view of who may do what: replies, not only states, must fit.
    #[test]
    fn the_model_agrees((policy, steps) in run()) {
        play(policy, &steps, |world, input, outcome| {
            let state = &world.state;
            let held = |task: &engine::HeldWorkflowTask| {
                state.is_running() && state.workflow_task.as_ref().is_some_and(|pending| {
                    (pending.scheduled_event_id, pending.started_event_id, pending.attempt)
                        == (task.scheduled_event_id, task.started_event_id, task.attempt)
                        && pending.started_event_id != 0
                })
            };
            match input {
                Input::Signal(signal) => {
                    let known = state.signal_request_ids.contains_key(&signal.request_id);
                    let expected = match outcome {
                        Ok(transition) => match transition.reply {
                            Reply::Repeated => known,
                            _ => state.is_running() && !known && !stands_back(state),
                        },
                        Err(Rejection::WorkflowClosed) => !state.is_running() && !known,
                        Err(Rejection::BusyWorkflow(_)) => stands_back(state),
                        Err(_) => state.is_running() && !known,
                    };
                    assert!(expected, "{outcome:?}");
                }
                Input::CompleteWorkflowTask(complete) => assert_eq!(
                    matches!(outcome, Err(Rejection::WorkflowTaskNotFound)), !held(&complete.task)),
                Input::FailWorkflowTask(fail) => assert_eq!(outcome.is_ok(), held(&fail.task)),
                Input::Terminate(_) => assert_eq!(outcome.is_ok(), state.is_running()),
                Input::Outcome(engine::Outcome::ChildStarted { initiated_event_id, .. }) => {
                    let awaited = state.is_running()
                        && state.children.get(initiated_event_id).is_some_and(|c| !c.is_started());
                    let replied = outcome.as_ref().map(|transition| &transition.reply);
                    assert_eq!(replied == Ok(&Reply::Done), awaited);
                }
                Input::ChildClosed(closed) => {
                    let child = state.children.get(&closed.initiated_event_id);
                    let expected = match outcome.as_ref().map(|transition| &transition.reply) {
                        Err(_) => !state.is_running(),
                        Ok(Reply::Done) => child.is_some_and(|child| {
                            !child.is_started() || child.run_id == closed.first_execution_run_id
                        }),
                        Ok(_) => state.is_running(),
                    };
                    assert!(expected, "{outcome:?}");
                }
                Input::UpdateWorkflow(update) => {
                    let update_id = &update.request.meta.as_ref().unwrap().update_id;
                    let known = state.update_stage(update_id).is_some();
                    let expected = match outcome {
                        Ok(transition) => match transition.reply {
                            Reply::UpdateKnown(_) => known && (transition.changes.is_empty()
                                || !update.request.completion_callbacks.is_empty()),
                            _ => state.is_running() && !known
                                && transition.state.workflow_task.is_some(),
                        },
                        Err(Rejection::WorkflowClosed) => !state.is_running() && !known,
                        Err(Rejection::ConcurrentLimit(_)) => !known
                            && state.updates.len() >= world.limits.updates_in_flight_max,
                        Err(_) => state.is_running(),
                    };
                    assert!(expected, "{outcome:?}");
                }
                Input::CompleteActivity(complete) => {
                    let pending = match &complete.activity {
                        engine::HeldActivity::Id(id) => state.activity_by_id(id).map(|(_, a)| a),
                        engine::HeldActivity::Token { scheduled_event_id, attempt } => state
                            .activities
                            .get(scheduled_event_id)
                            .map(|a| &**a)
                            .filter(|a| a.attempt == *attempt),
                    };
                    let by_id = matches!(complete.activity, engine::HeldActivity::Id(_));
                    let may_end =
                        pending.is_some_and(|a| by_id || a.started_time != Time::UNSET);
                    assert_eq!(outcome.is_ok(), may_end && state.is_running());
                }
                _ => {}
            }
        });
    }

    #[test]
    fn every_arrow_is_in_the_table((policy, steps) in run()) {
        let legal = transitions::legal();
        play(policy, &steps, |world, input, outcome| {
            let Ok(transition) = outcome else { return };
            for arrow in transitions::arrows(&world.state, input, &transition.state) {
                assert!(legal.contains(arrow.as_str()), "illegal arrow: {arrow}");
            }
        });
    }
}

/// How often the fixed runs go on from a rare place.
const ROUNDS: usize = 10_000;

/// A fixed set of runs, so that coverage does not depend on luck.
#[test]
fn every_arrow_of_the_table_is_covered() {
    let mut random = Random::new(0x5eed);
    let mut shown = std::collections::BTreeSet::new();
    let (mut accepted, mut rejected) = (0, 0);
    for _ in 0..2000 {
        let steps: Vec<Step> = (0..60).map(|_| random.step()).collect();
        let world = play((random.next() % 128) as u8, &steps, |world, input, outcome| {
            let Ok(transition) = outcome else { return };
            shown.extend(transitions::arrows(&world.state, input, &transition.state));
        });
        accepted += world.accepted;
        rejected += world.rejected;
    }
    explore(ROUNDS, &mut random, |world, input, outcome| {
        let Ok(transition) = outcome else { return };
        shown.extend(transitions::arrows(&world.state, input, &transition.state));
    });
    let legal = transitions::legal();
    let illegal: Vec<_> = shown.iter().filter(|arrow| !legal.contains(arrow.as_str())).collect();
    assert!(illegal.is_empty(), "not in the table: {illegal:#?}");
    let uncovered: Vec<_> =
        transitions::required().into_iter().filter(|arrow| !shown.contains(*arrow)).collect();
    assert!(uncovered.is_empty(), "never shown: {uncovered:#?}");
    // A generator that is mostly refused proves little.
    assert!(accepted * 2 > rejected, "{accepted} accepted, {rejected} rejected");
}
