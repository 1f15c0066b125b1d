//! The keys that tokens are signed with, by their ids.

use std::collections::HashMap;

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, PublicKeyUse},
};
use serde_json::Value;

/// Most keys of one source; who publishes more has a mistake in it.
const KEYS_MAX: usize = 1000;

/// The keys of one source.
#[derive(Default)]
pub(crate) struct KeySet(HashMap<String, Key>);

/// One key.
pub(crate) struct Key {
    pub(crate) key: DecodingKey,
    /// The only algorithm that it may be used with, when it says so.
    algorithm: Option<Algorithm>,
}

impl Key {
    /// True when it may be used so.
    pub(crate) fn may_be_used_with(&self, algorithm: Algorithm) -> bool {
        self.key.family() == algorithm.family()
            && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl KeySet {
    /// Reads a published set. Keys that are of no use here (of another kind, for encryption, without
    /// an id, symmetric) are left out.
    pub(crate) fn read(published: &Value) -> Result<Self, String> {
        let keys = published.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or("there is no list of keys in it")?;
        if keys.len() > KEYS_MAX {
            return Err(format!("there are {} keys in it", keys.len()));
        }
        Ok(Self(keys.iter().filter_map(usable).collect()))
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Key> {
        self.0.get(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn usable(published: &Value) -> Option<(String, Key)> {
    let jwk: Jwk = serde_json::from_value(published.clone()).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature) {
        return None;
    }
    let id = jwk.common.key_id.clone()?;
    let algorithm = match jwk.common.key_algorithm {
        None => None,
        Some(named) => Some(named.to_string().parse().ok()?),
    };
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    if key.family() == jsonwebtoken::AlgorithmFamily::Hmac {
        return None;
    }
    Some((id, Key { key, algorithm }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_that_are_of_no_use_are_left_out() {
        let ec = |id: Value, more: Value| {
            let mut key = json!({
                "kty": "EC", "crv": "P-256", "kid": id,
                "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            });
            let Value::Object(more) = more else { panic!() };
            key.as_object_mut().unwrap().extend(more);
            key
        };
        let published = json!({ "keys": [
            ec(json!("good"), json!({})),
            ec(json!("signs"), json!({ "use": "sig", "alg": "ES256" })),
            ec(json!("encrypts"), json!({ "use": "enc" })),
            ec(json!(null), json!({})),
            { "kty": "oct", "kid": "shared", "k": "c2VjcmV0" },
            { "kty": "new", "kid": "unknown" },
            7,
        ] });
        let set = KeySet::read(&published).unwrap();
        assert_eq!(set.len(), 2);
        assert!(set.get("good").unwrap().may_be_used_with(Algorithm::ES384));
        assert!(!set.get("signs").unwrap().may_be_used_with(Algorithm::ES384));
        assert!(!set.get("good").unwrap().may_be_used_with(Algorithm::RS256));
        assert!(!set.get("good").unwrap().may_be_used_with(Algorithm::HS256));
        assert!(KeySet::read(&json!({})).is_err());
    }
}
