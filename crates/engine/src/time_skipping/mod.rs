//! Time skipping of one run: its clock runs ahead of everybody else's by the time that it passed
//! over while it waited for nothing but time.
//!
//! Every time in a run's state and history is a time of its own clock. [`decide`](crate::decide())
//! is given the time of the wall and adds what the run has skipped; whoever sets an alarm for a
//! task asks [`State::on_the_wall`] when that is. An execution may start ahead, as the child of a
//! run that is.

mod apply;
mod inherit;
mod skip;

use api::common::v1::{TimeSkippingConfig, TimeSkippingFastForwardInfo, TimeSkippingInfo};
use model::{Span, Time};

pub(crate) use apply::{apply_options_updated, apply_started, apply_transitioned};
pub(crate) use inherit::{of_child, of_next_run};
pub(crate) use skip::{fast_forward_due, skip_idle_time};

use crate::{Context, FastForwardRef, Input, State, Task, TaskAction, draft::Draft};

/// A run's own time.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TimeSkipping {
    /// What the user asked for; switched off when it has come to its end.
    #[prost(message, optional, tag = "1")]
    pub config: Option<TimeSkippingConfig>,
    /// How far the run's clock is ahead.
    #[prost(message, required, tag = "2")]
    pub skipped: Span,
    /// How far it may skip, if that was said.
    #[prost(message, optional, tag = "3")]
    pub fast_forward: Option<FastForward>,
    /// How often time was skipped since the configuration was set.
    #[prost(int32, tag = "4")]
    pub skip_count: i32,
}

/// A fast-forward: time skipping ends when its time has come.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct FastForward {
    /// That time, on the run's clock.
    #[prost(message, required, tag = "1")]
    pub target_time: Time,
    /// It has come.
    #[prost(bool, tag = "2")]
    pub reached: bool,
}

impl TimeSkipping {
    /// True while idle time is passed over.
    pub fn is_enabled(&self) -> bool {
        self.config.as_ref().is_some_and(|config| config.enabled)
    }

    /// The fast-forward, while it can still come to its end.
    pub fn pending_fast_forward(&self) -> Option<FastForward> {
        self.fast_forward.filter(|fast_forward| self.is_enabled() && !fast_forward.reached)
    }

    /// The fast-forward, as callers see it.
    pub fn fast_forward_info(&self) -> Option<TimeSkippingFastForwardInfo> {
        let fast_forward = self.fast_forward?;
        let config = self.config.as_ref().and_then(|config| config.fast_forward_config.as_ref());
        Some(TimeSkippingFastForwardInfo {
            fast_forward_duration: config.and_then(|config| config.duration),
            fast_forward_id: config.map(|config| config.id.clone()).unwrap_or_default(),
            target_time: fast_forward.target_time.to_proto(),
            has_completed: fast_forward.reached,
        })
    }
}

impl State {
    /// How far the run's clock is ahead.
    pub fn skipped_time(&self) -> Span {
        self.time_skipping.as_ref().map_or(Span::ZERO, |skipping| skipping.skipped)
    }

    /// When a time of the run's clock comes for everybody else.
    pub fn on_the_wall(&self, time: Time) -> Time {
        if time.is_set() { time - self.skipped_time() } else { time }
    }

    /// How the run's time stands when everybody else's is `now`, as callers see it.
    pub fn time_skipping_info(&self, now: Time) -> Option<TimeSkippingInfo> {
        let skipping = self.time_skipping.as_ref()?;
        Some(TimeSkippingInfo {
            current_time: (now + skipping.skipped).to_proto(),
            effective_config: skipping.config.clone(),
            fast_forward_info: skipping.fast_forward_info(),
            current_session_skip_count: skipping.skip_count,
        })
    }
}

/// How far ahead of everybody else's the time is at which an input is decided.
pub(crate) fn ahead(state: &State, input: &Input) -> Span {
    let Input::Start(start) = input else { return state.skipped_time() };
    let inherited = start.attributes.time_skipping_state_propagation.as_ref();
    let skipped = inherited.and_then(|inherited| inherited.initial_skipped_duration.as_ref());
    Span::from_proto(skipped)
}

/// The context as it is on the wall, of one in which a run with this state decides.
pub(crate) fn context_on_the_wall<'a>(state: &State, context: &Context<'a>) -> Context<'a> {
    Context { now: state.on_the_wall(context.now), ..context.clone() }
}

/// Whether a task tells of the fast-forward that is pending.
pub(crate) fn is_pending(state: &State, task: &FastForwardRef) -> bool {
    let skipping = state.time_skipping.as_ref();
    skipping
        .and_then(|skipping| skipping.pending_fast_forward())
        .is_some_and(|fast_forward| fast_forward.target_time == task.target_time)
}

/// The task that ends a pending fast-forward which nothing skips to.
pub(crate) fn outstanding(state: &State, tasks: &mut Vec<Task>) {
    let skipping = state.time_skipping.as_ref();
    let pending = skipping.and_then(|skipping| skipping.pending_fast_forward());
    if let Some(FastForward { target_time, .. }) = pending {
        let action = TaskAction::FastForwardReached(FastForwardRef { target_time });
        tasks.push(Task::at(target_time, action));
    }
}

/// Emits the task of a fast-forward that was just set.
pub(crate) fn emit_tasks(draft: &mut Draft<'_>) {
    let mut tasks = Vec::new();
    outstanding(draft.state(), &mut tasks);
    for task in tasks {
        draft.task(task);
    }
}
