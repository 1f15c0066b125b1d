//! `auth`: how people sign in to the web UI, under the names of the reference's UI server.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

use serde::Deserialize;

use crate::{
    Authorization, Secret, Setting,
    tls_variables::Variables,
    values::{length_of_time, optional_length_of_time, or_default, texts},
};

/// Most providers.
const PROVIDERS_MAX: usize = 16;

/// Where a provider may send people back.
const CALLBACKS: [&str; 2] = ["/auth/sso/callback", "/auth/sso_callback"];

/// What is asked for when the file does not say, as in the reference.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// What options may not say: the server says it.
const OWN_OPTIONS: &[&str] = &[
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "provider",
    "redirect_uri",
    "response_mode",
    "response_type",
    "returnUrl",
    "scope",
    "state",
];

/// Longest time that a session may last: sessions that never end are none.
const SESSION_MAX: Duration = Duration::from_secs(90 * 24 * 3600);

/// How people sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SingleSignOn {
    /// Whether they do.
    #[serde(deserialize_with = "or_default")]
    pub enabled: bool,
    /// Whether they are sent to the first provider without being asked.
    #[serde(deserialize_with = "or_default")]
    pub redirect_to_provider: bool,
    /// How long a session lasts at most; a week when it is zero.
    #[serde(deserialize_with = "length_of_time")]
    pub max_session_duration: Duration,
    /// How long a session lasts that nobody uses; eight hours when not set. Not of the reference.
    #[serde(deserialize_with = "optional_length_of_time")]
    pub session_idle_timeout: Option<Duration>,
    /// Where people sign in; the first is the usual one.
    #[serde(deserialize_with = "or_default")]
    pub providers: Vec<IdentityProvider>,
}

/// An identity provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct IdentityProvider {
    /// Its name in addresses; its label when empty. Not of the reference.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its name for people.
    #[serde(deserialize_with = "or_default")]
    pub label: String,
    /// `oidc`; nothing else is spoken.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Where it says what it is like: below it is `.well-known/openid-configuration`.
    #[serde(deserialize_with = "or_default")]
    pub provider_url: String,
    /// What it calls itself, if that is another address.
    #[serde(deserialize_with = "or_default")]
    pub issuer_url: String,
    /// The name by which it knows this server.
    #[serde(deserialize_with = "or_default")]
    pub client_id: String,
    /// The secret that goes with it.
    #[serde(deserialize_with = "or_default")]
    pub client_secret: Secret,
    /// A file with that secret. Not of the reference.
    #[serde(deserialize_with = "or_default")]
    pub client_secret_file: PathBuf,
    /// Where it sends people back: `/auth/sso/callback` of this server.
    #[serde(deserialize_with = "or_default")]
    pub callback_url: String,
    /// Where it sends them when they have signed out; nowhere when empty. Not of the reference.
    #[serde(deserialize_with = "or_default")]
    pub post_logout_redirect_url: String,
    /// What is asked for.
    #[serde(deserialize_with = "texts")]
    pub scopes: Vec<String>,
    /// What else it is told.
    #[serde(deserialize_with = "or_default")]
    pub options: BTreeMap<String, String>,
    /// Shows the server the identity token in place of the access token.
    #[serde(deserialize_with = "or_default")]
    pub use_id_token_as_bearer: bool,
    /// The claim that names groups; `groups`. Not of the reference, as all below.
    #[serde(deserialize_with = "or_default")]
    pub groups_claim_name: String,
    /// Groups whose members may come.
    #[serde(deserialize_with = "texts")]
    pub allowed_groups: Vec<String>,
    /// Mail addresses that may come; `*@example.com` stands for all of a domain.
    #[serde(deserialize_with = "texts")]
    pub allowed_emails: Vec<String>,
}

impl SingleSignOn {
    /// Every setting.
    pub(crate) fn describe() -> Vec<Setting> {
        let setting = |name: &str, doc, unit, default: &str| Setting {
            name: format!("auth.{name}"),
            doc,
            unit,
            default: default.to_owned(),
            range: None,
        };
        vec![
            setting("enabled", "Whether people sign in to the web UI.", "", "false"),
            setting(
                "redirectToProvider",
                "Whether they are sent to the first provider without being asked.",
                "",
                "false",
            ),
            setting("maxSessionDuration", "How long a session lasts at most.", "time", "168h"),
            setting(
                "sessionIdleTimeout",
                "How long a session lasts that nobody uses.",
                "time",
                "8h",
            ),
            setting(
                "providers[]",
                "Where people sign in: the reference's settings and more, in \
                 docs/security/single-sign-on.md.",
                "",
                "",
            ),
        ]
    }

