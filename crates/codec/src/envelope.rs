//! Envelope encryption: data keys that change, wrapped by keys that are guarded.
//!
//! | Metadata | |
//! |---|---|
//! | `encoding` | `binary/encrypted-envelope` |
//! | `encryption-format` | `1` |
//! | `encryption-key-id` | the key that wraps the data key |
//! | `encryption-data-key` | the data key, wrapped |
//! | `encryption-context` | what the payload is bound to: `namespace`, `namespace,workflow` or nothing |
//!
//! The data is a commitment to the data key (32 bytes), a nonce (12), the encrypted inner payload
//! and a tag (16). The metadata above and the values of the context are associated data: a payload
//! opens with its own key, in its own namespace and workflow, and nowhere else. The commitment rules
//! out data that opens with two keys, which AES-GCM alone allows.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use lru::LruCache;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::{
    Codec, CodecError, Context, ENCODING, Encryption, KeyRing, KeyService, Metadata, Payload,
    WrappedKey,
    codec::Coded,
    encryption::{KEY_ID, key_id},
    key_service::LocalKeys,
    sealing::{Form, OpenError, Room, SealingKey},
};

/// The encoding of such payloads.
pub const ENVELOPE: &str = "binary/encrypted-envelope";

/// Most payloads that one data key encrypts (2²⁴): far from where random nonces could meet.
pub const PAYLOADS_PER_DATA_KEY_MAX: u64 = 1 << 24;

/// Most opened data keys in memory. A worker sees those of the workflows that it works on.
const OPEN_KEYS_MAX: usize = 1_000;

/// Most namespaces whose data keys for encryption are in memory.
const NAMESPACES_MAX: usize = 1_000;

const FORMAT: &str = "encryption-format";
const DATA_KEY: &str = "encryption-data-key";
const CONTEXT: &str = "encryption-context";
const FORMAT_1: &[u8] = b"1";
const COMMITMENT_LEN: usize = 32;

/// See the module. Reads the samples' encryption, too, when it was made with a key ring.
pub struct EnvelopeEncryption {
    service: Arc<dyn KeyService>,
    /// For payloads of the older format.
    samples: Option<Encryption>,
    sealing: Mutex<LruCache<String, InUse>>,
    opened: Mutex<LruCache<(String, WrappedKey), Arc<DataKey>>>,
    /// What the last payload that was opened had: mostly, so has the next.
    last: Mutex<Option<Arc<Common>>>,
}

/// What encrypts for a namespace, and how often its data key did.
struct InUse {
    common: Arc<Common>,
    payloads: u64,
}

/// All that payloads of one place have in common, when one data key encrypts them.
struct Common {
    key: Arc<DataKey>,
    wrapped: WrappedKey,
    /// What they are bound to; empty where they are not.
    namespace: String,
    workflow_id: String,
    metadata: Metadata,
    associated: Vec<u8>,
}

struct DataKey {
    sealing: SealingKey,
    commitment: [u8; COMMITMENT_LEN],
}

impl fmt::Debug for EnvelopeEncryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EnvelopeEncryption").finish_non_exhaustive()
    }
}

impl EnvelopeEncryption {
    /// Wraps data keys with the ring's first key.
    ///
    /// # Errors
    /// When the machine's cryptography takes no key.
    pub fn new(ring: &KeyRing) -> Result<Self, CodecError> {
        Self::with_service(Arc::new(LocalKeys::new(ring)?)).and_samples(ring)
    }

    /// Lets a service wrap the data keys.
    pub fn with_service(service: Arc<dyn KeyService>) -> Self {
        Self {
            service,
            samples: None,
            sealing: Mutex::new(LruCache::new(at_least_one(NAMESPACES_MAX))),
            opened: Mutex::new(LruCache::new(at_least_one(OPEN_KEYS_MAX))),
            last: Mutex::new(None),
        }
    }

    /// The same, which also reads the samples' encryption, as it was made with a key ring.
    ///
    /// # Errors
    /// When the machine's cryptography takes no key.
    pub fn and_samples(mut self, ring: &KeyRing) -> Result<Self, CodecError> {
        self.samples = Some(Encryption::new(ring)?);
        Ok(self)
    }

