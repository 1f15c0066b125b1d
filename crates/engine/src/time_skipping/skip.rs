//! The skip itself.

use api::history::v1::{
    WorkflowExecutionTimeSkippingTransitionedEventAttributes, history_event::Attributes,
};
use model::{Span, Time};

use super::{TimeSkipping, emit_tasks};
use crate::{
    Context, Reply, State, Task, Transition, WorkflowTask,
    draft::{Draft, EventExtras},
    is_volatile, outstanding_tasks,
};

/// A run that only a speculative workflow task keeps from skipping is looked at again so much later:
/// a process that dies forgets the task, and nothing else would end the wait then.
const LOOK_AGAIN: Span = Span::from_secs(10);

/// A step of a run's clock.
struct Step {
    /// Where to; unset when time skipping only ends.
    target: Time,
    /// Its fast-forward ends with it.
    ends_fast_forward: bool,
}

/// Passes over the time in which the run would only wait, when a transition leaves it so; or when
/// an alarm `looks_again` whether it does.
pub(crate) fn skip_idle_time(
    before: &State,
    mut transition: Transition,
    looks_again: bool,
    context: &Context<'_>,
) -> Transition {
    if transition.changes.is_empty() && !looks_again {
        return transition;
    }
    let Some(step) = next_step(&transition.state, context.now) else {
        if is_held_back(&transition.state) && (looks_again || !is_held_back(before)) {
            transition.tasks.extend(look_again(&transition.state, context.now));
        }
        return transition;
    };
    let mut draft = Draft::new(&transition.state, context);
    write(&mut draft, &step);
    // What was due later is due now or sooner: every alarm is set again.
    transition.tasks.retain(|task| !task.due.is_set());
    for task in outstanding_tasks(draft.state()).into_iter().filter(|task| task.due.is_set()) {
        draft.task(task);
    }
    let reply = std::mem::replace(&mut transition.reply, Reply::Done);
    transition.then(draft.finish(Reply::Done));
    transition.reply = reply;
    transition
}

/// The target of a fast-forward has come by itself.
pub(crate) fn fast_forward_due(draft: &mut Draft<'_>) {
    let target = pending_target(draft.state());
    if target.is_set() && target > draft.now() {
        emit_tasks(draft);
        return;
    }
    write(draft, &Step { target: Time::UNSET, ends_fast_forward: true });
}

/// Writes the event; while a worker holds a workflow task it waits in the buffer.
fn write(draft: &mut Draft<'_>, step: &Step) {
    let wall_clock_time = draft.state().on_the_wall(draft.now());
    let attributes = WorkflowExecutionTimeSkippingTransitionedEventAttributes {
        target_time: step.target.to_proto(),
        disabled_after_fast_forward: step.ends_fast_forward,
        wall_clock_time: wall_clock_time.to_proto(),
    };
    draft.bufferable_event(
        Attributes::WorkflowExecutionTimeSkippingTransitionedEventAttributes(attributes),
        EventExtras::default(),
    );
}

fn next_step(state: &State, now: Time) -> Option<Step> {
    let skipping = state.time_skipping.as_deref().filter(|skipping| skipping.is_enabled())?;
    if !is_idle(state) {
        return None;
    }
    let next = next_time(state);
    if next.is_some_and(|next| next <= now) {
        // It is about to happen.
        return None;
    }
    let Some(fast_forward) = TimeSkipping::pending_fast_forward(skipping) else {
        return next.map(|target| Step { target, ends_fast_forward: false });
    };
    if fast_forward.target_time <= now {
        return Some(Step { target: Time::UNSET, ends_fast_forward: true });
    }
    Some(match next.filter(|next| *next < fast_forward.target_time) {
        Some(target) => Step { target, ends_fast_forward: false },
        None => Step { target: fast_forward.target_time, ends_fast_forward: true },
    })
}

/// True while the run waits for time, or for nothing.
fn is_idle(state: &State) -> bool {
    state.workflow_task.is_none() && has_no_other_work(state)
}

/// True while the run would skip if its speculative workflow task were forgotten.
fn is_held_back(state: &State) -> bool {
    state.time_skipping.as_deref().is_some_and(TimeSkipping::is_enabled)
        && state.workflow_task.as_ref().is_some_and(WorkflowTask::is_speculative)
        && has_no_other_work(state)
}

/// An early alarm for what the run waits for next: it skips there, or is looked at once more.
fn look_again(state: &State, now: Time) -> Option<Task> {
    let alarms = outstanding_tasks(state).into_iter();
    let next = alarms
        .filter(|task| task.due.is_set() && !is_volatile(state, &task.action))
        .min_by_key(|task| task.due)?;
    let early = now + LOOK_AGAIN;
    (early < next.due).then(|| Task::at(early, next.action))
}

/// True when nothing is under way but perhaps a workflow task.
fn has_no_other_work(state: &State) -> bool {
    state.is_running()
        && !state.is_paused()
        && state.activities.values().all(|activity| activity.waits_for_attempt())
        && state.nexus_operations.is_empty()
        && state.children.is_empty()
        && state.external_signals.is_empty()
        && state.external_cancels.is_empty()
}

/// The next time at which something happens to an idle run by itself.
fn next_time(state: &State) -> Option<Time> {
    let timers = state.timers.values().map(|timer| timer.fire_time);
    let attempts = state.activities.values().map(|activity| activity.attempt_scheduled_time);
    // A run that has not begun does not time out before it begins.
    let first = state.first_workflow_task_due;
    let own = if first.is_set() { first } else { state.workflow_deadline() };
    timers.chain(attempts).chain(own.is_set().then_some(own)).min()
}

fn pending_target(state: &State) -> Time {
    let skipping = state.time_skipping.as_deref();
    let pending = skipping.and_then(TimeSkipping::pending_fast_forward);
    pending.map_or(Time::UNSET, |fast_forward| fast_forward.target_time)
}
