//! What a provider says of itself.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_client::HttpClient;
use serde::Deserialize;

/// How long a provider may take to say it.
const TIMEOUT: Duration = Duration::from_secs(20);

const PLACE: &str = "/.well-known/openid-configuration";

/// Why a provider cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The address is none.
    #[error("`{0}` is no URL")]
    Malformed(String),
    /// Tokens would go over a network without encryption.
    #[error("`{0}`: an identity provider is reached by https")]
    Insecure(String),
    /// It cannot be reached, or what it says makes no sense.
    #[error("`{0}`: {1}")]
    Failed(String, String),
}

/// Where a provider's endpoints are, and what it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Discovered {
    /// What it calls itself in its tokens.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: Option<String>,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where other devices begin.
    pub device_authorization_endpoint: Option<String>,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
    /// Where people sign out.
    pub end_session_endpoint: Option<String>,
    /// Where a client's secret may be.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Asks the provider at this address, which has to call itself `issuer`, but for a slash at the end.
///
/// # Errors
/// When it cannot be asked, or one of its endpoints is not safe to use.
pub async fn discover(
    http: &dyn HttpClient,
    address: &str,
    issuer: &str,
) -> Result<Discovered, ProviderError> {
    let address = address.trim_end_matches('/');
    check_address(address)?;
    let uri: Uri = format!("{address}{PLACE}")
        .parse()
        .map_err(|_| ProviderError::Malformed(address.to_owned()))?;
    let failed = |text: String| ProviderError::Failed(address.to_owned(), text);
    let request = Request::get(uri).header(header::ACCEPT, "application/json").body(Bytes::new());
    let request = request.map_err(|error| failed(error.to_string()))?;
    let answer = http.send(request, TIMEOUT).await.map_err(|error| failed(error.to_string()))?;
    if answer.status() != StatusCode::OK {
        return Err(failed(format!("answered {}", answer.status())));
    }
    let found: Discovered =
        serde_json::from_slice(answer.body()).map_err(|error| failed(error.to_string()))?;
    if found.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
        return Err(failed(format!("calls itself `{}`", found.issuer)));
    }
    let endpoints = [
        Some(&found.token_endpoint),
        found.authorization_endpoint.as_ref(),
        found.device_authorization_endpoint.as_ref(),
        found.jwks_uri.as_ref(),
        found.end_session_endpoint.as_ref(),
    ];
    endpoints.into_iter().flatten().try_for_each(|endpoint| check_address(endpoint))?;
    Ok(found)
}

/// Tokens go over encrypted connections, or stay on this machine.
///
/// # Errors
/// When an address is none, or not safe to use.
pub fn check_address(address: &str) -> Result<(), ProviderError> {
    let malformed = || ProviderError::Malformed(address.to_owned());
    let uri: Uri = address.parse().map_err(|_| malformed())?;
    let host = uri.host().ok_or_else(malformed)?.trim_matches(['[', ']']);
    let loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if loopback => Ok(()),
        _ => Err(ProviderError::Insecure(address.to_owned())),
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
}
