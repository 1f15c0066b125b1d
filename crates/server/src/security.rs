//! From the configuration to encryption and to who may do what.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use authn::{ApiKeys, Authenticator, CertificateRule, JwtSettings, KeySource};
use authz::{Caller, CustomRole, CustomRoles, Policy, Question, Role, Roles};
use base64::{Engine, engine::general_purpose::STANDARD};
use config::{Authorization, Global, Settings, tls as tree};
use environment::Environment;
use frontend::{Authenticate, Consult, SideServices};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http_client::Client;
use listener::{
    CertificatePattern, Encryption, Limits, Listener, Peer, Protocols, Standing, Visitors,
};
use model::Span;
use policies::{Policies, Webhook, WebhookSettings};
use single_sign_on::SingleSignOn;
use storage::Store;
use telemetry::{Metrics, SecurityTotals};
use tls::{
    ClientAuth, ExpiryChecks, HostSettings, NamespaceSettings, ServerSettings, ServerTls, Source,
    VersionMin,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    admin_service::{self, Administered},
    keys_service::ServerKeys,
    metrics_endpoint::CONNECTIONS_MAX,
};

/// How often files are looked at when the configuration does not say.
const REFRESH_INTERVAL: Span = Span::from_secs(10);

/// How often the keys of tokens are read when the configuration does not say.
const KEY_REFRESH_INTERVAL: Span = Span::from_secs(60);

/// Nanoseconds of a second.
const NANOS: i64 = 1_000_000_000;

/// How much clocks may differ when the configuration does not say.
const LEEWAY: Span = Span::from_secs(60);

/// How often policies are looked at when the configuration does not say.
const POLICY_REFRESH_INTERVAL: Span = Span::from_secs(10);

/// How long a webhook may take, and how long its answers hold, when the configuration does not say.
const WEBHOOK_TIMEOUT: Span = Span::from_secs(2);
const WEBHOOK_CACHE_TTL: Span = Span::from_millis(500);

/// What protects a node. Nothing at all is what a development server has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Security {
    /// Encryption of the API.
    tls: Option<ServerSettings>,
    /// How callers prove who they are, if they have to.
    authentication: Option<authn::Settings>,
    /// Whether API keys are taken.
    api_keys: bool,
    /// Whether metrics are encrypted.
    metrics_encrypted: bool,
}

/// The encryption of a running node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encrypted {
    tls: Option<Arc<ServerTls>>,
    /// Whether the metrics are, too.
    metrics: bool,
}

impl Security {
    /// Reads the configuration.
    pub(crate) fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self { metrics_encrypted: settings.metrics.encrypted, ..Self::read(&settings.global)? })
    }

    /// Reads what every kind of server has.
    pub(crate) fn of(global: &Global) -> anyhow::Result<Self> {
        // Nobody here would ask which namespace a certificate counts in.
        if !global.tls.frontend.namespaces.is_empty() {
            bail!("global.tls.frontend.namespaces: only a server of the API has namespaces");
        }
        Self::read(global)
    }

    fn read(global: &Global) -> anyhow::Result<Self> {
        let authorization = global.authorization.as_ref();
        let enforced = authorization.filter(|authorization| !authorization.is_noop());
        Ok(Self {
            tls: server_settings(&global.tls)?,
            authentication: enforced.map(authentication).transpose()?,
            api_keys: enforced.is_some_and(|authorization| authorization.api_keys),
            metrics_encrypted: false,
        })
    }

    /// Reads the keys of tokens and the API keys, and gives what asks for them.
    pub(crate) async fn services(
        self,
        environment: &Environment,
        store: &Arc<dyn Store>,
        keys: ServerKeys,
        single_sign_on: Option<Arc<SingleSignOn>>,
        stop: &CancellationToken,
    ) -> anyhow::Result<SideServices> {
        let mut services = SideServices::default();
        let mut api_keys = None;
        if let (true, Some(settings)) = (self.api_keys, &self.authentication) {
            let keys = ApiKeys::open(Arc::clone(store), environment.clone()).await?;
            api_keys = Some(Arc::new(keys.with_roles(settings.roles.clone())));
        }
        let administered = Administered { api_keys: api_keys.clone(), keys, single_sign_on };
        services.services.push((admin_service::NAME, admin_service::service(administered)));
        let Some(settings) = self.authentication else { return Ok(services) };
        let clock = Arc::clone(&environment.clock);
        let authenticator = Authenticator::open(settings, api_keys, clock, stop)
            .await
            .context("global.authorization")?;
        services.authentication = Some(Arc::new(Credentials(authenticator)));
        Ok(services)
    }

    /// What checks tokens, without the keys that a store holds.
    pub(crate) async fn tokens(
        self,
        environment: &Environment,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Authenticator>> {
        let Some(settings) = self.authentication else { return Ok(None) };
        let clock = Arc::clone(&environment.clock);
        Ok(Some(Authenticator::open(settings, None, clock, stop).await?))
    }

    /// Reads certificates and keys, and looks at them again until `stop` is cancelled.
    pub(crate) fn encryption(
        &self,
        environment: &Environment,
        stop: &CancellationToken,
    ) -> anyhow::Result<Encrypted> {
        let Some(settings) = &self.tls else { return Ok(Encrypted::default()) };
        let tls = ServerTls::open(settings.clone(), Arc::clone(&environment.clock))
            .context("global.tls.frontend")?;
        tokio::spawn(Arc::clone(&tls).watch(stop.clone()));
        Ok(Encrypted { tls: Some(tls), metrics: self.metrics_encrypted })
    }
}

