//! Who wraps data keys: a key ring here, or a key management service elsewhere.

use std::{collections::BTreeMap, fmt};

use aws_lc_rs::rand;
use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

use crate::{
    CodecError, KeyRing,
    sealing::{OpenError, SealingKey},
};

/// A data key as it may be stored: nobody but the key service can read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WrappedKey {
    /// The key that it is wrapped with.
    pub key_id: String,
    /// The data key, encrypted.
    pub wrapped: Vec<u8>,
}

/// A data key in the clear. Wiped when it is dropped.
pub type PlainKey = Zeroizing<[u8; 32]>;

/// Makes data keys and opens them, as the key management services of clouds do. What a data key is
/// for is told, so that the service may bind the key to it and write it down.
pub trait KeyService: Send + Sync {
    /// A new data key, plain and wrapped.
    ///
    /// # Errors
    /// When the service cannot, for now or for this namespace.
    fn make<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<(PlainKey, WrappedKey), CodecError>>;

    /// The data key that was made with a namespace and wrapped.
    ///
    /// # Errors
    /// [`CodecError::UnknownKey`] and [`CodecError::DoesNotOpen`], or the service cannot for now.
    fn unwrap<'a>(
        &'a self,
        namespace: &'a str,
        key: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<PlainKey, CodecError>>;
}

/// Wraps data keys with the keys of a ring.
pub(crate) struct LocalKeys {
    primary: String,
    keys: BTreeMap<String, SealingKey>,
}

impl fmt::Debug for LocalKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LocalKeys").field("primary", &self.primary).finish_non_exhaustive()
    }
}

impl LocalKeys {
    pub(crate) fn new(ring: &KeyRing) -> Result<Self, CodecError> {
        let keys = ring.iter().map(|(id, key)| Ok((id.to_owned(), SealingKey::new(key)?)));
        let keys = keys.collect::<Result<_, CodecError>>()?;
        Ok(Self { primary: ring.primary_id().to_owned(), keys })
    }

    fn key(&self, id: &str) -> Result<&SealingKey, CodecError> {
        self.keys.get(id).ok_or_else(|| CodecError::UnknownKey(id.to_owned()))
    }

    fn make_now(&self, namespace: &str) -> Result<(PlainKey, WrappedKey), CodecError> {
        let plain = new_key()?;
        let key_id = self.primary.clone();
        let associated = associated(&key_id, namespace);
        let wrapped = self.key(&key_id)?.seal(&associated, plain.as_slice())?;
        Ok((plain, WrappedKey { key_id, wrapped }))
    }

    #[cfg(feature = "pkcs11")]
    pub(crate) fn has(&self, id: &str) -> bool {
        self.keys.contains_key(id)
    }

    pub(crate) fn unwrap_now(
        &self,
        namespace: &str,
        key: &WrappedKey,
    ) -> Result<PlainKey, CodecError> {
        let does_not_open = || CodecError::DoesNotOpen(key.key_id.clone());
        let associated = associated(&key.key_id, namespace);
        let opened = self.key(&key.key_id)?.open(&associated, &key.wrapped);
        let opened = Zeroizing::new(opened.map_err(|error| match error {
            OpenError::TooShort => CodecError::TooShort(key.wrapped.len()),
            OpenError::Changed => does_not_open(),
        })?);
        let plain = <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| does_not_open())?;
        Ok(Zeroizing::new(plain))
    }
}

/// A new data key.
pub(crate) fn new_key() -> Result<PlainKey, CodecError> {
    let mut plain = Zeroizing::new([0; 32]);
    let filled = rand::fill(plain.as_mut_slice());
    filled.map_err(|_| CodecError::Unavailable("no random numbers".to_owned()))?;
    Ok(plain)
}

/// A wrapped key counts for its key and namespace only.
pub(crate) fn associated(key_id: &str, namespace: &str) -> Vec<u8> {
    let mut bytes = b"longtide data key 1".to_vec();
    for part in [key_id, namespace] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

impl KeyService for LocalKeys {
    fn make<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<(PlainKey, WrappedKey), CodecError>> {
        Box::pin(std::future::ready(self.make_now(namespace)))
    }

    fn unwrap<'a>(
        &'a self,
        namespace: &'a str,
        key: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<PlainKey, CodecError>> {
        Box::pin(std::future::ready(self.unwrap_now(namespace, key)))
    }
}
