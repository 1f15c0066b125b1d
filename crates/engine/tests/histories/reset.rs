//! Runs that begin again in the middle of their past.

use super::*;

/// Two timers and an activity; one signal seen, one that came later.
fn base() -> Script {
    let mut script = Script::start(|start| {
        start.attributes.workflow_run_timeout = Some(Span::from_secs(60).to_proto());
    });
    script.start_task().complete(vec![timer("short", 5), timer("long", 30), activity("a", |_| ())]);
    script.signal("one").start_activity(7).start_task().wait(Span::from_secs(1));
    script.signal("two").complete(vec![]).wait(Span::from_secs(9));
    script
}

#[test]
fn a_started_task_fails_and_what_was_pending_starts_anew() {
    let mut again = base().reset(11);
    again.start_task();
    golden!(again);
}

#[test]
fn a_task_that_nobody_had_taken_is_started_first() {
    golden!(base().reset(10));
}

#[test]
fn a_closed_run_begins_again() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![complete_workflow()]);
    golden!(script.reset(4));
    script.input("note", Input::RecordReset("again".to_owned()));
    golden!(script);
}

#[test]
fn without_a_workflow_task_it_is_refused() {
    golden!(base().reset(5));
    golden!(base().reset(8));
}
