//! The life of an activity from its start to its end.

use api::{
    activity::v1::activity_execution_outcome::Value,
    common::v1::Callback,
    enums::v1::{
        ActivityExecutionStatus as Status, ActivityIdConflictPolicy, ActivityIdReusePolicy,
        CallbackState, PendingActivityState, RetryState,
    },
    failure::v1::Failure,
};
use engine::CallbackDelivery;
use entity::{Event, Machine, Taken};
use standalone_activity::{
    Confirm, Delivered, Heartbeat, Held, Input, Pause, Rejection, Reply, Reset, StandaloneActivity,
    Start, State, Terminate, Unpause,
};

use crate::support::{
    INSTANCE, NEXT, RETENTION, ask, at, begun, begun_with, cancel, complete, decide, due, fail,
    failure, held, payloads, seconds, start, take,
};

#[test]
fn it_is_taken_completed_and_forgotten() {
    let state = begun();
    assert_eq!(state.run_state(), PendingActivityState::Scheduled);
    let state = take(&state, 2);
    assert_eq!(state.run_state(), PendingActivityState::Started);
    assert_eq!(StandaloneActivity::task(&state), None);
    let state = ask(&state, complete(held(&state)), 3).unwrap();
    assert_eq!((state.status(), state.close_time), (Status::Completed, at(3)));
    assert_eq!(state.transitions, 3);
    let Some(Value::Result(result)) = &state.outcome.as_ref().unwrap().value else { panic!() };
    assert_eq!(*result, payloads("result"));
    // Nothing else happens before it is forgotten: one timer, no work.
    assert_eq!(StandaloneActivity::due(&state), Some(at(3 + RETENTION)));
    assert!(StandaloneActivity::outstanding(&state).is_empty());
    assert_eq!(ask(&state, complete(held(&state)), 4), Err(Rejection::TaskNotFound));
    assert!(decide(Some(&state), Event::Due, 3 + RETENTION).unwrap().state.is_none());
}

#[test]
fn a_poll_that_asks_twice_gets_the_same_and_another_gets_nothing() {
    let state = begun();
    let stamp = StandaloneActivity::task(&state).unwrap().stamp;
    let poll = |id: &str| {
        let request_id = id.to_owned();
        Event::Taken(Taken { stamp, request_id, ..Taken::default() })
    };
    let state = decide(Some(&state), poll("one"), 2).unwrap().state.unwrap();
    assert_eq!(decide(Some(&state), poll("one"), 3).unwrap().state.unwrap(), state);
    assert_eq!(decide(Some(&state), poll("two"), 3).unwrap_err(), Rejection::TaskObsolete);
}

#[test]
fn a_failed_attempt_is_followed_by_another_until_there_were_enough() {
    let mut state = begun();
    let mut now = 1;
    for (attempt, wait) in [(1, 1), (2, 2)] {
        state = take(&state, now);
        assert_eq!(state.attempts.attempt, attempt);
        let old = held(&state);
        state = ask(&state, fail(old), now).unwrap();
        assert_eq!(StandaloneActivity::task(&state), None);
        assert_eq!(StandaloneActivity::due(&state), Some(at(now + wait)));
        assert_eq!(ask(&state, complete(old), now), Err(Rejection::TaskNotFound));
        now += wait;
        state = due(&state, now);
    }
    state = take(&state, now);
    state = ask(&state, fail(held(&state)), now).unwrap();
    assert_eq!(state.status(), Status::Failed);
    assert_eq!(failure(&state), ("oops".to_owned(), RetryState::MaximumAttemptsReached));
}

#[test]
fn each_of_the_four_time_outs_ends_it_or_its_attempt() {
    let waiting = due(&begun(), 51);
    assert_eq!(waiting.status(), Status::TimedOut);
    let text = "activity ScheduleToStart timeout".to_owned();
    assert_eq!(failure(&waiting), (text, RetryState::Timeout));

    // Without a sign of life.
    let state = take(&begun(), 2);
    assert_eq!(StandaloneActivity::due(&state), Some(at(6)));
    let again = due(&state, 6);
    assert_eq!((again.is_open(), again.attempts.attempt), (true, 2));
    let kept = again.attempts.last_failure.as_ref().unwrap();
    assert_eq!(kept.message, "activity Heartbeat timeout");

    // With one, the attempt has its time.
    let beat = |state: &State, now| {
        let heartbeat = Heartbeat { held: held(state), details: Some(payloads("half")) };
        ask(state, Input::Heartbeat(heartbeat), now).unwrap()
    };
    let mut state = state;
    for now in [5, 8, 11] {
        state = beat(&state, now);
    }
    let state = due(&due(&state, 6), 12);
    assert_eq!(state.attempts.attempt, 2);
    let kept = state.attempts.last_failure.as_ref().unwrap();
    assert_eq!(kept.message, "activity StartToClose timeout");
    assert_eq!(state.attempts.heartbeat_details.as_deref(), Some(&payloads("half")));

    // The whole time is over, whatever goes on.
    let state = take(&due(&state, 13), 60);
    let state = due(&state, 101);
    assert_eq!(state.status(), Status::TimedOut);
    assert_eq!(state.attempts.attempt, 2);
}

