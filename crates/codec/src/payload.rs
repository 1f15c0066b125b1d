//! A payload, as the API defines it.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;

/// The metadata entry that says how the data is to be read.
pub const ENCODING: &str = "encoding";

/// `temporal.api.common.v1.Payload`, by field numbers of its own: this crate depends on no generated
/// code. Fields of later versions are not kept.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Payload {
    /// What is known about the data, its encoding first of all.
    #[prost(btree_map = "string, bytes", tag = "1")]
    pub metadata: BTreeMap<String, Bytes>,
    /// The data.
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
    /// What of it lies outside.
    #[prost(message, repeated, tag = "3")]
    pub external_payloads: Vec<ExternalPayload>,
}

/// `temporal.api.common.v1.Payload.ExternalPayloadDetails`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct ExternalPayload {
    /// How large it is.
    #[prost(int64, tag = "1")]
    pub size_bytes: i64,
}

impl Payload {
    /// A payload with nothing but an encoding.
    pub fn new(encoding: &'static str, data: impl Into<Bytes>) -> Self {
        let metadata = [(ENCODING.to_owned(), Bytes::from_static(encoding.as_bytes()))];
        Self { metadata: metadata.into(), data: data.into(), external_payloads: Vec::new() }
    }

    /// The same with another entry of metadata.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }

    /// How the data is to be read; empty when the payload does not say.
    pub fn encoding(&self) -> &[u8] {
        self.metadata(ENCODING)
    }

    /// An entry of metadata; empty when there is none.
    pub fn metadata(&self, name: &str) -> &[u8] {
        self.metadata.get(name).map_or(&[], |value| value)
    }
}
