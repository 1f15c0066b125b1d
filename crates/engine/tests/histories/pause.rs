//! Runs that stand still for a while.

use engine::PauseRequest;

use super::*;

fn request(request_id: &str) -> PauseRequest {
    PauseRequest {
        identity: "somebody".to_owned(),
        reason: "why".to_owned(),
        request_id: request_id.to_owned(),
    }
}

fn pause(script: &mut Script, request_id: &str) {
    script.input(&format!("pause {request_id}"), Input::Pause(request(request_id)));
}

fn unpause(script: &mut Script) {
    script.input("unpause", Input::Unpause(request("unpause")));
}

#[test]
fn a_waiting_task_is_taken_back_and_another_comes_with_the_end_of_the_pause() {
    let mut script = Script::start(|_| ());
    pause(&mut script, "one");
    script.signal("waits").wait(Span::from_secs(1));
    unpause(&mut script);
    script.start_task().complete(vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn what_a_worker_holds_already_ends_and_nothing_follows() {
    let mut script = Script::start(|_| ());
    script.start_task();
    pause(&mut script, "one");
    script.complete(vec![timer("t", 1), activity("a", |a| a.request_eager_execution = true)]);
    script.wait(Span::from_secs(2)).due(|action| matches!(action, TaskAction::UserTimer(_)));
    script.start_activity(6);
    unpause(&mut script);
    script.start_activity(6);
    golden!(script);
}

#[test]
fn a_failed_attempt_waits_until_the_run_goes_on() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ())]).start_activity(5);
    pause(&mut script, "one");
    fail_activity(&mut script, 5, false);
    script.wait(Span::from_secs(60));
    let stamp = script.state.activities[&5].stamp;
    let retry = engine::ActivityRef { scheduled_event_id: 5, stamp };
    script.input("retry", Input::TaskDue(TaskAction::ActivityRetry(retry)));
    unpause(&mut script);
    golden!(script);
}

#[test]
fn a_delayed_start_stays_delayed() {
    let mut script = Script::start(|start| {
        start.attributes.first_workflow_task_backoff = Some(Span::from_secs(10).to_proto());
    });
    pause(&mut script, "one");
    unpause(&mut script);
    script.wait(Span::from_secs(5));
    pause(&mut script, "two");
    script.wait(Span::from_secs(10));
    unpause(&mut script);
    script.due(|action| matches!(action, TaskAction::FirstWorkflowTask(_)));
    golden!(script);
}

#[test]
fn only_an_open_run_is_paused_and_only_once() {
    let mut script = Script::start(|_| ());
    unpause(&mut script);
    pause(&mut script, "one");
    pause(&mut script, "one");
    pause(&mut script, "two");
    script.input("terminate", Input::Terminate(Terminate::default()));
    pause(&mut script, "three");
    unpause(&mut script);
    golden!(script);
}

#[test]
fn a_run_that_was_paused_meanwhile_does_not_close() {
    let mut script = Script::start(|_| ());
    script.start_task();
    pause(&mut script, "one");
    script.complete(vec![complete_workflow()]);
    unpause(&mut script);
    golden!(script);
}

#[test]
fn a_heartbeat_of_a_workflow_task_is_refused() {
    let mut script = Script::start(|_| ());
    script.start_task();
    pause(&mut script, "one");
    script.complete_with(vec![], |complete| complete.force_create_new_workflow_task = true);
    golden!(script);
}
