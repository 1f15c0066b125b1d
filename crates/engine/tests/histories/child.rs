//! Child workflows, seen from the parent and from the child.

use api::{
    command::v1::{StartChildWorkflowExecutionCommandAttributes, command::Attributes},
    common::v1::{RetryPolicy, WorkflowExecution, WorkflowType},
    enums::v1::{ParentClosePolicy, StartChildWorkflowExecutionFailedCause},
    history::v1::history_event::Attributes as Event,
};
use engine::{ChildClosed, Input, Outcome, TaskAction, Terminate};
use model::Span;

use crate::{
    golden,
    script::{Script, complete_workflow},
};

fn child(workflow_id: &str, policy: ParentClosePolicy) -> Attributes {
    child_with(workflow_id, |command| command.parent_close_policy = policy as i32)
}

fn child_with(
    workflow_id: &str,
    change: impl FnOnce(&mut StartChildWorkflowExecutionCommandAttributes),
) -> Attributes {
    let mut command = StartChildWorkflowExecutionCommandAttributes {
        workflow_id: workflow_id.to_owned(),
        workflow_type: Some(WorkflowType { name: "child".to_owned() }),
        ..Default::default()
    };
    change(&mut command);
    Attributes::StartChildWorkflowExecutionCommandAttributes(command)
}

fn started(script: &mut Script, initiated_event_id: i64) -> &mut Script {
    let run_id = format!("run-{initiated_event_id}");
    let outcome = Outcome::ChildStarted { initiated_event_id, run_id };
    script.input("child started", Input::Outcome(outcome))
}

fn closed<'a>(
    script: &'a mut Script,
    initiated_event_id: i64,
    workflow_id: &str,
    close: Event,
) -> &'a mut Script {
    let closed = ChildClosed {
        initiated_event_id,
        execution: WorkflowExecution {
            workflow_id: workflow_id.to_owned(),
            run_id: "last-run".to_owned(),
        },
        first_execution_run_id: format!("run-{initiated_event_id}"),
        close,
    };
    script.input("child closed", Input::ChildClosed(Box::new(closed)))
}

fn completed() -> Event {
    Event::WorkflowExecutionCompletedEventAttributes(Default::default())
}

fn script() -> Script {
    let mut script = Script::start(|_| ());
    script.start_task();
    script
}

#[test]
fn is_started_and_completes() {
    let mut script = script();
    script.complete(vec![child("a", ParentClosePolicy::Unspecified)]);
    started(&mut script, 5).start_task().complete(vec![]);
    closed(&mut script, 5, "a", completed()).start_task().complete(vec![complete_workflow()]);
    golden!(script);
}

#[test]
fn each_way_to_close_is_told() {
    let mut script = script();
    script.complete(["a", "b", "c", "d"].map(|id| child(id, ParentClosePolicy::Abandon)).into());
    for initiated in 5..9 {
        started(&mut script, initiated);
    }
    let ways = [
        Event::WorkflowExecutionFailedEventAttributes(Default::default()),
        Event::WorkflowExecutionCanceledEventAttributes(Default::default()),
        Event::WorkflowExecutionTimedOutEventAttributes(Default::default()),
        Event::WorkflowExecutionTerminatedEventAttributes(Default::default()),
    ];
    for ((initiated, workflow_id), close) in (5..9).zip(["a", "b", "c", "d"]).zip(ways) {
        closed(&mut script, initiated, workflow_id, close);
    }
    golden!(script);
}

#[test]
fn news_is_told_once_and_of_that_child_only() {
    let mut script = script();
    script.complete(vec![child("a", ParentClosePolicy::Unspecified)]);
    started(&mut script, 5);
    started(&mut script, 5);
    closed(&mut script, 5, "another", completed());
    closed(&mut script, 6, "a", completed());
    closed(&mut script, 5, "a", completed());
    closed(&mut script, 5, "a", completed());
    golden!(script);
}

#[test]
fn its_close_may_overtake_its_start() {
    let mut script = script();
    script.complete(vec![child("a", ParentClosePolicy::Unspecified)]);
    closed(&mut script, 5, "a", completed());
    started(&mut script, 5);
    golden!(script);
}

