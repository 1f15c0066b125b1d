//! `longtide codec-proxy`: payload codecs for clients that load none.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use clap::Args;
use codec_proxy::{CodecProxy, Coder, CoderSettings, Settings};
use environment::Environment;
use listener::{Limits, Listener, Protocols};
use telemetry::start_logging;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{codec_command, output, remote, security::Security, stop::StopSignals};

/// Encrypt and decrypt payloads between any client and any server.
///
/// Clients and workers connect to the proxy instead of the server, and need no codec of their own.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, required_unless_present_all = ["target", "keys"])]
    config: Option<PathBuf>,
    /// The gRPC address of the server, on this machine; for others there is --config.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config", requires = "keys")]
    target: Option<String>,
    /// The file of the keys: a line `ID: KEY IN BASE64` each, the key that encrypts first.
    #[arg(long, value_name = "FILE", conflicts_with = "config", requires = "target")]
    keys: Option<PathBuf>,
    /// Where clients and workers connect.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config", default_value = LISTEN)]
    listen: SocketAddr,
}

/// Where the proxy listens when nothing else is said.
const LISTEN: &str = "127.0.0.1:7333";

/// Runs a codec proxy until a signal ends it.
pub(crate) fn start(arguments: Arguments) -> anyhow::Result<()> {
    let settings = settings(arguments)?;
    start_logging(settings.log.level.parse()?, settings.log.format.parse()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings))
}

fn settings(arguments: Arguments) -> anyhow::Result<config::CodecProxy> {
    let Arguments { config, target, keys, listen } = arguments;
    if let Some(file) = config {
        return config::codec_proxy_from_file(&file, codec_command::variable)
            .with_context(|| format!("in {}", file.display()));
    }
    let text = serde_json::json!({
        "listen": listen,
        "target": { "address": target },
        "keys": { "file": keys },
    });
    Ok(config::codec_proxy_from_text(&text.to_string(), |_| None)?)
}

async fn serve(settings: config::CodecProxy) -> anyhow::Result<()> {
    let signals = StopSignals::catch().context("signals cannot be caught")?;
    let stop = CancellationToken::new();
    let codec = codec_command::codec(&settings.keys, settings.format, settings.compression).await?;
    let how = CoderSettings {
        encode_failures: settings.encode_failures,
        dangerous_pass_unknown_fields: settings.dangerous_pass_unknown_fields,
    };
    let coder = Coder::new(codec, how)?;
    let environment = Environment::system();
    let encryption = Security::of(&settings.global)?.encryption(&environment, &stop)?;
    let tree = &settings.global.tls;
    let target = remote::channel(&settings.target, tree, &environment, &stop).context("target")?;
    let limits = Settings {
        request_bytes_max: settings.request_bytes_max,
        answer_bytes_max: settings.answer_bytes_max,
        passed_services: settings.passed_services.clone(),
        ..Settings::default()
    };
    let proxy = CodecProxy::new(target, coder, limits).context("passed_services")?;
    let address = settings.listen;
    let tcp = TcpListener::bind(address).await;
    let tcp = tcp.with_context(|| format!("cannot listen on {address}"))?;
    warn(&settings);
    output::line(&format!(
        "The codec proxy of {} listens on {}",
        settings.target.address,
        tcp.local_addr()?
    ));
    let listener = encryption.protect(Listener::plain(tcp, Limits::default()), Protocols::Http2);
    let watching = tokio::spawn(signals.watch(stop.clone()));
    proxy.serve(listener, stop).await;
    watching.abort();
    Ok(())
}

/// Says loudly what is readable that could be otherwise.
fn warn(settings: &config::CodecProxy) {
    let listen = settings.listen;
    if !listen.ip().is_loopback() && !settings.global.tls.frontend.server.is_enabled() {
        output::warning(&format!(
            "LISTENING ON {listen} WITHOUT ENCRYPTION: whoever is on the way may read and change \
             everything"
        ));
    }
    if settings.dangerous_pass_unknown_fields {
        output::warning(
            "FIELDS THAT THIS RELEASE DOES NOT KNOW PASS AS THEY ARE: payloads in them are readable",
        );
    }
    if !settings.encode_failures {
        output::warning("MESSAGES AND STACK TRACES OF FAILURES ARE NOT ENCRYPTED");
    }
}
