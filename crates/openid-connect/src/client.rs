//! A client of a provider, and what the token endpoint answers it.

use std::{fmt, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, header};
use http_client::HttpClient;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::form::{encoded, form};

/// How long a provider may take to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Who asks a provider.
#[derive(Debug, Clone)]
pub struct Client {
    /// The name by which the provider knows it.
    pub id: String,
    /// Its secret, and where requests have it; none for programs on users' machines.
    pub secret: Option<(ClientSecret, SecretPlace)>,
}

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(pub String);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a secret")
    }
}

/// Where requests have the client's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// In the header `Authorization`.
    Header,
    /// Among the fields of the form.
    Form,
}

impl SecretPlace {
    /// The place that a provider takes; it says so, or means the header.
    pub fn of(supported: Option<&[String]>) -> Self {
        let takes = |name: &str| supported.is_none_or(|all| all.iter().any(|it| it == name));
        if takes("client_secret_basic") || !takes("client_secret_post") {
            Self::Header
        } else {
            Self::Form
        }
    }
}

/// Tokens, as a provider gives them.
#[derive(Clone, Deserialize)]
pub struct Tokens {
    /// What shows others who somebody is.
    pub access_token: String,
    /// What tells the client who somebody is.
    pub id_token: Option<String>,
    /// What gives more of them.
    pub refresh_token: Option<String>,
    /// How long the access token holds, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub expires_in: Option<i64>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// A number; some providers send it as a text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Text(String),
    }
    Ok(match Option::<Written>::deserialize(deserializer)? {
        Some(Written::Number(number)) => Some(number),
        Some(Written::Text(text)) => text.parse().ok(),
        None => None,
    })
}

/// A refusal of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{error}{}", error_description.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
pub struct Refusal {
    /// Its code in the protocol.
    pub error: String,
    /// What the provider says of it.
    pub error_description: Option<String>,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The provider refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The provider cannot be reached, or makes no sense.
    #[error("{0}")]
    Failed(String),
}

impl Client {
    /// Sends a form to an endpoint, with who asks.
    ///
    /// # Errors
    /// When the provider refuses, or cannot be understood.
    pub async fn post<T: DeserializeOwned>(
        &self,
        http: &dyn HttpClient,
        endpoint: &str,
        fields: &[(&str, &str)],
    ) -> Result<T, ExchangeError> {
        let failed = |text: String| ExchangeError::Failed(format!("`{endpoint}`: {text}"));
        let mut fields = fields.to_vec();
        let mut request = Request::post(endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        match &self.secret {
            Some((secret, SecretPlace::Header)) => {
                let pair = format!("{}:{}", encoded(&self.id), encoded(&secret.0));
                let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
                request = request.header(header::AUTHORIZATION, basic);
            }
            Some((secret, SecretPlace::Form)) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", &secret.0)]);
            }
            None => fields.push(("client_id", &self.id)),
        }
        let request = request.body(Bytes::from(form(&fields)));
        let request = request.map_err(|error| failed(error.to_string()))?;
        let answer = http.send(request, TIMEOUT).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        if answer.status().is_success() {
            // The error of the reader could quote what it read.
            return serde_json::from_slice(answer.body())
                .map_err(|_| failed("the answer makes no sense".to_owned()));
        }
        match serde_json::from_slice::<Refusal>(answer.body()) {
            Ok(refusal) => Err(refusal.into()),
            Err(_) => Err(failed(format!("answered {}", answer.status()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_where_the_provider_takes_it() {
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            SecretPlace::of(Some(&names))
        };
        assert_eq!(SecretPlace::of(None), SecretPlace::Header);
        assert_eq!(of(&["client_secret_post", "client_secret_basic"]), SecretPlace::Header);
        assert_eq!(of(&["client_secret_post", "private_key_jwt"]), SecretPlace::Form);
        assert_eq!(of(&["private_key_jwt"]), SecretPlace::Header);
    }

    #[test]
    fn nothing_secret_is_shown_and_lengths_of_time_may_be_texts() {
        let tokens: Tokens =
            serde_json::from_str(r#"{"access_token":"canary","expires_in":"3599"}"#).unwrap();
        assert_eq!(tokens.expires_in, Some(3599));
        let secret = (ClientSecret("canary".to_owned()), SecretPlace::Header);
        let client = Client { id: "ui".to_owned(), secret: Some(secret) };
        assert!(!format!("{tokens:?} {client:?}").contains("canary"));
    }
}
