//! Commands to workers: what is to be told, to whom, and that it is told once.

use engine::{Outcome, WorkerCommandsRef};

use super::*;

fn cancel(scheduled_event_id: i64) -> Attributes {
    Attributes::RequestCancelActivityTaskCommandAttributes(
        RequestCancelActivityTaskCommandAttributes { scheduled_event_id },
    )
}

fn sent(script: &mut Script, number: u64) {
    let outcome = Outcome::WorkerCommandsSent(WorkerCommandsRef { number });
    script.input("worker commands sent", Input::Outcome(outcome));
}

/// A run with four activities: two held by one worker that takes commands, one by another, one by
/// one that takes none.
fn four() -> Script {
    let mut script = Script::start(|_| ());
    script.start_task().complete(["a", "b", "c", "d"].map(|id| activity(id, |_| ())).into());
    for (id, queue) in [(5, "control-1"), (6, "control-1"), (7, "control-2"), (8, "")] {
        script.worker_control_task_queue = queue.to_owned();
        script.start_activity(id);
    }
    script
}

#[test]
fn one_worker_is_told_once_of_all_that_an_answer_cancels() {
    let mut script = four();
    script.signal("wake").start_task().complete([5, 6, 7, 8].map(cancel).into());
    sent(&mut script, 1);
    sent(&mut script, 1);
    sent(&mut script, 2);
    let told = |script: &Script, number| {
        script.state.worker_commands.get(&number).map_or(0, |it| it.cancelled.len())
    };
    assert_eq!((told(&script, 1), told(&script, 2)), (0, 0));
    golden!(script);
}

#[test]
fn workers_are_told_of_a_close_after_it() {
    let mut script = four();
    let terminate = Terminate { reason: "why".to_owned(), ..Default::default() };
    script.input("terminate", Input::Terminate(terminate));
    assert_eq!(script.state.worker_commands[&1].cancelled.len(), 2);
    sent(&mut script, 2);
    sent(&mut script, 1);
    assert!(script.state.worker_commands.is_empty());
    golden!(script);
}

#[test]
fn an_attempt_that_failed_holds_nothing() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |attributes| {
        attributes.retry_policy = Some(RetryPolicy { maximum_attempts: 3, ..Default::default() });
    })]);
    script.worker_control_task_queue = "control-1".to_owned();
    script.start_activity(5);
    let fail = FailActivity {
        activity: script.held_activity(5),
        failure: Some(failure(false)),
        identity: "worker".to_owned(),
        last_heartbeat_details: None,
    };
    script.input("fail activity", Input::FailActivity(Box::new(fail)));
    script.signal("wake").start_task().complete(vec![cancel(5)]);
    assert!(script.state.worker_commands.is_empty());
    golden!(script);
}

#[test]
fn an_answer_that_is_too_large_ends_the_run() {
    let mut script = Script::start(|_| ());
    script.start_task().complete_with(vec![], |complete| complete.is_too_large = true);
    golden!(script);
}