    /// Fills in what the file leaves out of the first provider, by the reference's variables.
    pub(crate) fn fill_in(
        &mut self,
        lookup: &impl Fn(&str) -> Option<String>,
        problems: &mut Vec<String>,
    ) {
        let mut variables = Variables { lookup, problems };
        variables.flag("TEMPORAL_AUTH_ENABLED", &mut self.enabled);
        if !self.enabled {
            return;
        }
        variables.flag("TEMPORAL_AUTH_REDIRECT_TO_PROVIDER", &mut self.redirect_to_provider);
        let is_named = ["TEMPORAL_AUTH_PROVIDER_URL", "TEMPORAL_AUTH_CLIENT_ID"]
            .iter()
            .any(|name| variables.value(name).is_some());
        if self.providers.is_empty() && is_named {
            self.providers.push(IdentityProvider::default());
        }
        let Some(first) = self.providers.first_mut() else { return };
        variables.text("TEMPORAL_AUTH_LABEL", &mut first.label);
        variables.text("TEMPORAL_AUTH_TYPE", &mut first.kind);
        variables.text("TEMPORAL_AUTH_PROVIDER_URL", &mut first.provider_url);
        variables.text("TEMPORAL_AUTH_ISSUER_URL", &mut first.issuer_url);
        variables.text("TEMPORAL_AUTH_CLIENT_ID", &mut first.client_id);
        if first.client_secret_file.as_os_str().is_empty() {
            variables.secret("TEMPORAL_AUTH_CLIENT_SECRET", &mut first.client_secret);
        }
        variables.text("TEMPORAL_AUTH_CALLBACK_URL", &mut first.callback_url);
        variables.list(&["TEMPORAL_AUTH_SCOPES"], &mut first.scopes);
        variables.flag("TEMPORAL_AUTH_USE_ID_TOKEN_AS_BEARER", &mut first.use_id_token_as_bearer);
    }

    /// Notes everything that is wrong and that the form of the file cannot tell.
    pub(crate) fn check(
        &self,
        has_ui: bool,
        authorization: Option<&Authorization>,
        problems: &mut Vec<String>,
    ) {
        if !self.enabled {
            return;
        }
        if !has_ui {
            problems.push("auth.enabled: there is no web UI: see ui.enabled".to_owned());
        }
        if authorization.is_none_or(Authorization::is_noop) {
            problems.push(
                "auth.enabled: nobody asks who calls, so that signing in would mean nothing: set \
                 global.authorization.authorizer to default, and where the keys of the \
                 provider's tokens are"
                    .to_owned(),
            );
        }
        self.check_in_front("", problems);
    }

    /// The same for pages in front of another server, below a path: that server asks who calls.
    pub(crate) fn check_in_front(&self, below: &str, problems: &mut Vec<String>) {
        if !self.enabled {
            return;
        }
        if self.providers.is_empty() || self.providers.len() > PROVIDERS_MAX {
            let text = format!("there have to be 1 to {PROVIDERS_MAX} of them");
            problems.push(format!("auth.providers: {text}"));
        }
        for (name, length) in [
            ("maxSessionDuration", Some(self.max_session_duration).filter(|it| !it.is_zero())),
            ("sessionIdleTimeout", self.session_idle_timeout),
        ] {
            if length.is_some_and(|it| it > SESSION_MAX || it < Duration::from_secs(1)) {
                problems.push(format!("auth.{name}: is not between a second and 90 days"));
            }
        }
        let (mut names, mut origins) = (BTreeSet::new(), BTreeSet::new());
        for (index, provider) in self.providers.iter().enumerate() {
            provider.check(&format!("auth.providers[{index}]"), below, problems);
            if !names.insert(provider.own_name()) {
                let text = format!("`{}` is there twice", provider.own_name());
                problems.push(format!("auth.providers[{index}].name: {text}"));
            }
            origins.extend(provider.callback().map(|callback| callback.origin));
        }
        if origins.len() > 1 {
            let text = "cookies are of one origin: all callback urls have to be";
            problems.push(format!("auth.providers: {text}"));
        }
    }

    /// The hosts at which browsers know this server.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let of_callback =
            |it: &IdentityProvider| it.callback().map(|callback| callback.host.to_owned());
        self.providers.iter().filter(|_| self.enabled).filter_map(of_callback)
    }
}

