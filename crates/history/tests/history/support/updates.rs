//! How the scripted workers answer updates: as the update's name says.

use api::{
    command::v1::{Command, ProtocolMessageCommandAttributes, command::Attributes},
    enums::v1::{CommandType, EventType},
    failure::v1::Failure,
    history::v1::{HistoryEvent, history_event},
    protocol::v1::Message,
    update::v1::{Acceptance, Input, Meta, Outcome, Rejection, Request, Response, outcome},
};
use engine::StartedWorkflowTask;
use history::{Execution, HistoryError, UpdateRequest, UpdateStage, UpdateStatus};
use prost::Message as _;
use prost_types::Any;

use super::{
    Node,
    worker::{command, payloads},
};

impl Node {
    /// Asks for an update: `reject`, `ignore`, `accept` (answered after a signal), or any name.
    pub(crate) async fn update(
        &self,
        update_id: &str,
        name: &str,
        wait_stage: UpdateStage,
    ) -> Result<UpdateStatus, HistoryError> {
        let request = update_request(update_id, name, wait_stage);
        let execution = Execution::current("workflow");
        self.history.update_workflow(&self.permit, &self.namespace, &execution, request).await
    }

    pub(crate) async fn poll_update(
        &self,
        update_id: &str,
        wait_stage: Option<UpdateStage>,
    ) -> Result<UpdateStatus, HistoryError> {
        let execution = Execution::current("workflow");
        let (permit, namespace) = (&self.permit, &self.namespace);
        self.history.poll_update(permit, namespace, &execution, update_id, wait_stage, None).await
    }
}

pub(crate) fn update_request(
    update_id: &str,
    name: &str,
    wait_stage: UpdateStage,
) -> UpdateRequest {
    UpdateRequest {
        request: Request {
            meta: Some(Meta { update_id: update_id.to_owned(), ..Default::default() }),
            input: Some(Input { name: name.to_owned(), ..Default::default() }),
            ..Default::default()
        },
        first_execution_run_id: String::new(),
        wait_stage,
        deadline: None,
    }
}

pub(crate) fn success() -> Option<Outcome> {
    Some(Outcome { value: Some(outcome::Value::Success(payloads("updated"))) })
}

/// The messages that answer a task, and the commands that name them.
pub(super) fn answers(
    task: &StartedWorkflowTask,
    history: &[HistoryEvent],
) -> (Vec<Message>, Vec<Command>) {
    let mut messages = Vec::new();
    for request in &task.messages {
        let update_id = &request.protocol_instance_id;
        let body = request.body.clone().unwrap();
        let asked = Request::decode(body.value.as_slice()).unwrap();
        let acceptance = Acceptance {
            accepted_request_message_id: request.id.clone(),
            accepted_request_sequencing_event_id: 1,
            ..Default::default()
        };
        let acceptance = message(update_id, "Acceptance", acceptance.encode_to_vec());
        match asked.input.unwrap().name.as_str() {
            "ignore" => {}
            "reject" => {
                let failure = Failure { message: "no".to_owned(), ..Default::default() };
                let rejection = Rejection { failure: Some(failure), ..Default::default() };
                messages.push(message(update_id, "Rejection", rejection.encode_to_vec()));
            }
            "accept" => messages.push(acceptance),
            _ => messages.extend([acceptance, response(update_id)]),
        }
    }
    let signals = history
        .iter()
        .filter(|event| event.event_type() == EventType::WorkflowExecutionSignaled)
        .count();
    if signals == 1 {
        messages.extend(waiting(history).iter().map(|update_id| response(update_id)));
    }
    let commands = messages
        .iter()
        .filter(|message| !message.id.ends_with("Rejection"))
        .map(|message| {
            let message_id = message.id.clone();
            command(
                CommandType::ProtocolMessage,
                Attributes::ProtocolMessageCommandAttributes(ProtocolMessageCommandAttributes {
                    message_id,
                }),
            )
        })
        .collect();
    (messages, commands)
}

/// Accepted updates that have no outcome.
fn waiting(history: &[HistoryEvent]) -> Vec<String> {
    use history_event::Attributes as Event;
    let mut waiting = Vec::new();
    for event in history {
        match event.attributes.as_ref().unwrap() {
            Event::WorkflowExecutionUpdateAcceptedEventAttributes(accepted) => {
                waiting.push(accepted.protocol_instance_id.clone());
            }
            Event::WorkflowExecutionUpdateCompletedEventAttributes(completed) => {
                waiting.retain(|id| *id != completed.meta.as_ref().unwrap().update_id);
            }
            _ => {}
        }
    }
    waiting
}

fn response(update_id: &str) -> Message {
    let meta = Meta { update_id: update_id.to_owned(), ..Default::default() };
    let response = Response { meta: Some(meta), outcome: success() };
    message(update_id, "Response", response.encode_to_vec())
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
