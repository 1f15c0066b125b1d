//! Golden histories: what a run writes, step by step. Review the difference, never accept in bulk.

#![expect(non_snake_case, reason = "topic__case names the snapshot")]
#![expect(clippy::wildcard_enum_match_arm, reason = "tests look at a few variants of many")]

#[cfg(test)]
mod activity_operations;
#[cfg(test)]
mod child;
#[cfg(test)]
mod cron;
#[cfg(test)]
mod external;
#[cfg(test)]
mod options;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod reset;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod script;
#[cfg(test)]
mod system_nexus;
#[cfg(test)]
mod time_skipping;
#[cfg(test)]
mod updates;
#[cfg(test)]
mod versioning;
#[cfg(test)]
mod worker_commands;

use api::{
    command::v1::{
        CancelTimerCommandAttributes, CancelWorkflowExecutionCommandAttributes, Command,
        ContinueAsNewWorkflowExecutionCommandAttributes, FailWorkflowExecutionCommandAttributes,
        RecordMarkerCommandAttributes, RequestCancelActivityTaskCommandAttributes,
        command::Attributes,
    },
    common::v1::{Payload, Payloads, RetryPolicy},
    enums::v1::{CommandType, WorkflowTaskFailedCause},
};
use bytes::Bytes;
use engine::{
    CancelActivity, CompleteActivity, FailActivity, FailWorkflowTask, HeartbeatActivity, Input,
    RequestCancel, TaskAction, Terminate,
};
use model::Span;
use script::{Script, activity, complete_workflow, failure, sticky, timer};

macro_rules! golden {
    ($script:expr) => {
        insta::assert_snapshot!($script.text())
    };
}
#[cfg(test)]
pub(crate) use golden;

fn fail_task(script: &mut Script) {
    let fail = FailWorkflowTask {
        task: script.held(),
        cause: WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure,
        ..Default::default()
    };
    script.input("fail workflow task", Input::FailWorkflowTask(Box::new(fail)));
}

fn complete_activity(script: &mut Script, scheduled_event_id: i64) {
    let complete = CompleteActivity {
        activity: script.held_activity(scheduled_event_id),
        result: None,
        identity: "worker".to_owned(),
    };
    script.input("complete activity", Input::CompleteActivity(complete));
}

fn fail_activity(script: &mut Script, scheduled_event_id: i64, non_retryable: bool) {
    let fail = FailActivity {
        activity: script.held_activity(scheduled_event_id),
        failure: Some(failure(non_retryable)),
        identity: "worker".to_owned(),
        last_heartbeat_details: None,
    };
    script.input("fail activity", Input::FailActivity(Box::new(fail)));
}

fn is_activity_timeout(action: &TaskAction) -> bool {
    matches!(action, TaskAction::ActivityTimeout(_))
}

#[test]
fn workflow__starts_and_completes() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![complete_workflow()]).signal("late");
    golden!(script);
}

