//! Updates, and the speculative workflow tasks that bring them.

use api::{
    command::v1::{
        ContinueAsNewWorkflowExecutionCommandAttributes, ProtocolMessageCommandAttributes,
        command::Attributes,
    },
    common::v1::{Callback, Payloads, callback},
    failure::v1::Failure,
    history::v1::WorkflowExecutionUpdateAdmittedEventAttributes,
    history::v1::{HistoryEvent, history_event},
    protocol::v1::Message,
    update::v1::{
        Acceptance, Input as UpdateInput, Meta, Outcome, Rejection, Request, Response, outcome,
    },
};
use engine::{Change, CompleteWorkflowTask, Input, TaskAction, Terminate, UpdateWorkflow, evolve};
use model::Span;
use prost::Message as _;
use prost_types::Any;

use crate::{
    complete_activity, fail_task,
    script::{Script, activity, complete_workflow, sticky, timer},
};

macro_rules! golden {
    ($script:expr) => {
        insta::assert_snapshot!($script.text())
    };
}

fn request(update_id: &str) -> Request {
    Request {
        meta: Some(Meta { update_id: update_id.to_owned(), identity: "client".to_owned() }),
        input: Some(UpdateInput { name: "name".to_owned(), ..Default::default() }),
        ..Default::default()
    }
}

/// A request under its own id that wants to be called back.
fn watched(script: &mut Script, update_id: &str, request_id: &str) {
    let nexus = callback::Nexus { url: format!("http://{request_id}"), ..Default::default() };
    let variant = Some(callback::Variant::Nexus(nexus));
    let request = Request {
        request_id: request_id.to_owned(),
        completion_callbacks: vec![Callback { variant, ..Default::default() }],
        ..request(update_id)
    };
    let update = UpdateWorkflow { request: Box::new(request) };
    script.input(&format!("update {update_id} by {request_id}"), Input::UpdateWorkflow(update));
}

pub(crate) fn update(script: &mut Script, update_id: &str) {
    let update = UpdateWorkflow { request: Box::new(request(update_id)) };
    script.input(&format!("update {update_id}"), Input::UpdateWorkflow(update));
}

fn message(update_id: &str, kind: &str, value: Vec<u8>) -> Message {
    Message {
        id: format!("{update_id}/{kind}"),
        protocol_instance_id: update_id.to_owned(),
        body: Some(Any {
            type_url: format!("type.googleapis.com/temporal.api.update.v1.{kind}"),
            value,
        }),
        ..Default::default()
    }
}

fn acceptance(update_id: &str) -> Message {
    let acceptance = Acceptance {
        accepted_request_message_id: format!("{update_id}/request"),
        accepted_request_sequencing_event_id: 4,
        ..Default::default()
    };
    message(update_id, "Acceptance", acceptance.encode_to_vec())
}

fn response(update_id: &str) -> Message {
    let outcome = Outcome { value: Some(outcome::Value::Success(Payloads::default())) };
    let meta = Meta { update_id: update_id.to_owned(), ..Default::default() };
    let response = Response { meta: Some(meta), outcome: Some(outcome) };
    message(update_id, "Response", response.encode_to_vec())
}

fn rejection(update_id: &str) -> Message {
    let failure = Failure { message: "no".to_owned(), ..Default::default() };
    let rejection = Rejection { failure: Some(failure), ..Default::default() };
    message(update_id, "Rejection", rejection.encode_to_vec())
}

fn named(message: &Message) -> Attributes {
    let message_id = message.id.clone();
    Attributes::ProtocolMessageCommandAttributes(ProtocolMessageCommandAttributes { message_id })
}

/// A worker answers with these messages, each but rejections named by a command.
fn answer(
    script: &mut Script,
    messages: Vec<Message>,
    more: Vec<Attributes>,
    change: impl FnOnce(&mut CompleteWorkflowTask),
) {
    let is_named = |message: &&Message| !message.id.ends_with("Rejection");
    let mut commands: Vec<Attributes> = messages.iter().filter(is_named).map(named).collect();
    commands.extend(more);
    script.complete_with(commands, |complete| {
        complete.messages = messages;
        complete.return_new_workflow_task = true;
        complete.sticky = sticky();
        change(complete);
    });
}