    /// What to encrypt with, its data key counted as used `payloads` times more.
    async fn sealing(&self, bound: Bound<'_>, payloads: u64) -> Result<Arc<Common>, CodecError> {
        if let Some(in_use) = self.sealing.lock().get_mut(bound.namespace) {
            let used = in_use.payloads.saturating_add(payloads);
            if used <= PAYLOADS_PER_DATA_KEY_MAX {
                in_use.payloads = used;
                let common = &mut in_use.common;
                if common.workflow_id != bound.workflow_id {
                    let (key, wrapped) = (Arc::clone(&common.key), common.wrapped.clone());
                    *common = Arc::new(Common::new(key, wrapped, &bound));
                }
                return Ok(Arc::clone(common));
            }
        }
        let (plain, wrapped) = self.service.make(bound.namespace).await?;
        let common = Arc::new(Common::new(Arc::new(DataKey::new(&plain)?), wrapped, &bound));
        let in_use = InUse { common: Arc::clone(&common), payloads };
        self.sealing.lock().put(bound.namespace.to_owned(), in_use);
        Ok(common)
    }

    async fn opening_key(
        &self,
        namespace: &str,
        wrapped: WrappedKey,
    ) -> Result<Arc<DataKey>, CodecError> {
        let name = (namespace.to_owned(), wrapped);
        if let Some(key) = self.opened.lock().get(&name) {
            return Ok(Arc::clone(key));
        }
        let plain = self.service.unwrap(namespace, &name.1).await?;
        let key = Arc::new(DataKey::new(&plain)?);
        self.opened.lock().put(name, Arc::clone(&key));
        Ok(key)
    }

    /// What opens a payload of this format.
    async fn opening(
        &self,
        context: &Context,
        payload: &Payload,
    ) -> Result<Arc<Common>, CodecError> {
        let format = payload.metadata(FORMAT);
        if format != FORMAT_1 {
            let format = String::from_utf8_lossy(format).into_owned();
            return Err(CodecError::UnknownFormat(format));
        }
        let key_id = key_id(payload)?;
        let Some(bound) = Bound::named(payload.metadata(CONTEXT), context) else {
            return Err(CodecError::DoesNotOpen(key_id));
        };
        let wrapped = WrappedKey { key_id, wrapped: payload.metadata(DATA_KEY).to_vec() };
        let key = self.opening_key(bound.namespace, wrapped.clone()).await?;
        let mut common = Common::new(key, wrapped, &bound);
        common.metadata = payload.metadata.clone();
        Ok(Arc::new(common))
    }
}

impl Common {
    fn new(key: Arc<DataKey>, wrapped: WrappedKey, bound: &Bound<'_>) -> Self {
        let metadata = [
            (ENCODING, ENVELOPE.as_bytes()),
            (FORMAT, FORMAT_1),
            (KEY_ID, wrapped.key_id.as_bytes()),
            (DATA_KEY, &wrapped.wrapped),
            (CONTEXT, bound.name.as_bytes()),
        ];
        Self {
            key,
            namespace: bound.namespace.to_owned(),
            workflow_id: bound.workflow_id.to_owned(),
            metadata: metadata.into_iter().collect(),
            associated: bound.associated(&wrapped),
            wrapped,
        }
    }

    /// True when it opens this payload, and no other key or place has to be looked for.
    fn is_for(&self, context: &Context, payload: &Payload) -> bool {
        let is = |bound: &str, here: &str| bound.is_empty() || bound == here;
        payload.metadata.is_written_as(&self.metadata)
            && is(&self.namespace, &context.namespace)
            && is(&self.workflow_id, &context.workflow_id)
    }

