//! An identity provider, as it is asked.

use std::{fmt, sync::Arc};

use authn::{Checked, CredentialError, KeySource, Signatures};
use environment::{Clock, Environment};
use http_client::HttpClient;
use model::Span;
use openid_connect::{
    Client, Discovered, ExchangeError, SecretPlace, Tokens, address_with, challenge, discover,
};

use crate::{
    ProviderSettings, SignInError,
    attempt::Attempt,
    identity::{Expected, Identity, SignedOut},
};

/// How long what a provider says of itself is good.
const KNOWN: Span = Span::from_secs(3600);

/// How long a provider is left alone that could not be asked: people do not wait in line for it.
const FAILED: Span = Span::from_secs(5);

/// See the module.
pub(crate) struct Provider {
    pub(crate) settings: ProviderSettings,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    known: tokio::sync::Mutex<Memory>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Provider")
            .field("name", &self.settings.name)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Memory {
    known: Option<(Arc<Known>, Span)>,
    failed: Option<(String, Span)>,
}

/// What a provider says of itself, and its keys.
struct Known {
    discovered: Discovered,
    client: Client,
    signatures: Signatures,
}

impl Provider {
    pub(crate) fn new(
        settings: ProviderSettings,
        http: Arc<dyn HttpClient>,
        environment: &Environment,
    ) -> Self {
        let clock = Arc::clone(&environment.clock);
        Self { settings, http, clock, known: tokio::sync::Mutex::default() }
    }

    /// Asks the provider what it is like, unless it was asked a while ago.
    async fn known(&self) -> Result<Arc<Known>, String> {
        let mut memory = self.known.lock().await;
        let now = self.clock.monotonic();
        match (&memory.known, &memory.failed) {
            // What it said before is better than waiting for it.
            (Some((known, at)), failed)
                if now - *at < KNOWN
                    || failed.as_ref().is_some_and(|(_, at)| now - *at < FAILED) =>
            {
                return Ok(Arc::clone(known));
            }
            (None, Some((error, at))) if now - *at < FAILED => return Err(error.clone()),
            _ => {}
        }
        match (self.ask().await, &memory.known) {
            (Ok(known), _) => {
                let known = Arc::new(known);
                *memory = Memory { known: Some((Arc::clone(&known), now)), failed: None };
                Ok(known)
            }
            (Err(error), former) => {
                let former = former.as_ref().map(|(known, _)| Arc::clone(known));
                memory.failed = Some((error.clone(), self.clock.monotonic()));
                former.ok_or(error)
            }
        }
    }

    async fn ask(&self) -> Result<Known, String> {
        let settings = &self.settings;
        let discovered = discover(self.http.as_ref(), &settings.address, &settings.issuer).await;
        let discovered = discovered.map_err(|error| error.to_string())?;
        let keys = discovered.jwks_uri.as_deref().ok_or("the provider publishes no keys")?;
        let source = KeySource::from_uri(keys).map_err(|error| error.to_string())?;
        let signatures = Signatures::new(vec![source], &[], Arc::clone(&self.clock));
        let methods = discovered.token_endpoint_auth_methods_supported.as_deref();
        let place = SecretPlace::of(methods);
        let secret = settings.client_secret.clone().map(|secret| (secret, place));
        Ok(Known {
            client: Client { id: settings.client_id.clone(), secret },
            signatures: signatures.map_err(|error| error.to_string())?,
            discovered,
        })
    }

    /// Where a browser goes to sign in. `given` may say otherwise than the options of the settings.
    pub(crate) async fn sign_in_address(
        &self,
        attempt: &Attempt,
        given: impl Fn(&str) -> Option<String>,
    ) -> Result<String, SignInError> {
        let known = self.known().await.map_err(SignInError::Provider)?;
        let endpoint = known.discovered.authorization_endpoint.as_deref();
        let nowhere =
            || SignInError::Provider("the provider has no authorization endpoint".to_owned());
        let (scope, challenge) = (self.settings.scopes.join(" "), challenge(&attempt.verifier));
        let options: Vec<(&str, String)> = self
            .settings
            .options
            .iter()
            .map(|(name, value)| (name.as_str(), given(name).unwrap_or_else(|| value.clone())))
            .collect();
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.settings.callback),
            ("scope", &scope),
            ("state", &attempt.state),
            ("nonce", &attempt.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        fields.extend(options.iter().map(|(name, value)| (*name, value.as_str())));
        Ok(address_with(endpoint.ok_or_else(nowhere)?, &fields))
    }

    /// Whether an answer that names its issuer (RFC 9207) names this one.
    pub(crate) fn is_issuer(&self, named: &str) -> bool {
        named.trim_end_matches('/') == self.settings.issuer.trim_end_matches('/')
    }

    /// Turns a code into tokens.
    pub(crate) async fn redeem(&self, code: &str, verifier: &str) -> Result<Tokens, SignInError> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.callback),
            ("code_verifier", verifier),
        ];
        let tokens = self.exchange(&fields).await;
        tokens.map_err(|error| SignInError::Provider(error.to_string()))
    }

    /// Asks for new tokens.
    pub(crate) async fn renew(&self, refresh_token: &str) -> Result<Tokens, ExchangeError> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.exchange(&fields).await
    }

    async fn exchange(&self, fields: &[(&str, &str)]) -> Result<Tokens, ExchangeError> {
        let known = self.known().await.map_err(ExchangeError::Failed)?;
        let endpoint = &known.discovered.token_endpoint;
        known.client.post(self.http.as_ref(), endpoint, fields).await
    }

    /// Says who somebody is, by an identity token.
    pub(crate) async fn identify(
        &self,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<Identity, SignInError> {
        let wrong = |reason: String| {
            SignInError::Provider(format!("the identity token is not taken: {reason}"))
        };
        let known = self.known().await.map_err(SignInError::Provider)?;
        let expected = self.expected(&known);
        let groups = &self.settings.groups_claim;
        let checked = known
            .signatures
            .check(token, |said, _| Identity::read(said, expected, nonce, groups))
            .await;
        checked.map(|Checked { value, .. }| value).map_err(|error| wrong(error.to_string()))
    }

    /// Says whom the provider has signed out.
    pub(crate) async fn signed_out(&self, token: &str) -> Result<SignedOut, String> {
        let known = self.known().await?;
        let expected = self.expected(&known);
        let checked =
            known.signatures.check(token, |said, _| SignedOut::read(said, expected)).await;
        checked
            .map(|Checked { value, .. }| value)
            .map_err(|error: CredentialError| error.to_string())
    }

    fn expected<'a>(&'a self, known: &'a Known) -> Expected<'a> {
        Expected {
            issuer: &known.discovered.issuer,
            client_id: &self.settings.client_id,
            now: self.clock.now(),
        }
    }

    /// Where a browser goes to sign out, if there is such a place.
    pub(crate) async fn sign_out_address(&self, id_token: &str) -> Option<String> {
        let known = self.known().await.ok()?;
        let endpoint = known.discovered.end_session_endpoint.as_deref()?;
        let mut fields =
            vec![("id_token_hint", id_token), ("client_id", self.settings.client_id.as_str())];
        let back = self.settings.sign_out_return.as_deref();
        fields.extend(back.map(|back| ("post_logout_redirect_uri", back)));
        Some(address_with(endpoint, &fields))
    }
}