/// The parts of a callback's address.
struct Callback<'a> {
    origin: &'a str,
    host: &'a str,
    path: &'a str,
    encrypted: bool,
}

impl IdentityProvider {
    /// Its name in addresses.
    pub fn own_name(&self) -> &str {
        [&self.name, &self.label].into_iter().find(|name| !name.is_empty()).map_or("sso", |it| it)
    }

    /// Its name for people.
    pub fn own_label(&self) -> &str {
        if self.label.is_empty() { self.own_name() } else { &self.label }
    }

    /// What it calls itself.
    pub fn issuer(&self) -> &str {
        if self.issuer_url.is_empty() { &self.provider_url } else { &self.issuer_url }
    }

    /// What is asked for. A text may hold several, with commas or blanks between them.
    pub fn own_scopes(&self) -> Vec<String> {
        let split = |text: &String| {
            let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        let named: Vec<String> = self.scopes.iter().flat_map(split).collect();
        if named.is_empty() { SCOPES.map(str::to_owned).to_vec() } else { named }
    }

    fn callback(&self) -> Option<Callback<'_>> {
        let url = self.callback_url.as_str();
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
            _ => authority,
        };
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let length = scheme.len() + 3 + authority.len();
        let (origin, path) = (url.get(..length)?, url.get(length..)?);
        (!host.is_empty() && !authority.contains('@')).then_some(Callback {
            origin,
            host,
            path,
            encrypted,
        })
    }

    fn check(&self, place: &str, below: &str, problems: &mut Vec<String>) {
        let mut wrong = |text: &str| problems.push(format!("{place}: {text}"));
        if !["", "oidc"].contains(&self.kind.to_lowercase().as_str()) {
            wrong(&format!("unknown type: {}", self.kind));
        }
        if self.provider_url.is_empty() {
            wrong("auth provider url is not set");
        }
        if self.client_id.is_empty() {
            wrong("auth client id is not set");
        }
        if !self.client_secret.is_empty() && !self.client_secret_file.as_os_str().is_empty() {
            wrong("clientSecret and clientSecretFile: one of them says it");
        }
        let address = &self.provider_url;
        if !address.is_empty() && !is_safe(address) {
            wrong("providerUrl: is reached by https, or on this machine");
        }
        if !self.own_scopes().iter().any(|scope| scope == "openid") {
            wrong("scopes: `openid` is not among them");
        }
        for option in self.options.keys().filter(|it| OWN_OPTIONS.contains(&it.as_str())) {
            wrong(&format!("options.{option}: the server itself says it"));
        }
        if self.callback_url.is_empty() {
            return wrong("auth callback url is not set");
        }
        let Some(callback) = self.callback() else {
            return wrong("callbackUrl: is no http or https address");
        };
        if !callback.path.strip_prefix(below).is_some_and(|path| CALLBACKS.contains(&path)) {
            let paths = CALLBACKS.map(|path| format!("{below}{path}")).join(" or ");
            wrong(&format!("callbackUrl: the path is {paths}"));
        }
        if !callback.encrypted && !is_loopback(callback.host) {
            wrong("callbackUrl: browsers on other machines come by https");
        }
    }
}

