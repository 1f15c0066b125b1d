//! `history export`: a history as a file that other programs can replay.

use std::path::PathBuf;

use api::{common::v1::WorkflowExecution, workflowservice::v1::DescribeWorkflowExecutionRequest};
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{target::WorkflowReference, workflow::all_events};
use crate::{
    context::Context,
    error::{Error, Result},
    private_file, proto_json,
};

/// Commands about histories.
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// Write a history as JSON, which replayers of SDKs read.
    Export(Export),
}

impl HistoryCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let Self::Export(command) = self;
        command.run(context).await
    }
}

/// See `history export`.
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Leave out what users wrote: of each payload, only its encoding and its size stay; messages
    /// and stack traces of failures, identities, summaries and reasons go.
    #[arg(long)]
    redact: bool,
    /// File to write, readable by its owner only; standard output when missing.
    #[arg(long, short = 't', value_name = "PATH")]
    target: Option<PathBuf>,
}

impl Export {
    async fn run(self, context: &mut Context) -> Result {
        let execution = self.workflow.execution().unwrap_or_default();
        if context.output.shows_progress() {
            let total = length(context, &execution).await;
            context.begin("reading the history", total);
        }
        let events = all_events(context, execution).await?;
        context.end();
        let count = events.len();
        let mut value = proto_json::to_json(&api::History { events }, false)?;
        if self.redact {
            redact(&mut value);
        }
        let Some(path) = self.target else { return context.output.document(&value) };
        let text = format!("{value:#}\n");
        private_file::write(&path, text.as_bytes())
            .map_err(|source| Error::File { path: path.clone(), source })?;
        context.output.line(&format!("{count} events in {}", path.display()))
    }
}

/// How many events there are, if the server says so.
async fn length(context: &mut Context, execution: &WorkflowExecution) -> Option<u64> {
    let request = DescribeWorkflowExecutionRequest {
        namespace: context.namespace(),
        execution: Some(execution.clone()),
    };
    let answer = context.try_call(request).await.ok()?.ok()?;
    answer.workflow_execution_info?.history_length.try_into().ok()
}

/// Texts that people wrote, or that tell who they are.
const TEXTS: &[&str] = &["message", "stackTrace", "identity", "reason", "principal"];

/// Takes away what users wrote.
fn redact(value: &mut Value) {
    match value {
        Value::Object(object) if is_payload(object) => {
            let size = object
                .get("data")
                .and_then(Value::as_str)
                .and_then(|data| BASE64_STANDARD.decode(data).ok())
                .map_or(0, |data| data.len());
            let kind = object.get("metadata").and_then(|all| all.get("encoding")).cloned();
            // Still a payload of JSON, so that the file can be read.
            let text = BASE64_STANDARD.encode(format!("\"<redacted: {size} bytes>\""));
            let mut metadata = json!({ "encoding": BASE64_STANDARD.encode("json/plain") });
            if let (Some(kind), Value::Object(metadata)) = (kind, &mut metadata) {
                metadata.insert("redacted-encoding".to_owned(), kind);
            }
            *object = [("metadata".to_owned(), metadata), ("data".to_owned(), text.into())]
                .into_iter()
                .collect();
        }
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if TEXTS.contains(&key.as_str()) => {
                        "<redacted>".clone_into(text);
                    }
                    value => redact(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        _ => {}
    }
}

/// True for what has the fields of a payload and no others.
fn is_payload(object: &serde_json::Map<String, Value>) -> bool {
    object.contains_key("metadata")
        && object.keys().all(|key| ["metadata", "data", "externalPayloads"].contains(&key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_wrote_is_gone_and_the_rest_stays() {
        let secret = BASE64_STANDARD.encode("\"secret\"");
        let encoding = BASE64_STANDARD.encode("binary/plain");
        let mut value = json!({"events": [{
            "eventId": "1",
            "a": {
                "identity": "me@host",
                "workflowId": "w",
                "input": {"payloads": [{"metadata": {"encoding": encoding}, "data": secret}]},
                "failure": {"message": "secret", "cause": {"message": "secret"}},
            },
        }]});
        redact(&mut value);
        let text = value.to_string();
        assert!(!text.contains("secret") && !text.contains(&secret), "{text}");
        assert!(!text.contains("me@host"), "{text}");
        assert_eq!(value["events"][0]["eventId"], "1");
        assert_eq!(value["events"][0]["a"]["workflowId"], "w");
        let payload = &value["events"][0]["a"]["input"]["payloads"][0];
        assert_eq!(payload["metadata"]["redacted-encoding"], json!(encoding));
        let data = BASE64_STANDARD.decode(payload["data"].as_str().unwrap()).unwrap();
        assert_eq!(data, b"\"<redacted: 8 bytes>\"");
    }
}