/// A run whose first workflow task is done.
fn idle() -> Script {
    let mut script = Script::start(|_| ());
    script.start_task().complete_with(vec![], |complete| complete.sticky = sticky());
    script
}

#[test]
fn update__of_an_idle_run_is_accepted_and_completed() {
    let mut script = idle();
    update(&mut script, "one");
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![acceptance("one"), response("one")], vec![], |_| ());
    update(&mut script, "one");
    golden!(script);
}

#[test]
fn update__callbacks_tell_its_outcome() {
    let mut script = idle();
    watched(&mut script, "one", "first");
    script.start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    watched(&mut script, "one", "second");
    watched(&mut script, "one", "second");
    update(&mut script, "two");
    script.start_task();
    answer(&mut script, vec![response("one")], vec![], |_| ());
    watched(&mut script, "one", "third");
    golden!(script);
}

#[test]
fn update__callbacks_tell_that_its_run_ended() {
    let mut script = idle();
    watched(&mut script, "one", "first");
    script.start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    script.input("terminate", Input::Terminate(Terminate::default()));
    golden!(script);
}

#[test]
fn update__callbacks_of_further_requests_wait_for_its_acceptance() {
    let mut script = idle();
    watched(&mut script, "one", "first");
    watched(&mut script, "one", "second");
    script.start_task();
    watched(&mut script, "one", "second");
    watched(&mut script, "one", "third");
    answer(&mut script, vec![acceptance("one"), response("one")], vec![timer("a", 3)], |_| ());
    golden!(script);
}

#[test]
fn update__a_callback_that_comes_during_a_task_waits_for_its_end() {
    let mut script = idle();
    watched(&mut script, "one", "first");
    watched(&mut script, "two", "another");
    script.start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    script.signal("one").start_task();
    watched(&mut script, "one", "second");
    watched(&mut script, "three", "first");
    answer(&mut script, vec![response("one")], vec![], |complete| {
        complete.return_new_workflow_task = false;
    });
    golden!(script);
}

#[test]
fn update__callbacks_tell_that_its_run_continues_as_new() {
    let mut script = Script::start(|start| {
        let nexus = callback::Nexus { url: "http://run".to_owned(), ..Default::default() };
        let variant = Some(callback::Variant::Nexus(nexus));
        let callback = Callback { variant, ..Default::default() };
        start.attributes.completion_callbacks = vec![callback];
    });
    script.start_task().complete_with(vec![], |complete| complete.sticky = sticky());
    watched(&mut script, "one", "first");
    script.start_task();
    let next = ContinueAsNewWorkflowExecutionCommandAttributes::default();
    let next = Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(next);
    answer(&mut script, vec![acceptance("one")], vec![next], |_| ());
    let kept = script.next_run.as_ref().unwrap().callbacks.iter();
    assert!(kept.map(|callback| callback.update_id.as_str()).eq([""]), "the run's own goes on");
    golden!(script);
}

#[test]
fn update__a_reset_admits_it_again_with_its_callbacks() {
    let mut script = idle();
    watched(&mut script, "before", "early");
    script.start_task();
    answer(&mut script, vec![acceptance("before"), response("before")], vec![], |_| ());
    watched(&mut script, "one", "first");
    script.start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    watched(&mut script, "one", "second");
    watched(&mut script, "before", "late");
    let mut again = script.reset(11);
    let kept = again.state.callbacks.iter();
    let kept: Vec<_> = kept.map(|it| (it.update_id.as_str(), it.request_id.as_str())).collect();
    assert_eq!(kept, [("one", "first"), ("one", "second")], "the base tells of what was over");
    watched(&mut again, "one", "first");
    watched(&mut again, "one", "third");
    again.start_task();
    answer(&mut again, vec![rejection("one")], vec![], |_| ());
    golden!(again);
}

#[test]
fn update__a_run_that_is_reset_leaves_callbacks_to_the_next() {
    let mut script = idle();
    watched(&mut script, "one", "first");
    script.start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    let terminate = Terminate { identity: engine::RESETTER.to_owned(), ..Terminate::default() };
    script.input("replace", Input::Terminate(terminate));
    golden!(script);
}

