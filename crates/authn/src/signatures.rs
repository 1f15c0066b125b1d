//! Signatures of tokens, and the keys that they are checked with.

use std::{str::FromStr, sync::Arc};

use arc_swap::ArcSwap;
use environment::Clock;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use model::Span;
use serde_json::{Map, Value};

use crate::{CredentialError, KeySource, SettingsError, fetch::Fetcher, key_set::KeySet};

/// How long it takes at least from one look for an unknown key to the next, so that made-up key ids
/// cost the sources nothing.
const LOOK_AGAIN: Span = Span::from_secs(5);

/// The algorithms that tokens may be signed with; never one with a shared secret, never none.
const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// Checks signatures of tokens with the keys of some sources. What a signed token says is for the
/// caller to judge.
#[derive(Debug)]
pub struct Signatures {
    sources: Vec<KeySource>,
    algorithms: Vec<Algorithm>,
    fetcher: Fetcher,
    keys: ArcSwap<Keys>,
    clock: Arc<dyn Clock>,
    /// When unknown keys were last looked for; one look at a time.
    looked: tokio::sync::Mutex<Option<Span>>,
}

/// The keys of all sources, in their order.
#[derive(Debug, Default)]
struct Keys {
    sets: Vec<Arc<KeySet>>,
    /// Rises with every change.
    generation: u64,
}

/// What was made of a token, and the keys that vouch for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked<T> {
    /// What the caller made of it.
    pub value: T,
    /// The generation of the keys.
    pub generation: u64,
}

impl Signatures {
    /// Reads no source yet; `algorithms` may be empty for all that are safe.
    ///
    /// # Errors
    /// When an algorithm is none, or not safe.
    pub fn new(
        sources: Vec<KeySource>,
        algorithms: &[String],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        let names: Vec<&str> = match algorithms {
            [] => ALGORITHMS.to_vec(),
            some => some.iter().map(String::as_str).collect(),
        };
        let mut algorithms = Vec::new();
        for name in names {
            let parsed = Algorithm::from_str(name).ok().filter(|_| ALGORITHMS.contains(&name));
            let refused = || SettingsError::Algorithm(name.to_owned(), ALGORITHMS.join(", "));
            algorithms.push(parsed.ok_or_else(refused)?);
        }
        let sets = sources.iter().map(|_| Arc::default()).collect();
        Ok(Self {
            sources,
            algorithms,
            fetcher: Fetcher::default(),
            keys: ArcSwap::from_pointee(Keys { sets, generation: 0 }),
            clock,
            looked: tokio::sync::Mutex::default(),
        })
    }

    /// The generation of the keys that are in force.
    pub fn generation(&self) -> u64 {
        self.keys.load().generation
    }

    /// Reads all sources. Each that cannot be read keeps the keys that it had. True when all could.
    pub async fn refresh(&self) -> bool {
        let mut all = true;
        let mut sets = Vec::with_capacity(self.sources.len());
        for (source, former) in self.sources.iter().zip(&self.keys.load_full().sets) {
            let published = self.fetcher.key_set(source).await;
            match published.and_then(|published| KeySet::read(&published)) {
                Ok(set) => {
                    tracing::debug!(%source, keys = set.len(), "keys of tokens were read");
                    sets.push(Arc::new(set));
                }
                Err(error) => {
                    tracing::error!(%source, error, "keys of tokens cannot be read");
                    sets.push(Arc::clone(former));
                    all = false;
                }
            }
        }
        let generation = self.keys.load().generation + 1;
        self.keys.store(Arc::new(Keys { sets, generation }));
        all
    }

    /// Checks the signature of a token, then lets `read` judge what it says. `read` is also told
    /// whose key it is, when that is known. A key that nobody has is looked for at the sources.
    ///
    /// # Errors
    /// When no source has the key, the signature is not that of the key, or `read` refuses.
    pub async fn check<T: Send>(
        &self,
        token: &str,
        read: impl Fn(&Map<String, Value>, Option<&str>) -> Result<T, CredentialError> + Send + Sync,
    ) -> Result<Checked<T>, CredentialError> {
        let keys = self.keys.load_full();
        match self.check_with(token, &keys, &read) {
            Err(CredentialError::UnknownKey(id)) => {
                let keys = self.with_new_keys(keys, &id).await?;
                self.check_with(token, &keys, &read)
            }
            checked => checked,
        }
    }

    /// The keys once the sources have been looked at again for one of this id.
    async fn with_new_keys(
        &self,
        known: Arc<Keys>,
        id: &str,
    ) -> Result<Arc<Keys>, CredentialError> {
        let mut looked = self.looked.lock().await;
        let current = self.keys.load_full();
        if current.generation != known.generation {
            // Somebody else has just looked.
            return Ok(current);
        }
        let now = self.clock.monotonic();
        if looked.is_some_and(|last| now - last < LOOK_AGAIN) {
            return Err(CredentialError::UnknownKey(id.to_owned()));
        }
        *looked = Some(now);
        self.refresh().await;
        Ok(self.keys.load_full())
    }

    fn check_with<T>(
        &self,
        token: &str,
        keys: &Keys,
        read: impl Fn(&Map<String, Value>, Option<&str>) -> Result<T, CredentialError>,
    ) -> Result<Checked<T>, CredentialError> {
        let malformed =
            |error: jsonwebtoken::errors::Error| CredentialError::Malformed(error.to_string());
        let header = decode_header(token).map_err(malformed)?;
        if !self.algorithms.contains(&header.alg) {
            return Err(CredentialError::Algorithm);
        }
        let id = header.kid.ok_or(CredentialError::NoKeyId)?;
        let mut refusal = CredentialError::UnknownKey(id.clone());
        // Two issuers may use one id: a token is good when it is good for one of them.
        for (source, set) in self.sources.iter().zip(&keys.sets) {
            let Some(key) = set.get(&id) else { continue };
            if !key.may_be_used_with(header.alg) {
                refusal = CredentialError::Algorithm;
                continue;
            }
            // The signature alone; what the token says is checked by our own clock and rules.
            let mut signature = Validation::new(header.alg);
            signature.required_spec_claims.clear();
            signature.validate_exp = false;
            signature.validate_aud = false;
            let said = match decode::<Map<String, Value>>(token, &key.key, &signature) {
                Ok(said) => said.claims,
                Err(error) => {
                    use jsonwebtoken::errors::ErrorKind;
                    refusal = if *error.kind() == ErrorKind::InvalidSignature {
                        CredentialError::Signature
                    } else {
                        malformed(error)
                    };
                    continue;
                }
            };
            match read(&said, source.issuer()) {
                Ok(value) => return Ok(Checked { value, generation: keys.generation }),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}
