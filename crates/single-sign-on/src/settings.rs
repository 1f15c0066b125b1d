//! What the operator decides.

use http::HeaderName;
use model::Span;
use openid_connect::ClientSecret;

/// How people sign in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The header in which the server takes tokens.
    pub header: HeaderName,
    /// Whether people are sent to the first provider without being asked.
    pub redirect_to_provider: bool,
    /// How long a session lasts at most.
    pub session_age_max: Span,
    /// How long it lasts without being used.
    pub session_idle_max: Span,
    /// Where people sign in; the first is the usual one.
    pub providers: Vec<ProviderSettings>,
}

/// An identity provider, and who may come from it.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Its name in addresses.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Where it says what it is like.
    pub address: String,
    /// What it calls itself.
    pub issuer: String,
    /// The name by which it knows this server.
    pub client_id: String,
    /// The secret that goes with the name.
    pub client_secret: Option<ClientSecret>,
    /// Where it sends people back.
    pub callback: String,
    /// Where it sends them when they have signed out; nowhere when there is none.
    pub sign_out_return: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What else the provider is told when people go there. Who goes may say otherwise.
    pub options: Vec<(String, String)>,
    /// Shows the server the token that says who somebody is, in place of the one for access.
    pub id_token_is_bearer: bool,
    /// The claim that names groups.
    pub groups_claim: String,
    /// Groups whose members may come.
    pub allowed_groups: Vec<String>,
    /// Mail addresses that may come; `*@example.com` stands for all of a domain. With neither groups
    /// nor addresses, everybody may whom the provider knows.
    pub allowed_emails: Vec<String>,
}

impl Settings {
    /// Whether browsers come over encrypted connections only: to where providers send them.
    pub(crate) fn is_secure(&self) -> bool {
        let is_encrypted =
            |it: &ProviderSettings| it.callback.to_ascii_lowercase().starts_with("https://");
        self.providers.iter().all(is_encrypted)
    }
}