    fn open(&self, payload: &mut Payload, room: &mut Room) -> Result<(), CodecError> {
        let sealed = std::mem::take(&mut payload.data);
        let length = sealed.len();
        let does_not_open = || CodecError::DoesNotOpen(self.wrapped.key_id.clone());
        let commitment = sealed.get(..COMMITMENT_LEN).ok_or(CodecError::TooShort(length))?;
        // Nothing in it is secret: it stands in each payload.
        if commitment != self.key.commitment {
            return Err(does_not_open());
        }
        let plain = self.key.sealing.open_message(COMMITMENT_LEN, &self.associated, sealed, room);
        let plain = plain.map_err(|error| match error {
            OpenError::TooShort => CodecError::TooShort(length),
            OpenError::Changed => does_not_open(),
        })?;
        *payload = Payload::decode(plain).ok_or(CodecError::NoPayloadInside)?;
        Ok(())
    }
}

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

impl DataKey {
    fn new(plain: &[u8; 32]) -> Result<Self, CodecError> {
        let root = Salt::new(HKDF_SHA256, b"longtide envelope 1").extract(plain);
        let sealing = Zeroizing::new(derive(&root, b"encryption")?);
        Ok(Self { sealing: SealingKey::new(&sealing)?, commitment: derive(&root, b"commitment")? })
    }
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

fn derive(root: &Prk, purpose: &[u8]) -> Result<[u8; 32], CodecError> {
    let mut key = [0; 32];
    let info = [purpose];
    let filled = root.expand(&info, Bytes32).and_then(|derived| derived.fill(&mut key));
    filled.map_err(|_| CodecError::Unavailable("no key can be derived".to_owned()))?;
    Ok(key)
}

/// What a payload is bound to. What is not known when it is encrypted binds nothing.
struct Bound<'a> {
    name: &'static str,
    namespace: &'a str,
    workflow_id: &'a str,
}

impl<'a> Bound<'a> {
    fn all(context: &'a Context) -> Self {
        let Context { namespace, workflow_id } = context;
        match (namespace.as_str(), workflow_id.as_str()) {
            ("", _) => Self { name: "", namespace: "", workflow_id: "" },
            (namespace, "") => Self { name: "namespace", namespace, workflow_id: "" },
            (namespace, workflow_id) => Self { name: "namespace,workflow", namespace, workflow_id },
        }
    }

    /// What a payload says that it is bound to, as far as it is known here; `None` when it is not.
    fn named(name: &[u8], context: &'a Context) -> Option<Self> {
        let known = Self::all(context);
        match name {
            b"" => Some(Self { name: "", namespace: "", workflow_id: "" }),
            b"namespace" if !known.namespace.is_empty() => {
                Some(Self { name: "namespace", workflow_id: "", ..known })
            }
            b"namespace,workflow" if !known.workflow_id.is_empty() => Some(known),
            _ => None,
        }
    }

    fn associated(&self, key: &WrappedKey) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128 + key.wrapped.len());
        let parts = [
            ENVELOPE.as_bytes(),
            FORMAT_1,
            key.key_id.as_bytes(),
            &key.wrapped,
            self.name.as_bytes(),
            self.namespace.as_bytes(),
            self.workflow_id.as_bytes(),
        ];
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

impl Codec for EnvelopeEncryption {
    fn encode<'a>(&'a self, context: &'a Context, mut payloads: Vec<Payload>) -> Coded<'a> {
        Box::pin(async move {
            let count = payloads.len();
            let common = self.sealing(Bound::all(context), count as u64).await?;
            let Common { key, metadata, associated, .. } = &*common;
            let form = Form { head: &key.commitment, associated, metadata };
            key.sealing.seal_all(form, &mut payloads)?;
            Ok(payloads)
        })
    }

    fn decode<'a>(&'a self, context: &'a Context, mut payloads: Vec<Payload>) -> Coded<'a> {
        Box::pin(async move {
            let mut room = Room::for_opening(&payloads);
            let mut known = self.last.lock().clone();
            for payload in &mut payloads {
                if let Some(known) = known.as_ref().filter(|known| known.is_for(context, payload)) {
                    known.open(payload, &mut room)?;
                } else if payload.encoding() == ENVELOPE.as_bytes() {
                    let opening = self.opening(context, payload).await?;
                    opening.open(payload, &mut room)?;
                    self.last.lock().replace(Arc::clone(&opening));
                    known = Some(opening);
                } else if let Some(samples) = &self.samples {
                    samples.open(payload, &mut room)?;
                }
            }
            Ok(payloads)
        })
    }
}
