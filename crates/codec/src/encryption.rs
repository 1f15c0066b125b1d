//! The encryption of the SDKs' published samples, byte for byte.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    Codec, CodecError, Context, ENCODING, KeyRing, Metadata, Payload,
    codec::{Coded, at_once},
    sealing::{Form, OpenError, Room, SealingKey},
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
    id: String,
    key: Arc<SealingKey>,
    /// What all that it encrypts has.
    metadata: Metadata,
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
        let metadata = [(ENCODING, ENCRYPTED), (KEY_ID, id)].into_iter().collect();
        let primary = Primary { id: id.to_owned(), key, metadata };
        Ok(Self { primary: Arc::new(primary), keys: Arc::new(keys) })
    }

    /// Opens a payload of this encoding; the others stay as they are.
    pub(crate) fn open(&self, payload: &mut Payload, room: &mut Room) -> Result<(), CodecError> {
        // Most are as they are written here: one comparison for all that is to be looked up.
        if payload.metadata.is_written_as(&self.primary.metadata) {
            return open_with(&self.primary.key, &self.primary.id, payload, room);
        }
        if payload.encoding() != ENCRYPTED.as_bytes() {
            return Ok(());
        }
        let id = key_id(payload)?;
        let key = self.keys.get(&id).ok_or_else(|| CodecError::UnknownKey(id.clone()))?;
        open_with(key, &id, payload, room)
    }
}

fn open_with(
    key: &SealingKey,
    id: &str,
    payload: &mut Payload,
    room: &mut Room,
) -> Result<(), CodecError> {
    let sealed = std::mem::take(&mut payload.data);
    let length = sealed.len();
    let plain = key.open_message(0, &[], sealed, room).map_err(|error| match error {
        OpenError::TooShort => CodecError::TooShort(length),
        OpenError::Changed => CodecError::DoesNotOpen(id.to_owned()),
    })?;
    *payload = Payload::decode(plain).ok_or(CodecError::NoPayloadInside)?;
    Ok(())
}

pub(crate) fn key_id(payload: &Payload) -> Result<String, CodecError> {
    match payload.metadata(KEY_ID) {
        [] => Err(CodecError::NoKeyId),
        id => Ok(String::from_utf8_lossy(id).into_owned()),
    }
}

impl Codec for Encryption {
    fn encode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        let Primary { key, metadata, .. } = &*self.primary;
        let form = Form { head: &[], associated: &[], metadata };
        at_once(payloads, |payloads| key.seal_all(form, payloads))
    }

    fn decode<'a>(&'a self, _: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        at_once(payloads, |payloads| {
            let mut room = Room::for_opening(payloads);
            payloads.iter_mut().try_for_each(|payload| self.open(payload, &mut room))
        })
    }
}