impl Encrypted {
    /// How connections stand on which no certificate can be shown, if that matters anywhere.
    pub(crate) fn unproven(&self) -> Option<Arc<dyn Standing>> {
        self.tls.as_ref()?.without_certificate()
    }

    /// How addresses of the node's HTTP begin.
    pub(crate) fn http_scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The port, encrypted if anything is.
    pub(crate) fn protect(&self, listener: Listener, protocols: Protocols) -> Listener {
        match &self.tls {
            None => listener,
            Some(tls) => listener.encrypted(Arc::clone(tls) as Arc<dyn Encryption>, protocols),
        }
    }
}

impl Encrypted {
    /// The port of the metrics.
    pub(crate) fn metrics_listener(&self, tcp: TcpListener, limits: Limits) -> Listener {
        let limits = Limits { connections_max: CONNECTIONS_MAX, ..limits };
        let listener = Listener::plain(tcp, limits);
        if self.metrics { self.protect(listener, Protocols::Http1) } else { listener }
    }
}

/// Shows what protects the node among its metrics.
pub(crate) fn watch_security(
    metrics: &Metrics,
    (policies, encrypted): (Option<Arc<Policies>>, Encrypted),
    visitors: &Arc<Visitors>,
) {
    let visitors = Arc::clone(visitors);
    metrics.watch_security(move || {
        let expiry = encrypted.tls.as_ref().map(|tls| tls.expiry()).unwrap_or_default();
        let end = expiry.first_end.map_or(0, |end| end.nanos() / NANOS);
        SecurityTotals {
            connections_refused: visitors.turned_away(),
            policy_shadow_denials: policies.as_ref().map_or(0, |it| it.shadow_denials()),
            policy_shadow_permits: policies.as_ref().map_or(0, |it| it.shadow_permits()),
            policy_failures: policies.as_ref().map_or(0, |policies| policies.failures()),
            certificates_expired: expiry.expired,
            certificates_expiring: expiry.expiring,
            certificate_end_seconds: u64::try_from(end).unwrap_or(0),
        }
    });
}

/// What the frontend asks.
#[derive(Debug)]
struct Credentials(Authenticator);

impl Authenticate for Credentials {
    fn identify<'a>(
        &'a self,
        headers: &'a HeaderMap,
        peer: &'a Peer,
    ) -> BoxFuture<'a, Result<Caller, String>> {
        Box::pin(
            async move { self.0.identify(headers, peer).await.map_err(|error| error.to_string()) },
        )
    }

    fn withdrawal(&self, headers: &HeaderMap) -> Option<BoxFuture<'static, String>> {
        let withdrawal = self.0.withdrawal(headers)?;
        Some(Box::pin(async move { withdrawal.await.to_string() }))
    }
}

/// Who may do what, and who says so.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// What is decided by rules.
    pub(crate) policy: Policy,
    /// The policies among them, which are read again and again.
    pub(crate) policies: Option<Arc<Policies>>,
    /// Who else is asked.
    pub(crate) webhook: Option<WebhookSettings>,
}

impl Rules {
    /// Everybody may do everything.
    pub(crate) fn allow_all() -> Self {
        Self { policy: Policy::AllowAll, ..Self::default() }
    }