#[test]
fn workflow_task__repeated_failures_leave_one_event() {
    let mut script = Script::start(|_| ());
    for _ in 0..3 {
        script.start_task();
        fail_task(&mut script);
    }
    script.start_task().complete(vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn workflow_task__a_signal_makes_a_transient_task_normal() {
    let mut script = Script::start(|_| ());
    script.start_task();
    fail_task(&mut script);
    script.signal("one").start_task();
    fail_task(&mut script);
    golden!(script);
}

#[test]
fn workflow_task__its_time_grows_while_it_keeps_failing() {
    let mut script = Script::start(|_| ());
    for _ in 0..6 {
        script.start_task().due(|a| matches!(a, TaskAction::WorkflowTaskStartToClose(_)));
    }
    golden!(script);
}

#[test]
fn workflow_task__nobody_takes_it_from_the_sticky_queue() {
    let mut script = Script::start(|_| ());
    script.start_task().complete_with(vec![timer("a", 3)], |c| c.sticky = sticky());
    script.due(|a| matches!(a, TaskAction::UserTimer(_)));
    script.due(|a| matches!(a, TaskAction::WorkflowTaskScheduleToStart(_)));
    script.start_task();
    golden!(script);
}

#[test]
fn workflow_task__leaves_a_sticky_queue_without_poller() {
    let mut script = Script::start(|_| ());
    script.start_task().complete_with(vec![], |c| c.sticky = sticky()).signal("one");
    script.input("leave sticky queue", Input::LeaveStickyQueue).start_task();
    golden!(script);
}

#[test]
fn workflow_task__goes_to_the_normal_queue_when_stickiness_is_reset() {
    let mut script = Script::start(|_| ());
    script.start_task().complete_with(vec![], |c| c.sticky = sticky()).signal("one");
    script.input("reset sticky queue", Input::ResetStickyTaskQueue).start_task();
    golden!(script);
}

#[test]
fn workflow_task__a_heartbeat_is_followed_by_a_task_in_the_answer() {
    let mut script = Script::start(|_| ());
    script.start_task().wait(Span::from_secs(5)).complete_with(vec![], |c| {
        c.force_create_new_workflow_task = true;
        c.return_new_workflow_task = true;
        c.sticky = sticky();
    });
    golden!(script);
}

#[test]
fn workflow_task__heartbeats_end_after_half_an_hour() {
    let mut script = Script::start(|_| ());
    script.start_task().wait(Span::from_secs(1801)).complete_with(vec![], |c| {
        c.force_create_new_workflow_task = true;
    });
    golden!(script);
}

#[test]
fn workflow_task__a_bad_command_undoes_the_answer() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![timer("a", 1), timer("a", 2)]);
    script.start_task().complete(vec![timer("", 1)]);
    golden!(script);
}

#[test]
fn workflow_task__a_closing_command_must_be_last() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![complete_workflow(), timer("a", 1)]);
    golden!(script);
}

#[test]
fn workflow_task__a_close_does_not_overlook_what_waits() {
    let mut script = Script::start(|_| ());
    script.start_task().signal("one").complete(vec![complete_workflow()]).signal("two");
    script.start_task().signal("three").complete(vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn workflow_task__an_oversize_payload_ends_the_run() {
    let mut script = Script::start(|_| ());
    let data = Bytes::from(vec![0; 3 * 1024 * 1024]);
    let details = Payloads { payloads: vec![Payload { data, ..Default::default() }] };
    let marker = RecordMarkerCommandAttributes {
        marker_name: "marker".to_owned(),
        details: [("key".to_owned(), details)].into(),
        ..Default::default()
    };
    script.start_task().complete(vec![Attributes::RecordMarkerCommandAttributes(marker)]);
    golden!(script);
}

#[test]
fn buffer__closing_events_of_activities_come_last() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ()), timer("t", 1)]).start_activity(5);
    script.signal("one").start_task();
    complete_activity(&mut script, 5);
    script.signal("two").due(|a| matches!(a, TaskAction::UserTimer(_)));
    script.complete(vec![timer("u", 9)]);
    golden!(script);
}

#[test]
fn buffer__too_much_of_it_ends_the_task() {
    let mut script = Script::start(|_| ());
    script.limits(|limits| limits.buffered_events_max = 2).start_task();
    script.signal("one").signal("two").signal("three");
    golden!(script);
}

#[test]
fn signal__a_repeated_request_is_one_signal() {
    let mut script = Script::start(|_| ());
    script.signal("one").signal("one");
    golden!(script);
}

#[test]
fn start__delayed_signals_wait_for_the_first_task() {
    let mut script = Script::start(|start| {
        start.attributes.first_workflow_task_backoff = Some(Span::from_secs(3).to_proto());
    });
    script.signal("one").due(|a| matches!(a, TaskAction::FirstWorkflowTask(_)));
    golden!(script);
}

