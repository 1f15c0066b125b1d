//! The device flow (RFC 8628): the user confirms on another machine.

use std::time::Duration;

use openid_connect::{ExchangeError, Tokens};
use serde::Deserialize;

use super::Provider;
use crate::{
    context::Context,
    error::{Error, Result},
};

/// How often the provider is asked when it does not say.
const INTERVAL_SECONDS: u64 = 5;

/// By how much a provider that is asked too often is asked less often.
const SLOW_DOWN_SECONDS: u64 = 5;

/// Longest pause between two questions.
const INTERVAL_SECONDS_MAX: u64 = 60;

/// What the user has to do, and what the program asks with.
#[derive(Deserialize)]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

/// Logs in with another machine's browser.
pub(crate) async fn by_device(
    context: &mut Context,
    provider: &Provider,
    scope: &str,
    audience: Option<&str>,
) -> Result<Tokens> {
    let refused = |error: ExchangeError| Error::Login(error.to_string());
    let endpoint = provider.discovered.device_authorization_endpoint.clone();
    let endpoint =
        endpoint.ok_or_else(|| Error::Login("the provider has no flow for devices".to_owned()))?;
    let mut fields = vec![("scope", scope)];
    fields.extend(audience.map(|audience| ("audience", audience)));
    let started: Started = provider.post(&endpoint, &fields).await.map_err(refused)?;
    let page = started.verification_uri_complete.as_ref().unwrap_or(&started.verification_uri);
    context.output.notice(&format!(
        "Open this page in any browser, and confirm this code:\n\n  {page}\n  {}\n",
        started.user_code
    ))?;
    let mut pause = started.interval.unwrap_or(INTERVAL_SECONDS).min(INTERVAL_SECONDS_MAX);
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", started.device_code.as_str()),
    ];
    let ask = async {
        loop {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            match provider.exchange(&fields).await {
                Ok(tokens) => return Ok(tokens),
                Err(ExchangeError::Refused(refusal)) => match refusal.error.as_str() {
                    "authorization_pending" => {}
                    "slow_down" => {
                        pause = (pause + SLOW_DOWN_SECONDS).min(INTERVAL_SECONDS_MAX);
                    }
                    _ => return Err(Error::Login(refusal.to_string())),
                },
                Err(failed) => return Err(refused(failed)),
            }
        }
    };
    let patience = Duration::from_secs(started.expires_in);
    match tokio::time::timeout(patience, ask).await {
        Ok(tokens) => tokens,
        Err(_) => Err(Error::Login("nobody confirmed the code in time".to_owned())),
    }
}
