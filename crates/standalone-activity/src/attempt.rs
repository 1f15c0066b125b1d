//! Attempts: taken, alive, ended, and followed by others.

use api::{
    activity::v1::{ActivityExecutionOutcome, activity_execution_outcome::Value},
    enums::v1::{ActivityExecutionStatus, RetryState, TimeoutType},
    failure::v1::{Failure, TimeoutFailureInfo, failure::FailureInfo},
};
use engine::{Activity, RetryDecision, Shared, next_retry_delay};
use entity::{Context, Taken, WorkerTask};
use model::{Span, Time};

use crate::{
    Complete, Fail, Heartbeat, Held, Rejection, Reply, State,
    callback::{self},
    close::{already_closed, close, failed_with},
};

/// What is said when the activity's whole time leaves no room for another attempt.
const NO_TIME_LEFT: &str = "Not enough time to schedule next retry before activity \
                            ScheduleToClose timeout, giving up retrying";

/// The task of the attempt that waits for a worker.
pub(crate) fn task(state: &State) -> Option<WorkerTask<'_>> {
    let attempts = &state.attempts;
    (state.is_open() && attempts.waits_for_worker()).then(|| WorkerTask {
        stamp: attempts.stamp,
        task_queue: attempts.task_queue(),
        priority: state.scheduled().priority.as_ref(),
        created: attempts.attempt_scheduled_time,
    })
}

/// A worker takes the task. The same poll may ask twice.
pub(crate) fn take(
    state: &mut State,
    taken: &Taken,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if state.is_held() && state.attempts.request_id == taken.request_id {
        return Ok(());
    }
    if task(state).is_none_or(|task| task.stamp != taken.stamp) {
        return Err(Rejection::TaskObsolete);
    }
    state.attempts.start(&taken.request_id, &taken.identity, context.now);
    state.held_stamp = state.attempts.stamp;
    state.last_started_time = context.now;
    state.last_worker.clone_from(&taken.identity);
    state.last_deployment_version.clone_from(&taken.deployment_version);
    if !state.first_started_time.is_set() {
        state.first_started_time = context.now;
    }
    Ok(())
}

/// Saves the details and tells what people want of the activity.
pub(crate) fn heartbeat(
    state: &mut State,
    heartbeat: Heartbeat,
    context: &Context<'_>,
) -> Result<Reply, Rejection> {
    check_held(state, heartbeat.held)?;
    state.attempts.record_heartbeat(heartbeat.details.map(Shared::new), context.now);
    state.heartbeats += 1;
    let cancel_requested = state.cancel.is_some();
    let reset = !cancel_requested && state.reset.is_some();
    let paused = !cancel_requested && !reset && state.is_paused();
    Ok(Reply::Heartbeat { cancel_requested, paused, reset })
}

/// A worker has done it. Somebody who knows the id only may say so before any worker took it.
pub(crate) fn complete(
    state: &mut State,
    complete: Complete,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Complete { held, result, identity } = complete;
    if held == Held::Current && !state.is_open() {
        return Err(already_closed(state));
    }
    if !(state.is_open() && !state.is_held() && held == Held::Current) {
        check_held(state, held)?;
    } else {
        state.last_started_time = context.now;
    }
    state.attempts.last_attempt_complete_time = context.now;
    state.last_worker = identity;
    let outcome = ActivityExecutionOutcome {
        value: Some(Value::Result(result.unwrap_or_default())),
        ..ActivityExecutionOutcome::default()
    };
    close(state, ActivityExecutionStatus::Completed, outcome, context);
    Ok(())
}

/// A worker's attempt failed: another one follows, or the activity has failed.
pub(crate) fn fail(state: &mut State, fail: Fail, context: &Context<'_>) -> Result<(), Rejection> {
    check_held(state, fail.held)?;
    let Fail { held: _, failure, last_heartbeat_details, identity } = fail;
    if last_heartbeat_details.is_some() {
        state.attempts.record_heartbeat(last_heartbeat_details.map(Shared::new), context.now);
        state.heartbeats += 1;
    }
    let reported = failure.clone().unwrap_or_default();
    let Err(retry_state) = try_again(state, &reported, context) else { return Ok(()) };
    let failure = failure.unwrap_or_else(|| Failure {
        message: "activity task failed without failure details".to_owned(),
        ..Failure::default()
    });
    state.last_worker = identity;
    end_attempt(state, &failure, context);
    let outcome = failed_with(failure, retry_state);
    close(state, ActivityExecutionStatus::Failed, outcome, context);
    Ok(())
}

/// Schedules another attempt, else says why none follows.
fn try_again(
    state: &mut State,
    failure: &Failure,
    context: &Context<'_>,
) -> Result<(), RetryState> {
    let now = context.now;
    let kept = || Activity::kept_failure(failure, context.limits.activity_last_failure_bytes_max);
    if let Some(reset) = state.reset.take() {
        let attempts = &mut state.attempts;
        attempts.back_off(Some(kept()), now, now);
        attempts.attempt = 1;
        attempts.backing_off = false;
        if !reset.keeps_paused {
            attempts.paused = None;
        }
        if reset.clears_heartbeat {
            attempts.record_heartbeat(None, Time::UNSET);
        }
        if reset.restores_options {
            crate::operations::restore(state);
        }
        state.retry_interval = None;
        state.is_own_interval = false;
        return Ok(());
    }
    if state.cancel.is_some() {
        return Err(RetryState::CancelRequested);
    }
    let delay = match state.attempts.decide_retry(failure, now) {
        RetryDecision::After(delay) => delay,
        RetryDecision::Stop(retry_state) => return Err(retry_state),
    };
    state.attempts.back_off(Some(kept()), now, now + delay);
    state.retry_interval = Some(delay.to_proto());
    state.is_own_interval = next_retry_delay(failure).is_some_and(|delay| !delay.is_zero());
    Ok(())
}

