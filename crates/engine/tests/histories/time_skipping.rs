//! Runs whose own time passes over what they would only wait for.

use api::common::v1::{FastForwardConfig, TimeSkippingConfig, TimeSkippingStatePropagation};
use engine::TimerRef;

use super::*;

fn skips(change: impl FnOnce(&mut TimeSkippingConfig)) -> Script {
    Script::start(|start| {
        let mut config =
            TimeSkippingConfig { enabled: true, max_session_skip_count: 200, ..Default::default() };
        change(&mut config);
        start.attributes.time_skipping_config = Some(config);
    })
}

fn fast_forwards(seconds: i64) -> Script {
    skips(|config| {
        let duration = Some(Span::from_secs(seconds).to_proto());
        config.fast_forward_config = Some(FastForwardConfig { id: "there".to_owned(), duration });
    })
}

fn is_timer(action: &TaskAction) -> bool {
    matches!(action, TaskAction::UserTimer(_))
}

fn is_end(action: &TaskAction) -> bool {
    matches!(action, TaskAction::FastForwardReached(_))
}

#[test]
fn an_idle_run_moves_to_its_next_timer() {
    let mut script = skips(|_| ());
    script.start_task().complete(vec![timer("late", 7200), timer("early", 3600)]);
    script.due_on_the_wall(is_timer).start_task().complete(vec![]);
    script.due_on_the_wall(is_timer).start_task().complete(vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn work_under_way_keeps_the_time() {
    let mut script = skips(|_| ());
    script.start_task().complete(vec![timer("timer", 3600), activity("activity", |_| ())]);
    let scheduled = script.state.activities.keys().next().copied().unwrap();
    script.start_activity(scheduled);
    complete_activity(&mut script, scheduled);
    script.start_task().complete(vec![]);
    golden!(script);
}

#[test]
fn a_speculative_task_that_is_lost_delays_the_skip_only() {
    let mut script = skips(|_| ());
    script.start_task();
    updates::update(&mut script, "update");
    script.complete_with(vec![timer("timer", 3600)], |complete| {
        complete.return_new_workflow_task = true;
    });
    let alarm = TaskAction::UserTimer(TimerRef { started_event_id: 5 });
    let span = Span::from_secs(10);
    script.wait(span).input("looked at", Input::TaskDue(alarm));
    script.state = script.state.durable();
    script.wait(span).input("looked at", Input::TaskDue(alarm));
    script.due_on_the_wall(is_timer);
    golden!(script);
}

#[test]
fn a_fast_forward_ends_where_it_leads() {
    let mut script = fast_forwards(1800);
    script.start_task().complete(vec![timer("timer", 3600)]);
    script.due(is_timer);
    golden!(script);
}

#[test]
fn a_fast_forward_ends_by_itself_while_a_worker_works() {
    let mut script = fast_forwards(30);
    script.start_task().complete(vec![activity("activity", |_| ())]);
    script.due(is_end);
    golden!(script);
}

#[test]
fn a_run_skips_only_so_often() {
    let mut script = skips(|config| config.max_session_skip_count = 1);
    script.start_task().complete(vec![timer("first", 3600)]);
    script.due_on_the_wall(is_timer).start_task().complete(vec![timer("second", 3600)]);
    golden!(script);
}

#[test]
fn a_run_that_waits_for_nothing_times_out() {
    let mut script = Script::start(|start| {
        start.attributes.workflow_run_timeout = Some(Span::from_secs(86_400).to_proto());
        start.attributes.time_skipping_config = Some(TimeSkippingConfig {
            enabled: true,
            max_session_skip_count: 9,
            ..Default::default()
        });
    });
    script.start_task().complete(vec![]);
    script.due_on_the_wall(|action| matches!(action, TaskAction::WorkflowTimeout(_)));
    golden!(script);
}

#[test]
fn a_delay_is_passed_over() {
    let mut script = Script::start(|start| {
        start.attributes.first_workflow_task_backoff = Some(Span::from_secs(3600).to_proto());
        start.attributes.time_skipping_config = Some(TimeSkippingConfig {
            enabled: true,
            max_session_skip_count: 9,
            ..Default::default()
        });
    });
    script.due_on_the_wall(|action| matches!(action, TaskAction::FirstWorkflowTask(_)));
    golden!(script);
}

#[test]
fn the_next_run_and_a_child_live_in_its_time() {
    let mut script = skips(|_| ());
    script.start_task().complete(vec![timer("timer", 3600)]);
    script.due_on_the_wall(is_timer).start_task();
    script.complete(vec![Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(
        ContinueAsNewWorkflowExecutionCommandAttributes::default(),
    )]);
    let next = script.next_run.clone().unwrap();
    assert_eq!(next.skipped_time(), script.state.skipped_time());
    assert_eq!(next.start_time, script.state.close_time);
    assert_eq!(next.time_skipping.as_ref().unwrap().skip_count, 1);
    golden!(script);
}

#[test]
fn a_run_that_starts_ahead_counts_from_there() {
    let mut script = Script::start(|start| {
        start.attributes.time_skipping_state_propagation = Some(TimeSkippingStatePropagation {
            initial_skipped_duration: Some(Span::from_secs(3600).to_proto()),
            ..Default::default()
        });
    });
    assert_eq!(script.state.skipped_time(), Span::from_secs(3600));
    script.start_task().complete(vec![timer("timer", 10)]);
    script.due_on_the_wall(is_timer);
    golden!(script);
}
