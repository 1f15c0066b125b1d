//! Operations of the server itself: no endpoint that anybody made, no headers, and a request that
//! the server takes.

use api::command::v1::ScheduleNexusOperationCommandAttributes;
use engine::{
    NexusOperationAnswer, NexusOperationEnd, NexusOperationRef, Outcome, SYSTEM_ENDPOINT,
};

use super::*;

fn ask(change: impl FnOnce(&mut ScheduleNexusOperationCommandAttributes)) -> Attributes {
    let mut attributes = ScheduleNexusOperationCommandAttributes {
        endpoint: SYSTEM_ENDPOINT.to_owned(),
        service: "temporal.api.workflowservice.v1.WorkflowService".to_owned(),
        operation: "SignalWithStartWorkflowExecution".to_owned(),
        ..Default::default()
    };
    change(&mut attributes);
    Attributes::ScheduleNexusOperationCommandAttributes(attributes)
}

fn large() -> Payload {
    Payload { data: vec![0; 3 << 20].into(), ..Default::default() }
}

#[test]
fn an_operation_needs_no_endpoint_and_its_parts_have_limits_of_their_own() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![ask(|asked| asked.input = Some(large()))]);
    let answer = NexusOperationAnswer::Ended(NexusOperationEnd::Succeeded {
        result: None,
        links: Vec::new(),
    });
    let task = NexusOperationRef { scheduled_event_id: 5, stamp: 1 };
    script.input("answered", Input::Outcome(Outcome::NexusOperation { task, answer }));
    assert!(script.state.nexus_operations.is_empty());
    golden!(script);
}

#[test]
fn a_header_fails_the_workflow_task() {
    let mut script = Script::start(|_| ());
    let header = [("a".to_owned(), "b".to_owned())];
    script.start_task().complete(vec![ask(|asked| asked.nexus_header = header.into())]);
    assert!(script.state.nexus_operations.is_empty());
    golden!(script);
}

#[test]
fn a_request_that_the_server_does_not_take_fails_the_workflow_task() {
    let mut script = Script::start(|_| ());
    let commands = vec![activity("a", |_| ()), ask(|_| ())];
    script.start_task().complete_with(commands, |complete| {
        complete.nexus_operation_refusals = [(1, "signal not set".to_owned())].into();
    });
    assert!(script.state.nexus_operations.is_empty() && script.state.activities.is_empty());
    golden!(script);
}