/// The last attempt ends with a failure that nothing follows.
fn end_attempt(state: &mut State, failure: &Failure, context: &Context<'_>) {
    state.attempts.last_failure = Some(Shared::new(failure.clone()));
    state.attempts.last_attempt_complete_time = context.now;
    state.retry_interval = None;
}

/// True when a worker means the attempt that it holds.
pub(crate) fn check_held(state: &State, held: Held) -> Result<(), Rejection> {
    let is_meant = match held {
        Held::Current => true,
        Held::Token { attempt, stamp } => {
            attempt == state.attempts.attempt && stamp == state.held_stamp
        }
    };
    if state.is_held() && is_meant { Ok(()) } else { Err(Rejection::TaskNotFound) }
}

/// Goes on where the time has come; true when the activity is to be forgotten.
pub(crate) fn due(state: &mut State, context: &Context<'_>) -> bool {
    if state.wake_time > context.now {
        return false;
    }
    state.wake_time = Time::UNSET;
    while state.is_open() {
        let attempts = &state.attempts;
        let waits = attempts.waits_for_attempt().then_some(attempts.attempt_scheduled_time);
        let timeout = attempts.earliest_timeout().filter(|(time, _)| *time <= context.now);
        match (waits.filter(|time| *time <= context.now), timeout) {
            (Some(time), Some((earlier, kind))) if earlier <= time => {
                time_out(state, kind, context);
            }
            (Some(_), _) => state.attempts.end_back_off(),
            (None, Some((_, kind))) => time_out(state, kind, context),
            (None, None) => break,
        }
    }
    if state.is_open() {
        return false;
    }
    callback::end_back_offs(state, context.now);
    callback::are_over(state) && state.forget_time <= context.now
}

/// Sets the time at which the activity is looked at next. An earlier one may stay.
pub(crate) fn arm(state: &mut State, keeps_earlier: bool, now: Time) {
    let wanted = wanted_time(state);
    let keeps = keeps_earlier && state.wake_time > now && state.wake_time <= wanted;
    if !keeps {
        state.wake_time = wanted;
    }
}

fn wanted_time(state: &State) -> Time {
    if !state.is_open() {
        return callback::next_time(state).unwrap_or(if callback::are_over(state) {
            state.forget_time
        } else {
            Time::UNSET
        });
    }
    let attempts = &state.attempts;
    let waits = attempts.waits_for_attempt().then_some(attempts.attempt_scheduled_time);
    let timeout = attempts.earliest_timeout().map(|(time, _)| time);
    waits.into_iter().chain(timeout).min().unwrap_or(Time::UNSET)
}

fn time_out(state: &mut State, kind: TimeoutType, context: &Context<'_>) {
    let before = state.attempts.last_failure.as_ref().map(Shared::to_owned_message);
    let plain = timeout_failure(state, kind, text(kind), None, false);
    let retries = matches!(kind, TimeoutType::StartToClose | TimeoutType::Heartbeat);
    let retry_state = if retries {
        match try_again(state, &plain, context) {
            Ok(()) => return,
            Err(retry_state) => retry_state,
        }
    } else if state.cancel.is_some() && kind == TimeoutType::ScheduleToClose {
        RetryState::CancelRequested
    } else {
        RetryState::Timeout
    };
    let failure = timeout_failure(state, kind, text(kind), before.clone(), true);
    if retries {
        end_attempt(state, &failure, context);
    }
    let failure = if retries && retry_state == RetryState::Timeout {
        timeout_failure(state, TimeoutType::ScheduleToClose, NO_TIME_LEFT, before, true)
    } else {
        failure
    };
    let outcome = failed_with(failure, retry_state);
    close(state, ActivityExecutionStatus::TimedOut, outcome, context);
}

const fn text(kind: TimeoutType) -> &'static str {
    match kind {
        TimeoutType::ScheduleToStart => "activity ScheduleToStart timeout",
        TimeoutType::ScheduleToClose => "activity ScheduleToClose timeout",
        TimeoutType::StartToClose => "activity StartToClose timeout",
        TimeoutType::Heartbeat => "activity Heartbeat timeout",
        TimeoutType::Unspecified => "activity timeout",
    }
}

fn timeout_failure(
    state: &State,
    kind: TimeoutType,
    text: &str,
    cause: Option<Failure>,
    tells_details: bool,
) -> Failure {
    let details = state.attempts.heartbeat_details.as_ref().filter(|_| tells_details);
    let info = TimeoutFailureInfo {
        timeout_type: kind as i32,
        last_heartbeat_details: details.map(Shared::to_owned_message),
    };
    Failure {
        message: text.to_owned(),
        cause: cause.map(Box::new),
        failure_info: Some(FailureInfo::TimeoutFailureInfo(info)),
        ..Failure::default()
    }
}

/// The wait before the next attempt by the present policy.
pub(crate) fn policy_interval(state: &State) -> Option<Span> {
    let policy = state.attempts.retry_policy.as_ref()?;
    Some(engine::retry_interval(policy, state.attempts.attempt.saturating_sub(1)))
}