#[test]
fn a_heartbeat_arms_no_new_timer() {
    let state = take(&begun(), 2);
    let heartbeat = Heartbeat { held: held(&state), details: None };
    let beaten = ask(&state, Input::Heartbeat(heartbeat), 3).unwrap();
    assert_eq!(StandaloneActivity::due(&beaten), StandaloneActivity::due(&state));
    // The time it moved is seen when the earlier one has come.
    let looked = due(&beaten, 6);
    assert_eq!(StandaloneActivity::due(&looked), Some(at(7)));
    assert!(looked.is_held());
}

#[test]
fn the_first_attempt_waits_for_its_delay_and_the_time_outs_with_it() {
    let state = begun_with(Start { start_delay: seconds(30), ..start() });
    assert_eq!(StandaloneActivity::task(&state), None);
    assert_eq!(StandaloneActivity::due(&state), Some(at(31)));
    let state = due(&state, 31);
    assert!(StandaloneActivity::task(&state).is_some());
    assert_eq!(StandaloneActivity::due(&state), Some(at(81)));
    let info = state.info("activity", INSTANCE, at(31));
    assert_eq!(info.expiration_time, at(131).to_proto());
}

#[test]
fn a_waiting_activity_is_cancelled_at_once_and_a_running_one_by_its_worker() {
    let state = begun();
    let waiting = ask(&state, cancel("one"), 2).unwrap();
    assert_eq!(waiting.status(), Status::Canceled);
    assert_eq!(ask(&waiting, cancel("one"), 3), Ok(waiting.clone()));
    assert!(matches!(ask(&waiting, cancel("two"), 3), Err(Rejection::Precondition(_))));

    let state = take(&state, 2);
    let confirm = |state: &State| Input::Confirm(Confirm { held: held(state), details: None });
    assert!(matches!(ask(&state, confirm(&state), 3), Err(Rejection::Invalid(_))));
    let state = ask(&state, cancel("one"), 3).unwrap();
    assert_eq!(state.run_state(), PendingActivityState::CancelRequested);
    let heartbeat = Input::Heartbeat(Heartbeat { held: held(&state), details: None });
    let told = decide(Some(&state), Event::Request(heartbeat), 4).unwrap().reply;
    assert!(matches!(told, Reply::Heartbeat { cancel_requested: true, .. }));
    // No attempt follows.
    let failed = ask(&state, fail(held(&state)), 4).unwrap();
    assert_eq!(failure(&failed).1, RetryState::CancelRequested);
    let confirmed = ask(&state, confirm(&state), 4).unwrap();
    assert_eq!(confirmed.status(), Status::Canceled);
}

#[test]
fn a_paused_activity_waits_and_goes_on() {
    let pause = |id: &str| {
        let request_id = id.to_owned();
        Input::Pause(Pause { request_id, ..Pause::default() })
    };
    let unpause = |id: &str| {
        let request_id = id.to_owned();
        Input::Unpause(Unpause { request_id, ..Unpause::default() })
    };
    let state = ask(&begun(), pause("one"), 2).unwrap();
    assert_eq!(state.shown_status(), Status::Paused);
    assert_eq!(StandaloneActivity::task(&state), None);
    assert_eq!(ask(&state, pause("one"), 3), Ok(state.clone()));
    assert!(matches!(ask(&state, pause("two"), 3), Err(Rejection::Precondition(_))));
    let state = ask(&state, unpause("three"), 60).unwrap();
    // Its time in the queue begins again.
    assert!(StandaloneActivity::task(&state).is_some());
    assert_eq!(StandaloneActivity::due(&state), Some(at(101)));
    // A delayed repetition does not pause it again.
    assert_eq!(ask(&state, pause("one"), 61), Ok(state.clone()));

    let state = take(&state, 61);
    let state = ask(&state, pause("four"), 62).unwrap();
    assert_eq!(state.run_state(), PendingActivityState::PauseRequested);
    let state = ask(&state, fail(held(&state)), 63).unwrap();
    assert_eq!(state.shown_status(), Status::Paused);
    assert_eq!(state.attempts.attempt, 2);
    let state = ask(&state, unpause("five"), 63).unwrap();
    // Its back-off is not over.
    assert_eq!(StandaloneActivity::task(&state), None);
    assert!(StandaloneActivity::task(&due(&state, 64)).is_some());
}