    /// Those of the configuration.
    pub(crate) fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        let enforced = settings.global.authorization.as_ref();
        // Without any, nothing is encrypted and nobody has a name: the port is the boundary.
        let enforced = enforced.filter(|authorization| !authorization.is_noop());
        let Some(authorization) = enforced else { return Ok(Self::allow_all()) };
        let roles = Roles {
            worker_is_noop: authorization.worker_role_is_noop,
            custom: custom_roles(authorization)?,
        };
        let policies = authorization.policies.as_ref().map(open_policies).transpose()?;
        let policy = match &policies {
            _ if authorization.is_webhook() => Policy::Elsewhere(roles),
            None => Policy::Roles(roles),
            Some(policies) => Policy::Ruled(roles, policies.further()),
        };
        let webhook = authorization.webhook.as_ref().map(|webhook| WebhookSettings {
            url: webhook.url.clone(),
            timeout: webhook.timeout.map_or(WEBHOOK_TIMEOUT, Span::from),
            cache_ttl: webhook.cache_ttl.map_or(WEBHOOK_CACHE_TTL, Span::from),
        });
        Ok(Self { policy, policies, webhook })
    }

    /// Reads the policies again and again until `stop` is cancelled.
    pub(crate) fn watch(&self, stop: &CancellationToken) {
        if let Some(policies) = &self.policies {
            policies.tell();
            tokio::spawn(Arc::clone(policies).watch(stop.clone()));
        }
    }

    /// Who else is asked.
    pub(crate) fn consult(
        &self,
        environment: &Environment,
    ) -> anyhow::Result<Option<Arc<dyn Consult>>> {
        let Some(settings) = &self.webhook else { return Ok(None) };
        let client = Arc::new(Client::default());
        let webhook = Webhook::new(settings.clone(), client, Arc::clone(&environment.clock))
            .context("global.authorization.webhook")?;
        Ok(Some(Arc::new(Outside(webhook))))
    }
}

fn open_policies(settings: &config::Policies) -> anyhow::Result<Arc<Policies>> {
    let mode = if settings.is_shadow() { policies::Mode::Shadow } else { policies::Mode::Enforce };
    let refresh_interval = Span::from(settings.refresh_interval).or(POLICY_REFRESH_INTERVAL);
    let (path, may_permit) = (settings.path().clone(), settings.may_permit);
    Policies::open(policies::Settings { path, mode, may_permit, refresh_interval })
        .context("global.authorization.policies")
}

fn custom_roles(authorization: &Authorization) -> anyhow::Result<CustomRoles> {
    let role = |role: &config::CustomRole| CustomRole {
        includes: Role::from_name(&role.includes).unwrap_or_default(),
        methods: role.methods.clone(),
    };
    let roles = authorization.roles.iter().map(|(name, own)| (name.clone(), role(own)));
    CustomRoles::new(roles).context("global.authorization.roles")
}

/// A webhook as the frontend asks it.
#[derive(Debug)]
struct Outside(Webhook);

impl Consult for Outside {
    fn consult<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { self.0.ask(&question).await })
    }
}

fn authentication(settings: &Authorization) -> anyhow::Result<authn::Settings> {
    let text = |value: &str, default: &str| {
        if value.is_empty() { default.to_owned() } else { value.to_owned() }
    };
    let mut sources = Vec::new();
    let uris = settings.jwt_key_provider.key_source_uris.iter().map(|uri| uri.trim());
    for uri in uris.filter(|uri| !uri.is_empty()) {
        sources.push(KeySource::from_uri(uri)?);
    }
    for issuer in &settings.oidc_issuers {
        sources.push(KeySource::from_issuer(issuer)?);
    }
    let jwt = JwtSettings {
        sources,
        refresh_interval: Span::from(settings.jwt_key_provider.refresh_interval)
            .or(KEY_REFRESH_INTERVAL),
        algorithms: settings.algorithms.clone(),
        audience: Some(settings.audience.clone()).into_iter().filter(|it| !it.is_empty()).collect(),
        issuers: settings.issuers.clone(),
        expiry_required: !settings.dangerous_tokens_without_expiry,
        leeway: settings.leeway.map_or(LEEWAY, Span::from),
        subject_claim: text(&settings.subject_claim_name, "sub"),
        permissions_claim: text(&settings.permissions_claim_name, "permissions"),
        permissions_regex: settings.permissions_regex.clone(),
    };
    let rule = |rule: &config::CertificateRule| CertificateRule {
        pattern: CertificatePattern {
            common_name: rule.common_name.clone(),
            organization: rule.organization.clone(),
            organizational_unit: rule.organizational_unit.clone(),
            alternative_name: rule.subject_alternative_name.clone(),
        },
        permissions: rule.permissions.clone(),
    };
    let header = text(&settings.auth_header_name, "authorization").to_lowercase();
    Ok(authn::Settings {
        header: header.parse().with_context(|| format!("authHeaderName: `{header}`"))?,
        jwt: (!jwt.sources.is_empty()).then_some(jwt),
        certificates: settings.client_certificates.iter().map(rule).collect(),
        roles: custom_roles(settings)?,
    })
}