fn is_safe(address: &str) -> bool {
    let (scheme, rest) = address.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    };
    match scheme {
        "https" => !host.is_empty(),
        "http" => is_loopback(host),
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::from_text;

    const BASE: &str = "data_directory: d\nui: { enabled: true }\nglobal: { authorization: { \
                        authorizer: default, oidcIssuers: ['https://id.example'] } }\n";

    fn read(auth: &str) -> Result<crate::Settings, String> {
        from_text(&format!("{BASE}auth: {auth}"), |_| None).map_err(|error| error.to_string())
    }

    fn provider(more: &str) -> Result<crate::Settings, String> {
        read(&format!(
            "{{ enabled: true, providers: [{{ providerUrl: 'https://id.example', clientId: ui, \
             callbackUrl: 'https://ui.example/auth/sso/callback', {more} }}] }}"
        ))
    }

    #[test]
    fn a_configuration_of_the_reference_is_taken() {
        let settings = read(
            "\n  enabled: true\n  redirectToProvider: true\n  maxSessionDuration: 2h\n  \
             providers:\n    - label: sso\n      type: oidc\n      \
             providerUrl: https://login.microsoftonline.com/tenant/v2.0\n      \
             issuerUrl: https://login.microsoftonline.com/tenant/v2.0\n      clientId: id\n      \
             clientSecret: canary\n      callbackUrl: http://localhost:8080/auth/sso/callback\n      \
             scopes:\n        - openid\n        - api://id/default\n      \
             options:\n        organization: o\n      useIdTokenAsBearer: true\n",
        )
        .unwrap();
        let auth = &settings.auth;
        assert_eq!(auth.providers[0].own_scopes(), ["openid", "api://id/default"]);
        assert_eq!(auth.providers[0].own_name(), "sso");
        assert_eq!(auth.hosts().collect::<Vec<_>>(), ["localhost"]);
        assert!(!format!("{auth:?}").contains("canary"));
        assert!(!read("{}").unwrap().auth.enabled);
    }

    #[test]
    fn variables_of_the_reference_fill_in_what_the_file_leaves_out() {
        let lookup = |enabled: &'static str| {
            move |name: &str| {
                let value = match name {
                    "TEMPORAL_AUTH_ENABLED" => enabled,
                    "TEMPORAL_AUTH_PROVIDER_URL" => "https://id.example",
                    "TEMPORAL_AUTH_CLIENT_ID" => "ui",
                    "TEMPORAL_AUTH_CLIENT_SECRET" => "secret",
                    "TEMPORAL_AUTH_CALLBACK_URL" => "https://ui.example/auth/sso_callback",
                    "TEMPORAL_AUTH_SCOPES" => "openid profile,email",
                    "TEMPORAL_AUTH_USE_ID_TOKEN_AS_BEARER" => "true",
                    _ => return None,
                };
                Some(value.to_owned())
            }
        };
        let auth = from_text(BASE, lookup("true")).unwrap().auth;
        let [provider] = auth.providers.as_slice() else { panic!("{auth:?}") };
        assert_eq!(provider.own_scopes(), ["openid", "profile", "email"]);
        assert_eq!(provider.client_secret.reveal(), "secret");
        assert!(provider.use_id_token_as_bearer);
        let off = from_text("data_directory: d", lookup("false")).unwrap().auth;
        assert!(off.providers.is_empty());
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_the_reference() {
        let nothing = read("{ enabled: true, providers: [{}] }").unwrap_err();
        for text in [
            "auth provider url is not",
            "auth client id is not set",
            "auth callback url is not set",
        ] {
            assert!(nothing.contains(text), "{text}: {nothing}");
        }
        for (auth, text) in [
            ("{ enabled: true }", "auth.providers"),
            ("{ enabled: true, maxSessionDuration: 9000h }", "auth.maxSessionDuration"),
            ("{ enabled: true, provider: [] }", "provider"),
        ] {
            let error = read(auth).unwrap_err();
            assert!(error.contains(text), "{auth}: {error}");
        }
        let text = "data_directory: d\nauth: { enabled: true }";
        let error = from_text(text, |_| None).unwrap_err().to_string();
        assert!(error.contains("ui.enabled") && error.contains("authorizer"), "{error}");
    }

    #[test]
    fn what_would_let_others_in_is_refused() {
        assert!(provider("").is_ok());
        for (more, text) in [
            ("type: saml", "unknown type: saml"),
            ("scopes: [email]", "`openid` is not among them"),
            ("options: { state: x }", "options.state"),
            ("clientSecret: a, clientSecretFile: b", "one of them"),
            ("allowedGroup: [x]", "allowedGroup"),
        ] {
            let error = provider(more).unwrap_err();
            assert!(error.contains(text), "{more}: {error}");
        }
        let callback = |url: &str| {
            read(&format!(
                "{{ enabled: true, providers: [{{ providerUrl: 'https://id.example', clientId: ui, \
                 callbackUrl: '{url}' }}] }}"
            ))
        };
        for good in ["http://127.0.0.1:8080/auth/sso/callback", "http://[::1]:1/auth/sso/callback"]
        {
            assert!(callback(good).is_ok(), "{good}");
        }
        for bad in [
            "http://ui.example/auth/sso/callback",
            "https://ui.example/",
            "https://ui.example@evil/auth/sso/callback",
            "ui.example/auth/sso/callback",
            "https:///auth/sso/callback",
        ] {
            assert!(callback(bad).unwrap_err().contains("callbackUrl"), "{bad}");
        }
        let insecure = "{ enabled: true, providers: [{ providerUrl: 'http://id.example', \
                        clientId: ui, callbackUrl: 'https://ui.example/auth/sso/callback' }] }";
        assert!(read(insecure).unwrap_err().contains("providerUrl"));
    }
}
