//! Connections to another server, as a configuration describes them.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;
use config::{RemoteServer, RemoteTls, tls::Tls};
use environment::Environment;
use model::Span;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use zeroize::Zeroizing;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often an idle server is asked whether it is still there, and how long it may take to answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(15);

/// Largest set of headers of an answer, in bytes: refusals have their details there.
const HEADER_BYTES_MAX: u32 = 1024 * 1024;

/// Bytes that a server may send ahead on one call and on one connection.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// How often files are looked at when the configuration does not say.
const REFRESH_INTERVAL: Span = Span::from_secs(10);

/// The connection to a server: made with the first call, again whenever it breaks, and another one
/// when the files of its encryption have changed, until `stop`. Calls that are under way end on the
/// former one.
pub(crate) fn channel(
    server: &RemoteServer,
    tree: &Tls,
    environment: &Environment,
    stop: &CancellationToken,
) -> anyhow::Result<watch::Receiver<Channel>> {
    let files = server.tls.as_ref().map(Files::read).transpose()?;
    let (sender, receiver) = watch::channel(connection(server, files.as_ref())?);
    if let Some(files) = files.filter(|files| !files.is_empty()) {
        let interval = Span::from(tree.refresh_interval).or(REFRESH_INTERVAL);
        let (server, clock) = (server.clone(), environment.clock.clone());
        let watching = async move {
            let mut watched = Watched { server, files, sender };
            loop {
                clock.sleep_until(clock.now() + interval).await;
                watched.refresh_and_log();
            }
        };
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = watching => {}
            }
        });
    }
    Ok(receiver)
}

/// The files of a connection's encryption, which are looked at again and again.
struct Watched {
    server: RemoteServer,
    files: Files,
    sender: watch::Sender<Channel>,
}

impl Watched {
    fn refresh_and_log(&mut self) {
        match self.refresh() {
            Ok(true) => {
                tracing::info!(server = self.server.address, "loaded new client certificates");
            }
            Ok(false) => {}
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "failed to load certificates; the former ones stay");
            }
        }
    }

    /// True when there is a new connection.
    fn refresh(&mut self) -> anyhow::Result<bool> {
        let Some(tls) = &self.server.tls else { return Ok(false) };
        let files = Files::read(tls)?;
        if files == self.files {
            return Ok(false);
        }
        let channel = connection(&self.server, Some(&files))?;
        self.files = files;
        self.sender.send_replace(channel);
        Ok(true)
    }
}

/// What the files of a connection's encryption hold.
#[derive(PartialEq, Eq)]
struct Files {
    authorities: Option<Vec<u8>>,
    /// Certificate and key.
    identity: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
}

impl Files {
    fn read(tls: &RemoteTls) -> anyhow::Result<Self> {
        let authorities = tls.ca_file.as_deref().map(read).transpose()?;
        let identity = match (&tls.cert_file, &tls.key_file) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?.into())),
            _ => None,
        };
        Ok(Self { authorities, identity })
    }

    fn is_empty(&self) -> bool {
        self.authorities.is_none() && self.identity.is_none()
    }
}

fn connection(server: &RemoteServer, files: Option<&Files>) -> anyhow::Result<Channel> {
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}", server.address))
        .with_context(|| format!("`{}` is no address", server.address))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    if let (Some(tls), Some(files)) = (&server.tls, files) {
        endpoint = endpoint.tls_config(encryption(tls, files)).context("tls")?;
    }
    Ok(endpoint.connect_lazy())
}

fn encryption(tls: &RemoteTls, files: &Files) -> ClientTlsConfig {
    let mut config = match &files.authorities {
        Some(roots) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(roots)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let Some((certificate, key)) = &files.identity {
        config = config.identity(Identity::from_pem(certificate, key.as_slice()));
    }
    if let Some(name) = &tls.server_name {
        config = config.domain_name(name);
    }
    config
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))
}
