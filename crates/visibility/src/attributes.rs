//! The values by which a run is found, taken from its search attributes.

use std::collections::{BTreeMap, BTreeSet};

use api::common::v1::{Payload, SearchAttributes};
use prost::Message as _;
use rusqlite::types::Value;
use serde_json::Value as Json;
use visibility_query::{AttributeType, parse_datetime, words};

use crate::record::NAMESPACE_DIVISION;

/// The metadata entry of a search attribute's payload that names its type.
const TYPE: &str = "type";

/// The values of one attribute, each a row of the table `attribute`.
pub(crate) type Values = Vec<Value>;

/// The search attributes with the values that the index finds them by. The division is not among
/// them: it has a place of its own.
pub(crate) fn indexed(
    attributes: &BTreeMap<String, Payload>,
) -> impl Iterator<Item = (&str, Values)> {
    attributes
        .iter()
        .filter(|(name, _)| name.as_str() != NAMESPACE_DIVISION)
        .map(|(name, payload)| (name.as_str(), values(payload)))
        .filter(|(_, values)| !values.is_empty())
}

/// The division; empty for a plain workflow.
pub(crate) fn division(attributes: &BTreeMap<String, Payload>) -> String {
    attributes
        .get(NAMESPACE_DIVISION)
        .and_then(|payload| serde_json::from_slice(&payload.data).ok())
        .unwrap_or_default()
}

/// The stored form; `None` without attributes. Equal attributes have equal bytes.
pub(crate) fn encode(attributes: &BTreeMap<String, Payload>) -> Option<Vec<u8>> {
    if attributes.is_empty() {
        return None;
    }
    Some(SearchAttributes { indexed_fields: attributes.clone() }.encode_to_vec())
}

/// Reads the stored form.
pub(crate) fn decode(
    encoded: Option<&[u8]>,
) -> Result<BTreeMap<String, Payload>, prost::DecodeError> {
    match encoded {
        Some(bytes) => Ok(SearchAttributes::decode(bytes)?.indexed_fields),
        None => Ok(BTreeMap::new()),
    }
}

fn values(payload: &Payload) -> Values {
    let Ok(json) = serde_json::from_slice::<Json>(&payload.data) else { return Vec::new() };
    let kind = payload
        .metadata
        .get(TYPE)
        .and_then(|name| std::str::from_utf8(name).ok())
        .and_then(AttributeType::from_name)
        .unwrap_or_else(|| guess(&json));
    match (kind, json) {
        // A list with one member stands for the member.
        (kind, Json::Array(members)) if kind != AttributeType::KeywordList => {
            match <[Json; 1]>::try_from(members) {
                Ok([only]) => scalar(kind, &only),
                Err(_) => Vec::new(),
            }
        }
        (AttributeType::KeywordList, Json::Array(members)) => {
            let members: BTreeSet<&str> = members.iter().filter_map(Json::as_str).collect();
            members.into_iter().map(text).collect()
        }
        (kind, json) => scalar(kind, &json),
    }
}

fn scalar(kind: AttributeType, json: &Json) -> Values {
    let value = match kind {
        AttributeType::Text => return json.as_str().map(word_values).unwrap_or_default(),
        AttributeType::Keyword | AttributeType::KeywordList => json.as_str().map(text),
        AttributeType::Int => json.as_i64().map(Value::Integer),
        AttributeType::Double => json.as_f64().map(Value::Real),
        AttributeType::Bool => json.as_bool().map(|value| Value::Integer(value.into())),
        AttributeType::Datetime => {
            json.as_str().and_then(parse_datetime).map(|time| Value::Integer(time.nanos()))
        }
    };
    value.into_iter().collect()
}

/// A text without words has the empty word, so that it is not taken for null.
fn word_values(content: &str) -> Values {
    let found: BTreeSet<String> = words(content).collect();
    if found.is_empty() {
        return vec![text("")];
    }
    found.into_iter().map(Value::Text).collect()
}

fn text(content: &str) -> Value {
    Value::Text(content.to_owned())
}

const fn guess(json: &Json) -> AttributeType {
    match json {
        Json::Bool(_) => AttributeType::Bool,
        Json::Number(_) => AttributeType::Double,
        Json::Array(_) => AttributeType::KeywordList,
        Json::Null | Json::String(_) | Json::Object(_) => AttributeType::Keyword,
    }
}
