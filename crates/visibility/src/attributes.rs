//! The values by which a run is found, taken from its search attributes.

use std::collections::{BTreeMap, BTreeSet};

use api::common::v1::{Payload, SearchAttributes};
use prost::Message as _;
use rusqlite::{Connection, params, types::Value};
use serde_json::Value as Json;
use visibility_query::{AttributeType, parse_datetime};

use crate::record::NAMESPACE_DIVISION;

/// The metadata entry of a search attribute's payload that names its type.
const TYPE: &str = "type";

/// By what the index finds one search attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Indexed {
    /// By values, each a row of the table `attribute`.
    Values(Vec<Value>),
    /// By words.
    Text(String),
}

impl Indexed {
    /// Adds what finds a run.
    pub(crate) fn insert(
        &self,
        connection: &Connection,
        name: i64,
        execution: i64,
    ) -> rusqlite::Result<()> {
        match self {
            Self::Values(values) => {
                let mut statement = connection.prepare_cached(
                    "INSERT INTO attribute (name, value, execution) VALUES (?1, ?2, ?3)",
                )?;
                for value in values {
                    statement.execute(params![name, value, execution])?;
                }
            }
            Self::Text(text) => {
                let id = connection
                    .prepare_cached("INSERT INTO text (name, execution) VALUES (?1, ?2)")?
                    .insert(params![name, execution])?;
                connection
                    .prepare_cached("INSERT INTO text_words (rowid, words) VALUES (?1, ?2)")?
                    .execute(params![id, text])?;
            }
        }
        Ok(())
    }

    /// Takes away what [`Indexed::insert`] added.
    pub(crate) fn delete(
        &self,
        connection: &Connection,
        name: i64,
        execution: i64,
    ) -> rusqlite::Result<()> {
        match self {
            Self::Values(values) => {
                let mut statement = connection.prepare_cached(
                    "DELETE FROM attribute WHERE name = ?1 AND value = ?2 AND execution = ?3",
                )?;
                for value in values {
                    statement.execute(params![name, value, execution])?;
                }
            }
            Self::Text(_) => {
                connection
                    .prepare_cached(
                        "DELETE FROM text_words WHERE rowid = \
                         (SELECT id FROM text WHERE name = ?1 AND execution = ?2)",
                    )?
                    .execute(params![name, execution])?;
                connection
                    .prepare_cached("DELETE FROM text WHERE name = ?1 AND execution = ?2")?
                    .execute(params![name, execution])?;
            }
        }
        Ok(())
    }
}

/// The search attributes with what the index finds them by. The division is not among them: it has
/// a place of its own.
pub(crate) fn indexed(
    attributes: &BTreeMap<String, Payload>,
) -> impl Iterator<Item = (&str, Indexed)> {
    attributes
        .iter()
        .filter(|(name, _)| name.as_str() != NAMESPACE_DIVISION)
        .filter_map(|(name, payload)| Some((name.as_str(), read(payload)?)))
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

/// `None` for null, an empty list and what does not fit its type.
pub(crate) fn read(payload: &Payload) -> Option<Indexed> {
    let json = serde_json::from_slice::<Json>(&payload.data).ok()?;
    let kind = payload
        .metadata
        .get(TYPE)
        .and_then(|name| std::str::from_utf8(name).ok())
        .and_then(AttributeType::from_name)
        .unwrap_or_else(|| guess(&json));
    match (kind, json) {
        (AttributeType::KeywordList, Json::Array(members)) => {
            let members: BTreeSet<&str> = members.iter().filter_map(Json::as_str).collect();
            let values: Vec<Value> = members.into_iter().map(text).collect();
            (!values.is_empty()).then_some(Indexed::Values(values))
        }
        // A list with one member stands for the member.
        (kind, Json::Array(members)) => match members.as_slice() {
            [only] => scalar(kind, only),
            _ => None,
        },
        (kind, json) => scalar(kind, &json),
    }
}

fn scalar(kind: AttributeType, json: &Json) -> Option<Indexed> {
    let value = match kind {
        AttributeType::Text => return json.as_str().map(|text| Indexed::Text(text.to_owned())),
        AttributeType::Keyword | AttributeType::KeywordList => json.as_str().map(text),
        AttributeType::Int => json.as_i64().map(Value::Integer),
        AttributeType::Double => json.as_f64().map(Value::Real),
        AttributeType::Bool => json.as_bool().map(|value| Value::Integer(value.into())),
        AttributeType::Datetime => {
            json.as_str().and_then(parse_datetime).map(|time| Value::Integer(time.nanos()))
        }
    };
    value.map(|value| Indexed::Values(vec![value]))
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
