//! From the configuration to signing in.

use std::fs;

use anyhow::Context as _;
use config::IdentityProvider;
use model::Span;
use single_sign_on::{ProviderSettings, Settings};

/// How long a session lasts at most when the configuration does not say.
const SESSION_AGE_MAX: Span = Span::from_secs(7 * 24 * 3600);

/// How long it lasts without being used when the configuration does not say.
const SESSION_IDLE_MAX: Span = Span::from_secs(8 * 3600);

/// How people sign in; nothing when they do not.
pub(crate) fn settings(configured: &config::Settings) -> anyhow::Result<Option<Settings>> {
    let header = configured.global.authorization.as_ref().map(|it| it.auth_header_name.as_str());
    let header = header.filter(|name| !name.is_empty()).unwrap_or("authorization").to_lowercase();
    of(&configured.auth, &header)
}

/// The same, where the server takes tokens in this header.
pub(crate) fn of(auth: &config::SingleSignOn, header: &str) -> anyhow::Result<Option<Settings>> {
    if !auth.enabled {
        return Ok(None);
    }
    let providers = auth.providers.iter().map(|it| provider(it).context("auth.providers"));
    Ok(Some(Settings {
        header: header.parse().with_context(|| format!("authHeaderName: `{header}`"))?,
        redirect_to_provider: auth.redirect_to_provider,
        session_age_max: Span::from(auth.max_session_duration).or(SESSION_AGE_MAX),
        session_idle_max: auth.session_idle_timeout.map_or(SESSION_IDLE_MAX, Span::from),
        providers: providers.collect::<anyhow::Result<_>>()?,
    }))
}

fn provider(configured: &IdentityProvider) -> anyhow::Result<ProviderSettings> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let groups_claim = given(&configured.groups_claim_name);
    Ok(ProviderSettings {
        name: configured.own_name().to_owned(),
        label: configured.own_label().to_owned(),
        address: configured.provider_url.clone(),
        issuer: configured.issuer().to_owned(),
        client_id: configured.client_id.clone(),
        client_secret: secret(configured)?.map(single_sign_on::ClientSecret),
        callback: configured.callback_url.clone(),
        sign_out_return: given(&configured.post_logout_redirect_url),
        scopes: configured.own_scopes(),
        options: configured.options.clone().into_iter().collect(),
        id_token_is_bearer: configured.use_id_token_as_bearer,
        groups_claim: groups_claim.unwrap_or_else(|| "groups".to_owned()),
        allowed_groups: configured.allowed_groups.clone(),
        allowed_emails: configured.allowed_emails.clone(),
    })
}

fn secret(configured: &IdentityProvider) -> anyhow::Result<Option<String>> {
    let file = &configured.client_secret_file;
    let text = if file.as_os_str().is_empty() {
        configured.client_secret.reveal().to_owned()
    } else {
        fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?
    };
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
