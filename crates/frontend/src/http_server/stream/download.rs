//! A whole history as one document, as the reference's UI server gives it.

use std::collections::VecDeque;

use api::workflowservice::v1::{
    GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryResponse,
};
use bytes::Bytes;
use futures_util::{Stream, stream};

use super::{
    Open, first,
    history::{EVENT, PATH, request},
};
use crate::http_server::call::Failure;

struct Document {
    open: Open,
    request: GetWorkflowExecutionHistoryRequest,
    pending: VecDeque<Bytes>,
    written: bool,
    ended: bool,
}

/// The document, page by page. One that cannot be finished breaks off, and is no JSON then.
pub(super) async fn open(
    open: Open,
    workflow_id: String,
    run_id: String,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Failure> {
    let request = request(&open, workflow_id, run_id);
    let request = GetWorkflowExecutionHistoryRequest { wait_new_event: false, ..request };
    let pending = VecDeque::from([Bytes::from_static(b"{\"events\":[")]);
    let mut document = Document { open, request, pending, written: false, ended: false };
    let answer = first(document.open.call(PATH, &document.request).await)?;
    document.take(answer);
    Ok(stream::unfold(document, |mut document| async move {
        let next = document.next().await?;
        Some((next, document))
    }))
}

impl Document {
    async fn next(&mut self) -> Option<Bytes> {
        while self.pending.is_empty() && !self.ended {
            let answer = self.open.call(PATH, &self.request).await?.ok()?;
            self.take(answer);
        }
        self.pending.pop_front()
    }

    fn take(&mut self, answer: GetWorkflowExecutionHistoryResponse) {
        let events = answer.history.and_then(|history| history.decode_events().ok());
        for one in events.unwrap_or_default() {
            let mut text = if self.written { vec![b','] } else { Vec::new() };
            text.extend_from_slice(&self.open.json(EVENT, &one));
            self.pending.push_back(text.into());
            self.written = true;
        }
        self.request.next_page_token = answer.next_page_token;
        if self.request.next_page_token.is_empty() {
            self.ended = true;
            self.pending.push_back(Bytes::from_static(b"]}"));
        }
    }
}
