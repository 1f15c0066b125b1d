//! `longtide ui`: the web UI in front of any server that speaks Temporal's protocol.

use std::{env, ffi::OsString, io::IsTerminal as _, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use clap::Args;
use command_line::{Surroundings, Upstream};
use environment::Environment;
use frontend::{Hosts, HttpServer, HttpSettings, ResponseFuture};
use http::HeaderName;
use listener::{Limits, Listener, Protocols};
use telemetry::start_logging;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use crate::{
    arguments::{Ip, address},
    output,
    security::Security,
    stop::StopSignals,
    ui::{self, variable},
    ui_sign_in::SignIn,
};

/// Where the reference's UI server listens when nothing else is said.
const PORT: u16 = 8080;

/// Serve the web UI in front of a server.
///
/// The server is any that speaks Temporal's protocol; it is named, and encryption and credentials
/// are given, as for the client commands. It decides who may do what: the browser's credentials go
/// with every call, or the token of who has signed in (--auth-config). Variables of the reference's
/// UI server are taken.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: command_line::Options,
    /// Port of the web UI; 0 for any free one. [env: TEMPORAL_UI_PORT] [default: 8080]
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on.
    #[arg(long, default_value = "localhost", value_parser = address)]
    ip: Ip,
    /// Path below which the web UI is. [env: TEMPORAL_UI_PUBLIC_PATH]
    #[arg(long, value_name = "PATH")]
    public_path: Option<String>,
    /// Folder of another web UI.
    #[arg(long, value_name = "PATH")]
    ui_asset_path: Option<PathBuf>,
    /// Header of the browser's requests that goes with the calls, besides those that say who asks.
    /// May be repeated. [env: TEMPORAL_FORWARD_HEADERS]
    #[arg(long, value_name = "NAME")]
    forward_header: Vec<HeaderName>,
    /// Name under which browsers ask, besides those of this machine; `*.example.com` for all below.
    /// May be repeated.
    #[arg(long, value_name = "NAME")]
    allowed_host: Vec<String>,
    /// File of the certificate that browsers are shown. [env: TEMPORAL_UI_SERVER_TLS_CERT]
    #[arg(long, value_name = "PATH", requires = "serve_key_path")]
    serve_cert_path: Option<String>,
    /// File of its key. [env: TEMPORAL_UI_SERVER_TLS_KEY]
    #[arg(long, value_name = "PATH", requires = "serve_cert_path")]
    serve_key_path: Option<String>,
    #[command(flatten)]
    sign_in: SignIn,
    /// Listen on other addresses than loopback without encryption: whoever is on the way may read
    /// and change everything.
    #[arg(long)]
    dangerous_plaintext: bool,
}

