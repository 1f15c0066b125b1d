//! Requests from JSON.

use prost::Message as _;
use prost_reflect::{DeserializeOptions, DynamicMessage, EnumDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

use crate::{
    BadRequest, Form, field,
    json::descriptor,
    payload::{self, PAYLOAD, PAYLOADS},
};

/// A message of the API, named by its full name, from JSON that writes everything out.
///
/// # Errors
/// When there is no such message, or the text is none.
pub fn message_of_json(name: &str, text: &[u8]) -> Result<Vec<u8>, BadRequest> {
    Ok(message(&descriptor(name)?, text, Form::default())?.encode_to_vec())
}

/// Reads a message; no text at all is an empty one.
pub(crate) fn message(
    descriptor: &MessageDescriptor,
    text: &[u8],
    form: Form,
) -> Result<DynamicMessage, BadRequest> {
    if text.trim_ascii().is_empty() {
        return Ok(DynamicMessage::new(descriptor.clone()));
    }
    let bad = |error: serde_json::Error| BadRequest(error.to_string());
    // Deeper than 128 levels nothing is read, here and in what follows.
    let value: Value = serde_json::from_slice(text).map_err(bad)?;
    if !value.is_object() {
        return Err(BadRequest("the body is no JSON object".to_owned()));
    }
    let value = whole(value, descriptor, form.shorthand);
    DynamicMessage::deserialize(descriptor.clone(), value).map_err(bad)
}

/// Reads a message, named by its full name, from JSON in full; fields that are not known are passed
/// over.
///
/// # Errors
/// When there is no such message, or the text is none.
pub fn lenient(name: &str, text: &[u8]) -> Result<Vec<u8>, BadRequest> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let message =
        DynamicMessage::deserialize_with_options(descriptor(name)?, &mut deserializer, &options);
    let message = message.map_err(|error| BadRequest(error.to_string()))?;
    Ok(message.encode_to_vec())
}

/// The message's JSON with everything written out that may be short: payloads, and enumerators
/// without their prefix.
fn whole(value: Value, descriptor: &MessageDescriptor, shorthand: bool) -> Value {
    match (descriptor.full_name(), value) {
        (PAYLOAD, value) if shorthand => payload::whole(value),
        (PAYLOADS, Value::Array(values)) if shorthand => {
            let values: Vec<Value> = values.into_iter().map(payload::whole).collect();
            serde_json::json!({ "payloads": values })
        }
        (_, Value::Object(fields)) => {
            let written = fields.into_iter().map(|(name, value)| {
                let value = match field::named(descriptor, &name) {
                    Some(field) if field.is_map() => of_map(value, &field.kind(), shorthand),
                    Some(field) if field.is_list() => of_list(value, &field.kind(), shorthand),
                    // Without a value the field is not set.
                    Some(field) if !value.is_null() => one(value, &field.kind(), shorthand),
                    _ => value,
                };
                (name, value)
            });
            Value::Object(written.collect())
        }
        (_, value) => value,
    }
}

fn of_list(value: Value, kind: &Kind, shorthand: bool) -> Value {
    match value {
        Value::Array(values) => {
            values.into_iter().map(|value| one(value, kind, shorthand)).collect()
        }
        other => other,
    }
}

fn of_map(value: Value, kind: &Kind, shorthand: bool) -> Value {
    let entry = kind.as_message().map(|entry| entry.map_entry_value_field().kind());
    match (value, entry) {
        (Value::Object(entries), Some(kind)) => Value::Object(
            entries.into_iter().map(|(name, value)| (name, one(value, &kind, shorthand))).collect(),
        ),
        (other, _) => other,
    }
}

fn one(value: Value, kind: &Kind, shorthand: bool) -> Value {
    match (kind, value) {
        (Kind::Message(message), value) => whole(value, message, shorthand),
        (Kind::Enum(kind), Value::String(name)) => enumerator(name, kind).into(),
        (_, value) => value,
    }
}

/// `Running` for `WORKFLOW_EXECUTION_STATUS_RUNNING`, as older tools write it.
fn enumerator(name: String, kind: &EnumDescriptor) -> String {
    if kind.get_value_by_name(&name).is_some() {
        return name;
    }
    let full = format!("{}_{}", screaming(kind.name()), screaming(&name));
    if kind.get_value_by_name(&full).is_some() { full } else { name }
}

fn screaming(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 8);
    let mut was_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && was_lower {
            text.push('_');
        }
        was_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        text.push(letter.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use api::workflowservice::v1::StartWorkflowExecutionRequest;
    use prost::Message;

    use super::*;

    fn read(text: &str, shorthand: bool) -> Result<StartWorkflowExecutionRequest, BadRequest> {
        let name = "temporal.api.workflowservice.v1.StartWorkflowExecutionRequest";
        let descriptor = descriptor(name).unwrap();
        let form = Form { pretty: false, shorthand, bare_null: false };
        let message = message(&descriptor, text.as_bytes(), form)?;
        Ok(Message::decode(message.encode_to_vec().as_slice()).unwrap())
    }

    #[test]
    fn enumerators_may_leave_out_what_their_type_says() {
        for name in ["WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE", "RejectDuplicate"] {
            let request = read(&format!(r#"{{"workflowIdReusePolicy": "{name}"}}"#), true).unwrap();
            assert_eq!(request.workflow_id_reuse_policy, 3);
        }
        assert!(read(r#"{"workflowIdReusePolicy": "Never"}"#, true).is_err());
    }

    #[test]
    fn payloads_may_be_short_unless_it_is_said_that_they_are_not() {
        let short = r#"{"input": [{"a": 1}], "memo": {"fields": {"m": null}}, "header": null}"#;
        let request = read(short, true).unwrap();
        assert_eq!(&request.input.unwrap().payloads[0].data[..], br#"{"a":1}"#);
        assert_eq!(&request.memo.unwrap().fields["m"].metadata["encoding"][..], b"binary/null");
        assert!(read(short, false).is_err());
        let whole = r#"{"input": {"payloads": [
            {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]}}"#;
        for shorthand in [true, false] {
            let request = read(whole, shorthand).unwrap();
            assert_eq!(&request.input.unwrap().payloads[0].data[..], b"1");
        }
    }

    #[test]
    fn both_kinds_of_names_are_known_and_no_others() {
        let text = r#"{"workflow_id": "w", "requestId": "r", "workflowRunTimeout": "3.5s"}"#;
        let request = read(text, true).unwrap();
        assert_eq!((request.workflow_id.as_str(), request.request_id.as_str()), ("w", "r"));
        assert_eq!(request.workflow_run_timeout.unwrap().nanos, 500_000_000);
        assert!(read(r#"{"workflowID": "w"}"#, true).is_err());
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let depth = 100_000;
        let text =
            format!("{}1{}", r#"{"input":["#.to_owned() + &"[".repeat(depth), "]".repeat(depth));
        assert!(read(&text, true).is_err());
    }
}
