//! From the configuration to encryption and to who may do what.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use authz::Policy;
use base64::{Engine, engine::general_purpose::STANDARD};
use config::{Settings, tls as tree};
use environment::Environment;
use listener::{Encryption, Limits, Listener, Protocols};
use model::Span;
use tls::{ClientAuth, ExpiryChecks, HostSettings, ServerSettings, ServerTls, Source, VersionMin};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often files are looked at when the configuration does not say.
const REFRESH_INTERVAL: Span = Span::from_secs(10);

/// What protects a node. Nothing at all is what a development server has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Security {
    /// Encryption of the API.
    tls: Option<ServerSettings>,
}

/// The encryption of a running node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encrypted {
    tls: Option<Arc<ServerTls>>,
}

impl Security {
    /// Reads the configuration.
    pub(crate) fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self { tls: server_settings(&settings.global.tls)? })
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
        Ok(Encrypted { tls: Some(tls) })
    }
}

impl Encrypted {
    /// How addresses of the node's HTTP begin.
    pub(crate) fn http_scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The port, encrypted if anything is.
    pub(crate) fn listener(&self, tcp: TcpListener, protocols: Protocols) -> Listener {
        let listener = Listener::plain(tcp, Limits::default());
        match &self.tls {
            None => listener,
            Some(tls) => listener.encrypted(Arc::clone(tls) as Arc<dyn Encryption>, protocols),
        }
    }
}

/// Who may do what, by the configuration.
pub(crate) fn policy(settings: &Settings) -> anyhow::Result<Policy> {
    match &settings.global.authorization {
        // Nothing is encrypted and nobody has a name: the port is the boundary.
        None => Ok(Policy::AllowAll),
        Some(authorization) if authorization.is_noop() => Ok(Policy::AllowAll),
        Some(_) => bail!("global.authorization.authorizer: only noop is built so far"),
    }
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
    let refresh_interval = Span::from(tree.refresh_interval);
    let checks = &tree.expiration_checks;
    Ok(Some(ServerSettings {
        default: host_settings(server).context("global.tls.frontend.server")?,
        hosts,
        refresh_interval: refresh_interval.or(REFRESH_INTERVAL),
        expiry_checks: ExpiryChecks {
            warning_window: checks.warning_window.into(),
            error_window: checks.error_window.into(),
            interval: checks.check_interval.into(),
        },
    }))
}

fn host_settings(server: &tree::ServerTls) -> anyhow::Result<HostSettings> {
    let files = |files: &[String]| -> Vec<Source> {
        files.iter().map(|file| Source::File(PathBuf::from(file))).collect()
    };
    let mut client_authorities = files(&server.client_ca_files);
    for text in &server.client_ca_data {
        client_authorities.push(decoded("clientCaData", text)?);
    }
    Ok(HostSettings {
        certificate: source(&server.cert_file, "certData", &server.cert_data)?,
        key: source(&server.key_file, "keyData", server.key_data.reveal())?,
        client_authorities,
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

fn source(file: &str, name: &str, data: &str) -> anyhow::Result<Source> {
    if file.is_empty() { decoded(name, data) } else { Ok(Source::File(PathBuf::from(file))) }
}

fn decoded(name: &str, data: &str) -> anyhow::Result<Source> {
    let text = STANDARD.decode(data.trim()).with_context(|| format!("{name} is no base64"))?;
    Ok(Source::Text(text))
}