#[test]
fn activity__completes() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ())]).start_activity(5);
    complete_activity(&mut script, 5);
    complete_activity(&mut script, 5);
    golden!(script);
}

#[test]
fn activity__is_tried_again_until_the_policy_ends_it() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ())]).start_activity(5);
    fail_activity(&mut script, 5, false);
    script.due(|a| matches!(a, TaskAction::ActivityRetry(_))).start_activity(5);
    fail_activity(&mut script, 5, false);
    golden!(script);
}

#[test]
fn activity__a_final_failure_is_not_tried_again() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ())]).start_activity(5);
    fail_activity(&mut script, 5, true);
    golden!(script);
}

#[test]
fn activity__nobody_takes_it() {
    let mut script = Script::start(|_| ());
    let timeout = Some(Span::from_secs(2).to_proto());
    script.start_task().complete(vec![activity("a", |a| a.schedule_to_start_timeout = timeout)]);
    script.due(is_activity_timeout);
    golden!(script);
}

#[test]
fn activity__its_whole_time_leaves_no_room_for_a_retry() {
    let mut script = Script::start(|_| ());
    let total = Some(Span::from_millis(10_500).to_proto());
    script.start_task().complete(vec![activity("a", |a| a.schedule_to_close_timeout = total)]);
    script.start_activity(5).due(is_activity_timeout);
    golden!(script);
}

#[test]
fn activity__its_last_timeout_names_how_the_attempt_before_ended() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |a| {
        a.retry_policy = Some(RetryPolicy { maximum_attempts: 3, ..Default::default() });
    })]);
    script.start_activity(5);
    fail_activity(&mut script, 5, false);
    let is_retry = |action: &TaskAction| matches!(action, TaskAction::ActivityRetry(_));
    script.due(is_retry).start_activity(5).due(is_activity_timeout);
    script.due(is_retry).start_activity(5).due(is_activity_timeout);
    golden!(script);
}

#[test]
fn activity__heartbeats_keep_it_alive_until_they_stop() {
    let mut script = Script::start(|_| ());
    let timeout = Some(Span::from_secs(2).to_proto());
    script.start_task().complete(vec![activity("a", |a| {
        a.heartbeat_timeout = timeout;
        a.retry_policy = Some(RetryPolicy { maximum_attempts: 1, ..Default::default() });
    })]);
    script.start_activity(5).wait(Span::from_secs(1));
    let heartbeat = HeartbeatActivity {
        activity: script.held_activity(5),
        details: None,
        identity: String::new(),
    };
    script.input("heartbeat", Input::HeartbeatActivity(heartbeat)).wait(Span::from_secs(1));
    let stale = engine::ActivityRef { scheduled_event_id: 5, stamp: 2 };
    script.input("time-out looked at", Input::TaskDue(TaskAction::ActivityTimeout(stale)));
    script.due(is_activity_timeout);
    golden!(script);
}

#[test]
fn activity__cancelled_before_and_after_its_start() {
    let cancel = |scheduled_event_id| {
        Attributes::RequestCancelActivityTaskCommandAttributes(
            RequestCancelActivityTaskCommandAttributes { scheduled_event_id },
        )
    };
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ()), activity("b", |_| ())]);
    script.start_activity(6);
    let unasked = CancelActivity {
        activity: script.held_activity(6),
        details: None,
        identity: "worker".to_owned(),
    };
    script.input("cancel activity", Input::CancelActivity(unasked.clone()));
    script.signal("wake").start_task().complete(vec![cancel(5), cancel(6), timer("t", 9)]);
    script.input(
        "heartbeat",
        Input::HeartbeatActivity(HeartbeatActivity {
            activity: script.held_activity(6),
            details: None,
            identity: String::new(),
        }),
    );
    script.input("cancel activity", Input::CancelActivity(unasked));
    golden!(script);
}

#[test]
fn activity__eager_starts_in_the_answer() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |a| a.request_eager_execution = true)]);
    complete_activity(&mut script, 5);
    golden!(script);
}

