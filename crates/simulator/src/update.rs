//! How simulated workers answer updates: each is accepted and answered with its own input.

use api::{
    command::v1::{Command, ProtocolMessageCommandAttributes, command::Attributes},
    enums::v1::CommandType,
    protocol::v1::Message,
    update::v1::{Acceptance, Input, Meta, Outcome, Request, Response, outcome},
};
use prost::Message as _;

use crate::payload::{payloads, text};

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
    let commands = messages.iter().map(|message| named(&message.id)).collect();
    (messages, commands)
}

fn answers_to(request: &Message) -> Option<[Message; 2]> {
    let asked = Request::decode(request.body.as_ref()?.value.as_slice()).ok()?;
    let acceptance = Acceptance {
        accepted_request_message_id: request.id.clone(),
        accepted_request_sequencing_event_id: 1,
        ..Acceptance::default()
    };
    let success = asked.input?.args.map(outcome::Value::Success);
    let response = Response { meta: asked.meta, outcome: Some(Outcome { value: success }) };
    Some([
        message(request, "Acceptance", acceptance.encode_to_vec()),
        message(request, "Response", response.encode_to_vec()),
    ])
}

fn message(request: &Message, kind: &str, value: Vec<u8>) -> Message {
    let mut message = request.clone();
    message.id = format!("{}/{kind}", request.protocol_instance_id);
    message.sequencing_id = None;
    if let Some(body) = &mut message.body {
        body.type_url = format!("type.googleapis.com/temporal.api.update.v1.{kind}");
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
