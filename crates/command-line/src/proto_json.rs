//! Messages of the API as protobuf's JSON, with payloads as the values in them.

use std::{collections::BTreeSet, sync::LazyLock};

use api::common::v1::{Payload, Payloads};
use base64::{Engine, prelude::BASE64_STANDARD};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MapKey, ReflectMessage, Value as Field,
};
use prost_types::FileDescriptorSet;
use serde_json::{Map, Value};

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
        common::v1 as common, compute::v1 as compute, failure::v1 as failure,
        history::v1 as history, nexus::v1 as nexus, sdk::v1 as sdk, taskqueue::v1 as taskqueue,
        workflow::v1 as workflow,
    };
}

named! {
    "common" common: Payload Payloads;
    "compute" compute: ComputeConfig;
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

/// None only if the API's description were broken, which the tests rule out.
static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| {
    let mut files = FileDescriptorSet::decode(api::DESCRIPTOR_SET).ok()?;
    let names: BTreeSet<String> = files.file.iter().map(|file| file.name().to_owned()).collect();
    for file in &mut files.file {
        // What other tools want to know of the API is not in the set, nor are the comments needed.
        file.dependency.retain(|name| names.contains(name));
        file.public_dependency.clear();
        file.weak_dependency.clear();
        file.source_code_info = None;
    }
    DescriptorPool::from_file_descriptor_set(files).ok()
});

const PAYLOAD: &str = Payload::NAME;
const PAYLOADS: &str = Payloads::NAME;

/// A message that knows its fields.
pub(crate) fn dynamic<M: Named>(message: &M) -> Result<DynamicMessage> {
    read(M::NAME, &message.encode_to_vec())
}

/// A message of the type `name` that knows its fields.
pub(crate) fn read(name: &str, message: &[u8]) -> Result<DynamicMessage> {
    let descriptor = POOL.as_ref().and_then(|pool| pool.get_message_by_name(name));
    let descriptor = descriptor.ok_or_else(|| Error::Answer(format!("no `{name}`")))?;
    DynamicMessage::decode(descriptor, message).map_err(|error| Error::Answer(error.to_string()))
}

/// A message as JSON. With `shorthand`, payloads of JSON are the values in them.
pub(crate) fn to_json<M: Named>(message: &M, shorthand: bool) -> Result<Value> {
    whole(&dynamic(message)?, shorthand)
}

/// Reads a message from JSON; unknown fields are passed over.
pub(crate) fn from_json<M: Named>(json: &[u8]) -> std::result::Result<M, String> {
    let descriptor = POOL.as_ref().and_then(|pool| pool.get_message_by_name(M::NAME));
    let descriptor = descriptor.ok_or_else(|| format!("no `{}`", M::NAME))?;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let dynamic = DynamicMessage::deserialize_with_options(descriptor, &mut deserializer, &options)
        .map_err(|error| error.to_string())?;
    dynamic.transcode_to().map_err(|error| error.to_string())
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
    short(payload).unwrap_or_else(|| {
        let encoding = payload.metadata.get("encoding").map(|name| String::from_utf8_lossy(name));
        let encoding = encoding.unwrap_or("no encoding".into());
        Value::String(format!("<{} bytes of {encoding}>", payload.data.len()))
    })
}

fn whole(message: &DynamicMessage, shorthand: bool) -> Result<Value> {
    let descriptor = message.descriptor();
    match descriptor.full_name() {
        PAYLOAD if shorthand => {
            let payload: Payload = typed(message)?;
            if let Some(value) = short(&payload) {
                return Ok(value);
            }
        }
        PAYLOADS if shorthand => {
            let payloads: Payloads = typed(message)?;
            let values: Option<Vec<_>> = payloads.payloads.iter().map(short).collect();
            if let Some(values) = values {
                return Ok(Value::Array(values));
            }
        }
        name if name.starts_with("google.protobuf.") => {
            return serde_json::to_value(message).map_err(|error| Error::Answer(error.to_string()));
        }
        _ => {}
    }
    let mut object = Map::new();
    for (field, value) in message.fields() {
        object.insert(field.json_name().to_owned(), one(value, &field.kind(), shorthand)?);
    }
    Ok(Value::Object(object))
}

fn typed<M: Message + Default>(message: &DynamicMessage) -> Result<M> {
    message.transcode_to().map_err(|error| Error::Answer(error.to_string()))
}

fn one(value: &Field, kind: &prost_reflect::Kind, shorthand: bool) -> Result<Value> {
    Ok(match value {
        Field::Bool(value) => Value::Bool(*value),
        Field::I32(value) => Value::from(*value),
        Field::U32(value) => Value::from(*value),
        Field::I64(value) => Value::String(value.to_string()),
        Field::U64(value) => Value::String(value.to_string()),
        Field::F32(value) => shortest(*value),
        Field::F64(value) => number(*value),
        Field::String(value) => Value::String(value.clone()),
        Field::Bytes(value) => Value::String(BASE64_STANDARD.encode(value)),
        Field::EnumNumber(number) => {
            let known = kind.as_enum().and_then(|kind| kind.get_value(*number));
            known.map_or(Value::from(*number), |known| Value::String(known.name().to_owned()))
        }
        Field::Message(message) => whole(message, shorthand)?,
        Field::List(values) => {
            let values = values.iter().map(|value| one(value, kind, shorthand));
            Value::Array(values.collect::<Result<_>>()?)
        }
        Field::Map(entries) => {
            let kind = kind.as_message().map(|entry| entry.map_entry_value_field().kind());
            let mut object = Map::new();
            for (name, value) in entries {
                let value = match &kind {
                    Some(kind) => one(value, kind, shorthand)?,
                    None => Value::Null,
                };
                object.insert(key(name), value);
            }
            Value::Object(object)
        }
    })
}

fn key(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

/// A number of half the precision, in the fewest digits that tell it from its neighbours.
fn shortest(value: f32) -> Value {
    value.to_string().parse().map_or_else(|_| number(f64::from(value)), number)
}

fn number(value: f64) -> Value {
    if value.is_nan() {
        Value::from("NaN")
    } else if value.is_infinite() {
        Value::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        // A whole number is written without a fraction, as protobuf does.
        format!("{value:.0}").parse::<i64>().map_or(Value::Null, Value::from)
    } else {
        Value::from(value)
    }
}

/// The value that a payload of JSON holds; none for all other payloads.
fn short(payload: &Payload) -> Option<Value> {
    match &payload.metadata.get("encoding")?[..] {
        b"binary/null" => Some(Value::Null),
        b"json/plain" if payload.metadata.len() == 1 => serde_json::from_slice(&payload.data).ok(),
        b"json/protobuf" if payload.metadata.len() == 2 => {
            let name = std::str::from_utf8(payload.metadata.get("messageType")?).ok()?;
            let mut object: Map<String, Value> = serde_json::from_slice(&payload.data).ok()?;
            object.insert("_protoMessageType".to_owned(), Value::from(name));
            Some(Value::Object(object))
        }
        _ => None,
    }
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

    #[test]
    fn numbers_have_no_needless_digits() {
        assert_eq!(shortest(0.1), json!(0.1));
        assert_eq!(number(2.0), json!(2));
        assert_eq!(number(f64::NAN), json!("NaN"));
    }
}
