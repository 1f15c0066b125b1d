//! The rows of a list, as they change.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use api::{
    workflow::v1::WorkflowExecutionInfo,
    workflowservice::v1::{ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tonic::Status;

use super::{Open, asked_for, event, first, passes, quiet};
use crate::http_server::call::Failure;

const PATH: &str = "/temporal.api.workflowservice.v1.WorkflowService/ListWorkflowExecutions";

const ROW: &str = "temporal.api.workflow.v1.WorkflowExecutionInfo";

/// Between two looks at the list.
const INTERVAL: Duration = Duration::from_secs(2);

/// After a look that was refused because there were too many.
const PAUSE: Duration = Duration::from_secs(10);

/// Rows that are looked at: the first ones.
const ROWS: i32 = 100;
const ROWS_MAX: i32 = 200;

/// After so many looks at which nothing was new, something is sent all the same.
const QUIET_LOOKS_MAX: u32 = 7;

struct Rows {
    open: Open,
    request: ListWorkflowExecutionsRequest,
    /// What the browser has been told of each run, by workflow and run id.
    known: HashMap<(String, String), Vec<u8>>,
    pending: VecDeque<Bytes>,
    wait: Duration,
    begun: bool,
    ended: bool,
}

/// The first rows that a query finds: all of them, and then those that are new, changed or gone.
pub(super) async fn open(
    open: Open,
    query: &str,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Failure> {
    let page_size = match asked_for(query, "pageSize")?.as_str() {
        "" => ROWS,
        text => text.parse().map_err(|_| Status::invalid_argument("pageSize: no number"))?,
    };
    let request = ListWorkflowExecutionsRequest {
        namespace: open.namespace.clone(),
        page_size: page_size.clamp(1, ROWS_MAX),
        query: asked_for(query, "query")?,
        ..ListWorkflowExecutionsRequest::default()
    };
    let (known, pending) = (HashMap::new(), VecDeque::new());
    let (wait, begun, ended) = (INTERVAL, false, false);
    let mut rows = Rows { open, request, known, pending, wait, begun, ended };
    let answer = first(rows.open.call(PATH, &rows.request).await)?;
    rows.take(answer);
    Ok(stream::unfold(rows, |mut rows| async move {
        let next = rows.next().await?;
        Some((next, rows))
    }))
}

impl Rows {
    async fn next(&mut self) -> Option<Bytes> {
        for _ in 0..QUIET_LOOKS_MAX {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            tokio::select! {
                biased;
                () = self.open.asked.draining.cancelled() => return None,
                () = tokio::time::sleep(self.wait) => {}
            }
            match self.open.call(PATH, &self.request).await? {
                Ok(answer) => {
                    self.wait = INTERVAL;
                    self.take(answer);
                }
                Err(failure) if passes(&failure) => self.wait = PAUSE,
                Err(failure) => {
                    self.ended = true;
                    return Some(self.open.failed(&failure));
                }
            }
        }
        Some(self.pending.pop_front().unwrap_or_else(quiet))
    }

    fn take(&mut self, answer: ListWorkflowExecutionsResponse) {
        let before = std::mem::take(&mut self.known);
        let mut changed = Vec::new();
        for row in answer.executions {
            let (key, text) = (key(&row), self.open.json(ROW, &row));
            if before.get(&key) != Some(&text) {
                changed.push(serde_json::from_slice(&text).unwrap_or(Value::Null));
            }
            self.known.insert(key, text);
        }
        let gone: Vec<Value> = before
            .into_keys()
            .filter(|key| !self.known.contains_key(key))
            .map(|(workflow_id, run_id)| json!({ "workflowId": workflow_id, "runId": run_id }))
            .collect();
        if !std::mem::replace(&mut self.begun, true) || !changed.is_empty() || !gone.is_empty() {
            let data = json!({ "executions": changed, "gone": gone }).to_string();
            self.pending.push_back(event(None, "rows", data.as_bytes()));
        }
    }
}

fn key(row: &WorkflowExecutionInfo) -> (String, String) {
    let execution = row.execution.clone().unwrap_or_default();
    (execution.workflow_id, execution.run_id)
}
