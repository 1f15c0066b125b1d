//! The identity provider: where its endpoints are, and what its token endpoint answers.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_client::HttpClient as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};

use super::Login;
use crate::error::{Error, Result};

/// How long the provider may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What the provider says of itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Discovered {
    issuer: String,
    pub(super) authorization_endpoint: Option<String>,
    token_endpoint: String,
    pub(super) device_authorization_endpoint: Option<String>,
}

/// Tokens, as the provider gives them.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) expires_in: Option<i64>,
}

/// A refusal of the token endpoint.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("{error}{}", error_description.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
pub(crate) struct Refusal {
    pub(crate) error: String,
    error_description: Option<String>,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// The provider refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The provider cannot be reached, or makes no sense.
    #[error("{0}")]
    Failed(String),
}

/// An identity provider, and who asks it.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    http: http_client::Client,
    pub(super) client_id: String,
    client_secret: Option<String>,
    pub(super) discovered: Discovered,
}

impl Provider {
    /// Asks the provider where its endpoints are.
    pub(crate) async fn discover(
        issuer: &str,
        client_id: String,
        client_secret: Option<String>,
    ) -> Result<Self> {
        let issuer = issuer.trim_end_matches('/');
        check_address(issuer)?;
        let http = http_client::Client::default();
        let uri: Uri = format!("{issuer}/.well-known/openid-configuration")
            .parse()
            .map_err(|_| Error::usage(format!("`{issuer}` is no URL")))?;
        let request = Request::get(uri).body(Bytes::new());
        let request = request.map_err(|error| Error::usage(error.to_string()))?;
        let failed = |text: String| Error::Login(format!("`{issuer}`: {text}"));
        let answer = http.send(request, TIMEOUT).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        if answer.status() != StatusCode::OK {
            return Err(failed(format!("answered {}", answer.status())));
        }
        let discovered: Discovered =
            serde_json::from_slice(answer.body()).map_err(|error| failed(error.to_string()))?;
        if discovered.issuer.trim_end_matches('/') != issuer {
            return Err(failed(format!("calls itself `{}`", discovered.issuer)));
        }
        let endpoints = [
            Some(&discovered.token_endpoint),
            discovered.authorization_endpoint.as_ref(),
            discovered.device_authorization_endpoint.as_ref(),
        ];
        endpoints.into_iter().flatten().try_for_each(|endpoint| check_address(endpoint))?;
        Ok(Self { http, client_id, client_secret, discovered })
    }

    /// The provider of a login.
    pub(super) fn of(login: &Login) -> Self {
        Self {
            http: http_client::Client::default(),
            client_id: login.client_id.clone(),
            client_secret: login.client_secret.clone(),
            discovered: Discovered {
                issuer: login.issuer.clone(),
                authorization_endpoint: None,
                token_endpoint: login.token_endpoint.clone(),
                device_authorization_endpoint: None,
            },
        }
    }

    /// A login with these tokens.
    pub(crate) fn login(&self, tokens: Tokens, now: i64, encrypted: bool) -> Login {
        let mut login = Login {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
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
        let failed = |text: String| ExchangeError::Failed(format!("`{endpoint}`: {text}"));
        let mut fields = fields.to_vec();
        fields.push(("client_id", &self.client_id));
        fields.extend(self.client_secret.as_deref().map(|secret| ("client_secret", secret)));
        let request = Request::post(endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(form(&fields)));
        let request = request.map_err(|error| failed(error.to_string()))?;
        let answer = self.http.send(request, TIMEOUT).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        if answer.status().is_success() {
            return serde_json::from_slice(answer.body())
                .map_err(|error| failed(error.to_string()));
        }
        match serde_json::from_slice::<Refusal>(answer.body()) {
            Ok(refusal) => Err(refusal.into()),
            Err(_) => Err(failed(format!("answered {}", answer.status()))),
        }
    }
}

/// Pairs as a form, or as the query of an address.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Tokens go over encrypted connections, or stay on this machine.
fn check_address(address: &str) -> Result {
    let wrong = || Error::usage(format!("`{address}` is no URL"));
    let uri: Uri = address.parse().map_err(|_| wrong())?;
    let host = uri.host().ok_or_else(wrong)?.trim_matches(['[', ']']);
    let loopback = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if loopback => Ok(()),
        _ => Err(Error::usage(format!("`{address}`: an identity provider is reached by https"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_asked_for_by_https_unless_the_provider_is_here() {
        for good in
            ["https://a.example/b", "http://127.0.0.1:1", "http://localhost", "http://[::1]:2"]
        {
            assert!(check_address(good).is_ok(), "{good}");
        }
        for bad in ["http://a.example", "http://127.0.0.1.example", "ftp://localhost", "x", ""] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(form(&[("a b", "c&d=e"), ("f", "ä")]), "a%20b=c%26d%3De&f=%C3%A4");
    }
}
