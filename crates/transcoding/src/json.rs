//! Messages as protobuf's JSON.

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::{DynamicMessage, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap, SerializeSeq as _},
};

use crate::{
    BadRequest, Form,
    payload::{PAYLOAD, PAYLOADS, Short},
    pool::pool,
};

const ANY: &str = "google.protobuf.Any";

/// An encoded message as JSON.
pub(crate) fn encoded(
    descriptor: &MessageDescriptor,
    message: &[u8],
    form: Form,
) -> Result<Vec<u8>, BadRequest> {
    let message = DynamicMessage::decode(descriptor.clone(), message)
        .map_err(|error| BadRequest(error.to_string()))?;
    text(&Shown { message: &message, form }, form)
}

/// A message of the API, named by its full name, as JSON.
///
/// # Errors
/// When there is no such message, or the bytes are none.
pub fn named(name: &str, message: &[u8], form: Form) -> Result<Vec<u8>, BadRequest> {
    encoded(&descriptor(name)?, message, form)
}

/// The same as a value.
///
/// # Errors
/// When there is no such message, or the bytes are none.
pub fn value(name: &str, message: &[u8], form: Form) -> Result<serde_json::Value, BadRequest> {
    let message = decoded(name, message)?;
    let value = serde_json::to_value(Shown { message: &message, form });
    value.map_err(|error| BadRequest(error.to_string()))
}

/// The value that stands for a payload; none when it has to be written in full.
pub fn payload_value(payload: &[u8]) -> Option<serde_json::Value> {
    let form = Form { pretty: false, shorthand: true, bare_null: true };
    serde_json::to_value(Short::of(&decoded(PAYLOAD, payload).ok()?, form)?).ok()
}

fn decoded(name: &str, message: &[u8]) -> Result<DynamicMessage, BadRequest> {
    DynamicMessage::decode(descriptor(name)?, message)
        .map_err(|error| BadRequest(error.to_string()))
}

/// The description of a message of the API.
///
/// # Errors
/// When there is none of this name.
pub fn descriptor(name: &str) -> Result<MessageDescriptor, BadRequest> {
    let descriptor = pool().get_message_by_name(name);
    descriptor.ok_or_else(|| BadRequest(format!("no `{name}`")))
}

/// Anything as JSON.
pub(crate) fn text(value: &impl Serialize, form: Form) -> Result<Vec<u8>, BadRequest> {
    let text = if form.pretty { serde_json::to_vec_pretty } else { serde_json::to_vec };
    text(value).map_err(|error| BadRequest(error.to_string()))
}

/// A message to be written.
pub(crate) struct Shown<'a> {
    pub(crate) message: &'a DynamicMessage,
    pub(crate) form: Form,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { message, form } = *self;
        let descriptor = message.descriptor();
        match descriptor.full_name() {
            PAYLOAD if form.shorthand => {
                if let Some(short) = Short::of(message, form) {
                    return short.serialize(serializer);
                }
            }
            PAYLOADS if form.shorthand => {
                if let Some(short) = all_short(message, form) {
                    return short.serialize(serializer);
                }
            }
            ANY => return any(message, form, serializer),
            name if name.starts_with("google.protobuf.") => return message.serialize(serializer),
            _ => {}
        }
        let mut object = serializer.serialize_map(None)?;
        fields(message, form, &mut object)?;
        object.end()
    }
}

fn fields<S: SerializeMap>(
    message: &DynamicMessage,
    form: Form,
    object: &mut S,
) -> Result<(), S::Error> {
    for (field, value) in message.fields() {
        let one = One { value, kind: &field.kind(), form };
        object.serialize_entry(field.json_name(), &one)?;
    }
    Ok(())
}

/// The payloads in a list, when each is short.
fn all_short(payloads: &DynamicMessage, form: Form) -> Option<Vec<Short>> {
    let list = payloads.get_field_by_name("payloads")?;
    let short = |value: &Value| Short::of(value.as_message()?, form);
    list.as_list()?.iter().map(short).collect()
}

/// A message of any type, which its first entry names.
fn any<S: Serializer>(
    message: &DynamicMessage,
    form: Form,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let broken = || S::Error::custom("a detail has no type");
    let url = message.get_field_by_name("type_url").ok_or_else(broken)?;
    let value = message.get_field_by_name("value").ok_or_else(broken)?;
    let (url, value) = (url.as_str().unwrap_or_default(), value.as_bytes().ok_or_else(broken)?);
    any_of(url, value, form, serializer)
}