#[test]
fn what_waits_for_the_task_knows_its_start() {
    let mut script = script();
    script.complete(vec![child("a", ParentClosePolicy::Unspecified)]).signal("one").start_task();
    started(&mut script, 5);
    closed(&mut script, 5, "a", completed());
    script.signal("two").complete(vec![]);
    golden!(script);
}

#[test]
fn cannot_be_started() {
    let mut script = script();
    script.complete(vec![child("a", ParentClosePolicy::Unspecified)]);
    let failed = Outcome::ChildStartFailed {
        initiated_event_id: 5,
        cause: StartChildWorkflowExecutionFailedCause::WorkflowAlreadyExists,
    };
    script.input("cannot start", Input::Outcome(failed));
    golden!(script);
}

#[test]
fn bad_commands_fail_the_task() {
    let bad = [
        child_with("", |_| ()),
        child_with("a", |command| command.workflow_type = None),
        child_with("a", |command| command.namespace = "other".to_owned()),
        child_with("a", |command| {
            command.workflow_run_timeout = Some(prost_types::Duration { seconds: -1, nanos: 0 });
        }),
        child_with("a", |command| {
            command.retry_policy =
                Some(RetryPolicy { backoff_coefficient: 0.5, ..Default::default() });
        }),
        child_with("a", |command| command.cron_schedule = "never".to_owned()),
    ];
    let mut script = Script::start(|_| ());
    for command in bad {
        script.signal("another turn").start_task().complete(vec![command]);
    }
    golden!(script);
}

#[test]
fn too_many_fail_the_task() {
    let mut script = script();
    script.limits(|limits| limits.pending_max = 1);
    let policy = ParentClosePolicy::Unspecified;
    script.complete(vec![child("a", policy), child("b", policy)]);
    golden!(script);
}

#[test]
fn open_ones_are_dealt_with_after_the_close() {
    let mut script = script();
    script.complete(vec![
        child("a", ParentClosePolicy::Terminate),
        child("b", ParentClosePolicy::Abandon),
        child("c", ParentClosePolicy::RequestCancel),
    ]);
    started(&mut script, 5);
    started(&mut script, 6);
    script.input("terminate", Input::Terminate(Terminate::default()));
    started(&mut script, 7);
    let released = Outcome::ChildReleased { initiated_event_id: 7 };
    script.input("child released", Input::Outcome(released));
    script.input("close policy applied", Input::Outcome(Outcome::ClosePolicyApplied));
    script.input("close policy applied", Input::Outcome(Outcome::ClosePolicyApplied));
    closed(&mut script, 5, "a", completed());
    golden!(script);
}

#[test]
fn the_last_run_of_a_child_tells_its_parent() {
    let mut script = Script::start(|start| {
        start.attributes.parent_workflow_execution = Some(WorkflowExecution {
            workflow_id: "parent".to_owned(),
            run_id: "parent-run".to_owned(),
        });
        start.attributes.workflow_run_timeout = Some(Span::from_secs(4).to_proto());
    });
    script.due(|action| matches!(action, TaskAction::WorkflowTimeout(_)));
    script.input("parent informed", Input::Outcome(Outcome::ParentInformed));
    script.input("parent informed", Input::Outcome(Outcome::ParentInformed));
    golden!(script);
}

#[test]
fn a_run_that_another_follows_leaves_the_news_to_it() {
    let mut retried = Script::start(|start| {
        start.attributes.parent_workflow_execution = Some(WorkflowExecution::default());
        start.attributes.workflow_run_timeout = Some(Span::from_secs(4).to_proto());
        start.attributes.retry_policy = Some(RetryPolicy::default());
    });
    retried.due(|action| matches!(action, TaskAction::WorkflowTimeout(_)));
    golden!(retried);
}

#[test]
fn a_reset_tells_the_news_of_those_that_still_wait() {
    let mut script = script();
    script.complete(["a", "b"].map(|id| child(id, ParentClosePolicy::Abandon)).into());
    started(&mut script, 5).start_task().complete(vec![child("c", ParentClosePolicy::Abandon)]);
    started(&mut script, 6);
    closed(&mut script, 5, "a", completed());
    started(&mut script, 11);
    golden!(script.reset(10));
}
