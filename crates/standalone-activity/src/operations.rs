//! What people do to a running activity: pause, unpause, reset, other options.

use api::{activity::v1::ActivityOptions, history::v1::ActivityTaskScheduledEventAttributes};
use engine::{
    ActivityPause, Shared, activity_options, merge_activity_options, normalize_activity_timeouts,
    validate_retry_policy,
};
use entity::Context;
use model::{Span, Time};

use crate::{
    Pause, Rejection, Reply, Reset, SetOptions, State, Unpause, attempt::policy_interval,
    state::PendingReset,
};

/// Starts no further attempt; one that runs goes on to its end.
pub(crate) fn pause(
    state: &mut State,
    pause: Pause,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Pause { request_id, identity, reason } = pause;
    if is_repeated(&request_id, &state.last_requests.pause) {
        return Ok(());
    }
    let may_be_paused =
        state.is_open() && !state.is_paused() && state.cancel.is_none() && state.reset.is_none();
    if !may_be_paused {
        let name = state.state_name();
        let text = format!("activity is in non-pausable state {name}");
        return Err(Rejection::Precondition(text));
    }
    state.last_requests.pause.clone_from(&request_id);
    if !state.attempts.is_started() {
        // The task that waits for a worker is none any more.
        state.attempts.stamp = state.attempts.stamp.saturating_add(1);
    }
    let rule_id = String::new();
    let pause = ActivityPause { time: context.now, identity, reason, request_id, rule_id };
    state.attempts.paused = Some(pause);
    Ok(())
}

/// Lets it go on: at once, but not before the time that its attempt waits for.
pub(crate) fn unpause(
    state: &mut State,
    unpause: Unpause,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Unpause { request_id, jitter } = unpause;
    if is_repeated(&request_id, &state.last_requests.unpause) {
        return Ok(());
    }
    if !state.is_open() {
        let name = state.state_name();
        let text = format!("activity is in terminal state {name}");
        return Err(Rejection::Precondition(text));
    }
    if !state.is_paused() || state.cancel.is_some() || state.reset.is_some() {
        let name = state.state_name();
        let text = format!("activity is in non-unpausable state {name}");
        return Err(Rejection::Precondition(text));
    }
    state.last_requests.unpause = request_id;
    state.attempts.paused = None;
    if !state.attempts.is_started() {
        let asked = jittered(context, jitter);
        let retry = retry_time(state).unwrap_or(Time::UNSET);
        let first = respecting_start_delay(state, asked);
        wait_until(state, first.max(retry), context);
    }
    Ok(())
}

/// Begins again with the first attempt; one that runs goes on to its end before.
pub(crate) fn reset(
    state: &mut State,
    reset: Reset,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Reset { request_id, clears_heartbeat, keeps_paused, restores_options, jitter } = reset;
    if is_repeated(&request_id, &state.last_requests.reset) {
        return Ok(());
    }
    let refused = |text: &str| Err(Rejection::Precondition(text.to_owned()));
    if !state.is_open() {
        return refused("activity execution is not running");
    }
    if state.cancel.is_some() {
        return refused("cannot reset an activity with a pending cancellation");
    }
    if state.reset.is_some() {
        return refused("cannot reset an activity with a pending reset");
    }
    state.last_requests.reset = request_id;
    if state.is_held() {
        if !keeps_paused {
            state.attempts.paused = None;
        }
        let keeps_paused = keeps_paused && state.is_paused();
        state.reset = Some(PendingReset { restores_options, clears_heartbeat, keeps_paused });
        return Ok(());
    }
    if restores_options {
        restore(state);
    }
    if clears_heartbeat {
        state.attempts.record_heartbeat(None, Time::UNSET);
    }
    state.attempts.attempt = 1;
    state.retry_interval = None;
    state.is_own_interval = false;
    if state.is_paused() && keeps_paused {
        let time = respecting_start_delay(state, context.now);
        wait_until(state, time, context);
        return Ok(());
    }
    state.attempts.paused = None;
    let time = respecting_start_delay(state, jittered(context, jitter));
    wait_until(state, time, context);
    Ok(())
}

