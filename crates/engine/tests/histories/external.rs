//! Signals and requests to cancel that a workflow sends to others.

use api::{
    command::v1::{
        RequestCancelExternalWorkflowExecutionCommandAttributes,
        SignalExternalWorkflowExecutionCommandAttributes,
        StartChildWorkflowExecutionCommandAttributes, command::Attributes,
    },
    common::v1::{WorkflowExecution, WorkflowType},
    enums::v1::{
        CancelExternalWorkflowExecutionFailedCause, SignalExternalWorkflowExecutionFailedCause,
    },
};
use engine::{Input, Outcome, RequestCancel, Signal, Terminate};

use crate::{golden, script::Script};

fn signal(workflow_id: &str, run_id: &str, signal_name: &str) -> Attributes {
    Attributes::SignalExternalWorkflowExecutionCommandAttributes(
        SignalExternalWorkflowExecutionCommandAttributes {
            execution: Some(WorkflowExecution {
                workflow_id: workflow_id.to_owned(),
                run_id: run_id.to_owned(),
            }),
            signal_name: signal_name.to_owned(),
            ..Default::default()
        },
    )
}

fn cancel(workflow_id: &str, run_id: &str) -> Attributes {
    Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(
        RequestCancelExternalWorkflowExecutionCommandAttributes {
            workflow_id: workflow_id.to_owned(),
            run_id: run_id.to_owned(),
            ..Default::default()
        },
    )
}

fn script() -> Script {
    let mut script = Script::start(|_| ());
    script.start_task();
    script
}

#[test]
fn a_signal_and_a_cancel_arrive() {
    let mut script = script();
    script.complete(vec![signal("other", "", "go"), cancel("other", "")]);
    let signaled = Outcome::ExternalSignal { initiated_event_id: 5, failed: None };
    script.input("signaled", Input::Outcome(signaled.clone()));
    script.input("signaled", Input::Outcome(signaled)).start_task();
    let canceled = Outcome::ExternalCancel { initiated_event_id: 6, failed: None };
    script.input("cancel requested", Input::Outcome(canceled)).complete(vec![]);
    golden!(script);
}

#[test]
fn a_signal_and_a_cancel_find_nobody() {
    let mut script = script();
    script.complete(vec![signal("other", "", "go"), cancel("other", "")]);
    let failed =
        Some(SignalExternalWorkflowExecutionFailedCause::ExternalWorkflowExecutionNotFound);
    let signaled = Outcome::ExternalSignal { initiated_event_id: 5, failed };
    script.input("not signaled", Input::Outcome(signaled));
    let failed =
        Some(CancelExternalWorkflowExecutionFailedCause::ExternalWorkflowExecutionNotFound);
    let canceled = Outcome::ExternalCancel { initiated_event_id: 6, failed };
    script.input("not cancelled", Input::Outcome(canceled));
    golden!(script);
}

#[test]
fn what_is_on_its_way_when_the_run_closes_is_dropped() {
    let mut script = script();
    script.complete(vec![signal("other", "", "go"), cancel("other", "")]);
    script.input("terminate", Input::Terminate(Terminate::default()));
    let signaled = Outcome::ExternalSignal { initiated_event_id: 5, failed: None };
    script.input("signaled", Input::Outcome(signaled));
    golden!(script);
}

#[test]
fn bad_commands_fail_the_task() {
    let run_id = "0190f6a8-1111-7000-8000-000000000000";
    let child = Attributes::StartChildWorkflowExecutionCommandAttributes(
        StartChildWorkflowExecutionCommandAttributes {
            workflow_id: "child".to_owned(),
            workflow_type: Some(WorkflowType { name: "child".to_owned() }),
            ..Default::default()
        },
    );
    let bad = [
        vec![signal("", "", "go")],
        vec![signal("other", "7", "go")],
        vec![signal("other", run_id, "")],
        vec![cancel("", "")],
        vec![cancel("other", "7")],
        vec![child, cancel("child", "")],
    ];
    let mut script = Script::start(|_| ());
    for commands in bad {
        script.signal("another turn").start_task().complete(commands);
    }
    golden!(script);
}

#[test]
fn too_many_fail_the_task() {
    let mut script = Script::start(|_| ());
    script.limits(|limits| limits.pending_max = 1);
    let twice = [vec![signal("a", "", "go"); 2], vec![cancel("a", ""); 2]];
    for commands in twice {
        script.signal("another turn").start_task().complete(commands);
    }
    golden!(script);
}

#[test]
fn only_a_child_takes_what_is_meant_for_one() {
    let parent = WorkflowExecution { workflow_id: "p".to_owned(), run_id: "r".to_owned() };
    let stranger = WorkflowExecution { workflow_id: "p".to_owned(), run_id: "s".to_owned() };
    let mut script = Script::start(|start| {
        start.attributes.parent_workflow_execution = Some(parent.clone());
    });
    for execution in [stranger, parent] {
        let only_child_of = Some(execution);
        let signal = Signal { only_child_of: only_child_of.clone(), ..Default::default() };
        script.input("signal", Input::Signal(Box::new(signal)));
        let cancel = RequestCancel { only_child_of: only_child_of.clone(), ..Default::default() };
        script.input("cancel", Input::RequestCancel(cancel));
        let terminate = Terminate { only_child_of, ..Default::default() };
        script.input("terminate", Input::Terminate(terminate));
    }
    golden!(script);
}
