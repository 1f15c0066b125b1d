//! What the settings of a web UI forbid is refused by its API, too.

use api::workflowservice::v1::{
    StartBatchOperationRequest, start_batch_operation_request::Operation,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use prost::Message as _;
use web_ui::Settings;

use super::{Answer, Face};

/// What the reference's UI server says.
const BODY: &[u8] = b"{\"message\":\"Method Not Allowed\"}\n";

/// Whether a call may not be made here. `message` is its message, as far as it is known: an
/// operation on many workflows is forbidden where the same on one of them is.
pub(super) fn is_forbidden(
    face: &Face,
    method: &Method,
    path: Option<&str>,
    message: &[u8],
) -> bool {
    let Some(settings) = face.site().map(|site| site.settings()) else { return false };
    let rpc = path.and_then(|path| path.rsplit('/').next());
    settings.forbid(method, rpc)
        || (rpc == Some("StartBatchOperation") && is_batch_forbidden(settings, method, message))
}

fn is_batch_forbidden(settings: &Settings, method: &Method, message: &[u8]) -> bool {
    let operation = StartBatchOperationRequest::decode(message).ok();
    let of_one = match operation.and_then(|request| request.operation) {
        Some(Operation::TerminationOperation(_)) => "TerminateWorkflowExecution",
        Some(Operation::SignalOperation(_)) => "SignalWorkflowExecution",
        Some(Operation::CancellationOperation(_)) => "RequestCancelWorkflowExecution",
        Some(Operation::ResetOperation(_)) => "ResetWorkflowExecution",
        Some(
            Operation::UnpauseActivitiesOperation(_)
            | Operation::ResetActivitiesOperation(_)
            | Operation::UpdateActivityOptionsOperation(_)
            | Operation::CancelActivitiesOperation(_)
            | Operation::TerminateActivitiesOperation(_),
        ) => "PauseActivity",
        _ => return false,
    };
    settings.forbid(method, Some(of_one))
}

/// The refusal, as the reference's UI server words it.
pub(super) fn refusal() -> Answer {
    let mut answer = Response::new(Bytes::from_static(BODY));
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
