//! One API key: its text, which only its holder has, and its record, which holds a hash.

use authz::{Caller, Claims, Principal};
use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use environment::Entropy;
use model::Time;
use prost::Message;

use crate::ApiKeyError;

/// What the keys of records start with; the id follows.
pub(crate) const PREFIX: &[u8] = b"api-key/";

/// What the texts of API keys start with, so that people and scanners of leaked secrets know them.
pub(crate) const MARK: &str = "ltk_";

const ID_BYTES: usize = 9;
const SECRET_BYTES: usize = 32;

/// What an API key is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiKeyRequest {
    /// Whose it is: the name in events, logs and lists.
    pub name: String,
    /// What its holder may do, such as `orders:write`.
    pub permissions: Vec<String>,
    /// When it ends; unset for never.
    pub expires: Time,
}

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, a part of its text.
    pub id: String,
    /// What it is.
    pub request: ApiKeyRequest,
    /// When it was made.
    pub created: Time,
    /// The hash of its secret.
    hash: Vec<u8>,
    /// The version of its record.
    pub(crate) version: u64,
}

/// Tags are part of the stored format: never reuse one.
#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, repeated, tag = "2")]
    permissions: Vec<String>,
    #[prost(message, required, tag = "3")]
    expires: Time,
    #[prost(message, required, tag = "4")]
    created: Time,
    #[prost(bytes = "vec", tag = "5")]
    hash: Vec<u8>,
}

impl ApiKey {
    /// Makes a key and its text.
    pub(crate) fn make(
        request: ApiKeyRequest,
        created: Time,
        entropy: &dyn Entropy,
    ) -> (Self, String) {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        entropy.fill(&mut id);
        entropy.fill(&mut secret);
        // The id has no `_`, which ends it in the text.
        let id = URL_SAFE_NO_PAD.encode(id).replace(['_', '-'], "x");
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let text = format!("{MARK}{id}_{secret}");
        (Self { id, request, created, hash: hashed(&secret), version: 0 }, text)
    }

    /// True when this is its secret.
    pub(crate) fn is_opened_by(&self, secret: &str) -> bool {
        verify_slices_are_equal(&self.hash, &hashed(secret)).is_ok()
    }

    /// True when it has ended.
    pub fn is_expired(&self, now: Time) -> bool {
        self.request.expires.is_set() && self.request.expires <= now
    }

    /// Its holder.
    pub(crate) fn caller(&self) -> Caller {
        let mut claims = Claims::default();
        for permission in &self.request.permissions {
            claims.grant_permission(permission);
        }
        Caller::new(Principal::named("api-key", self.request.name.as_str()), claims)
    }

    pub(crate) fn key(&self) -> Bytes {
        [PREFIX, self.id.as_bytes()].concat().into()
    }

    pub(crate) fn encode(&self) -> Bytes {
        let ApiKeyRequest { name, permissions, expires } = self.request.clone();
        let (created, hash) = (self.created, self.hash.clone());
        Record { name, permissions, expires, created, hash }.encode_to_vec().into()
    }

    pub(crate) fn decode(key: &[u8], value: Bytes, version: u64) -> Result<Self, ApiKeyError> {
        let damaged = |text: String| ApiKeyError::Damaged(text);
        let id = key.strip_prefix(PREFIX).and_then(|id| std::str::from_utf8(id).ok());
        let id = id.ok_or_else(|| damaged("its key holds no id".to_owned()))?;
        let record = Record::decode(value).map_err(|error| damaged(format!("{id}: {error}")))?;
        let Record { name, permissions, expires, created, hash } = record;
        let request = ApiKeyRequest { name, permissions, expires };
        Ok(Self { id: id.to_owned(), request, created, hash, version })
    }
}

/// The id of the API key in the value of an `authorization` header, if one is there. Whether it is
/// good is for others to say.
pub fn api_key_id(header: &[u8]) -> Option<&str> {
    let (id, _) = parts(crate::authenticator::bearer(header).ok()?)?;
    Some(id)
}

/// The id and the secret of a key's text.
pub(crate) fn parts(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(MARK)?.split_once('_')
}

/// A secret has 256 random bits: one round of a hash is enough, nobody can try them all.
fn hashed(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;

    fn made() -> (ApiKey, String) {
        let permissions = vec!["orders:write".to_owned()];
        let request =
            ApiKeyRequest { name: "ci".to_owned(), permissions, expires: Time::from_nanos(9) };
        ApiKey::make(request, Time::from_nanos(1), &SeededEntropy::new(1))
    }

    #[test]
    fn a_record_holds_no_secret_and_opens_with_it() {
        let (key, text) = made();
        let (id, secret) = parts(&text).unwrap();
        assert_eq!(id, key.id);
        let stored = key.encode();
        assert!(!stored.windows(secret.len()).any(|part| part == secret.as_bytes()));
        let read = ApiKey::decode(&key.key(), stored, 0).unwrap();
        assert_eq!(read, key);
        assert!(read.is_opened_by(secret) && !read.is_opened_by("") && !read.is_opened_by(id));
        assert!(!format!("{key:?}").contains(secret));
    }

    #[test]
    fn a_key_ends_when_it_says() {
        let (mut key, _) = made();
        assert!(key.is_expired(Time::from_nanos(9)) && !key.is_expired(Time::from_nanos(8)));
        key.request.expires = Time::UNSET;
        assert!(!key.is_expired(Time::from_nanos(i64::MAX)));
    }
}
