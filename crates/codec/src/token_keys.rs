//! Data keys that are wrapped by keys of tokens (PKCS#11).

use std::{collections::BTreeMap, fmt};

use futures_util::future::BoxFuture;
pub use longtide_pkcs11::{Pkcs11Error, Pkcs11Key, Pkcs11Pin, Pkcs11Token};

use crate::{
    CodecError, KEYS_MAX, KeyError, KeyRing, KeyService, PlainKey, WrappedKey,
    key_service::{LocalKeys, associated, new_key},
};

/// Keys of tokens by their ids: one wraps new data keys, all unwrap. For
/// [`EnvelopeEncryption::with_service`](crate::EnvelopeEncryption::with_service); waiting for a token
/// needs a runtime of tokio with its clock.
///
/// A token is asked once for each data key, not for each payload.
pub struct TokenKeys {
    primary: String,
    keys: BTreeMap<String, Pkcs11Key>,
    /// Of the time before there were tokens.
    former: Option<LocalKeys>,
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.keys().collect();
        formatter
            .debug_struct("TokenKeys")
            .field("primary", &self.primary)
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

impl TokenKeys {
    /// The key that wraps, under the id that payloads name it by; an id is never given to another
    /// key.
    pub fn new(id: impl Into<String>, key: Pkcs11Key) -> Self {
        let primary = id.into();
        Self { keys: [(primary.clone(), key)].into(), primary, former: None }
    }

    /// The same with another key that unwraps.
    ///
    /// # Errors
    /// When the id is empty or taken, or there are too many keys.
    pub fn with(mut self, id: impl Into<String>, key: Pkcs11Key) -> Result<Self, KeyError> {
        let id = id.into();
        if id.is_empty() {
            return Err(KeyError::NoId);
        }
        if self.keys.len() >= KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        if self.has(&id) {
            return Err(KeyError::Duplicate(id));
        }
        self.keys.insert(id, key);
        Ok(self)
    }

    /// The same with keys of a file that unwrap what they wrapped before there were tokens.
    ///
    /// # Errors
    /// When an id is taken.
    pub fn with_former(mut self, ring: &KeyRing) -> Result<Self, CodecError> {
        if let Some(id) = ring.ids().find(|id| self.has(id)) {
            return Err(KeyError::Duplicate(id.to_owned()).into());
        }
        self.former = Some(LocalKeys::new(ring)?);
        Ok(self)
    }

    /// Wraps a key that nobody needs, and unwraps it: whether the token is there and does its work.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), CodecError> {
        let (_, wrapped) = self.make("").await?;
        self.unwrap("", &wrapped).await.map(drop)
    }

    fn has(&self, id: &str) -> bool {
        self.keys.contains_key(id) || self.former.as_ref().is_some_and(|former| former.has(id))
    }

    fn token(&self, id: &str) -> Result<&Pkcs11Key, CodecError> {
        self.keys.get(id).ok_or_else(|| CodecError::UnknownKey(id.to_owned()))
    }
}

impl KeyService for TokenKeys {
    fn make<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<(PlainKey, WrappedKey), CodecError>> {
        Box::pin(async move {
            let plain = new_key()?;
            let key_id = self.primary.clone();
            let wrapped = self.token(&key_id)?.wrap(&associated(&key_id, namespace), &plain).await;
            let wrapped = wrapped.map_err(|error| refused(&key_id, error))?;
            Ok((plain, WrappedKey { key_id, wrapped }))
        })
    }

    fn unwrap<'a>(
        &'a self,
        namespace: &'a str,
        key: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<PlainKey, CodecError>> {
        Box::pin(async move {
            let id = &key.key_id;
            if let Some(former) = self.former.as_ref().filter(|former| former.has(id)) {
                return former.unwrap_now(namespace, key);
            }
            let opened = self.token(id)?.unwrap(&associated(id, namespace), &key.wrapped).await;
            opened.map_err(|error| refused(id, error))
        })
    }
}

fn refused(id: &str, error: Pkcs11Error) -> CodecError {
    match error {
        Pkcs11Error::DoesNotOpen(_) => CodecError::DoesNotOpen(id.to_owned()),
        other => CodecError::Unavailable(format!("key {id:?}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Pkcs11Key {
        Pkcs11Key {
            module: "/nowhere/libtoken.so".into(),
            token: Pkcs11Token::Label("vault".to_owned()),
            label: "codec".to_owned(),
            pin: Pkcs11Pin::new("4711"),
        }
    }

    #[tokio::test]
    async fn keys_of_a_file_unwrap_what_they_wrapped() {
        let ring = KeyRing::new("file", [7; 32]);
        let (plain, wrapped) = LocalKeys::new(&ring).unwrap().make("orders").await.unwrap();
        let keys = TokenKeys::new("token", token()).with_former(&ring).unwrap();
        assert_eq!(keys.unwrap("orders", &wrapped).await.unwrap(), plain);
        let error = keys.unwrap("others", &wrapped).await.unwrap_err();
        assert!(matches!(error, CodecError::DoesNotOpen(id) if id == "file"));
        let unknown = WrappedKey { key_id: "other".to_owned(), ..wrapped };
        let error = keys.unwrap("orders", &unknown).await.unwrap_err();
        assert!(matches!(error, CodecError::UnknownKey(id) if id == "other"));
    }

    #[tokio::test]
    async fn a_token_that_is_not_there_is_named_without_its_pin() {
        let keys = TokenKeys::new("hsm", token());
        let error = keys.check().await.unwrap_err().to_string();
        assert!(error.contains("key \"hsm\": token `vault`, key label `codec`: "), "{error}");
        assert!(!format!("{keys:?}{error}").contains("4711"));
    }

    #[test]
    fn an_id_is_one_key_s() {
        let keys = || TokenKeys::new("a", token());
        let taken = KeyError::Duplicate("a".to_owned());
        assert_eq!(keys().with("a", token()).unwrap_err(), taken);
        assert_eq!(keys().with("", token()).unwrap_err(), KeyError::NoId);
        let error = keys().with_former(&KeyRing::new("a", [7; 32])).unwrap_err();
        assert!(matches!(error, CodecError::Key(error) if error == taken));
        let both = keys().with("b", token()).unwrap();
        assert!(both.with_former(&KeyRing::new("c", [7; 32])).is_ok());
    }
}
