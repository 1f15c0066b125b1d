//! Messages and enumerations as JSON schemas.

use std::collections::BTreeSet;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::Version;
use crate::payload::{PAYLOAD, PAYLOADS};

/// The name of the schema of errors.
pub(super) const STATUS: &str = "Status";

/// The schemas of these messages and of all that they hold.
pub(super) fn all(version: Version, used: Vec<MessageDescriptor>) -> Value {
    let mut schemas = Map::new();
    let mut known = BTreeSet::new();
    let mut open = used;
    while let Some(message) = open.pop() {
        if !known.insert(message.full_name().to_owned()) || simple(&message).is_some() {
            continue;
        }
        let mut properties = Map::new();
        for field in message.fields() {
            properties.insert(field.json_name().to_owned(), of_field(version, &field));
            open.extend(held(&field));
        }
        let schema = json!({
            "type": "object", "properties": properties, "additionalProperties": false,
        });
        schemas.insert(name(&message), schema);
    }
    let detail = json!({
        "type": "object", "properties": {"@type": {"type": "string"}}, "additionalProperties": true,
    });
    let status = json!({
        "type": "object",
        "properties": {
            "code": {"type": "integer", "format": "int32"},
            "message": {"type": "string"},
            "details": {"type": "array", "items": detail},
        },
        "required": ["code", "message"],
        "additionalProperties": false,
    });
    schemas.insert(STATUS.to_owned(), status);
    schemas.into()
}

/// A reference to a message's schema, or the schema itself when it is simple.
pub(super) fn of_message(version: Version, message: &MessageDescriptor) -> Value {
    simple(message).unwrap_or_else(|| reference(version, &name(message)))
}

/// A reference to a schema.
pub(super) fn reference(version: Version, name: &str) -> Value {
    let folder = match version {
        Version::Two => "definitions",
        Version::Three => "components/schemas",
    };
    json!({ "$ref": format!("#/{folder}/{name}") })
}

/// The schema of a field, lists and maps included.
pub(super) fn of_field(version: Version, field: &FieldDescriptor) -> Value {
    let kind = field.kind();
    if field.is_map() {
        let value = kind.as_message().map(|entry| entry.map_entry_value_field().kind());
        let value = value.map_or_else(|| json!({}), |kind| of_kind(version, &kind));
        return json!({ "type": "object", "additionalProperties": value });
    }
    if field.is_list() {
        return json!({ "type": "array", "items": of_kind(version, &kind) });
    }
    of_kind(version, &kind)
}

/// The schema of one value.
pub(super) fn of_kind(version: Version, kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
            json!({ "type": "integer", "format": "int32" })
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({ "type": "string", "format": "int64" })
        }
        Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "format": "uint64" }),
        Kind::Float => json!({ "type": "number", "format": "float" }),
        Kind::Double => json!({ "type": "number", "format": "double" }),
        Kind::String => json!({ "type": "string" }),
        Kind::Bytes => json!({ "type": "string", "format": "byte" }),
        Kind::Enum(kind) => of_enum(kind),
        Kind::Message(message) => of_message(version, message),
    }
}

fn of_enum(kind: &EnumDescriptor) -> Value {
    let names: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
    json!({ "type": "string", "enum": names })
}

/// What JSON writes in a way of its own.
fn simple(message: &MessageDescriptor) -> Option<Value> {
    let text = |format: &str| json!({ "type": "string", "format": format });
    Some(match message.full_name() {
        PAYLOAD => json!({ "description": "Any value, or a payload in full." }),
        PAYLOADS => json!({ "description": "Values in an array, or payloads in full." }),
        "google.protobuf.Timestamp" => text("date-time"),
        "google.protobuf.Duration" => {
            json!({ "type": "string", "pattern": "^-?[0-9]{1,9}(\\.[0-9]{1,9})?s$" })
        }
        "google.protobuf.FieldMask" => text("field-mask"),
        "google.protobuf.Any" => json!({
            "type": "object",
            "properties": {"@type": {"type": "string"}},
            "additionalProperties": true,
        }),
        "google.protobuf.Empty" => json!({ "type": "object" }),
        "google.protobuf.Struct" => json!({ "type": "object", "additionalProperties": true }),
        "google.protobuf.Value" | "google.protobuf.ListValue" => json!({}),
        "google.protobuf.BoolValue" => json!({ "type": "boolean" }),
        "google.protobuf.StringValue" => json!({ "type": "string" }),
        "google.protobuf.BytesValue" => text("byte"),
        "google.protobuf.Int32Value" | "google.protobuf.UInt32Value" => {
            json!({ "type": "integer", "format": "int32" })
        }
        "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" => text("int64"),
        "google.protobuf.FloatValue" | "google.protobuf.DoubleValue" => json!({ "type": "number" }),
        _ => return None,
    })
}

/// The message in a field, if there is one.
fn held(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let kind = field.kind();
    let message = kind.as_message()?;
    if field.is_map() {
        return message.map_entry_value_field().kind().as_message().cloned();
    }
    Some(message.clone())
}

/// The schema's name: the message's, with its package's version and name where they matter.
fn name(message: &MessageDescriptor) -> String {
    let full = message.full_name();
    full.strip_prefix("temporal.api.").unwrap_or(full).replace(".v1.", ".")
}
