//! `longtide server start-dev`.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::{Context, bail};
use environment::Environment;
use frontend::{Hosts, OWN_VERSION, RequestLimits, SERVER_VERSION};
use model::Span;
use namespace::Registration;
use telemetry::start_logging;
use visibility_query::AttributeType;

use crate::{
    arguments::StartDev,
    dynamic_config::DynamicConfig,
    limits::NodeLimits,
    node::{self, Addresses, Callbacks, NodeOptions},
    output,
    security::{Rules, Security},
    ui::Ui,
};

/// The namespace that is always there.
const DEFAULT_NAMESPACE: &str = "default";

/// How long closed runs are kept, as in the reference's development server.
const RETENTION: Span = Span::from_secs(24 * 3600);

/// How often a run skips time until it is told again, as in the reference.
pub(crate) const TIME_SKIPS_MAX: i32 = 200;

/// Runs a development server.
pub(crate) fn start(options: StartDev) -> anyhow::Result<()> {
    start_logging(options.log_level.parse()?, options.log_format.parse()?)?;
    for warning in options.ignored.warnings() {
        output::warning(&warning);
    }
    if options.log_config {
        output::warning(&format!("configuration: {options:?}"));
    }
    let dynamic = DynamicConfig::read(&options.dynamic_config_value)?;
    for key in &dynamic.ignored {
        output::warning(&format!("--dynamic-config-value {key} is accepted and not used"));
    }
    let limits = NodeLimits {
        contents: dynamic.contents.clone(),
        ..NodeLimits::on_loopback(limits(&dynamic))
    };
    let (address, ui_address) = (options.ip.address, options.ui_ip().address);
    for address in [address, ui_address].into_iter().filter(|address| !address.is_loopback()) {
        if !options.dangerous_plaintext {
            bail!(
                "--ip {address} is not a loopback address, and a development server has neither \
                 encryption nor identities: whoever reaches the port may do everything. Use a \
                 loopback address, or add --dangerous-plaintext"
            );
        }
        output::warning(&format!(
            "LISTENING ON {address} WITHOUT ENCRYPTION OR IDENTITIES: whoever reaches the port \
             may read and change everything"
        ));
    }
    let ui = match options.ui_port() {
        None => None,
        Some(port) => {
            let listen = SocketAddr::new(ui_address, port);
            let folder = options.ui_asset_path.as_deref();
            let below = options.ui_public_path.as_deref().unwrap_or_default();
            Some(Ui::open(Some(listen), folder, below, ui_settings(&options))?)
        }
    };
    let namespaces = registrations(&options.namespace, &options.search_attribute, RETENTION)?;
    let node = NodeOptions {
        environment: Environment::system(),
        listen: SocketAddr::new(address, options.port),
        http: Some(SocketAddr::new(address, options.http_port())),
        hosts: Hosts::new(dynamic.allowed_hosts),
        ui,
        callbacks: Callbacks {
            allowed_addresses: dynamic.allowed_addresses,
            url_template: dynamic.callback_url_template,
        },
        metrics: Some(SocketAddr::new(address, options.metrics_port)),
        data_directory: options.db_filename.clone(),
        store_cache_bytes: None,
        at_rest: None,
        history: history::Config {
            retention_jitter: history::RETENTION_JITTER,
            ..history::Config::default()
        },
        security: Security::default(),
        audit: None,
        renewal: None,
        single_sign_on: None,
        rules: Rules::allow_all(),
        limits,
        namespaces,
    };
    node::run(node, |addresses| announce(&options, addresses))
}

/// What the web UI is told.
fn ui_settings(options: &StartDev) -> web_ui::Settings {
    web_ui::Settings {
        codec: web_ui::Codec {
            endpoint: options.ui_codec_endpoint.clone().unwrap_or_default(),
            ..web_ui::Codec::default()
        },
        disable_news_fetch: options.ui_disable_news_fetch,
        ..web_ui::Settings::default()
    }
}

/// Time skipping of runs is an experiment of the API: off, unless it is asked for as the
/// reference's users do.
fn limits(dynamic: &DynamicConfig) -> RequestLimits {
    let most = dynamic.time_skips_max.unwrap_or(TIME_SKIPS_MAX);
    let time_skips_max = dynamic.skips_time.then_some(most);
    RequestLimits { time_skips_max, ..dynamic.limits.clone() }
}

/// The namespaces that are made at the start: the default one and those that were asked for.
pub(crate) fn registrations(
    further: &[String],
    attributes: &[(String, String)],
    retention: Span,
) -> anyhow::Result<Vec<Registration>> {
    let mut search_attributes = BTreeMap::new();
    for (name, kind) in attributes {
        let kind = AttributeType::from_name(kind).with_context(|| {
            let known = AttributeType::ALL.map(AttributeType::name).join(", ");
            format!("search attribute `{name}`: the type `{kind}` is none of {known}")
        })?;
        search_attributes.insert(name.clone(), kind);
    }
    let mut names = vec![DEFAULT_NAMESPACE];
    for name in further {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let registration = |name: &str| Registration {
        name: name.to_owned(),
        retention,
        search_attributes: search_attributes.clone(),
        ..Registration::default()
    };
    Ok(names.into_iter().map(registration).collect())
}

/// The lines that tools and people know from the reference, and honest ones for what is missing.
fn announce(options: &StartDev, addresses: &Addresses) {
    let host = &options.ip.text;
    let port = addresses.grpc.port();
    output::line(&format!("Longtide {OWN_VERSION} (Temporal server API {SERVER_VERSION})\n"));
    output::line(&format!("Temporal Server:      {host}:{port}"));
    let persistence = match &options.db_filename {
        Some(path) => path.display().to_string(),
        None => "in-memory".to_owned(),
    };
    output::line(&format!("Temporal Persistence: {persistence}"));
    if let Some(ui) = addresses.ui {
        let host = &options.ui_ip().text;
        output::line(&format!("Temporal UI:          http://{host}:{}", ui.port()));
    }
    if let Some(http) = addresses.http {
        output::line(&format!("Temporal HTTP:        {host}:{}", http.port()));
    }
    if let Some(metrics) = addresses.metrics {
        output::line(&format!("Temporal Metrics:     http://{host}:{}/metrics", metrics.port()));
    }
}
