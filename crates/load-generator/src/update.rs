//! The update of a scenario: what is sent, and how a worker answers it.

use api::{
    command::v1::{
        Command, ProtocolMessageCommandAttributes, command::Attributes as CommandAttributes,
    },
    enums::v1::{CommandType, UpdateWorkflowExecutionLifecycleStage},
    protocol::v1::{Message, message::SequencingId},
    update::v1::{Acceptance, Input, Meta, Outcome, Request, Response, WaitPolicy, outcome},
    workflowservice::v1::UpdateWorkflowExecutionRequest,
};
use prost::Message as _;
use prost_types::Any;

use crate::{
    client::{IDENTITY, NAMESPACE},
    payload,
    starter::Started,
};

/// The update that the workflow waits for.
pub const NAME: &str = "add";

/// An update as its worker got it.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) number: u64,
    id: String,
    request: String,
    after_event_id: i64,
}

impl Update {
    /// Reads an update; none when it is not what [`request`] sends.
    pub(crate) fn read(message: &Message) -> Option<Self> {
        let asked = Request::decode(message.body.as_ref()?.value.as_slice()).ok()?;
        let Some(SequencingId::EventId(after_event_id)) = message.sequencing_id else {
            return None;
        };
        Some(Self {
            number: payload::decode(asked.input?.args.as_ref())?,
            id: message.protocol_instance_id.clone(),
            request: message.id.clone(),
            after_event_id,
        })
    }

    /// The acceptance, and the outcome with this number.
    pub(crate) fn answer(&self, number: u64) -> Vec<Message> {
        let acceptance = Acceptance {
            accepted_request_message_id: self.request.clone(),
            accepted_request_sequencing_event_id: self.after_event_id,
            ..Default::default()
        };
        let success = payload::encode(number).map(outcome::Value::Success);
        let response = Response {
            meta: Some(Meta { update_id: self.id.clone(), identity: IDENTITY.to_owned() }),
            outcome: Some(Outcome { value: success }),
        };
        vec![
            self.message("Acceptance", acceptance.encode_to_vec()),
            self.message("Response", response.encode_to_vec()),
        ]
    }

    /// The commands that say that both take effect before what follows.
    pub(crate) fn commands(&self) -> Vec<Command> {
        ["Acceptance", "Response"].map(|kind| self.command(kind)).into()
    }

    fn message(&self, kind: &str, value: Vec<u8>) -> Message {
        let type_url = format!("type.googleapis.com/temporal.api.update.v1.{kind}");
        Message {
            id: format!("{}/{kind}", self.id),
            protocol_instance_id: self.id.clone(),
            body: Some(Any { type_url, value }),
            ..Default::default()
        }
    }

    fn command(&self, kind: &str) -> Command {
        let message_id = format!("{}/{kind}", self.id);
        let attributes = ProtocolMessageCommandAttributes { message_id };
        Command {
            command_type: CommandType::ProtocolMessage.into(),
            attributes: Some(CommandAttributes::ProtocolMessageCommandAttributes(attributes)),
            ..Default::default()
        }
    }
}

/// The call that asks for the n-th update, to add this value, and waits for its outcome.
pub(crate) fn request(
    started: &Started,
    number: u64,
    value: u64,
) -> UpdateWorkflowExecutionRequest {
    let update_id = format!("{}-{number}", started.execution.workflow_id);
    let stage = UpdateWorkflowExecutionLifecycleStage::Completed;
    UpdateWorkflowExecutionRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_execution: Some(started.execution.clone()),
        wait_policy: Some(WaitPolicy { lifecycle_stage: stage.into() }),
        request: Some(Request {
            // A repeated call must find the update of the first one.
            meta: Some(Meta { update_id, identity: IDENTITY.to_owned() }),
            input: Some(Input {
                name: NAME.to_owned(),
                args: payload::encode(value),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The number of an outcome; none for a failure.
pub(crate) fn number(outcome: Option<&Outcome>) -> Option<u64> {
    match outcome?.value.as_ref()? {
        outcome::Value::Success(payloads) => payload::decode(Some(payloads)),
        outcome::Value::Failure(_) => None,
    }
}