/// See [`any`]. What the API does not know is shown as the bytes that it is.
pub(crate) fn any_of<S: Serializer>(
    url: &str,
    value: &[u8],
    form: Form,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let name = url.rsplit('/').next().unwrap_or_default();
    let inner = pool().get_message_by_name(name);
    let inner = inner.and_then(|inner| DynamicMessage::decode(inner, value).ok());
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("@type", url)?;
    match inner {
        Some(inner) if name.starts_with("google.protobuf.") => {
            object.serialize_entry("value", &Shown { message: &inner, form })?;
        }
        Some(inner) => fields(&inner, form, &mut object)?,
        None => {
            let bytes = Base64Display::new(value, &BASE64_STANDARD).to_string();
            object.serialize_entry("value", &bytes)?;
        }
    }
    object.end()
}

/// A value of a field.
struct One<'a> {
    value: &'a Value,
    kind: &'a Kind,
    form: Form,
}

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { value, kind, form } = *self;
        let of = |value| One { value, kind, form };
        match value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I32(value) => serializer.serialize_i32(*value),
            Value::U32(value) => serializer.serialize_u32(*value),
            Value::I64(value) => serializer.collect_str(value),
            Value::U64(value) => serializer.collect_str(value),
            // In the fewest digits that tell it from its neighbours.
            Value::F32(value) => {
                number(value.to_string().parse().unwrap_or(f64::from(*value)), serializer)
            }
            Value::F64(value) => number(*value, serializer),
            Value::String(value) => serializer.serialize_str(value),
            Value::Bytes(value) => {
                serializer.collect_str(&Base64Display::new(value, &BASE64_STANDARD))
            }
            Value::EnumNumber(number) => {
                match kind.as_enum().and_then(|kind| kind.get_value(*number)) {
                    Some(known) => serializer.serialize_str(known.name()),
                    None => serializer.serialize_i32(*number),
                }
            }
            Value::Message(message) => Shown { message, form }.serialize(serializer),
            Value::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&of(value))?;
                }
                list.end()
            }
            Value::Map(entries) => {
                let Some(entry) = kind.as_message() else { return serializer.serialize_none() };
                let kind = &entry.map_entry_value_field().kind();
                let mut entries: Vec<(String, &Value)> =
                    entries.iter().map(|(name, value)| (key(name), value)).collect();
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
                let values =
                    entries.into_iter().map(|(name, value)| (name, One { value, kind, form }));
                serializer.collect_map(values)
            }
        }
    }
}

/// Numbers below this are written without an exponent.
const PLAIN_BELOW: f64 = 1e15;

