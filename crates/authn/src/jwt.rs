//! JSON web tokens.

use std::sync::Arc;

use authz::Caller;
use environment::Clock;
use model::Span;
use tokio_util::sync::CancellationToken;

use crate::{
    CredentialError, KeySource, SettingsError, Signatures,
    cache::{TokenCache, hash},
    permissions::Pattern,
    token_claims::Rules,
};

/// Wait after sources that could not be read.
const RETRY: Span = Span::from_secs(5);

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
    signatures: Signatures,
    refresh_interval: Span,
    rules: Rules,
    cache: TokenCache,
    clock: Arc<dyn Clock>,
}

impl Jwt {
    pub(crate) fn new(settings: JwtSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let algorithms = &settings.algorithms;
        Ok(Self {
            signatures: Signatures::new(settings.sources, algorithms, Arc::clone(&clock))?,
            refresh_interval: settings.refresh_interval,
            rules: Rules {
                audience: settings.audience,
                issuers: settings.issuers,
                expiry_required: settings.expiry_required,
                leeway: settings.leeway,
                subject_claim: settings.subject_claim,
                permissions_claim: settings.permissions_claim,
                pattern: Pattern::from_setting(&settings.permissions_regex)?,
            },
            cache: TokenCache::new(),
            clock,
        })
    }

    /// Reads all sources. True when all could be read.
    pub(crate) async fn refresh(&self) -> bool {
        self.signatures.refresh().await
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
        if let Some(caller) = self.cache.get(&hash, self.signatures.generation(), now) {
            return Ok(caller);
        }
        let checked = self
            .signatures
            .check(token, |said, issuer| self.rules.holder(said, issuer, now))
            .await?;
        self.cache.put(hash, checked.generation, checked.value.clone());
        Ok(checked.value.caller)
    }
}
