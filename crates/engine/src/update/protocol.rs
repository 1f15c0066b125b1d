//! What a worker says about updates when it answers a workflow task.

use api::{
    command::v1::ProtocolMessageCommandAttributes,
    enums::v1::WorkflowTaskFailedCause,
    failure::v1::Failure,
    history::v1::{
        WorkflowExecutionUpdateAcceptedEventAttributes,
        WorkflowExecutionUpdateCompletedEventAttributes, history_event::Attributes,
    },
    protocol::v1::Message,
    update::v1::{Acceptance, Rejection, Request, Response},
};
use prost::Message as _;

use crate::{
    Mutation, Shared, UpdateAdmitted, UpdateNotice, UpdateProgress, UpdatesDropped, callback,
    commands::{CommandError, CommandScope},
    draft::{Draft, EventExtras},
};

use super::{admit::check_total, callbacks, failed, messages::message_id, unprocessed};

const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadUpdateWorkflowExecutionMessage;
const PROTOCOL: &str = "temporal.api.update.v1";

/// The message, decoded.
enum Body {
    Acceptance(Acceptance),
    Rejection(Rejection),
    Response(Response),
}

impl Body {
    /// As error texts name it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Acceptance(_) => "*update.Acceptance",
            Self::Rejection(_) => "*update.Rejection",
            Self::Response(_) => "*update.Response",
        }
    }
}

/// The command that says when a message takes its effect among the other commands.
pub(crate) fn command(
    draft: &mut Draft<'_>,
    scope: &mut CommandScope,
    command: &ProtocolMessageCommandAttributes,
) -> Result<(), CommandError> {
    if command.message_id.is_empty() {
        return Err(bad("MessageID is not set on ProtocolMessageCommand."));
    }
    let position = scope.messages.iter().position(|message| message.id == command.message_id);
    let Some(position) = position else {
        return Err(bad(format!(
            "ProtocolMessageCommand referenced absent message ID {}",
            command.message_id
        )));
    };
    let message = scope.messages.remove(position);
    handle_message(draft, scope, message)
}

/// Takes what a worker says about one update.
pub(crate) fn handle_message(
    draft: &mut Draft<'_>,
    scope: &mut CommandScope,
    message: Message,
) -> Result<(), CommandError> {
    let update_id = message.protocol_instance_id;
    let body = message.body.unwrap_or_default();
    let name = message_name(&body.type_url);
    scope.check_blob(BAD, &format!("Message type {name}"), body.encoded_len())?;
    let body = decode(name, &body.value)?;
    if scope.rejected_updates.contains(&update_id) {
        return Err(illegal(&update_id, &body, "ProvisionallyCompleted"));
    }
    if let Some(event_id) = draft.state().completed_update(&update_id) {
        let just_now = event_id > scope.completed_event_id;
        let state = if just_now { "ProvisionallyCompleted" } else { "Completed" };
        return Err(illegal(&update_id, &body, state));
    }
    if !draft.state().updates.contains_key(&update_id) {
        resurrect(draft, &update_id, &body)?;
    }
    let is_rejection = matches!(body, Body::Rejection(_));
    if !draft.state().is_running() && !is_rejection {
        // The run's end settles it.
        return Ok(());
    }
    match body {
        Body::Acceptance(ref acceptance) => {
            expect_unaccepted(draft, scope, &update_id, &body)?;
            accept(draft, update_id, acceptance)
        }
        Body::Rejection(ref rejection) => {
            expect_unaccepted(draft, scope, &update_id, &body)?;
            reject(draft, &update_id, rejection.failure.clone().unwrap_or_default());
            scope.rejected_updates.insert(update_id);
            Ok(())
        }
        Body::Response(response) => respond(draft, &update_id, response),
    }
}

fn decode(name: &str, bytes: &[u8]) -> Result<Body, CommandError> {
    let unreadable = |error| bad(format!("unable to unmarshal request: {error}"));
    let (protocol, kind) = name.rsplit_once('.').unwrap_or(("", name));
    if protocol != PROTOCOL {
        return Err(bad(format!("unsupported protocol type {protocol}")));
    }
    match kind {
        "Acceptance" => Acceptance::decode(bytes).map(Body::Acceptance).map_err(unreadable),
        "Rejection" => Rejection::decode(bytes).map(Body::Rejection).map_err(unreadable),
        "Response" => Response::decode(bytes).map(Body::Response).map_err(unreadable),
        other => Err(bad(format!("Message type *update.{other} not supported"))),
    }
}

/// The server has lost the update, but its worker says what it was.
fn resurrect(draft: &mut Draft<'_>, update_id: &str, body: &Body) -> Result<(), CommandError> {
    let request: Option<&Request> = match body {
        Body::Acceptance(acceptance) => acceptance.accepted_request.as_ref(),
        Body::Rejection(rejection) => rejection.rejected_request.as_ref(),
        Body::Response(_) => None,
    };
    check_total(draft.state(), draft.context().limits.updates_per_run_max).map_err(bad)?;
    let Some(request) = request else {
        return Err(bad(format!(
            "update {update_id} wasn't found on the server. This is most likely a transient error \
             which will be resolved automatically by retries"
        )));
    };
    callback::check_total(draft, request.completion_callbacks.len())
        .map_err(|rejection| bad(rejection.to_string()))?;
    draft.mutate(Mutation::UpdateAdmitted(UpdateAdmitted {
        update_id: update_id.to_owned(),
        request: Some(Shared::new(request.clone())),
    }));
    Ok(())
}

