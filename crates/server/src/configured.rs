//! `longtide server start` and `longtide config`.

use std::path::Path;

use anyhow::{Context, anyhow};
use authz::Policy;
use config::Settings;
use environment::Environment;
use frontend::{Hosts, OWN_VERSION};
use http_client::{AddressRule, AddressRules};
use namespace::Registration;
use telemetry::start_logging;

use crate::{
    at_rest::AtRestOptions,
    auditing,
    limits::NodeLimits,
    node::{self, Callbacks, NodeOptions},
    output,
    renewal::Renewal,
    security::{Rules, Security},
    signing_in,
    ui::Ui,
};

/// Runs a server from a configuration file.
pub(crate) fn start(file: &Path) -> anyhow::Result<()> {
    let settings = read(file)?;
    start_logging(settings.log.level.parse()?, settings.log.format.parse()?)?;
    let rules = Rules::from_settings(&settings)?;
    warn_of_exposure(&settings, &rules.policy);
    let node = NodeOptions {
        environment: Environment::system(),
        listen: settings.listen,
        http: settings.http.address().transpose().map_err(|text| anyhow!(text))?,
        ui: ui(&settings)?,
        hosts: Hosts::new(settings.http.allowed_hosts.iter().cloned().chain(settings.auth.hosts())),
        single_sign_on: signing_in::settings(&settings)?,
        callbacks: callbacks(&settings.nexus),
        metrics: settings.metrics.address().transpose().map_err(|text| anyhow!(text))?,
        data_directory: Some(settings.data_directory.clone()),
        store_cache_bytes: Some(settings.cache.store_bytes),
        at_rest: at_rest_options(&settings, file),
        history: history::Config {
            cache_bytes_max: usize::try_from(settings.cache.runs_bytes)?,
            retention_jitter: history::RETENTION_JITTER,
            ..history::Config::default()
        },
        security: Security::from_settings(&settings)?,
        audit: auditing::settings(&settings)?,
        renewal: Renewal::from_settings(&settings),
        rules,
        limits: NodeLimits::from_settings(&settings)?,
        namespaces: settings.namespaces.iter().map(registration).collect(),
    };
    let scheme = |is_encrypted: bool| if is_encrypted { "https" } else { "http" };
    let own = scheme(settings.global.tls.frontend.server.is_enabled());
    let of_metrics = scheme(settings.metrics.encrypted);
    node::run(node, |addresses| {
        output::line(&format!("Longtide {OWN_VERSION} listens on {}", addresses.grpc));
        if let Some(http) = addresses.http {
            output::line(&format!("HTTP: {own}://{http}"));
        }
        if let Some(ui) = addresses.ui {
            output::line(&format!("Web UI: {own}://{ui}"));
        }
        if let Some(metrics) = addresses.metrics {
            output::line(&format!("Metrics: {of_metrics}://{metrics}/metrics"));
        }
    })
}

/// Says loudly what everybody on the network may do.
fn warn_of_exposure(settings: &Settings, policy: &Policy) {
    let listen = settings.listen;
    if listen.ip().is_loopback() {
        return;
    }
    if !settings.global.tls.frontend.server.is_enabled() {
        output::warning(&format!(
            "LISTENING ON {listen} WITHOUT ENCRYPTION: whoever is on the way may read and change \
             everything"
        ));
    }
    if *policy == Policy::AllowAll {
        output::warning(&format!(
            "LISTENING ON {listen} WITHOUT IDENTITIES: whoever reaches the port may read and \
             change everything"
        ));
    }
}

/// Checks a configuration file.
pub(crate) fn check(file: &Path) -> anyhow::Result<()> {
    read(file)?;
    output::line(&format!("{} is valid", file.display()));
    Ok(())
}

/// Lists every setting.
pub(crate) fn explain() -> anyhow::Result<()> {
    for setting in config::all_settings() {
        output::line(&setting.name);
        output::line(&format!("    {}", setting.doc));
        let mut facts = Vec::new();
        if !setting.unit.is_empty() {
            facts.push(format!("unit: {}", setting.unit));
        }
        if !setting.default.is_empty() {
            facts.push(format!("default: {}", setting.default));
        }
        if let Some(range) = setting.range {
            facts.push(format!("range: {} to {}", range.start(), range.end()));
        }
        if !facts.is_empty() {
            output::line(&format!("    {}", facts.join(", ")));
        }
    }
    Ok(())
}

/// Reads and checks a configuration file.
pub(crate) fn read(file: &Path) -> anyhow::Result<Settings> {
    #[expect(clippy::disallowed_methods, reason = "the configuration names the variables")]
    let lookup = |name: &str| std::env::var(name).ok();
    config::from_file(file, lookup).with_context(|| format!("in {}", file.display()))
}

/// How what is stored is encrypted, if it is.
pub(crate) fn at_rest_options(settings: &Settings, file: &Path) -> Option<AtRestOptions> {
    let settings = settings.encryption_at_rest.clone()?;
    Some(AtRestOptions { settings, configuration: file.to_owned() })
}

/// The web UI, if it is switched on.
fn ui(settings: &Settings) -> anyhow::Result<Option<Ui>> {
    if !settings.ui.enabled {
        return Ok(None);
    }
    let listen = settings.ui.address().transpose().map_err(|text| anyhow!(text))?;
    let folder = Some(Path::new(&settings.ui.directory)).filter(|it| !it.as_os_str().is_empty());
    Ui::open(listen, folder, "", web_ui::Settings::default()).map(Some)
}

fn callbacks(nexus: &config::Nexus) -> Callbacks {
    let template = &nexus.callback_url_template;
    let rules = nexus.allowed_addresses.iter().map(|allowed| AddressRule {
        pattern: allowed.pattern.clone(),
        allow_insecure: allowed.dangerous_allow_insecure,
    });
    Callbacks {
        allowed_addresses: AddressRules::new(rules),
        url_template: (!template.is_empty()).then(|| template.clone()),
    }
}

fn registration(namespace: &config::Namespace) -> Registration {
    Registration {
        name: namespace.name.clone(),
        retention: namespace.retention.0.into(),
        ..Registration::default()
    }
}
