//! One endpoint and its stored form.

use api::nexus::v1::{EndpointSpec, endpoint_target::Variant};
use bytes::Bytes;
use model::Time;
use prost::Message;
use storage::MetaRecord;
use uuid::Uuid;

use crate::EndpointError;

/// What the keys of endpoints start with; the 16 bytes of the id follow.
pub(crate) const PREFIX: &[u8] = b"nexus-endpoint/";

/// An endpoint. Immutable: a change makes a new value and replaces the old one in the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// The permanent id.
    pub id: Uuid,
    /// The version of its stored record; rises by one with every change.
    pub version: i64,
    /// Its name, description and target.
    pub spec: EndpointSpec,
    /// When it was made.
    pub created_time: Time,
    /// When it was last changed; unset for never.
    pub last_modified_time: Time,
}

/// Tags are part of the stored format: never reuse one.
#[derive(Clone, PartialEq, Message)]
struct EndpointRecord {
    #[prost(message, optional, tag = "1")]
    spec: Option<EndpointSpec>,
    #[prost(message, required, tag = "2")]
    created_time: Time,
    #[prost(message, required, tag = "3")]
    last_modified_time: Time,
}

impl Endpoint {
    /// The name that workflows use.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The namespace of the workers that it points at; none for a server outside.
    pub fn target_namespace(&self) -> Option<&str> {
        match self.spec.target.as_ref()?.variant.as_ref()? {
            Variant::Worker(worker) => Some(&worker.namespace),
            Variant::External(_) => None,
        }
    }

    pub(crate) fn encode(&self) -> Bytes {
        let record = EndpointRecord {
            spec: Some(self.spec.clone()),
            created_time: self.created_time,
            last_modified_time: self.last_modified_time,
        };
        record.encode_to_vec().into()
    }

    pub(crate) fn decode(key: &[u8], stored: &MetaRecord) -> Result<Self, EndpointError> {
        let id = key
            .strip_prefix(PREFIX)
            .and_then(|id| Uuid::from_slice(id).ok())
            .ok_or_else(|| EndpointError::Damaged("its key holds no id".to_owned()))?;
        let record = EndpointRecord::decode(stored.value.clone())
            .map_err(|error| EndpointError::Damaged(format!("{id}: {error}")))?;
        Ok(Self {
            id,
            version: i64::try_from(stored.version).unwrap_or(i64::MAX),
            spec: record.spec.unwrap_or_default(),
            created_time: record.created_time,
            last_modified_time: record.last_modified_time,
        })
    }
}

pub(crate) fn key(id: Uuid) -> Bytes {
    [PREFIX, id.as_bytes().as_slice()].concat().into()
}