/// Serves until a signal ends it.
pub(crate) fn start(arguments: Arguments) -> anyhow::Result<()> {
    let (level, format) = arguments.connection.log();
    start_logging(level.unwrap_or("warn").parse()?, format.unwrap_or("text").parse()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let signals = StopSignals::catch().context("signals cannot be caught")?;
    let stop = CancellationToken::new();
    let server = Upstream::open(&arguments.connection, &surroundings())?;
    let security = security(&arguments)?;
    let encryption = security.encryption(&Environment::system(), &stop).context("certificate")?;
    let scheme = encryption.http_scheme();
    let listen = SocketAddr::new(arguments.ip.address, port(&arguments)?);
    let given = |flag: &Option<String>, name: &str| flag.clone().or_else(|| variable(name));
    let below = given(&arguments.public_path, "TEMPORAL_UI_PUBLIC_PATH").unwrap_or_default();
    let codec = web_ui::Codec {
        endpoint: arguments.connection.codec_endpoint().unwrap_or_default().to_owned(),
        ..web_ui::Codec::default()
    };
    let settings = web_ui::Settings { codec, ..web_ui::Settings::default() };
    let site = ui::site(arguments.ui_asset_path.as_deref(), &below, settings)?;
    let auth = arguments.sign_in.settings(site.public_path())?;
    warn(&arguments, &server, scheme == "https", auth.enabled)?;
    let signed_in = arguments.sign_in.open(&auth, &stop).await?;
    let tcp = TcpListener::bind(listen).await;
    let tcp = tcp.with_context(|| format!("cannot listen on {listen}"))?;
    let (host, port) = (&arguments.ip.text, tcp.local_addr()?.port());
    let path = site.public_path();
    output::line(&format!(
        "The web UI of {} is at {scheme}://{host}:{port}{path}",
        server.address()
    ));
    let listener = encryption.protect(Listener::plain(tcp, Limits::default()), Protocols::Http1);
    let watching = tokio::spawn(signals.watch(stop.clone()));
    let headers = forwarded(&arguments)?;
    let hosts = Hosts::new(arguments.allowed_host.into_iter().chain(auth.hosts()));
    let single_sign_on = signed_in.as_ref().map(|it| Arc::clone(&it.single_sign_on));
    let settings = HttpSettings { hosts, single_sign_on, ..HttpSettings::default() };
    let http = HttpServer::in_front_of(Arc::new(Passed(server)), headers, site, settings);
    http.serve(listener, stop).await;
    if let Some(signed_in) = signed_in {
        signed_in.close().await;
    }
    watching.abort();
    Ok(())
}

/// Calls that are passed on.
#[derive(Debug)]
struct Passed(Upstream);

impl frontend::Upstream for Passed {
    fn call(&self, request: http::Request<Body>) -> ResponseFuture {
        let server = self.0.clone();
        Box::pin(async move { server.call(request).await })
    }
}

/// The surroundings, with what the reference's UI server calls otherwise than its other tools.
fn surroundings() -> Surroundings {
    let unverified = variable("TEMPORAL_TLS_ENABLE_HOST_VERIFICATION")
        .filter(|value| matches!(value.as_str(), "false" | "0"))
        .map(|_| {
            (OsString::from("TEMPORAL_TLS_DISABLE_HOST_VERIFICATION"), OsString::from("true"))
        });
    if unverified.is_some() {
        output::warning(
            "TEMPORAL_TLS_ENABLE_HOST_VERIFICATION IS FALSE: whoever stands between here and the \
             server may pretend to be it",
        );
    }
    let terminal = std::io::stdout().is_terminal();
    Surroundings::new(env::vars_os().chain(unverified), terminal)
}

fn port(arguments: &Arguments) -> anyhow::Result<u16> {
    match (arguments.port, variable("TEMPORAL_UI_PORT")) {
        (Some(port), _) => Ok(port),
        (None, Some(text)) if !text.is_empty() => {
            text.parse().with_context(|| format!("TEMPORAL_UI_PORT: `{text}` is no port"))
        }
        _ => Ok(PORT),
    }
}

/// The headers that go with calls.
fn forwarded(arguments: &Arguments) -> anyhow::Result<Vec<HeaderName>> {
    let named = variable("TEMPORAL_FORWARD_HEADERS").unwrap_or_default();
    let named = named.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| {
        let name: Result<HeaderName, _> = name.parse();
        name.context("TEMPORAL_FORWARD_HEADERS names what is no header")
    });
    arguments.forward_header.iter().cloned().map(Ok).chain(named).collect()
}

/// How browsers are served.
fn security(arguments: &Arguments) -> anyhow::Result<Security> {
    let file = |flag: &Option<String>, name: &str| {
        flag.clone().or_else(|| variable(name)).unwrap_or_default()
    };
    let mut global = config::Global::default();
    let server = &mut global.tls.frontend.server;
    server.cert_file = file(&arguments.serve_cert_path, "TEMPORAL_UI_SERVER_TLS_CERT");
    server.key_file = file(&arguments.serve_key_path, "TEMPORAL_UI_SERVER_TLS_KEY");
    if server.cert_file.is_empty() != server.key_file.is_empty() {
        bail!("TEMPORAL_UI_SERVER_TLS_CERT and TEMPORAL_UI_SERVER_TLS_KEY belong together");
    }
    Security::of(&global)
}

/// Says loudly who could do what; refuses what is meant seldom.
fn warn(
    arguments: &Arguments,
    server: &Upstream,
    encrypted: bool,
    signs_in: bool,
) -> anyhow::Result<()> {
    let ip = arguments.ip.address;
    if !encrypted && !ip.is_loopback() {
        if !arguments.dangerous_plaintext {
            bail!(
                "--ip {ip} is not a loopback address, and there is no encryption: whoever is on \
                 the way may read and change everything. Give a certificate \
                 (--serve-cert-path), or add --dangerous-plaintext"
            );
        }
        output::warning(&format!("LISTENING ON {ip} WITHOUT ENCRYPTION"));
    }
    if server.lends_credentials() && !signs_in && !ip.is_loopback() {
        output::warning(&format!(
            "WHOEVER REACHES {ip} ACTS WITH THE CREDENTIALS THAT WERE GIVEN, unless a browser \
             shows its own"
        ));
    }
    Ok(())
}
