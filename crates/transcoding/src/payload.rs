//! Payloads of JSON as the values in them, and back.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use prost_reflect::{DynamicMessage, MapKey};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value, json, value::RawValue};

use crate::{Form, field};

pub(crate) const PAYLOAD: &str = "temporal.api.common.v1.Payload";
pub(crate) const PAYLOADS: &str = "temporal.api.common.v1.Payloads";

/// The name of the message in the JSON of one.
const MESSAGE_TYPE: &str = "_protoMessageType";

const NULL: &str = "binary/null";
const PLAIN: &str = "json/plain";
const PROTOBUF: &str = "json/protobuf";

/// What stands for a payload whose contents are JSON.
pub(crate) enum Short {
    /// Nothing, written in full: `null` would mean that there is no payload.
    Null,
    /// Nothing, as `null`.
    BareNull,
    /// As it came.
    Exact(Box<RawValue>),
    /// To be indented.
    Value(Value),
    /// A message of protobuf, and what it is called.
    Message(BTreeMap<String, Box<RawValue>>),
}

impl Short {
    /// None when the payload has to be written in full.
    pub(crate) fn of(payload: &DynamicMessage, form: Form) -> Option<Self> {
        let nothing = if form.bare_null { Self::BareNull } else { Self::Null };
        let metadata = payload.get_field_by_name("metadata")?;
        let metadata = metadata.as_map()?;
        let entry = |name: &str| metadata.get(&MapKey::String(name.to_owned()))?.as_bytes();
        let data = payload.get_field_by_name("data")?;
        let data: &Bytes = data.as_bytes()?;
        match (&entry("encoding")?[..], metadata.len()) {
            (b"binary/null", _) => Some(nothing),
            (b"json/plain", 1) if data.trim_ascii() == b"null" => Some(nothing),
            (b"json/plain", 1) if form.pretty => serde_json::from_slice(data).ok().map(Self::Value),
            (b"json/plain", 1) => serde_json::from_slice(data).ok().map(Self::Exact),
            (b"json/protobuf", 2) => {
                let name = std::str::from_utf8(entry("messageType")?).ok()?;
                let mut message: BTreeMap<String, Box<RawValue>> =
                    serde_json::from_slice(data).ok()?;
                let name = serde_json::value::to_raw_value(name).ok()?;
                message.insert(MESSAGE_TYPE.to_owned(), name);
                Some(Self::Message(message))
            }
            _ => None,
        }
    }
}

impl Serialize for Short {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => {
                let mut object = serializer.serialize_map(Some(1))?;
                let encoding = json!({ "encoding": BASE64_STANDARD.encode(NULL) });
                object.serialize_entry("metadata", &encoding)?;
                object.end()
            }
            Self::BareNull => serializer.serialize_unit(),
            Self::Exact(value) => value.serialize(serializer),
            Self::Value(value) => value.serialize(serializer),
            Self::Message(message) => message.serialize(serializer),
        }
    }
}

/// The JSON of the whole payload that a value stands for, which may be a payload already.
pub(crate) fn whole(value: Value) -> Value {
    if is_whole(&value) {
        return value;
    }
    match value {
        Value::Null => payload(NULL, None, None),
        Value::Object(mut fields) => match fields.remove(MESSAGE_TYPE) {
            Some(Value::String(name)) => payload(PROTOBUF, Some(&name), Some(fields.into())),
            Some(other) => {
                fields.insert(MESSAGE_TYPE.to_owned(), other);
                payload(PLAIN, None, Some(fields.into()))
            }
            None => payload(PLAIN, None, Some(fields.into())),
        },
        value => payload(PLAIN, None, Some(value)),
    }
}

fn payload(encoding: &str, message_type: Option<&str>, value: Option<Value>) -> Value {
    let mut metadata = Map::new();
    metadata.insert("encoding".to_owned(), BASE64_STANDARD.encode(encoding).into());
    if let Some(name) = message_type {
        metadata.insert("messageType".to_owned(), BASE64_STANDARD.encode(name).into());
    }
    let mut whole = Map::new();
    whole.insert("metadata".to_owned(), metadata.into());
    if let Some(value) = value {
        whole.insert("data".to_owned(), BASE64_STANDARD.encode(value.to_string()).into());
    }
    whole.into()
}

/// Whether a value is a payload in full: metadata with an encoding, and data, all of them bytes.
fn is_whole(value: &Value) -> bool {
    let Some(fields) = value.as_object() else { return false };
    let Some(metadata) = fields.get("metadata").and_then(Value::as_object) else { return false };
    let is_bytes = |value: &Value| value.as_str().is_some_and(|text| field::bytes(text).is_some());
    let Some(encoding) = metadata.get("encoding") else { return false };
    if !metadata.values().all(is_bytes) {
        return false;
    }
    let known = ["metadata", "data", "externalPayloads"];
    let only_known = fields.keys().all(|name| known.contains(&name.as_str()));
    match fields.get("data") {
        Some(data) => only_known && is_bytes(data),
        None => encoding.as_str() == Some(BASE64_STANDARD.encode(NULL).as_str()),
    }
}
