//! The encryption of the SDKs' published samples, byte for byte.

use std::{collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;
use prost::Message;

use crate::{
    Codec, CodecError, Context, KeyRing, Payload,
    codec::{Coded, at_once},
    sealing::{OpenError, SealingKey},
};

/// The encoding of such payloads.
pub const ENCRYPTED: &str = "binary/encrypted";

/// The metadata entry that names the key.
pub(crate) const KEY_ID: &str = "encryption-key-id";

/// AES-256-GCM over the whole inner payload, with a random nonce before and the tag behind.
///
/// Nothing binds a payload to its place: whoever may write to the server can put one workflow's
/// encrypted payload into another. [`EnvelopeEncryption`](crate::EnvelopeEncryption) does bind it, and
/// reads these, too. Nonces are random: take another key before 2³² payloads were encrypted with one.
#[derive(Clone)]
pub struct Encryption {
    primary: Arc<Primary>,
    keys: Arc<BTreeMap<String, Arc<SealingKey>>>,
}

/// The key that encrypts.
struct Primary {
    id: Bytes,
    key: Arc<SealingKey>,
}

impl fmt::Debug for Encryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Encryption")
            .field("primary", &self.primary.id)
            .finish_non_exhaustive()
    }
}

impl Encryption {
    /// Encrypts with the ring's first key, and decrypts with all of them.
    ///
    /// # Errors
    /// When the machine's cryptography takes no key.
    pub fn new(ring: &KeyRing) -> Result<Self, CodecError> {
        let keys =
            ring.iter().map(|(id, key)| Ok((id.to_owned(), Arc::new(SealingKey::new(key)?))));
        let keys = keys.collect::<Result<BTreeMap<_, _>, CodecError>>()?;
        let id = ring.primary_id();
        let key = keys.get(id).cloned().ok_or_else(|| CodecError::UnknownKey(id.to_owned()))?;
        let primary = Primary { id: Bytes::copy_from_slice(id.as_bytes()), key };
        Ok(Self { primary: Arc::new(primary), keys: Arc::new(keys) })
    }

    pub(crate) fn seal(&self, payload: &Payload) -> Result<Payload, CodecError> {
        let Primary { id, key } = &*self.primary;
        let sealed = key.seal_message(&[], &[], payload)?;
        Ok(Payload::new(ENCRYPTED, sealed).with(KEY_ID, id.clone()))
    }

    /// Opens a payload of this encoding; the others pass.
    pub(crate) fn open(&self, payload: Payload) -> Result<Payload, CodecError> {
        if payload.encoding() != ENCRYPTED.as_bytes() {
            return Ok(payload);
        }
        let id = key_id(&payload)?;
        let key = self.keys.get(&id).ok_or_else(|| CodecError::UnknownKey(id.clone()))?;
        let plaintext = key.open(&[], &payload.data).map_err(|error| match error {
            OpenError::TooShort => CodecError::TooShort(payload.data.len()),
            OpenError::Changed => CodecError::DoesNotOpen(id),
        })?;
        Payload::decode(Bytes::from(plaintext)).map_err(|_| CodecError::NoPayloadInside)
    }
}

pub(crate) fn key_id(payload: &Payload) -> Result<String, CodecError> {
    match payload.metadata(KEY_ID) {
        [] => Err(CodecError::NoKeyId),
        id => Ok(String::from_utf8_lossy(id).into_owned()),
    }
}

impl Codec for Encryption {
    fn encode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        at_once(payloads, |payload| self.seal(&payload))
    }

    fn decode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        at_once(payloads, |payload| self.open(payload))
    }
}
