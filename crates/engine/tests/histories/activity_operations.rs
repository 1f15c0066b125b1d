//! Pause, unpause, reset and other options of pending activities.

use api::activity::v1::ActivityOptions;
use engine::{
    ActivitySelection, PauseActivity, ResetActivity, SetActivityOptions, UnpauseActivity,
};

use super::*;

fn one() -> Script {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |attributes| {
        attributes.retry_policy = Some(RetryPolicy { maximum_attempts: 3, ..Default::default() });
    })]);
    script
}

fn meant() -> ActivitySelection {
    ActivitySelection::Id("a".to_owned())
}

fn pause(script: &mut Script, request_id: &str) {
    let pause = PauseActivity {
        selection: meant(),
        identity: "me".to_owned(),
        reason: "why".to_owned(),
        request_id: request_id.to_owned(),
    };
    script.input("pause", Input::PauseActivity(pause));
}

fn unpause(script: &mut Script) {
    let unpause = UnpauseActivity {
        selection: meant(),
        resets_attempts: false,
        resets_heartbeat: false,
        jitter: Span::ZERO,
        seed: 0,
    };
    script.input("unpause", Input::UnpauseActivity(unpause));
}

fn reset(script: &mut Script, keeps_paused: bool) {
    let reset = ResetActivity {
        selection: meant(),
        resets_heartbeat: true,
        keeps_paused,
        restores_options: true,
        jitter: Span::ZERO,
        seed: 0,
    };
    script.input("reset", Input::ResetActivity(reset));
}

fn heartbeat(script: &mut Script) {
    let heartbeat = HeartbeatActivity {
        activity: script.held_activity(5),
        details: None,
        identity: "worker".to_owned(),
    };
    script.input("heartbeat", Input::HeartbeatActivity(heartbeat));
}

#[test]
fn a_waiting_activity_is_paused_and_goes_on() {
    let mut script = one();
    pause(&mut script, "one");
    pause(&mut script, "one");
    pause(&mut script, "two");
    script.start_activity(5);
    unpause(&mut script);
    script.start_activity(5);
    golden!(script);
}

#[test]
fn a_running_activity_goes_on_until_its_attempt_ends() {
    let mut script = one();
    script.start_activity(5);
    pause(&mut script, "one");
    heartbeat(&mut script);
    fail_activity(&mut script, 5, false);
    unpause(&mut script);
    script.start_activity(5);
    complete_activity(&mut script, 5);
    golden!(script);
}

#[test]
fn a_reset_ends_a_back_off_and_tells_a_running_attempt() {
    let mut script = one();
    script.start_activity(5);
    fail_activity(&mut script, 5, false);
    reset(&mut script, false);
    script.start_activity(5);
    reset(&mut script, false);
    heartbeat(&mut script);
    golden!(script);
}

#[test]
fn a_reset_keeps_a_pause_on_request() {
    let mut script = one();
    pause(&mut script, "one");
    reset(&mut script, true);
    reset(&mut script, false);
    golden!(script);
}

#[test]
fn other_options_move_time_outs_and_the_back_off() {
    let mut script = one();
    let set = |script: &mut Script, change: Option<(ActivityOptions, Vec<String>)>| {
        let set = SetActivityOptions { selection: meant(), change };
        script.input("set options", Input::SetActivityOptions(Box::new(set)));
    };
    script.start_activity(5);
    let options = ActivityOptions {
        start_to_close_timeout: Some(Span::from_secs(3).to_proto()),
        retry_policy: Some(RetryPolicy {
            initial_interval: Some(Span::from_secs(20).to_proto()),
            maximum_attempts: 2,
            ..Default::default()
        }),
        ..Default::default()
    };
    let paths = vec!["start_to_close_timeout".to_owned(), "retry_policy".to_owned()];
    set(&mut script, Some((options.clone(), paths)));
    script.due(is_activity_timeout);
    set(&mut script, None);
    set(&mut script, Some((ActivityOptions::default(), vec!["retry_policy".to_owned()])));
    set(&mut script, Some((options, vec!["nothing".to_owned()])));
    golden!(script);
}

#[test]
fn nobody_is_meant() {
    let mut script = one();
    let nobody = ActivitySelection::Type("other".to_owned());
    let set = SetActivityOptions { selection: nobody, change: None };
    script.input("set options", Input::SetActivityOptions(Box::new(set)));
    script.input("terminate", Input::Terminate(Terminate::default()));
    pause(&mut script, "late");
    golden!(script);
}
