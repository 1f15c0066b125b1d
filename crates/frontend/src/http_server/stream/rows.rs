//! The rows of a list of workflows, as they change.

use std::collections::HashMap;

use api::{
    workflow::v1::WorkflowExecutionInfo,
    workflowservice::v1::{ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse},
};
use bytes::Bytes;
use futures_util::Stream;
use prost::Message;
use serde_json::{Value, json};
use tonic::Status;

use super::{
    Open, asked_for, event,
    watch::{self, Seen},
};
use crate::http_server::call::Failure;

const PATH: &str = "/temporal.api.workflowservice.v1.WorkflowService/ListWorkflowExecutions";

const ROW: &str = "temporal.api.workflow.v1.WorkflowExecutionInfo";

/// Rows that are looked at: the first ones.
const ROWS: i32 = 100;
const ROWS_MAX: i32 = 200;

#[derive(Default)]
struct Rows {
    /// What the browser has been told of each run, by workflow and run id.
    known: HashMap<(String, String), Vec<u8>>,
    begun: bool,
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
    watch::open(open, PATH, request.encode_to_vec(), Rows::default()).await
}

impl Seen for Rows {
    fn take(&mut self, open: &Open, answer: Bytes) -> Option<Bytes> {
        let answer = ListWorkflowExecutionsResponse::decode(answer).ok()?;
        let before = std::mem::take(&mut self.known);
        let mut changed = Vec::new();
        for row in answer.executions {
            let (key, text) = (key(&row), open.json(ROW, &row));
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
        let is_first = !std::mem::replace(&mut self.begun, true);
        if !is_first && changed.is_empty() && gone.is_empty() {
            return None;
        }
        let data = json!({ "executions": changed, "gone": gone }).to_string();
        Some(event(None, "rows", data.as_bytes()))
    }
}

fn key(row: &WorkflowExecutionInfo) -> (String, String) {
    let execution = row.execution.clone().unwrap_or_default();
    (execution.workflow_id, execution.run_id)
}
