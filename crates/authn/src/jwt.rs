//! JSON web tokens.

use std::{str::FromStr, sync::Arc};

use arc_swap::ArcSwap;
use authz::Caller;
use environment::Clock;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use model::{Span, Time};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    CredentialError, KeySource, SettingsError,
    cache::{TokenCache, hash},
    fetch::Fetcher,
    key_set::KeySet,
    permissions::Pattern,
    token_claims::{Holder, Rules},
};

/// How long it takes at least from one look for an unknown key to the next, so that made-up key ids
/// cost the sources nothing.
const LOOK_AGAIN: Span = Span::from_secs(5);

/// Wait after sources that could not be read.
const RETRY: Span = Span::from_secs(5);

/// The algorithms that tokens may be signed with; never one with a shared secret, never none.
const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// How tokens are checked.
#[derive(Debug, Clone)]
pub struct JwtSettings {
    /// Where the keys are.
    pub sources: Vec<KeySource>,
    /// How often they are read again.
    pub refresh_interval: Span,
    /// Names of algorithms; empty for all that are safe.
    pub algorithms: Vec<String>,
    /// What `aud` may be; empty for anything.
    pub audience: Vec<String>,
    /// What `iss` may be; empty for anything.
    pub issuers: Vec<String>,
    /// Whether tokens have to expire.
    pub expiry_required: bool,
    /// How much clocks may differ.
    pub leeway: Span,
    /// The claim that names the caller.
    pub subject_claim: String,
    /// The claim that holds permissions.
    pub permissions_claim: String,
    /// How permissions read; empty for `namespace:role`.
    pub permissions_regex: String,
}

/// Checks tokens.
#[derive(Debug)]
pub(crate) struct Jwt {
    sources: Vec<KeySource>,
    refresh_interval: Span,
    algorithms: Vec<Algorithm>,
    rules: Rules,
    fetcher: Fetcher,
    keys: ArcSwap<Keys>,
    cache: TokenCache,
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

impl Jwt {
    pub(crate) fn new(settings: JwtSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let names: Vec<&str> = match settings.algorithms.as_slice() {
            [] => ALGORITHMS.to_vec(),
            some => some.iter().map(String::as_str).collect(),
        };
        let mut algorithms = Vec::new();
        for name in names {
            let parsed = Algorithm::from_str(name).ok().filter(|_| ALGORITHMS.contains(&name));
            let refused = || SettingsError::Algorithm(name.to_owned(), ALGORITHMS.join(", "));
            algorithms.push(parsed.ok_or_else(refused)?);
        }
        let sets = settings.sources.iter().map(|_| Arc::default()).collect();
        Ok(Self {
            refresh_interval: settings.refresh_interval,
            algorithms,
            rules: Rules {
                audience: settings.audience,
                issuers: settings.issuers,
                expiry_required: settings.expiry_required,
                leeway: settings.leeway,
                subject_claim: settings.subject_claim,
                permissions_claim: settings.permissions_claim,
                pattern: Pattern::from_setting(&settings.permissions_regex)?,
            },
            fetcher: Fetcher::default(),
            sources: settings.sources,
            keys: ArcSwap::from_pointee(Keys { sets, generation: 0 }),
            cache: TokenCache::new(),
            clock,
            looked: tokio::sync::Mutex::default(),
        })
    }

    /// Reads all sources. Each that cannot be read keeps the keys that it had. True when all could.
    pub(crate) async fn refresh(&self) -> bool {
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

    /// Refreshes again and again, until `stop` is cancelled. `read` tells whether the first reading,
    /// which the caller has done, went well.
    pub(crate) async fn watch(self: Arc<Self>, mut read: bool, stop: CancellationToken) {
        loop {
            let wait =
                if read { self.refresh_interval } else { self.refresh_interval.capped_by(RETRY) };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait.to_std()) => {}
            }
            read = self.refresh().await;
        }
    }

    /// Says who holds a token.
    pub(crate) async fn identify(&self, token: &str) -> Result<Caller, CredentialError> {
        let now = self.clock.now();
        let hash = hash(token);
        let keys = self.keys.load_full();
        if let Some(caller) = self.cache.get(&hash, keys.generation, now) {
            return Ok(caller);
        }
        let (holder, generation) = match self.check(token, &keys, now) {
            Err(CredentialError::UnknownKey(id)) => {
                let keys = self.with_new_keys(keys, &id).await?;
                (self.check(token, &keys, now)?, keys.generation)
            }
            checked => (checked?, keys.generation),
        };
        self.cache.put(hash, generation, holder.clone());
        Ok(holder.caller)
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

    fn check(&self, token: &str, keys: &Keys, now: Time) -> Result<Holder, CredentialError> {
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
            match self.rules.holder(&said, source.issuer(), now) {
                Ok(holder) => return Ok(holder),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}
