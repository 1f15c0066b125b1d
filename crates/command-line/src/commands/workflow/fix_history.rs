//! `workflow fix-history-json`: names of events as they are today.

use std::{fs, path::PathBuf};

use clap::Args;
use serde_json::Value;

use crate::{
    context::Context,
    error::{Error, Result},
    proto_json,
};

/// See `workflow fix-history-json`.
#[derive(Debug, Args)]
pub struct FixHistoryJson {
    /// File of a history as JSON.
    #[arg(long, short = 's', value_name = "PATH")]
    source: PathBuf,
    /// File to write; standard output when missing.
    #[arg(long, short = 't', value_name = "PATH")]
    target: Option<PathBuf>,
}

impl FixHistoryJson {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let history = read(&self.source)?;
        let value = proto_json::to_json(&history, false)?;
        match self.target.filter(|path| path.as_os_str() != "-") {
            None => context.output.document(&value),
            Some(path) => {
                let text = format!("{value:#}\n");
                fs::write(&path, text).map_err(|source| Error::File { path, source })
            }
        }
    }
}

/// Reads a history from a file of JSON, names of old versions included.
pub(crate) fn read(path: &PathBuf) -> Result<api::History> {
    let failed = |source| Error::File { path: path.clone(), source };
    let bytes = fs::read(path).map_err(failed)?;
    let wrong = |error: String| Error::usage(format!("`{}`: {error}", path.display()));
    let mut value: Value =
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if let Some(events) = value.get_mut("events").and_then(Value::as_array_mut) {
        for event in events {
            rename(event, true);
        }
    }
    proto_json::from_json(value.to_string().as_bytes()).map_err(wrong)
}

/// Enumerations of which old versions wrote the names in another way.
const RENAMED: &[(&str, &str)] = &[
    ("eventType", "EVENT_TYPE_"),
    ("workflowIdReusePolicy", "WORKFLOW_ID_REUSE_POLICY_"),
    ("parentClosePolicy", "PARENT_CLOSE_POLICY_"),
    ("retryState", "RETRY_STATE_"),
    ("initiator", "CONTINUE_AS_NEW_INITIATOR_"),
    ("timeoutType", "TIMEOUT_TYPE_"),
];

/// Gives enumerations their names of today.
fn rename(value: &mut Value, top: bool) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let prefix = RENAMED.iter().find(|(name, _)| name == key);
                match (prefix, &value) {
                    (Some((_, prefix)), Value::String(name)) if !name.starts_with(prefix) => {
                        *value = format!("{prefix}{}", screaming(name)).into();
                    }
                    // Payloads are the user's.
                    _ if !top && key == "data" => {}
                    _ => rename(value, false),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, false)),
        _ => {}
    }
}

/// `WorkflowTaskStarted` as `WORKFLOW_TASK_STARTED`.
fn screaming(camel: &str) -> String {
    let mut out = String::new();
    for character in camel.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(character.to_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_become_those_of_today() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.json");
        let text = r#"{"events":[{"eventId":"1","eventType":"WorkflowExecutionStarted"},
            {"eventId":"2","eventType":"EVENT_TYPE_TIMER_FIRED"}]}"#;
        fs::write(&path, text).unwrap();
        let history = read(&path).unwrap();
        let types: Vec<_> = history.events.iter().map(|event| event.event_type).collect();
        assert_eq!(types, [1, 18]);
    }
}
