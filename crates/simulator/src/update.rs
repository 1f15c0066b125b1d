//! How simulated workers answer updates: each is accepted and answered with its own input, at once
//! or, the slow ones, a while later.

use api::{
    command::v1::{Command, ProtocolMessageCommandAttributes, command::Attributes},
    enums::v1::CommandType,
    protocol::v1::Message,
    update::v1::{Acceptance, Input, Meta, Outcome, Request, Response, outcome},
};
use model::Span;
use prost::Message as _;
use prost_types::Any;

use crate::{
    payload::{payloads, text},
    script::start_timer,
    view::View,
};

const TYPES: &str = "type.googleapis.com/temporal.api.update.v1.";

/// Slow ones are answered when this time after their acceptance is over.
const SLOWNESS: Span = Span::from_secs(2);

/// The updates that clients ask for. Every fourth is a slow one.
pub(crate) fn id_of(number: usize) -> String {
    if is_slow(number) { format!("update {number} slow") } else { format!("update {number}") }
}

const fn is_slow(number: usize) -> bool {
    number % 4 == 3
}

/// A request for an update.
pub(crate) fn request(update_id: &str) -> Request {
    Request {
        meta: Some(Meta { update_id: update_id.to_owned(), ..Meta::default() }),
        input: Some(Input {
            name: "update".to_owned(),
            args: Some(payloads(update_id)),
            ..Input::default()
        }),
        ..Request::default()
    }
}

/// What an update must give; none for a failure.
pub(crate) fn answer(outcome: Option<&Outcome>) -> Option<String> {
    match outcome?.value.as_ref()? {
        outcome::Value::Success(success) => Some(text(Some(success))),
        outcome::Value::Failure(_) => None,
    }
}

/// What a worker says about the updates that came with its task, and the commands that name it.
pub(crate) fn answers(requests: &[Message]) -> (Vec<Message>, Vec<Command>) {
    let messages: Vec<Message> = requests.iter().filter_map(answers_to).flatten().collect();
    let mut commands: Vec<Command> = messages.iter().map(|message| named(&message.id)).collect();
    for request in requests.iter().filter(|request| is_answered_late(&request.protocol_instance_id))
    {
        commands.push(start_timer(&timer_of(&request.protocol_instance_id), SLOWNESS));
    }
    (messages, commands)
}

/// What a worker says about the updates that its history brought, and about the slow ones whose
/// time has come.
pub(crate) fn late_answers(view: &View) -> (Vec<Message>, Vec<Command>) {
    let admitted: Vec<Message> = view
        .admitted_updates
        .difference(&view.accepted_updates)
        .map(|update_id| admitted_request(update_id))
        .collect();
    let (mut messages, mut commands) = answers(&admitted);
    let (late, named) = slow_answers(view);
    messages.extend(late);
    commands.extend(named);
    (messages, commands)
}

/// As the message would be that the history stands for.
fn admitted_request(update_id: &str) -> Message {
    Message {
        id: format!("{update_id}/request"),
        protocol_instance_id: update_id.to_owned(),
        body: Some(Any {
            type_url: format!("{TYPES}Request"),
            value: request(update_id).encode_to_vec(),
        }),
        ..Message::default()
    }
}

fn slow_answers(view: &View) -> (Vec<Message>, Vec<Command>) {
    let open = view.accepted_updates.difference(&view.completed_updates);
    let due = open.filter(|update_id| view.fired_timers.contains(&timer_of(update_id)));
    let messages: Vec<Message> = due.map(|update_id| late_response(update_id)).collect();
    let commands = messages.iter().map(|message| named(&message.id)).collect();
    (messages, commands)
}

fn is_answered_late(update_id: &str) -> bool {
    update_id.ends_with("slow")
}

fn timer_of(update_id: &str) -> String {
    format!("late {update_id}")
}

fn late_response(update_id: &str) -> Message {
    let meta = Meta { update_id: update_id.to_owned(), ..Meta::default() };
    let success = Some(outcome::Value::Success(payloads(update_id)));
    let response = Response { meta: Some(meta), outcome: Some(Outcome { value: success }) };
    Message {
        id: format!("{update_id}/Response"),
        protocol_instance_id: update_id.to_owned(),
        body: Some(Any { type_url: format!("{TYPES}Response"), value: response.encode_to_vec() }),
        ..Message::default()
    }
}

fn answers_to(request: &Message) -> Option<Vec<Message>> {
    let asked = Request::decode(request.body.as_ref()?.value.as_slice()).ok()?;
    let acceptance = Acceptance {
        accepted_request_message_id: request.id.clone(),
        accepted_request_sequencing_event_id: 1,
        ..Acceptance::default()
    };
    let success = asked.input?.args.map(outcome::Value::Success);
    let response = Response { meta: asked.meta, outcome: Some(Outcome { value: success }) };
    let mut answers = vec![message(request, "Acceptance", acceptance.encode_to_vec())];
    if !is_answered_late(&request.protocol_instance_id) {
        answers.push(message(request, "Response", response.encode_to_vec()));
    }
    Some(answers)
}

fn message(request: &Message, kind: &str, value: Vec<u8>) -> Message {
    let mut message = request.clone();
    message.id = format!("{}/{kind}", request.protocol_instance_id);
    message.sequencing_id = None;
    if let Some(body) = &mut message.body {
        body.type_url = format!("{TYPES}{kind}");
        body.value = value;
    }
    message
}

fn named(message_id: &str) -> Command {
    let message_id = message_id.to_owned();
    let attributes = ProtocolMessageCommandAttributes { message_id };
    Command {
        command_type: CommandType::ProtocolMessage as i32,
        attributes: Some(Attributes::ProtocolMessageCommandAttributes(attributes)),
        ..Command::default()
    }
}
