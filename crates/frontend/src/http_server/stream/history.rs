//! The events of a run, as they come.

use std::collections::VecDeque;

use api::{
    common::v1::WorkflowExecution,
    enums::v1::EventType,
    history::v1::HistoryEvent,
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryResponse,
    },
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::HeaderValue;
use tonic::Status;
use transcoding::query_bytes;

use super::{Open, asked_for, event, first, quiet};
use crate::http_server::call::Failure;

pub(super) const PATH: &str =
    "/temporal.api.workflowservice.v1.WorkflowService/GetWorkflowExecutionHistory";

pub(super) const EVENT: &str = "temporal.api.history.v1.HistoryEvent";

/// Events of one call.
const PAGE: i32 = 256;

/// Servers keep events that are not written, and may never be, to clients of other names.
const CLIENT_NAME: &str = "grpc-metadata-client-name";
const CLIENT_OF_PEOPLE: &str = "temporal-ui";

struct Events {
    open: Open,
    request: GetWorkflowExecutionHistoryRequest,
    /// Events up to this one are known to the browser.
    last: i64,
    pending: VecDeque<Bytes>,
    ended: bool,
}

/// Begins after the event that `Last-Event-ID` or the query names, and ends with the run. With the
/// token of a page that a call has given, what came before that page ended is not read again.
pub(super) async fn open(
    mut open: Open,
    workflow_id: String,
    run_id: String,
    query: &str,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Failure> {
    let named = open.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last = match named {
        Some(text) => text.to_owned(),
        None => asked_for(query, "lastEventId")?,
    };
    let last = match last.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| Status::invalid_argument("Last-Event-ID: no event id"))?,
    };
    open.headers.insert(CLIENT_NAME, HeaderValue::from_static(CLIENT_OF_PEOPLE));
    let token = query_bytes(query, "nextPageToken");
    let token = token.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let mut request = request(&open, workflow_id, run_id);
    request.next_page_token = token.into();
    let mut events = Events { open, request, last, pending: VecDeque::new(), ended: false };
    let answer = first(events.open.call(PATH, &events.request).await)?;
    events.take(answer);
    Ok(stream::unfold(events, |mut events| async move {
        let next = events.next().await?;
        Some((next, events))
    }))
}

/// Asks for the events of a run from the first one on, and waits for those to come.
pub(super) fn request(
    open: &Open,
    workflow_id: String,
    run_id: String,
) -> GetWorkflowExecutionHistoryRequest {
    GetWorkflowExecutionHistoryRequest {
        namespace: open.namespace.clone(),
        execution: Some(WorkflowExecution { workflow_id, run_id }),
        maximum_page_size: PAGE,
        wait_new_event: true,
        skip_archival: true,
        ..GetWorkflowExecutionHistoryRequest::default()
    }
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(event) = self.pending.pop_front() {
            return Some(event);
        }
        if self.ended {
            return None;
        }
        match self.open.call(PATH, &self.request).await? {
            Ok(answer) => self.take(answer),
            Err(failure) => {
                // The browser comes again by itself, after a while and with the last event it has.
                self.ended = true;
                return Some(self.open.failed(&failure));
            }
        }
        Some(self.pending.pop_front().unwrap_or_else(quiet))
    }

    fn take(&mut self, answer: GetWorkflowExecutionHistoryResponse) {
        let events = answer.history.and_then(|history| history.decode_events().ok());
        for one in events.unwrap_or_default() {
            if one.event_id <= self.last {
                continue;
            }
            self.last = one.event_id;
            let data = self.open.json(EVENT, &one);
            self.pending.push_back(event(Some(one.event_id), "history", &data));
            if closes(&one) {
                self.ended = true;
            }
        }
        self.request.next_page_token = answer.next_page_token;
        // Without a token there is nothing to wait for: the run has closed.
        if self.request.next_page_token.is_empty() {
            self.ended = true;
        }
        if self.ended {
            self.pending.push_back(event(None, "end", b"{}"));
        }
    }
}

fn closes(event: &HistoryEvent) -> bool {
    matches!(
        event.event_type(),
        EventType::WorkflowExecutionCompleted
            | EventType::WorkflowExecutionFailed
            | EventType::WorkflowExecutionTimedOut
            | EventType::WorkflowExecutionCanceled
            | EventType::WorkflowExecutionTerminated
            | EventType::WorkflowExecutionContinuedAsNew
    )
}
