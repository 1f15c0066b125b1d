//! Fields of a request that are set by text: from its path and its query.

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};

use crate::BadRequest;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Bytes from either alphabet, with padding or without.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { BASE64_URL } else { BASE64 };
    engine.decode(text).ok()
}

/// The field by its name in the description or in JSON.
pub(crate) fn named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_name(name).or_else(|| message.get_field_by_json_name(name))
}

/// Sets the field at a path of names that exist.
pub(crate) fn set(
    message: &mut DynamicMessage,
    path: &str,
    value: Cow<'_, str>,
) -> Result<(), BadRequest> {
    let names: Vec<&str> = path.split('.').collect();
    set_at(message, &names, &[value.into_owned()]).map(drop)
}

/// Sets the field that a query names. What the request has no field for is passed over, and what
/// the path has named cannot be said otherwise.
pub(crate) fn set_of_query(
    message: &mut DynamicMessage,
    name: &str,
    values: &[String],
    taken: &[&str],
) -> Result<(), BadRequest> {
    // A key of a map is written `name[key]=value`.
    let (name, key) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((name, key)) => (name, Some(key)),
        None => (name, None),
    };
    let Some(names) = normal(&message.descriptor(), name) else { return Ok(()) };
    let path = names.join(".");
    if taken.iter().any(|taken| path == *taken || path.starts_with(&format!("{taken}."))) {
        return Ok(());
    }
    let mut all = Vec::with_capacity(values.len() + 1);
    all.extend(key.map(str::to_owned));
    all.extend(values.iter().cloned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    set_at(message, &names, &all)
}

/// The names of the description for a path of either kind of names; none when the first is unknown.
fn normal(message: &MessageDescriptor, path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut message = Some(message.clone());
    for name in path.split('.') {
        let field = message.as_ref().and_then(|message| named(message, name));
        match &field {
            Some(field) => names.push(field.name().to_owned()),
            // It is refused, or passed over, when it is set.
            None if !names.is_empty() => names.push(name.to_owned()),
            None => return None,
        }
        message = field.and_then(|field| field.kind().as_message().cloned());
    }
    Some(names)
}

fn set_at(
    message: &mut DynamicMessage,
    names: &[&str],
    values: &[String],
) -> Result<(), BadRequest> {
    let Some((name, further)) = names.split_first() else { return Ok(()) };
    let Some(field) = named(&message.descriptor(), name) else { return Ok(()) };
    check_oneof(message, &field)?;
    if further.is_empty() {
        return assign(message, &field, values);
    }
    let is_message = matches!(field.kind(), Kind::Message(_));
    if !is_message || field.cardinality() == Cardinality::Repeated {
        return Err(BadRequest(format!("invalid path: {name:?} is not a message")));
    }
    match message.get_field_mut(&field).as_message_mut() {
        Some(inner) => set_at(inner, further, values),
        None => Ok(()),
    }
}

/// Refuses a second field of those of which there may be one.
fn check_oneof(message: &DynamicMessage, field: &FieldDescriptor) -> Result<(), BadRequest> {
    let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) else {
        return Ok(());
    };
    let other = |other: &FieldDescriptor| other != field && message.has_field(other);
    if oneof.fields().any(|field| other(&field)) {
        return Err(BadRequest(format!("field already set for oneof {:?}", oneof.name())));
    }
    Ok(())
}

fn assign(
    message: &mut DynamicMessage,
    field: &FieldDescriptor,
    values: &[String],
) -> Result<(), BadRequest> {
    let name = field.name();
    let parsed = |kind: &Kind, text: &str| {
        parse(kind, text)
            .ok_or_else(|| BadRequest(format!("parsing field {name:?}: {text:?} is not valid")))
    };
    let value = if field.is_map() {
        let kind = field.kind();
        let entry = kind.as_message();
        let (Some(entry), [key, value]) = (entry, values) else {
            return Err(BadRequest(format!("the map {name:?} takes one value for each key")));
        };
        let key = parsed(&entry.map_entry_key_field().kind(), key)?;
        let value = parsed(&entry.map_entry_value_field().kind(), value)?;
        if let (Some(key), Some(map)) =
            (key.into_map_key(), message.get_field_mut(field).as_map_mut())
        {
            map.insert(key, value);
        }
        return Ok(());
    } else if field.is_list() {
        let kind = field.kind();
        Value::List(values.iter().map(|text| parsed(&kind, text)).collect::<Result<_, _>>()?)
    } else {
        let [text] = values else {
            return Err(BadRequest(format!("too many values for field {name:?}")));
        };
        parsed(&field.kind(), text)?
    };
    message
        .try_set_field(field, value)
        .map_err(|_| BadRequest(format!("parsing field {name:?}: not valid")))
}

/// A value from text.
fn parse(kind: &Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Bool => Value::Bool(match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
            "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
            _ => return None,
        }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(text.parse().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(text.parse().ok()?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(text.parse().ok()?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(text.parse().ok()?),
        Kind::Float => Value::F32(text.parse().ok()?),
        Kind::Double => Value::F64(text.parse().ok()?),
        Kind::String => Value::String(text.to_owned()),
        // A plus sign that was not escaped has become a space.
        Kind::Bytes => Value::Bytes(Bytes::from(bytes(&text.replace(' ', "+"))?)),
        Kind::Enum(kind) => {
            let by_number = || kind.get_value(text.parse().ok()?);
            let found = kind.get_value_by_name(text).or_else(by_number)?;
            Value::EnumNumber(found.number())
        }
        Kind::Message(message) => Value::Message(well_known(message, text)?),
    })
}

/// Times, durations, masks and wrapped scalars: what JSON writes as one value.
fn well_known(message: &MessageDescriptor, text: &str) -> Option<DynamicMessage> {
    if message.package_name() != "google.protobuf" {
        return None;
    }
    let read = |value: serde_json::Value| DynamicMessage::deserialize(message.clone(), value).ok();
    let as_text = || read(serde_json::Value::from(text));
    match message.name() {
        "Timestamp" | "Duration" | "FieldMask" | "StringValue" | "BytesValue" => as_text(),
        _ => read(serde_json::from_str(text).ok()?),
    }
}
