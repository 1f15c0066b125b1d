//! A completion that arrives by callback.

use api::common::v1::Link;

use super::attempt::{NexusOperationEnd, close, start};
use crate::{Rejection, Reply, draft::Draft};

/// See [`crate::Input::CompleteNexusOperation`].
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteNexusOperation {
    /// The event that scheduled the operation.
    pub scheduled_event_id: i64,
    /// The id of the request that started it.
    pub request_id: String,
    /// What the handler calls it. Needed when the completion overtakes the answer to the start.
    pub operation_token: String,
    /// Links to what the handler did.
    pub links: Vec<Link>,
    /// How it ended.
    pub end: NexusOperationEnd,
}

pub(crate) fn complete(
    draft: &mut Draft<'_>,
    completion: CompleteNexusOperation,
) -> Result<Reply, Rejection> {
    let CompleteNexusOperation { scheduled_event_id, request_id, operation_token, links, end } =
        completion;
    if !draft.state().is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    let found = draft.state().nexus_operations.get(&scheduled_event_id);
    let is_started = found
        .filter(|operation| operation.request_id() == request_id)
        .map(|operation| operation.is_started())
        .ok_or(Rejection::NexusOperationNotFound)?;
    if !is_started {
        start(draft, scheduled_event_id, operation_token, links);
    }
    close(draft, scheduled_event_id, end);
    Ok(Reply::Done)
}