fn expect_unaccepted(
    draft: &Draft<'_>,
    scope: &CommandScope,
    update_id: &str,
    body: &Body,
) -> Result<(), CommandError> {
    match draft.state().updates.get(update_id) {
        Some(update) if update.is_accepted() => {
            let just_now = update.accepted_event_id > scope.completed_event_id;
            let state = if just_now { "ProvisionallyAccepted" } else { "Accepted" };
            Err(illegal(update_id, body, state))
        }
        _ => Ok(()),
    }
}

fn accept(
    draft: &mut Draft<'_>,
    update_id: String,
    acceptance: &Acceptance,
) -> Result<(), CommandError> {
    for (is_set, field) in [
        (
            acceptance.accepted_request_sequencing_event_id != 0,
            "accepted_request_sequencing_event_id",
        ),
        (!acceptance.accepted_request_message_id.is_empty(), "accepted_request_message_id"),
    ] {
        if !is_set {
            return Err(bad(format!("invalid *update.Acceptance: {field} is not set")));
        }
    }
    let update = draft.state().updates.get(&update_id);
    let request = update.and_then(|update| update.request.as_deref());
    let joined = update.map(|update| update.joined.clone()).unwrap_or_default();
    let links = request.map(callbacks::links).unwrap_or_default();
    let attributes = WorkflowExecutionUpdateAcceptedEventAttributes {
        protocol_instance_id: update_id.clone(),
        accepted_request_message_id: message_id(&update_id),
        accepted_request_sequencing_event_id: acceptance.accepted_request_sequencing_event_id,
        accepted_request: request.cloned(),
    };
    draft.event_with(
        Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(attributes),
        EventExtras { links, ..EventExtras::default() },
    );
    callbacks::write_joined(draft, &joined);
    draft.notice(UpdateNotice { update_id, progress: UpdateProgress::Accepted });
    Ok(())
}

fn respond(draft: &mut Draft<'_>, update_id: &str, response: Response) -> Result<(), CommandError> {
    let update = draft.state().updates.get(update_id);
    let accepted = update.filter(|update| update.is_accepted());
    let Some(accepted_event_id) = accepted.map(|update| update.accepted_event_id) else {
        let sent = update.is_some_and(|update| update.sent);
        let state = if sent { "Sent" } else { "Admitted" };
        return Err(illegal(update_id, &Body::Response(response), state));
    };
    let refuse = |text: String| bad(format!("invalid *update.Response: {text}"));
    let Some(meta) = response.meta else { return Err(refuse("meta is not set".to_owned())) };
    if meta.update_id.is_empty() {
        return Err(refuse("meta.update_id is not set".to_owned()));
    }
    if meta.update_id != update_id {
        return Err(refuse(format!("meta.update_id != {update_id}")));
    }
    let Some(outcome) = response.outcome else {
        return Err(refuse("outcome is not set".to_owned()));
    };
    let attributes = WorkflowExecutionUpdateCompletedEventAttributes {
        meta: Some(meta),
        accepted_event_id,
        outcome: Some(outcome.clone()),
    };
    draft.event(Attributes::WorkflowExecutionUpdateCompletedEventAttributes(attributes));
    callback::emit_of_update(draft, update_id, |known| known.rejection.is_none());
    let progress = UpdateProgress::Completed(outcome);
    draft.notice(UpdateNotice { update_id: update_id.to_owned(), progress });
    Ok(())
}

fn reject(draft: &mut Draft<'_>, update_id: &str, failure: Failure) {
    let is_durable = draft.state().updates.get(update_id).is_some_and(|update| update.is_durable());
    let is_watched = callbacks::is_watched(draft.state(), update_id);
    let dropped = UpdatesDropped {
        update_ids: vec![update_id.to_owned()],
        rejection: is_watched.then(|| Shared::new(failure.clone())),
    };
    draft.mutate(if is_durable {
        Mutation::AdmittedUpdatesDropped(dropped)
    } else {
        Mutation::UpdatesDropped(dropped)
    });
    if is_watched {
        callback::emit_of_update(draft, update_id, |_| true);
    }
    let progress = UpdateProgress::Completed(failed(failure));
    draft.notice(UpdateNotice { update_id: update_id.to_owned(), progress });
}

/// Rejects what the worker got and said nothing about: it would get it again and again.
pub(crate) fn reject_unanswered(draft: &mut Draft<'_>) {
    let updates = draft.state().updates.iter();
    let unanswered: Vec<String> = updates
        .filter(|(_, update)| update.sent && !update.is_accepted())
        .map(|(update_id, _)| update_id.clone())
        .collect();
    for update_id in unanswered {
        reject(draft, &update_id, unprocessed());
    }
}

/// True for a message that leaves no event.
pub(crate) fn is_rejection(message: &Message) -> bool {
    let type_url = message.body.as_ref().map_or("", |body| &body.type_url);
    message_name(type_url) == "temporal.api.update.v1.Rejection"
}

fn message_name(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}

fn illegal(update_id: &str, body: &Body, state: &str) -> CommandError {
    let name = body.name();
    bad(format!(
        "invalid state transition attempted for Update {update_id}: received {name} message while \
         in state {state}"
    ))
}

fn bad(text: impl Into<String>) -> CommandError {
    CommandError::new(BAD, text)
}