/// A number, as protobuf writes it: a whole one has no fraction.
fn number<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() {
        serializer.serialize_str("NaN")
    } else if value.is_infinite() {
        serializer.serialize_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if value.fract() == 0.0 && value.abs() < PLAIN_BELOW {
        serializer.serialize_i64(value as i64)
    } else {
        serializer.serialize_f64(value)
    }
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

#[cfg(test)]
mod tests {
    use api::{
        common::v1::{Memo, Payload, Payloads, WorkflowExecution},
        history::v1::{HistoryEvent, WorkflowExecutionSignaledEventAttributes, history_event},
        workflow::v1::WorkflowExecutionInfo,
    };
    use prost::Message;
    use serde_json::{Value, json};

    use super::*;

    fn payload(encoding: &'static str, data: &'static str) -> Payload {
        Payload {
            metadata: [("encoding".to_owned(), encoding.as_bytes().into())].into(),
            data: data.as_bytes().into(),
            ..Payload::default()
        }
    }

    fn shown(name: &str, message: &impl Message, form: Form) -> String {
        let descriptor = pool().get_message_by_name(name).unwrap();
        String::from_utf8(encoded(&descriptor, &message.encode_to_vec(), form).unwrap()).unwrap()
    }

    fn value(name: &str, message: &impl Message, shorthand: bool) -> Value {
        let form = Form { pretty: false, shorthand, bare_null: false };
        serde_json::from_str(&shown(name, message, form)).unwrap()
    }

    #[test]
    fn a_message_is_protobuf_s_json() {
        let info = WorkflowExecutionInfo {
            execution: Some(WorkflowExecution { workflow_id: "w".into(), run_id: String::new() }),
            start_time: Some(prost_types::Timestamp { seconds: 1, nanos: 500_000_000 }),
            execution_duration: Some(prost_types::Duration { seconds: 1, nanos: 1 }),
            status: 2,
            history_length: 3,
            memo: Some(Memo { fields: [("a".to_owned(), payload("json/plain", "[1]"))].into() }),
            ..WorkflowExecutionInfo::default()
        };
        let name = "temporal.api.workflow.v1.WorkflowExecutionInfo";
        let expected = json!({
            "execution": {"workflowId": "w"},
            "startTime": "1970-01-01T00:00:01.500Z",
            "executionDuration": "1.000000001s",
            "status": "WORKFLOW_EXECUTION_STATUS_COMPLETED",
            "historyLength": "3",
            "memo": {"fields": {"a": [1]}},
        });
        assert_eq!(value(name, &info, true), expected);
        let wire = json!({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "WzFd"});
        assert_eq!(value(name, &info, false)["memo"]["fields"]["a"], wire);
    }

    #[test]
    fn payloads_are_short_together_or_not_at_all() {
        let name = PAYLOADS;
        let both = |second| Payloads { payloads: vec![payload("json/plain", "1"), second] };
        let nothing = json!([1, {"metadata": {"encoding": "YmluYXJ5L251bGw="}}]);
        assert_eq!(value(name, &both(payload("binary/null", "")), true), nothing);
        assert_eq!(value(name, &both(payload("json/plain", "null")), true), nothing);
        for odd in [payload("binary/plain", "x"), payload("json/plain", "{")] {
            let long = value(name, &both(odd), true);
            assert_eq!(long["payloads"][0], json!(1));
            assert!(long["payloads"][1]["data"].is_string());
        }
    }

    #[test]
    fn nothing_may_be_null() {
        let form = Form { pretty: false, shorthand: true, bare_null: true };
        let both =
            Payloads { payloads: vec![payload("binary/null", ""), payload("json/plain", " null")] };
        assert_eq!(
            super::value(PAYLOADS, &both.encode_to_vec(), form).unwrap(),
            json!([null, null])
        );
        let nothing = payload("binary/null", "").encode_to_vec();
        assert_eq!(payload_value(&nothing), Some(Value::Null));
        assert_eq!(payload_value(&payload("binary/plain", "x").encode_to_vec()), None);
    }

    #[test]
    fn numbers_have_no_needless_digits() {
        let of = |ratio| {
            value(
                "temporal.api.deployment.v1.RoutingConfig",
                &api::deployment::v1::RoutingConfig {
                    ramping_version_percentage: ratio,
                    ..Default::default()
                },
                true,
            )["rampingVersionPercentage"]
                .to_string()
        };
        assert_eq!(of(0.1), "0.1");
        assert_eq!(of(12.0), "12");
        assert_eq!(of(f32::NAN), r#""NaN""#);
        assert_eq!(of(f32::NEG_INFINITY), r#""-Infinity""#);
    }

    #[test]
    fn values_in_payloads_keep_every_digit_and_their_order() {
        let exact = payload("json/plain", r#"{"b":123456789012345678901234567890,"a":1.10}"#);
        let form = Form { pretty: false, shorthand: true, bare_null: false };
        let text = shown(PAYLOAD, &exact, form);
        assert_eq!(text, r#"{"b":123456789012345678901234567890,"a":1.10}"#);
        let pretty = shown(PAYLOAD, &payload("json/plain", "[1]"), Form { pretty: true, ..form });
        assert_eq!(pretty, "[\n  1\n]");
    }

    #[test]
    fn what_was_written_short_is_read_whole() {
        let event = |payloads| HistoryEvent {
            attributes: Some(history_event::Attributes::WorkflowExecutionSignaledEventAttributes(
                WorkflowExecutionSignaledEventAttributes {
                    input: Some(Payloads { payloads }),
                    ..WorkflowExecutionSignaledEventAttributes::default()
                },
            )),
            ..HistoryEvent::default()
        };
        let mut message = payload("json/protobuf", r#"{"a":"b"}"#);
        message.metadata.insert("messageType".to_owned(), "x.Y".into());
        let lookalike = r#"{"data":"d","metadata":{"encoding":"plain text"}}"#;
        let original = event(vec![
            payload("json/plain", r#"{"a":[1,null,"x"]}"#),
            payload("binary/null", ""),
            payload("json/plain", lookalike),
            message,
        ]);
        let name = "temporal.api.history.v1.HistoryEvent";
        let descriptor = pool().get_message_by_name(name).unwrap();
        for shorthand in [true, false] {
            let form = Form { pretty: false, shorthand, bare_null: false };
            let json = shown(name, &original, form);
            let read = crate::read::message(&descriptor, json.as_bytes(), form).unwrap();
            assert_eq!(HistoryEvent::decode(read.encode_to_vec().as_slice()).unwrap(), original);
        }
    }
}
