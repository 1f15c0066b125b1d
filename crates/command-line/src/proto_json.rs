//! Messages of the API as JSON, as commands print and read them.

use api::common::v1::{Payload, Payloads};
use prost::Message;
use prost_reflect::DynamicMessage;
use serde_json::Value;
use transcoding::Form;

use crate::error::{Error, Result};

/// A message whose name in the API's description is known.
pub(crate) trait Named: Message + Default {
    const NAME: &'static str;
}

macro_rules! named {
    ($($package:literal $module:ident: $($message:ident)*;)*) => {
        $($(impl Named for modules::$module::$message {
            const NAME: &'static str = concat!("temporal.api.", $package, ".v1.", stringify!($message));
        })*)*
    };
}

mod modules {
    pub(crate) use api::{
        common::v1 as common, failure::v1 as failure, history::v1 as history, nexus::v1 as nexus,
        sdk::v1 as sdk, taskqueue::v1 as taskqueue, workflow::v1 as workflow,
    };
}

named! {
    "common" common: Payload Payloads;
    "failure" failure: Failure;
    "history" history: HistoryEvent;
    "nexus" nexus: Endpoint;
    "sdk" sdk: WorkflowMetadata;
    "taskqueue" taskqueue: TaskQueueConfig;
    "workflow" workflow: WorkflowExecutionInfo;
}

impl Named for api::History {
    const NAME: &'static str = "temporal.api.history.v1.History";
}

/// A message of the type `name` that knows its fields.
pub(crate) fn read(name: &str, message: &[u8]) -> Result<DynamicMessage> {
    let descriptor = transcoding::descriptor(name).map_err(senseless)?;
    DynamicMessage::decode(descriptor, message).map_err(senseless)
}

/// A message as JSON. With `shorthand`, payloads of JSON are the values in them.
pub(crate) fn to_json<M: Named>(message: &M, shorthand: bool) -> Result<Value> {
    let form = Form { pretty: false, shorthand, bare_null: true };
    transcoding::value(M::NAME, &message.encode_to_vec(), form).map_err(senseless)
}

/// Reads a message from JSON; unknown fields are passed over.
pub(crate) fn from_json<M: Named>(json: &[u8]) -> std::result::Result<M, String> {
    let message = transcoding::from_json(M::NAME, json).map_err(|error| error.to_string())?;
    M::decode(message.as_slice()).map_err(|error| error.to_string())
}

/// A result as JSON: one payload stands for itself.
pub(crate) fn result(payloads: Option<&Payloads>, shorthand: bool) -> Result<Value> {
    match payloads {
        None => Ok(Value::Null),
        Some(Payloads { payloads }) if payloads.len() == 1 => match payloads.first() {
            Some(payload) => to_json(payload, shorthand),
            None => Ok(Value::Null),
        },
        Some(payloads) => to_json(payloads, shorthand),
    }
}

/// The value in a payload, for people: what cannot be read is shown by its encoding and size.
pub(crate) fn value(payload: &Payload) -> Value {
    transcoding::payload_value(&payload.encode_to_vec()).unwrap_or_else(|| {
        let encoding = payload.metadata.get("encoding").map(|name| String::from_utf8_lossy(name));
        let encoding = encoding.unwrap_or("no encoding".into());
        Value::String(format!("<{} bytes of {encoding}>", payload.data.len()))
    })
}

fn senseless(error: impl std::fmt::Display) -> Error {
    Error::Answer(error.to_string())
}

#[cfg(test)]
mod tests {
    use api::{
        common::v1::{Memo, WorkflowExecution},
        workflow::v1::WorkflowExecutionInfo,
    };
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn payload(encoding: &'static str, data: &'static str) -> Payload {
        Payload {
            metadata: [("encoding".to_owned(), Bytes::from_static(encoding.as_bytes()))].into(),
            data: Bytes::from_static(data.as_bytes()),
            ..Payload::default()
        }
    }

    #[test]
    fn a_message_is_protobuf_s_json() {
        let info = WorkflowExecutionInfo {
            execution: Some(WorkflowExecution {
                workflow_id: "w".to_owned(),
                run_id: String::new(),
            }),
            start_time: Some(prost_types::Timestamp { seconds: 1, nanos: 500_000_000 }),
            status: 2,
            history_length: 3,
            memo: Some(Memo { fields: [("a".to_owned(), payload("json/plain", "[1]"))].into() }),
            ..WorkflowExecutionInfo::default()
        };
        let expected = json!({
            "execution": {"workflowId": "w"},
            "startTime": "1970-01-01T00:00:01.500Z",
            "status": "WORKFLOW_EXECUTION_STATUS_COMPLETED",
            "historyLength": "3",
            "memo": {"fields": {"a": [1]}},
        });
        assert_eq!(to_json(&info, true).unwrap(), expected);
        let full = to_json(&info, false).unwrap();
        let wire = json!({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "WzFd"});
        assert_eq!(full["memo"]["fields"]["a"], wire);
    }

    #[test]
    fn payloads_are_short_together_or_not_at_all() {
        let both = |second| Payloads { payloads: vec![payload("json/plain", "1"), second] };
        let short = to_json(&both(payload("binary/null", "")), true).unwrap();
        assert_eq!(short, json!([1, null]));
        let long = to_json(&both(payload("binary/plain", "x")), true).unwrap();
        assert_eq!(long["payloads"].as_array().unwrap().len(), 2);
        // The first one is short by itself, and the second is what it is.
        assert_eq!(long["payloads"][0], json!(1));
        assert_eq!(long["payloads"][1]["data"], json!("eA=="));
    }
}
