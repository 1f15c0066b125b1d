//! Commands of a run to workers.

use api::{
    common::v1::Payload,
    nexus::v1::{Request, StartOperationRequest, request},
    nexusservices::workerservice::v1::ExecuteCommandsRequest,
    worker::v1::{CancelActivityCommand, WorkerCommand, worker_command},
};
use engine::{Outcome, WorkerCommands, WorkerCommandsRef};
use model::Span;
use prost::Message as _;
use token_keys::TokenKeys;

use super::Source;
use crate::{History, HistoryError, RunKey, activity_task_token};

/// How long a worker may take for an answer, as in the reference.
const ANSWER_TIMEOUT: Span = Span::from_secs(10);

/// How often a worker is asked that does not answer, as in the reference.
const ATTEMPTS_MAX: usize = 3;

const SERVICE: &str = "temporal.api.nexusservices.workerservice.v1.WorkerService";
const OPERATION: &str = "ExecuteCommands";

/// Tells a worker what to do. What it answers changes nothing: it carries commands out or has
/// nothing to do with them any more.
pub(super) async fn send(
    history: &History,
    source: &Source,
    task: WorkerCommandsRef,
) -> Result<Option<Outcome>, HistoryError> {
    let Some(commands) = source.state.worker_commands.get(&task.number) else { return Ok(None) };
    for _ in 0..ATTEMPTS_MAX {
        let deadline = history.node.now() + ANSWER_TIMEOUT;
        let queue = commands.control_task_queue.as_str();
        let request = execute_commands(&history.node.token_keys, &source.key, commands);
        let answer = history.ask_nexus_workers(&source.namespace, queue, request, deadline).await?;
        if answer.is_some() {
            break;
        }
    }
    Ok(Some(Outcome::WorkerCommandsSent(task)))
}

fn execute_commands(keys: &TokenKeys, run: &RunKey, commands: &WorkerCommands) -> Request {
    let cancel = |attempt: &engine::CancelledAttempt| {
        let task_token =
            activity_task_token(keys, run, attempt.scheduled_event_id, attempt.attempt);
        let command = CancelActivityCommand { task_token };
        WorkerCommand { r#type: Some(worker_command::Type::CancelActivity(command)) }
    };
    let request =
        ExecuteCommandsRequest { commands: commands.cancelled.iter().map(cancel).collect() };
    let payload = Payload {
        metadata: [("encoding".to_owned(), "binary/protobuf".into())].into(),
        data: request.encode_to_vec().into(),
        ..Payload::default()
    };
    let start = StartOperationRequest {
        service: SERVICE.to_owned(),
        operation: OPERATION.to_owned(),
        payload: Some(payload),
        ..StartOperationRequest::default()
    };
    Request { variant: Some(request::Variant::StartOperation(start)), ..Request::default() }
}