#[test]
fn a_reset_begins_again_with_the_first_attempt() {
    let reset = || {
        Input::Reset(Reset {
            request_id: "reset".to_owned(),
            clears_heartbeat: true,
            ..Reset::default()
        })
    };
    let state = take(&begun(), 2);
    let state = due(&ask(&state, fail(held(&state)), 3).unwrap(), 4);
    let waiting = ask(&state, reset(), 5).unwrap();
    assert_eq!(waiting.attempts.attempt, 1);
    assert!(StandaloneActivity::task(&waiting).is_some());

    let state = take(&state, 5);
    let running = ask(&state, reset(), 6).unwrap();
    assert_eq!((running.attempts.attempt, running.is_held()), (2, true));
    let running = ask(&running, fail(held(&running)), 7).unwrap();
    assert_eq!(running.attempts.attempt, 1);
    assert!(StandaloneActivity::task(&running).is_some());
}

#[test]
fn an_id_is_used_again_as_its_policies_allow() {
    let again = |state: &State, request_id: &str, reuse, conflict| {
        let request_id = request_id.to_owned();
        let start = Start { request_id, reuse, conflict, ..start() };
        decide(Some(state), Event::Request(Input::Start(Box::new(start))), 9)
    };
    let state = begun();
    let (any, no) = (ActivityIdReusePolicy::AllowDuplicate, ActivityIdReusePolicy::RejectDuplicate);
    let failed_only = ActivityIdReusePolicy::AllowDuplicateFailedOnly;
    let (fail, join) = (ActivityIdConflictPolicy::Fail, ActivityIdConflictPolicy::UseExisting);
    let known = Reply::Started { instance: INSTANCE, is_new: false };
    let new = Reply::Started { instance: NEXT, is_new: true };
    assert_eq!(again(&state, "start", no, fail).unwrap().reply, known);
    assert!(matches!(again(&state, "other", any, fail), Err(Rejection::AlreadyStarted { .. })));
    assert_eq!(again(&state, "other", any, join).unwrap().reply, known);

    let done = ask(&state, complete(Held::Current), 5).unwrap();
    assert_eq!(again(&done, "start", any, fail).unwrap().reply, known);
    let decision = again(&done, "other", any, fail).unwrap();
    assert_eq!((decision.state, decision.reply), (Some(done.clone()), new.clone()));
    assert!(decision.successor.unwrap().is_open());
    for reuse in [no, failed_only] {
        let refused = again(&done, "other", reuse, join);
        assert!(matches!(refused, Err(Rejection::AlreadyStarted { .. })));
    }
    let terminated = ask(&state, Input::Terminate(Terminate::default()), 5).unwrap();
    assert_eq!(again(&terminated, "other", failed_only, fail).unwrap().reply, new);
}

#[test]
fn callbacks_are_told_of_the_end_and_hold_up_its_deletion() {
    let callbacks = vec![Callback::default(), Callback::default()];
    let state = begun_with(Start { callbacks, ..start() });
    assert!(StandaloneActivity::outstanding(&state).is_empty());
    let state = ask(&state, Input::Delete, 2).unwrap();
    assert_eq!(state.status(), Status::Terminated);
    let numbers = StandaloneActivity::outstanding(&state);
    assert_eq!(numbers.len(), 2);
    let done = |state: &State, number, delivery, now| {
        let outcome = Delivered(delivery);
        decide(Some(state), Event::Done { number, outcome }, now).unwrap().state
    };
    let state = done(&state, numbers[0], CallbackDelivery::Delivered, 3).unwrap();
    let lost = CallbackDelivery::Failed { failure: Failure::default(), retryable: true };
    let state = done(&state, numbers[1], lost, 3).unwrap();
    assert_eq!(state.callbacks[1].state(), CallbackState::BackingOff);
    assert_eq!(StandaloneActivity::due(&state), Some(at(4)));
    let state = due(&state, 4);
    let numbers = StandaloneActivity::outstanding(&state);
    assert_eq!(done(&state, numbers[0], CallbackDelivery::Delivered, 5), None);
}