fn server_settings(tree: &tree::Tls) -> anyhow::Result<Option<ServerSettings>> {
    let server = &tree.frontend.server;
    if !server.is_enabled() {
        return Ok(None);
    }
    let mut hosts = BTreeMap::new();
    for (name, host) in &tree.frontend.host_overrides {
        let place = format!("global.tls.frontend.hostOverrides.{name}");
        hosts.insert(name.to_lowercase(), host_settings(host).context(place)?);
    }
    let namespace = |(name, own): (&String, &tree::NamespaceTls)| {
        let place = || format!("global.tls.frontend.namespaces.{name}");
        Ok((name.clone(), namespace_settings(own).with_context(place)?))
    };
    let namespaces = tree.frontend.namespaces.iter().map(namespace);
    let namespaces = namespaces.collect::<anyhow::Result<_>>()?;
    let refresh_interval = Span::from(tree.refresh_interval);
    let checks = &tree.expiration_checks;
    Ok(Some(ServerSettings {
        default: host_settings(server).context("global.tls.frontend.server")?,
        hosts,
        namespaces,
        refresh_interval: refresh_interval.or(REFRESH_INTERVAL),
        expiry_checks: ExpiryChecks {
            warning_window: checks.warning_window.into(),
            error_window: checks.error_window.into(),
            interval: checks.check_interval.into(),
        },
    }))
}

fn host_settings(server: &tree::ServerTls) -> anyhow::Result<HostSettings> {
    Ok(HostSettings {
        certificate: source(&server.cert_file, "certData", &server.cert_data)?,
        key: source(&server.key_file, "keyData", server.key_data.reveal())?,
        client_authorities: authorities(&server.client_ca_files, &server.client_ca_data)?,
        client_revocations: files(&server.client_crl_files),
        client_auth: match server.client_auth() {
            tree::ClientAuth::None => ClientAuth::None,
            tree::ClientAuth::Optional => ClientAuth::Optional,
            tree::ClientAuth::Require => ClientAuth::Require,
        },
        version_min: match server.min_version.as_str() {
            "1.3" => VersionMin::Tls13,
            _ => VersionMin::Tls12,
        },
    })
}

fn namespace_settings(own: &tree::NamespaceTls) -> anyhow::Result<NamespaceSettings> {
    let filter = |filter: &tree::CertificateFilter| CertificatePattern {
        common_name: filter.common_name.clone(),
        organization: filter.organization.clone(),
        organizational_unit: filter.organizational_unit.clone(),
        alternative_name: filter.subject_alternative_name.clone(),
    };
    Ok(NamespaceSettings {
        client_authorities: authorities(&own.client_ca_files, &own.client_ca_data)?,
        client_revocations: files(&own.client_crl_files),
        filters: own.certificate_filters.iter().map(filter).collect(),
    })
}

fn files(files: &[String]) -> Vec<Source> {
    files.iter().map(|file| Source::File(PathBuf::from(file))).collect()
}

fn authorities(of_files: &[String], data: &[String]) -> anyhow::Result<Vec<Source>> {
    let mut found = files(of_files);
    for text in data {
        found.push(decoded("clientCaData", text)?);
    }
    Ok(found)
}

fn source(file: &str, name: &str, data: &str) -> anyhow::Result<Source> {
    if file.is_empty() { decoded(name, data) } else { Ok(Source::File(PathBuf::from(file))) }
}

fn decoded(name: &str, data: &str) -> anyhow::Result<Source> {
    let text = STANDARD.decode(data.trim()).with_context(|| format!("{name} is no base64"))?;
    Ok(Source::Text(text))
}
