//! The identity provider of a login.

use openid_connect::{
    Client, ClientSecret, Discovered, ExchangeError, ProviderError, SecretPlace, Tokens, discover,
};
use serde::de::DeserializeOwned;

use super::Login;
use crate::error::{Error, Result};

/// An identity provider, and who asks it.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    http: http_client::Client,
    pub(super) client: Client,
    pub(super) discovered: Discovered,
}

impl Provider {
    /// Asks the provider where its endpoints are.
    pub(crate) async fn discover(
        issuer: &str,
        client_id: String,
        client_secret: Option<String>,
    ) -> Result<Self> {
        let http = http_client::Client::default();
        let discovered = discover(&http, issuer, issuer).await.map_err(|error| match error {
            ProviderError::Failed(..) => Error::Login(error.to_string()),
            wrong => Error::usage(wrong.to_string()),
        })?;
        Ok(Self { http, client: client(client_id, client_secret), discovered })
    }

    /// The provider of a login.
    pub(super) fn of(login: &Login) -> Self {
        Self {
            http: http_client::Client::default(),
            client: client(login.client_id.clone(), login.client_secret.clone()),
            discovered: Discovered {
                issuer: login.issuer.clone(),
                token_endpoint: login.token_endpoint.clone(),
                ..Discovered::default()
            },
        }
    }

    /// A login with these tokens.
    pub(crate) fn login(&self, tokens: Tokens, now: i64, encrypted: bool) -> Login {
        let mut login = Login {
            client_id: self.client.id.clone(),
            client_secret: self.client.secret.as_ref().map(|(secret, _)| secret.0.clone()),
            issuer: self.discovered.issuer.clone(),
            token_endpoint: self.discovered.token_endpoint.clone(),
            access_token: String::new(),
            refresh_token: None,
            expires_at: None,
            encrypted,
        };
        login.take(tokens, now);
        login
    }

    /// Asks for tokens.
    pub(super) async fn exchange(
        &self,
        fields: &[(&str, &str)],
    ) -> std::result::Result<Tokens, ExchangeError> {
        self.post(&self.discovered.token_endpoint, fields).await
    }

    /// Sends a form, with who asks.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        fields: &[(&str, &str)],
    ) -> std::result::Result<T, ExchangeError> {
        self.client.post(&self.http, endpoint, fields).await
    }
}

/// Programs on users' machines have no secrets worth the name: it goes where most providers take it.
fn client(id: String, secret: Option<String>) -> Client {
    Client { id, secret: secret.map(|secret| (ClientSecret(secret), SecretPlace::Form)) }
}