#[test]
fn update__more_callbacks_than_a_run_takes_are_refused() {
    let mut script = idle();
    script.limits(|limits| limits.callbacks_per_run_max = 2);
    watched(&mut script, "one", "first");
    watched(&mut script, "one", "second");
    watched(&mut script, "one", "third");
    watched(&mut script, "two", "another");
    script.start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    watched(&mut script, "one", "third");
    golden!(script);
}

#[test]
fn update__a_rejection_leaves_no_trace() {
    let mut script = idle();
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![rejection("one")], vec![], |_| ());
    update(&mut script, "one");
    golden!(script);
}

#[test]
fn update__what_the_worker_ignores_is_rejected() {
    let mut script = idle();
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__a_rejection_beside_new_events_is_written() {
    let mut script = Script::start(|_| ());
    script.start_task().complete_with(vec![timer("a", 3)], |complete| complete.sticky = sticky());
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![rejection("one")], vec![], |_| ());
    update(&mut script, "two");
    script.start_task();
    let takes_back = |complete: &mut CompleteWorkflowTask| {
        complete.takes_back_speculative_events = true;
    };
    answer(&mut script, vec![rejection("two")], vec![], takes_back);
    golden!(script);
}

#[test]
fn update__a_signal_makes_its_task_normal() {
    let mut script = idle();
    update(&mut script, "one");
    script.signal("while scheduled").start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    update(&mut script, "two");
    script.start_task().signal("while started");
    answer(&mut script, vec![response("one"), rejection("two")], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__during_a_started_task_comes_with_the_next() {
    let mut script = Script::start(|_| ());
    script.start_task();
    update(&mut script, "one");
    answer(&mut script, vec![], vec![timer("a", 3)], |_| ());
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    update(&mut script, "two");
    script.start_task();
    answer(&mut script, vec![rejection("two")], vec![], |complete| {
        complete.return_new_workflow_task = false;
    });
    golden!(script);
}

#[test]
fn update__a_task_that_fails_is_written_and_brings_it_again() {
    let mut script = idle();
    update(&mut script, "one");
    script.start_task();
    fail_task(&mut script);
    script.start_task();
    fail_task(&mut script);
    script.start_task();
    answer(&mut script, vec![acceptance("one"), response("one")], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__its_task_times_out() {
    let mut script = idle();
    update(&mut script, "one");
    script.due(|action| matches!(action, TaskAction::WorkflowTaskScheduleToStart(_)));
    script.start_task().due(|action| matches!(action, TaskAction::WorkflowTaskStartToClose(_)));
    golden!(script);
}

#[test]
fn update__its_task_leaves_a_sticky_queue_without_poller() {
    let mut script = idle();
    update(&mut script, "one");
    script.input("leave sticky queue", Input::LeaveStickyQueue).start_task();
    answer(&mut script, vec![rejection("one")], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__a_crash_forgets_what_was_not_accepted() {
    let mut script = idle();
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![acceptance("one")], vec![], |_| ());
    update(&mut script, "two");
    script.state = script.state.durable();
    update(&mut script, "one");
    update(&mut script, "two");
    script.start_task();
    answer(&mut script, vec![response("one"), acceptance("two")], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__a_worker_revives_what_the_server_lost() {
    let mut script = idle();
    script.signal("one").start_task();
    let acceptance = Acceptance {
        accepted_request_message_id: "lost/request".to_owned(),
        accepted_request_sequencing_event_id: 4,
        accepted_request: Some(request("lost")),
    };
    let revived = message("lost", "Acceptance", acceptance.encode_to_vec());
    answer(&mut script, vec![revived, response("lost")], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__bad_messages_fail_the_task() {
    let no_request = message("one", "Acceptance", Acceptance::default().encode_to_vec());
    let mut refusals = Vec::new();
    for messages in [
        vec![acceptance("unknown")],
        vec![response("one")],
        vec![acceptance("one"), acceptance("one")],
        vec![rejection("one"), response("one")],
        vec![no_request],
        vec![message("one", "Request", vec![])],
    ] {
        let mut script = idle();
        update(&mut script, "one");
        script.start_task();
        answer(&mut script, messages, vec![], |_| ());
        let text = script.text();
        assert!(text.contains("cause=BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE"), "{text}");
        assert!(text.contains("* one Aborted(WorkflowTaskFailed)"), "{text}");
        let refused = text.lines().find(|line| line.starts_with("  = refused")).unwrap();
        refusals.push(refused.to_owned());
    }
    insta::assert_snapshot!("update__bad_messages", refusals.join("\n"));
    let mut script = idle();
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![], vec![named(&acceptance("absent"))], |_| ());
    golden!(script);
}

#[test]
fn update__the_run_completes_before_it() {
    let mut script = idle();
    update(&mut script, "accepted");
    script.start_task();
    answer(&mut script, vec![acceptance("accepted")], vec![], |_| ());
    script.signal("one").start_task();
    update(&mut script, "admitted");
    answer(&mut script, vec![], vec![complete_workflow()], |_| ());
    update(&mut script, "accepted");
    update(&mut script, "admitted");
    golden!(script);
}

#[test]
fn update__the_run_continues_as_new() {
    let mut script = idle();
    script.signal("one").start_task();
    update(&mut script, "one");
    let next = ContinueAsNewWorkflowExecutionCommandAttributes::default();
    let next = Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(next);
    answer(&mut script, vec![], vec![next], |_| ());
    golden!(script);
}

#[test]
fn update__the_run_is_terminated() {
    for phase in ["scheduled", "started"] {
        let mut script = idle();
        update(&mut script, "one");
        if phase == "started" {
            script.start_task();
        }
        script.input("terminate", Input::Terminate(Terminate::default()));
        insta::assert_snapshot!(format!("update__the_run_is_terminated_{phase}"), script.text());
    }
}

#[test]
fn update__with_start_comes_with_the_first_task() {
    let mut script = Script::start(|start| {
        start.update = Some(UpdateWorkflow { request: Box::new(request("one")) });
    });
    script.start_task();
    answer(&mut script, vec![acceptance("one"), response("one")], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__of_a_run_whose_worker_keeps_failing_is_refused() {
    let mut script = Script::start(|_| ());
    for _ in 0..2 {
        script.start_task();
        fail_task(&mut script);
    }
    update(&mut script, "one");
    golden!(script);
}

#[test]
fn update__limits() {
    let mut script = idle();
    script.limits(|limits| {
        limits.updates_in_flight_max = 2;
        limits.updates_per_run_max = 3;
        limits.updates_in_flight_bytes_max = 100;
    });
    update(&mut script, &"long".repeat(50));
    for update_id in ["one", "two", "three"] {
        update(&mut script, update_id);
    }
    script.start_task();
    answer(
        &mut script,
        vec![acceptance("one"), response("one"), acceptance("two"), response("two")],
        vec![],
        |_| (),
    );
    update(&mut script, "three");
    script.start_task();
    answer(&mut script, vec![acceptance("three"), response("three")], vec![], |_| ());
    update(&mut script, "four");
    golden!(script);
}

#[test]
fn update__an_activity_that_ends_is_news_beside_it() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ())]).start_activity(5);
    update(&mut script, "one");
    script.start_task();
    complete_activity(&mut script, 5);
    script.wait(Span::from_secs(1));
    answer(&mut script, vec![acceptance("one"), response("one")], vec![], |_| ());
    golden!(script);
}

#[test]
fn update__one_that_an_event_admitted_is_durable() {
    let mut script = Script::start(|_| ());
    let attributes = WorkflowExecutionUpdateAdmittedEventAttributes {
        request: Some(request("one")),
        ..Default::default()
    };
    // As a reset writes it.
    let event = HistoryEvent {
        event_id: script.state.next_event_id,
        attributes: Some(
            history_event::Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(attributes),
        ),
        ..Default::default()
    };
    evolve(&mut script.state, &Change::Event(Box::new(event)));
    script.state = script.state.durable();
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![acceptance("one"), response("one")], vec![], |_| ());
    golden!(script);
}

#[test]
fn a_reset_admits_again_what_was_accepted_later() {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![]);
    update(&mut script, "one");
    script.start_task();
    answer(&mut script, vec![acceptance("one"), response("one")], vec![], |_| ());
    let mut again = script.reset(4);
    again.start_task();
    answer(&mut again, vec![acceptance("one")], vec![], |_| ());
    golden!(again);
}
