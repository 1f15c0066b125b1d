//! Workflows with a cron schedule.

use api::common::v1::{Payload, Payloads};

use super::*;

fn every(script: impl FnOnce(&mut engine::Start)) -> Script {
    Script::start(|start| {
        start.attributes.cron_schedule = "@every 10s".to_owned();
        script(start);
    })
}

fn is_first_task(action: &TaskAction) -> bool {
    matches!(action, TaskAction::FirstWorkflowTask(_))
}

#[test]
fn a_completed_run_is_followed_by_the_next() {
    let mut script = every(|_| ());
    script.signal("early").due(is_first_task).start_task();
    script.wait(Span::from_secs(12)).complete(vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn a_failed_run_is_retried_before_the_next_is_due() {
    let fail = || {
        Attributes::FailWorkflowExecutionCommandAttributes(FailWorkflowExecutionCommandAttributes {
            failure: Some(failure(false)),
        })
    };
    let retries = RetryPolicy { maximum_attempts: 2, ..Default::default() };
    let mut script = every(|start| start.attributes.retry_policy = Some(retries.clone()));
    script.due(is_first_task).start_task().complete(vec![fail()]);
    golden!(script);
    let mut script = every(|start| {
        start.attributes.attempt = 2;
        start.attributes.retry_policy = Some(retries);
    });
    script.due(is_first_task).start_task().complete(vec![fail()]);
    golden!(script);
}

#[test]
fn a_run_that_times_out_is_followed_unless_its_execution_does() {
    let mut script =
        every(|start| start.attributes.workflow_run_timeout = Some(Span::from_secs(3).to_proto()));
    script.due(is_first_task).due(|a| matches!(a, TaskAction::WorkflowTimeout(_)));
    golden!(script);
    let timeout = Some(Span::from_secs(14).to_proto());
    let mut script = every(|start| start.attributes.workflow_execution_timeout = timeout);
    script.due(is_first_task).due(|a| matches!(a, TaskAction::WorkflowTimeout(_)));
    golden!(script);
}

#[test]
fn a_cancelled_or_terminated_run_is_the_last() {
    let mut script = every(|_| ());
    script
        .due(is_first_task)
        .start_task()
        .complete(vec![Attributes::CancelWorkflowExecutionCommandAttributes(Default::default())]);
    golden!(script);
    let mut script = every(|_| ());
    script.input("terminate", Input::Terminate(Terminate::default()));
    golden!(script);
}

/// What no event of the finished run shows: results and failures are handed on.
#[test]
fn the_next_run_knows_how_the_last_one_ended() {
    let payload = Payload { data: "1".into(), ..Default::default() };
    let result = Payloads { payloads: vec![payload] };
    let mut script = every(|start| start.attributes.last_completion_result = Some(result.clone()));
    script.due(is_first_task).start_task();
    let fail = FailWorkflowExecutionCommandAttributes { failure: Some(failure(false)) };
    script.complete(vec![Attributes::FailWorkflowExecutionCommandAttributes(fail)]);
    let next = script.next_run.as_ref().unwrap().started.as_ref().unwrap();
    assert_eq!(next.last_completion_result, Some(result));
    assert_eq!(next.continued_failure.as_ref().unwrap().message, "broken");
    assert_eq!(next.continued_execution_run_id, "run");
}
