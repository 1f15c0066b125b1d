//! The stored form of a namespace.

use std::collections::BTreeMap;

use api::{
    enums::v1::{IndexedValueType, NamespaceState},
    rules::v1::WorkflowRule,
};
use bytes::Bytes;
use model::{Limits, NamespaceId, Span, Time};
use prost::Message;
use storage::MetaRecord;
use visibility_query::Schema;

use crate::{
    Namespace, NamespaceDetails, NamespaceError,
    search_attributes::{attribute_type, indexed_value_type},
};

/// What the keys of namespaces start with; the 16 bytes of the id follow.
pub(crate) const PREFIX: &[u8] = b"namespace/";

/// Tags are part of the stored format: never reuse one.
#[derive(Clone, PartialEq, Message)]
struct NamespaceRecord {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(enumeration = "NamespaceState", tag = "2")]
    state: i32,
    #[prost(string, tag = "3")]
    description: String,
    #[prost(string, tag = "4")]
    owner_email: String,
    #[prost(btree_map = "string, string", tag = "5")]
    data: BTreeMap<String, String>,
    #[prost(message, required, tag = "6")]
    retention: Span,
    #[prost(btree_map = "string, enumeration(IndexedValueType)", tag = "7")]
    search_attributes: BTreeMap<String, i32>,
    #[prost(message, required, tag = "150")]
    delete_after: Time,
    #[prost(message, repeated, tag = "8")]
    rules: Vec<WorkflowRule>,
}

pub(crate) fn key(id: NamespaceId) -> Bytes {
    [PREFIX, id.as_bytes().as_slice()].concat().into()
}

pub(crate) fn encode(namespace: &Namespace) -> Bytes {
    let attributes = namespace.schema.custom();
    let record = NamespaceRecord {
        name: namespace.name.clone(),
        state: namespace.state as i32,
        description: namespace.details.description.clone(),
        owner_email: namespace.details.owner_email.clone(),
        data: namespace.details.data.clone(),
        retention: namespace.retention,
        delete_after: namespace.delete_after,
        search_attributes: attributes
            .iter()
            .map(|(name, kind)| (name.clone(), indexed_value_type(*kind) as i32))
            .collect(),
        rules: namespace.rules.clone(),
    };
    record.encode_to_vec().into()
}

pub(crate) fn decode(
    key: &[u8],
    stored: &MetaRecord,
    limits: &Limits,
) -> Result<Namespace, NamespaceError> {
    let id = key
        .strip_prefix(PREFIX)
        .and_then(|id| <[u8; 16]>::try_from(id).ok())
        .map(NamespaceId::from_bytes)
        .ok_or_else(|| NamespaceError::Damaged("its key holds no namespace id".to_owned()))?;
    let record = NamespaceRecord::decode(stored.value.clone())
        .map_err(|error| NamespaceError::Damaged(format!("{id}: {error}")))?;
    let attributes = record
        .search_attributes
        .iter()
        .filter_map(|(name, kind)| Some((name.clone(), attribute_type(*kind)?)))
        .collect();
    Ok(Namespace {
        id,
        id_text: id.to_string(),
        state: record.state(),
        name: record.name,
        details: NamespaceDetails {
            description: record.description,
            owner_email: record.owner_email,
            data: record.data,
        },
        retention: record.retention,
        delete_after: record.delete_after,
        limits: limits.clone(),
        schema: Schema::new(attributes),
        rules: record.rules,
        version: stored.version,
    })
}