/// Changes the options that the paths name, or gives the activity its first ones back.
pub(crate) fn set_options(
    state: &mut State,
    set: SetOptions,
    context: &Context<'_>,
) -> Result<Reply, Rejection> {
    let SetOptions { request_id, change } = set;
    let options = |state: &State| Reply::Options(Box::new(state.options()));
    if is_repeated(&request_id, &state.last_requests.set_options) {
        return Ok(options(state));
    }
    let is_asked_to_end = state.is_held() && (state.cancel.is_some() || state.reset.is_some());
    if !state.is_open() || is_asked_to_end {
        let name = state.state_name();
        let text = format!("Cannot update options for activity in state {name}");
        return Err(Rejection::Precondition(text));
    }
    let restores = change.is_none();
    let touches_policy = change.as_ref().is_none_or(|(_, paths)| {
        paths.iter().any(|path| path == "retry_policy" || path.starts_with("retry_policy."))
    });
    if restores {
        restore(state);
    } else if let Some((from, paths)) = &change {
        merge(state, from, paths, context)?;
    }
    state.last_requests.set_options = request_id;
    if touches_policy
        && !state.is_held()
        && state.retry_interval.is_some()
        && !state.is_own_interval
    {
        state.retry_interval = policy_interval(state).map(Span::to_proto);
    }
    state.attempts.scheduled_time = state.first_dispatch_time();
    if state.is_held() {
        return Ok(options(state));
    }
    let now = context.now;
    let time = retry_time(state).unwrap_or_else(|| respecting_start_delay(state, now));
    wait_until(state, time, context);
    Ok(options(state))
}

fn merge(
    state: &mut State,
    from: &ActivityOptions,
    paths: &[String],
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if paths.iter().any(|path| path == "start_delay") {
        let in_delay = state.first_dispatch_time() > context.now;
        let paused_before = !state.first_started_time.is_set() && state.is_paused();
        if !in_delay && !paused_before {
            return Err(Rejection::Precondition(
                "cannot update start_delay: the first activity attempt has already been dispatched"
                    .to_owned(),
            ));
        }
        let original = state.start_delay.unwrap_or_default();
        state.original_start_delay.get_or_insert(original);
        state.start_delay = from.start_delay;
    }
    let mut scheduled = state.scheduled().clone();
    for path in paths.iter().filter(|path| *path != "start_delay") {
        merge_activity_options(&mut scheduled, from, path).map_err(Rejection::Invalid)?;
    }
    if let Some(policy) = &scheduled.retry_policy {
        validate_retry_policy(policy).map_err(Rejection::Invalid)?;
    }
    normalize_activity_timeouts(&mut scheduled, Span::ZERO).map_err(Rejection::Invalid)?;
    set(state, scheduled);
    Ok(())
}

fn set(state: &mut State, scheduled: ActivityTaskScheduledEventAttributes) {
    let attempts = &mut state.attempts;
    attempts.retry_policy.clone_from(&scheduled.retry_policy);
    let before = attempts.scheduled.replace(Shared::new(scheduled));
    attempts.original = attempts.original.take().or(before);
}

/// Gives the activity its first options back.
pub(crate) fn restore(state: &mut State) {
    if let Some(original) = state.attempts.original.take() {
        state.attempts.retry_policy.clone_from(&original.retry_policy);
        state.attempts.scheduled = Some(original);
    }
    if !state.first_started_time.is_set()
        && let Some(original) = state.original_start_delay.take()
    {
        state.start_delay = Some(original);
    }
    state.attempts.scheduled_time = state.first_dispatch_time();
}

/// The attempt that waits for its time waits for another one.
fn wait_until(state: &mut State, time: Time, context: &Context<'_>) {
    let attempts = &mut state.attempts;
    attempts.stamp = attempts.stamp.saturating_add(1);
    attempts.attempt_scheduled_time = time;
    attempts.backing_off = time > context.now;
}

/// When the attempt is due that follows a failed one.
fn retry_time(state: &State) -> Option<Time> {
    let interval = Span::from_proto(state.retry_interval.as_ref());
    let ended = state.attempts.last_attempt_complete_time;
    (!interval.is_zero() && ended.is_set()).then(|| ended + interval)
}

fn respecting_start_delay(state: &State, time: Time) -> Time {
    if state.first_started_time.is_set() { time } else { time.max(state.first_dispatch_time()) }
}

/// Somewhere within the jitter from now on, elsewhere for each activity.
fn jittered(context: &Context<'_>, jitter: Span) -> Time {
    if jitter.is_zero() {
        return context.now;
    }
    let bytes = *context.fresh_id.as_bytes();
    let random = bytes.last_chunk().map_or(0, |chunk: &[u8; 8]| u64::from_be_bytes(*chunk));
    let within = random % jitter.nanos().unsigned_abs();
    context.now + Span::from_nanos(i64::try_from(within).unwrap_or(0))
}

fn is_repeated(request_id: &str, last: &str) -> bool {
    !request_id.is_empty() && request_id == last
}

impl State {
    /// The options in force.
    pub fn options(&self) -> ActivityOptions {
        ActivityOptions { start_delay: self.start_delay, ..activity_options(self.scheduled()) }
    }
}
