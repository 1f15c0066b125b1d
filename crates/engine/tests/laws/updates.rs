//! Updates, and what workers say about them.

use api::{
    command::v1::{Command, ProtocolMessageCommandAttributes, command::Attributes},
    common::v1::Payloads,
    protocol::v1::Message,
    update::v1::{Acceptance, Input, Meta, Outcome, Rejection, Request, Response, outcome},
};
use engine::{State, UpdateWorkflow};
use prost::Message as _;
use prost_types::Any;

use crate::{nexus, world::command};

/// A request for one of a few updates; some want to be called back.
pub(crate) fn request(pick: u8) -> UpdateWorkflow {
    let update_id = format!("update-{}", pick % 12);
    UpdateWorkflow {
        request: Box::new(Request {
            meta: Some(Meta { update_id, identity: "client".to_owned() }),
            input: Some(Input { name: "name".to_owned(), ..Default::default() }),
            request_id: format!("request-{}", pick % 16),
            completion_callbacks: (pick & 16 != 0).then(nexus::callback).into_iter().collect(),
            ..Default::default()
        }),
    }
}

/// What a worker says about the updates that it has, and the commands that name the messages.
pub(crate) fn answers(state: &State, pick: u8) -> (Vec<Message>, Vec<Command>) {
    let mut messages = Vec::new();
    let mut commands = Vec::new();
    for (index, (update_id, update)) in state.updates.iter().enumerate() {
        let pick = pick.wrapping_mul(5).wrapping_add(index as u8 * 37);
        let bodies = match (update.is_accepted(), update.sent, pick % 8) {
            (true, _, 0..=3) => vec![response(update_id)],
            (false, true, 0..=1) => vec![acceptance()],
            (false, true, 2..=3) => vec![acceptance(), response(update_id)],
            (false, true, 4..=6) => vec![rejection()],
            (false, false, 7) => vec![response(update_id)],
            _ => Vec::new(),
        };
        for (kind, value) in bodies {
            let id = format!("{update_id}/{kind}");
            let type_url = format!("type.googleapis.com/temporal.api.update.v1.{kind}");
            messages.push(Message {
                id: id.clone(),
                protocol_instance_id: update_id.clone(),
                body: Some(Any { type_url, value }),
                ..Default::default()
            });
            if kind != "Rejection" && pick % 16 != 0 {
                commands.push(command(Attributes::ProtocolMessageCommandAttributes(
                    ProtocolMessageCommandAttributes { message_id: id },
                )));
            }
        }
    }
    (messages, commands)
}

fn acceptance() -> (&'static str, Vec<u8>) {
    let acceptance = Acceptance {
        accepted_request_message_id: "request".to_owned(),
        accepted_request_sequencing_event_id: 1,
        ..Default::default()
    };
    ("Acceptance", acceptance.encode_to_vec())
}

fn rejection() -> (&'static str, Vec<u8>) {
    ("Rejection", Rejection::default().encode_to_vec())
}

fn response(update_id: &str) -> (&'static str, Vec<u8>) {
    let outcome = Outcome { value: Some(outcome::Value::Success(Payloads::default())) };
    let meta = Meta { update_id: update_id.to_owned(), ..Default::default() };
    ("Response", Response { meta: Some(meta), outcome: Some(outcome) }.encode_to_vec())
}