#[test]
fn timer__fires() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![timer("t", 2)]);
    script.due(|a| matches!(a, TaskAction::UserTimer(_)));
    golden!(script);
}

#[test]
fn timer__fires_with_all_whose_time_has_come() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![timer("b", 2), timer("a", 2), timer("first", 1)]);
    script.signal("wake").start_task();
    script.wait(Span::from_millis(2500));
    script.due(|a| matches!(a, TaskAction::UserTimer(_)));
    script.complete(vec![timer("later", 9)]);
    golden!(script);
}

#[test]
fn timer__cancelled_although_its_firing_waits() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![timer("t", 2)]).signal("wake").start_task();
    script.due(|a| matches!(a, TaskAction::UserTimer(_)));
    let cancel = CancelTimerCommandAttributes { timer_id: "t".to_owned() };
    script.complete(vec![Attributes::CancelTimerCommandAttributes(cancel), complete_workflow()]);
    golden!(script);
}

#[test]
fn cancel__asked_twice_answered_once() {
    let mut script = Script::start(|_| ());
    script.input("request cancel", Input::RequestCancel(RequestCancel::default()));
    script.input("request cancel", Input::RequestCancel(RequestCancel::default()));
    let cancel = CancelWorkflowExecutionCommandAttributes::default();
    script.start_task();
    script.complete(vec![Attributes::CancelWorkflowExecutionCommandAttributes(cancel)]);
    golden!(script);
}

#[test]
fn terminate__ends_the_started_task_and_lets_in_what_waits() {
    let mut script = Script::start(|_| ());
    script.start_task().signal("one");
    let terminate = Terminate { reason: "enough".to_owned(), ..Default::default() };
    script.input("terminate", Input::Terminate(terminate));
    golden!(script);
}

#[test]
fn close__a_failure_is_tried_again_by_policy() {
    let mut script = Script::start(|start| {
        start.attributes.retry_policy =
            Some(RetryPolicy { maximum_attempts: 2, ..Default::default() });
    });
    let fail = FailWorkflowExecutionCommandAttributes { failure: Some(failure(false)) };
    script.start_task();
    script.complete(vec![Attributes::FailWorkflowExecutionCommandAttributes(fail)]);
    golden!(script);
}

#[test]
fn close__a_failure_without_policy_is_final() {
    let mut script = Script::start(|_| ());
    let fail = FailWorkflowExecutionCommandAttributes { failure: Some(failure(false)) };
    script.start_task();
    script.complete(vec![Attributes::FailWorkflowExecutionCommandAttributes(fail)]);
    golden!(script);
}

#[test]
fn close__continues_as_new_not_faster_than_once_a_second() {
    let mut script = Script::start(|_| ());
    script.wait(Span::from_millis(400)).start_task();
    let command = ContinueAsNewWorkflowExecutionCommandAttributes::default();
    script.complete(vec![Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(command)]);
    golden!(script);
}

#[test]
fn timeout__a_run_is_retried_an_execution_is_not() {
    for execution in [false, true] {
        let mut script = Script::start(|start| {
            let timeout = Some(Span::from_secs(4).to_proto());
            start.attributes.workflow_run_timeout = timeout;
            start.attributes.workflow_execution_timeout = timeout.filter(|_| execution);
            start.attributes.retry_policy = Some(RetryPolicy::default());
        });
        script.start_task().due(|a| matches!(a, TaskAction::WorkflowTimeout(_)));
        insta::assert_snapshot!(format!("timeout__execution_{execution}"), script.text());
    }
}

#[test]
fn workflow_task__a_command_without_attributes_names_its_cause() {
    let mut script = Script::start(|_| ());
    let command_type = CommandType::StartTimer as i32;
    script.start_task().complete_with(vec![], |complete| {
        complete.commands = vec![Command { command_type, ..Default::default() }];
    });
    golden!(script);
}
