//! Logins: access tokens of an identity provider, kept per profile and address.
//!
//! OAuth 2.0 with the discovery of OpenID Connect, as native applications do it (RFC 8252): an
//! authorization code with PKCE that comes back to loopback, or the device flow where there is no
//! browser. Identity tokens are neither read nor needed: the access token is for the server, which
//! checks it.

mod browser;
mod device;
mod kept;
mod provider;

use environment::Environment;

pub(crate) use self::{
    browser::by_browser,
    device::by_device,
    kept::{Kept, Login},
    provider::Provider,
};
use crate::{
    Surroundings,
    error::{Error, Result},
    settings::Settings,
};

/// How many seconds before its end a token counts as over.
const MARGIN_SECONDS: i64 = 30;

/// The access token of the login that was made for a connection, renewed if it is over; none when
/// there was no login.
pub(crate) async fn access_token(
    settings: &Settings,
    around: &Surroundings,
    environment: &Environment,
) -> Result<Option<String>> {
    let mut kept = Kept::read(around)?;
    let Some(login) = kept.get(&settings.profile, &settings.address) else { return Ok(None) };
    if login.encrypted && settings.tls.is_none() {
        return Err(Error::usage(
            "the login for this address was made for an encrypted connection: add --tls, or log in \
             again without",
        ));
    }
    let now = crate::context::now(environment).as_second();
    if login.expires_at.is_none_or(|end| now + MARGIN_SECONDS < end) {
        return Ok(Some(login.access_token.clone()));
    }
    let again = || Error::usage("the login is over: `longtide login` again");
    let refresh_token = login.refresh_token.clone().ok_or_else(again)?;
    let mut login = login.clone();
    let provider = Provider::of(&login);
    let tokens = provider
        .exchange(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)])
        .await
        .map_err(|error| Error::usage(format!("the login cannot be renewed: {error}")))?;
    login.take(tokens, now);
    let token = login.access_token.clone();
    kept.put(&settings.profile, &settings.address, login);
    kept.write(around)?;
    Ok(Some(token))
}
